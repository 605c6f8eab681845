"""Standard form: any network of pictures takes uint8 RGB, any number at once, and answers as it did."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tiny_graphs import SIZE, embedder, graph, normal, pictures, run, spec

from vidreid.engines.graph.standard import to_standard
from vidreid.errors import InputError

COLOURS = {"scale": 255.0, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def standard(model, stated, folder):
    source, target = folder / "tiny.onnx", folder / "standard.onnx"
    source.write_bytes(model.SerializeToString())
    to_standard(source, stated, target)
    return onnx.load(target)


def shape_of(value):
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def as_the_network_wants(images, stated):
    """The slow reference: what `InputSpec` says, by its letter."""
    ordered = images[..., ::-1] if stated.color == "bgr" else images
    values = (ordered.astype(np.float32) / stated.scale - np.float32(stated.mean)) / np.float32(stated.std)
    return np.moveaxis(values, -1, -3)


@settings(max_examples=25)
@given(
    st.sampled_from(["rgb", "bgr"]),
    st.sampled_from([1.0, 255.0]),
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.tuples(*[st.floats(0.1, 4)] * 3),
)
def test_it_does_to_pictures_what_the_spec_states(tmp_path_factory, color, scale, mean, std):
    stated = spec(color=color, scale=scale, mean=mean, std=std)
    images = pictures(2)
    found = run(standard(embedder(), stated, tmp_path_factory.mktemp("form")), images=images)[0]
    expected = run(embedder(), input=as_the_network_wants(images, stated.input))[0]
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("batch", ["n", 1, 4])
@pytest.mark.parametrize("clip", [(), (3,)])
def test_any_number_goes_in_at_once_and_each_is_computed_alone(batch, clip, tmp_path):
    stated = spec(frames=clip[0] if clip else 1, **COLOURS)
    model = standard(embedder(batch, clip=clip), stated, tmp_path)
    assert shape_of(model.graph.input[0]) == ["N", *clip, *SIZE, 3]
    assert shape_of(model.graph.output[0]) == ["N", 5]
    images = pictures(5, *clip)
    together = run(model, images=images)[0]
    np.testing.assert_allclose(together, np.concatenate([run(model, images=one[None])[0] for one in images]), rtol=1e-5)


def test_fixed_normalisation_becomes_part_of_the_convolution(tmp_path):
    model = standard(embedder(), spec(**COLOURS), tmp_path)
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}


def test_a_normalisation_without_a_convolution_before_it_becomes_a_scale_and_a_shift(tmp_path):
    numbers = {"w": normal(3), "b": normal(3, seed=1), "m": normal(3, seed=2), "v": np.float32([1, 2, 1e-4])}
    nodes = [
        helper.make_node("BatchNormalization", ["input", "w", "b", "m", "v"], ["norm"], epsilon=1e-3),
        helper.make_node("GlobalAveragePool", ["norm"], ["pooled"]),
    ]
    source = graph(nodes, [("input", 1, ["n", 3, *SIZE])], [("pooled", 1, ["n", 3, 1, 1])], numbers)
    model = standard(source, spec(dim=3), tmp_path)
    images = pictures(2)
    expected = run(source, input=as_the_network_wants(images, spec().input))[0].reshape(2, 3)
    np.testing.assert_allclose(run(model, images=images)[0], expected, rtol=1e-5)
    assert [node.op_type for node in model.graph.node][2:4] == ["Mul", "Add"]


def test_what_follows_from_constants_is_computed_once(tmp_path):
    nodes = [
        helper.make_node("Shape", ["input"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["count"]),
        helper.make_node("Constant", [], ["rest"], value_ints=[-1]),
        helper.make_node("Concat", ["count", "rest"], ["flat"], axis=0),
        helper.make_node("Reshape", ["input", "flat"], ["row"]),
        helper.make_node("Sqrt", ["matrix"], ["root"]),
        helper.make_node("MatMul", ["row", "root"], ["output"]),
    ]
    matrix = np.abs(normal(3 * SIZE[0] * SIZE[1], 5))
    numbers = {"zero": np.array([0]), "matrix": matrix}
    model = standard(
        graph(nodes, [("input", 1, ["n", 3, *SIZE])], [("output", 1, ["n", 5])], numbers), spec(), tmp_path
    )
    assert [node.op_type for node in model.graph.node] == ["Cast", "Transpose", "Reshape", "MatMul"]
    images = pictures(2)
    flat = np.moveaxis(images, -1, 1).reshape(2, -1).astype(np.float32)
    np.testing.assert_allclose(run(model, images=images)[0], flat @ np.sqrt(matrix), rtol=1e-4)


def test_a_graph_in_16_bits_takes_and_gives_what_every_other_does(tmp_path):
    model = standard(embedder(kind=TensorProto.FLOAT16), spec(**COLOURS), tmp_path)
    expected = run(standard(embedder(), spec(**COLOURS), tmp_path), images=pictures(2))[0]
    found = run(model, images=pictures(2))[0]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


def clips_of_ours(frames):
    """A network that takes uint8 clips, and says which rows it erased."""
    nodes = [
        helper.make_node("Cast", ["clips"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values", "all"], ["vector"], keepdims=0),
        helper.make_node("Gemm", ["vector", "matrix"], ["embedding"]),
        helper.make_node("ArgMax", ["embedding"], ["rows"], axis=1, keepdims=0),
    ]
    outputs = [("embedding", 1, ["n", 5]), ("rows", TensorProto.INT64, ["n"])]
    numbers = {"all": np.array([1, 2, 3]), "matrix": normal(3, 5)}
    return graph(nodes, [("clips", TensorProto.UINT8, ["n", frames, *SIZE, 3])], outputs, numbers)


@pytest.mark.parametrize(("frames", "shape"), [(4, ["N", 4, *SIZE, 3]), (1, ["N", *SIZE, 3])])
def test_networks_of_ours_keep_their_arithmetic_and_their_rows(frames, shape, tmp_path):
    model = standard(clips_of_ours("t"), spec(frames=frames), tmp_path)
    assert [value.name for value in model.graph.output] == ["embedding", "rows"]
    assert shape_of(model.graph.input[0]) == shape
    images = pictures(2, *shape[1:-3])
    clips = images if frames > 1 else images[:, None]
    for found, expected in zip(run(model, images=images), run(clips_of_ours("t"), clips=clips), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_standard_form_is_its_own_standard_form(tmp_path):
    once = standard(clips_of_ours(4), spec(frames=4), tmp_path)
    assert standard(once, spec(frames=4), tmp_path).SerializeToString() == once.SerializeToString()


def detector(height="h", width="w"):
    """The mean colour of each column as a box, the score of all is one half."""
    nodes = [
        helper.make_node("ReduceMean", ["images", "rows"], ["columns"], keepdims=0),
        helper.make_node("Transpose", ["columns"], ["places"], perm=[0, 2, 1]),
        helper.make_node("Concat", ["places", "places"], ["found"], axis=2),
    ]
    outputs = [("found", 1, ["n", None, 6])]
    return graph(nodes, [("images", 1, ["n", 3, height, width])], outputs, {"rows": np.array([2])})


def test_a_detector_of_several_sizes_takes_each_of_them(tmp_path):
    sizes = ((16, 8), (24, 16))
    model = standard(detector(), spec("detector", sizes=sizes), tmp_path)
    assert shape_of(model.graph.input[0]) == ["N", "H", "W", 3]
    assert [value.name for value in model.graph.output] == ["boxes"]
    for size in sizes:
        images = pictures(2, size=size)
        columns = images.astype(np.float32).mean(1)
        np.testing.assert_allclose(run(model, images=images)[0], np.concatenate([columns] * 2, 2), rtol=1e-5)


def test_a_detector_of_one_size_has_it_fixed(tmp_path):
    model = standard(detector(), spec("detector"), tmp_path)
    assert shape_of(model.graph.input[0]) == ["N", *SIZE, 3]


def one_at_a_time():
    """A constant of one picture is joined to what is found: nothing of a shape can be changed to free it."""
    nodes = [
        helper.make_node("ReduceMean", ["input", "space"], ["pooled"], keepdims=0),
        helper.make_node("Concat", ["pooled", "kind"], ["output"], axis=1),
    ]
    numbers = {"space": np.array([2, 3]), "kind": np.ones((1, 2), np.float32)}
    return graph(nodes, [("input", 1, [1, 3, *SIZE])], [("output", 1, [1, 5])], numbers)


REFUSED = {
    "one picture at a time": (one_at_a_time(), spec(), "not take 2 at once"),
    "another size": (embedder(), spec(size=(32, 8)), "takes pictures of 3 x 16 x 8, stated is 3 x 32 x 8"),
    "one of its sizes": (detector(*SIZE), spec("detector", sizes=((16, 8), (8, 8))), "stated is 3 x 8 x 8"),
    "clips": (embedder(), spec(frames=4), "takes pictures of 3 x 16 x 8, stated is 4 x 3 x 16 x 8"),
    "another length": (embedder(), spec(dim=7), "vectors of 5 numbers, not 7"),
    "two outputs": (clips_of_ours(4), spec("detector", frames=4), "2 outputs, one was expected"),
    "whole numbers": (
        graph(
            [helper.make_node("ReduceSum", ["input", "axes"], ["output"], keepdims=0)],
            [("input", TensorProto.INT32, ["n", 3, *SIZE])],
            [("output", TensorProto.INT32, ["n", 3])],
            {"axes": np.array([2, 3])},
        ),
        spec(),
        "neither uint8 nor float pictures",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_contradicts_the_spec_is_refused_in_one_line(what, tmp_path):
    model, stated, words = REFUSED[what]
    with pytest.raises(InputError, match=words) as refused:
        standard(model, stated, tmp_path)
    assert refused.value.message.startswith("tiny.onnx: ")
    assert "\n" not in refused.value.message
    assert not (tmp_path / "standard.onnx").exists()


@pytest.mark.parametrize("content", [b"", b"no graph", embedder().SerializeToString()[:-60]])
def test_a_damaged_file_is_named(content, tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cut\.onnx"):
        to_standard(path, spec(), tmp_path / "target.onnx")
