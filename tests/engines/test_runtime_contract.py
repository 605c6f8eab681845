"""What every file of engines/runtimes promises, asked of each one that this machine has."""

import contextlib
import itertools
import os
import re
import threading
from dataclasses import replace

import numpy as np
import pytest
from built_engines import source
from handmade_engines import engine as handmade_engine
from handmade_engines import pictures as standard_pictures
from tiny_networks import brittle, clip_colours, conv, glance, spec

from vidreid import plugins
from vidreid.engines.card import read_card
from vidreid.engines.order import Order
from vidreid.engines.registry import describe, read_registry
from vidreid.engines.weights import FileModel
from vidreid.errors import InputError, VidreidError
from vidreid.types import InputSpec

SIZE = (12, 20)
PLAIN = InputSpec(SIZE)
STATED = InputSpec(SIZE, "bgr", 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


REQUIRED = os.environ.get("VIDREID_REQUIRE", "").split(",")


@pytest.fixture(params=plugins.names("engines.runtimes"))
def runtime(request):
    found = plugins.load("engines.runtimes", request.param)
    reason = found.available()
    if reason and request.param in REQUIRED:
        found.version()  # an ImportError where it is not installed, which is worse than a machine without its GPU
    if reason:
        pytest.skip(reason)
    return found


@pytest.fixture
def builder(runtime):
    if not hasattr(runtime, "build"):
        pytest.skip("builds no engines")
    return runtime


@pytest.fixture(scope="module")
def tiny_source(tmp_path_factory):
    return source(tmp_path_factory.mktemp("source"))


def built(runtime, order, folder):
    """What the runtime makes of an order, and the engine's model."""
    made = runtime.build(order, folder, lambda words, share: None)
    return made, FileModel(order.source.spec, folder / made.main, precision=order.precision)


@pytest.fixture
def opened(runtime, tmp_path):
    """Opens a tiny network with the runtime, and closes it after the test."""
    engines = []

    def open_engine(make, input=PLAIN, *, streams=1):
        engines.append(runtime.load(make(tmp_path / "tiny.onnx", input), streams=streams))
        return engines[-1]

    yield open_engine
    for engine in engines:
        engine.close()


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 1, *SIZE, 3), np.uint8)


def output(engine, images):
    return engine.run({"images": images})[engine.outputs[0]]


def convolved(image, weight, bias):
    """The tiny network, number by number: stride 2, one row and column of zeros around, ReLU, mean."""
    padded = np.pad(image.transpose(2, 0, 1), ((0, 0), (1, 1), (1, 1)))
    rows, columns = -(-SIZE[0] // 2), -(-SIZE[1] // 2)
    total = np.zeros(len(bias))
    for r in range(rows):
        for c in range(columns):
            patch = padded[:, 2 * r : 2 * r + 3, 2 * c : 2 * c + 3]
            total += np.maximum((weight * patch).sum((1, 2, 3)) + bias, 0)
    return total / rows / columns


def test_the_network_is_computed(runtime, tmp_path):
    model = conv(tmp_path / "tiny.onnx", InputSpec(SIZE, scale=255.0))
    weight, bias = (model.network.conv.weight.detach().numpy(), model.network.conv.bias.detach().numpy())
    engine = runtime.load(model, streams=1)
    (image,) = pictures(1)
    # Some processors compute with eight bits of mantissa.
    np.testing.assert_allclose(output(engine, image)[0], convolved(image[0] / 255, weight, bias), rtol=0.02, atol=0.01)
    engine.close()


@pytest.mark.parametrize("wanted", [PLAIN, STATED, InputSpec(SIZE, mean=(100, 110, 120), std=(50, 60, 70))])
def test_normalisation_is_inside(opened, wanted):
    engine = opened(glance, wanted)
    (image,) = pictures(1)
    seen = image[0, 0, :2].astype(float)
    ordered = seen[:, ::-1] if wanted.color == "bgr" else seen
    normal = (ordered / wanted.scale - wanted.mean) / wanted.std
    np.testing.assert_allclose(output(engine, image).reshape(2, 3), normal, rtol=0.01, atol=0.01)


def test_a_network_of_clips_gets_them_as_they_are(opened):
    engine = opened(clip_colours, InputSpec(SIZE))
    clip = np.random.default_rng(0).integers(0, 256, (1, 3, *SIZE, 3), np.uint8)
    assert dict(engine.inputs) == {"images": (1, 3, *SIZE, 3)}
    np.testing.assert_allclose(output(engine, clip).reshape(3, 3), clip[0].mean((1, 2)), rtol=0.01)
    with pytest.raises(ValueError, match="wanted"):
        engine.submit({"images": clip[:, :2]})


def test_a_network_of_pictures_is_not_one_of_clips(tmp_path):
    model = conv(tmp_path / "tiny.onnx", PLAIN)
    with pytest.raises(InputError, match=r"tiny\.onnx: takes single pictures, not clips of 4"):
        plugins.load("engines.runtimes", "openvino").load(replace(model, spec=replace(model.spec, frames=4)), streams=1)


@pytest.mark.parametrize("stated", [{"frames": 5}, {"input": InputSpec((16, 20))}], ids=["frames", "size"])
def test_clips_of_another_shape_than_the_file_takes_are_named(tmp_path, stated):
    model = clip_colours(tmp_path / "tiny.onnx", PLAIN)
    with pytest.raises(InputError, match=r"tiny\.onnx: takes clips of shape \[1,3,12,20,3\]"):
        plugins.load("engines.runtimes", "openvino").load(replace(model, spec=replace(model.spec, **stated)), streams=1)


def test_a_batch_is_computed_picture_by_picture(runtime, tmp_path):
    model = conv(tmp_path / "tiny.onnx", PLAIN)
    batch = runtime.usual_batch(model)
    engine = runtime.load(model, streams=1, batch=batch)
    images = np.concatenate(pictures(batch))
    assert dict(engine.inputs) == {"images": (batch, *SIZE, 3)}
    assert len(output(engine, images)) == batch
    engine.close()


def test_input_and_outputs_are_named(opened):
    engine = opened(conv)
    assert dict(engine.inputs) == {"images": (1, *SIZE, 3)}
    assert set(engine.run({"images": pictures(1)[0]})) == set(engine.outputs)
    assert output(engine, pictures(1)[0]).dtype == np.float32


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, *SIZE, 3), np.float32),
        np.zeros((1, 3, *SIZE), np.uint8),
        np.zeros((2, *SIZE, 3), np.uint8),
        np.zeros((*SIZE, 3), np.uint8),
    ],
    ids=["float", "channels first", "two pictures", "no batch"],
)
def test_other_arrays_are_refused(opened, wrong):
    engine = opened(conv)
    with pytest.raises(ValueError, match="wanted"):
        engine.submit({"images": wrong})
    assert output(engine, pictures(1)[0]).shape == (1, 6)


def test_a_view_of_a_larger_picture_is_as_good_as_a_copy(opened):
    engine = opened(conv)
    large = pictures(1)[0].repeat(2, axis=2)
    np.testing.assert_array_equal(output(engine, large[:, :, ::2]), output(engine, large[:, :, ::2].copy()))


def test_results_depend_on_neither_streams_nor_neighbours(runtime, tmp_path):
    model = conv(tmp_path / "tiny.onnx", STATED)
    images = pictures(24)
    one, many = runtime.load(model, streams=1), runtime.load(model, streams=3)
    alone = [output(one, image) for image in images]
    jobs = [many.submit({"images": image}) for image in images]
    for job, wanted in zip(jobs, alone, strict=True):
        np.testing.assert_array_equal(job.result()[many.outputs[0]], wanted)
    one.close()
    many.close()


def test_streams_may_submit_from_many_threads(opened):
    engine = opened(conv, streams=2)
    images = pictures(30)
    found = {}

    def stream(numbers):
        for number in numbers:
            found[number] = output(engine, images[number])

    threads = [threading.Thread(target=stream, args=(range(first, 30, 3),)) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, image in enumerate(images):
        np.testing.assert_array_equal(found[number], output(engine, image))


def test_a_failed_inference_is_the_futures_exception_and_the_engine_goes_on(opened):
    engine = opened(brittle)
    good, bad = pictures(2)
    good[0, 0, 0, 0], bad[0, 0, 0, 0] = SIZE[1], SIZE[1] - 1
    for _ in range(5):  # more often than the engine has slots
        assert isinstance(engine.submit({"images": bad}).exception(timeout=60), RuntimeError)
    np.testing.assert_allclose(output(engine, good), good[0, 0, :, 0].mean(), rtol=0.01)


def test_close_waits_for_what_is_under_way(runtime, tmp_path):
    engine = runtime.load(conv(tmp_path / "tiny.onnx", PLAIN), streams=2)
    jobs = [engine.submit({"images": image}) for image in pictures(4)]
    engine.close()
    assert all(job.done() and job.exception() is None for job in jobs)


def test_a_built_engine_says_what_torch_said(builder, tiny_source, tmp_path):
    made, model = built(builder, Order(tiny_source, "fp32"), tmp_path)
    assert {tensor.name: (tensor.role, tensor.dtype, tensor.shape) for tensor in made.tensors} == {
        "images": ("input", "uint8", [-1, *tiny_source.spec.input.size, 3]),
        "embedding": ("output", "float32", [-1, tiny_source.spec.dim]),
    }
    assert {file.name for file in tmp_path.iterdir()} == {made.main, *made.others}
    (golden,) = tiny_source.golden
    with contextlib.closing(builder.load(model, streams=1, batch=5)) as engine:
        assert list(engine.outputs) == ["embedding"]
        np.testing.assert_allclose(
            engine.run({"images": golden.images})["embedding"], golden.outputs["embedding"], 1e-4
        )


def test_a_batch_is_computed_and_neighbours_do_not_matter(builder, tiny_source, tmp_path):
    _, model = built(builder, Order(tiny_source, "fp32"), tmp_path)
    one, other = standard_pictures(3, seed=1), standard_pictures(3, seed=2)
    other[1] = one[1]
    with contextlib.closing(builder.load(model, streams=1, batch=3)) as engine:
        assert engine.inputs["images"] == (3, *tiny_source.spec.input.size, 3)
        together = output(engine, one)
        np.testing.assert_array_equal(output(engine, other)[1], together[1])
    with contextlib.closing(builder.load(model, streams=1)) as engine:
        alone = np.concatenate([output(engine, one[place : place + 1]) for place in range(3)])
    np.testing.assert_allclose(together, alone, rtol=1e-4)


def test_results_of_streams_of_several_threads_are_those_of_one_stream(runtime, tmp_path):
    model, images = conv(tmp_path / "tiny.onnx", STATED), pictures(8)
    with contextlib.closing(runtime.load(model, streams=1, threads=2)) as engine:
        alone = [output(engine, image) for image in images]
    with contextlib.closing(runtime.load(model, streams=2, threads=2)) as engine:
        jobs = [engine.submit({"images": image}) for image in images]
        for job, wanted in zip(jobs, alone, strict=True):
            np.testing.assert_array_equal(job.result()[engine.outputs[0]], wanted)


def test_a_batch_of_none_is_refused(runtime, tmp_path):
    with pytest.raises(InputError, match="tiny: a batch of 0"):
        runtime.load(conv(tmp_path / "tiny.onnx", PLAIN), streams=1, batch=0)


def test_the_layers_of_an_engine_are_told_with_precision_and_time(builder, tiny_source, tmp_path):
    _, model = built(builder, Order(tiny_source, "fp32"), tmp_path)
    layers = builder.layers(model)
    (conv_layer,) = (layer for layer in layers if "conv" in layer.kind.lower())
    assert re.search("f(p|loat)?32|^float$", conv_layer.precision.lower())
    assert all(layer.milliseconds is None or layer.milliseconds >= 0 for layer in layers)


def test_int8_needs_inputs_to_measure_ranges_on(builder, tiny_source, tmp_path):
    with pytest.raises(InputError, match="tiny: no inputs to measure the ranges of int8 on"):
        built(builder, Order(tiny_source, "int8"), tmp_path)


def test_int8_is_near(builder, tiny_source, tmp_path):
    calibrated = replace(tiny_source, calibration=standard_pictures(20, seed=3), calibrated_on="noise")
    _, model = built(builder, Order(calibrated, "int8"), tmp_path)
    (golden,) = tiny_source.golden
    with contextlib.closing(builder.load(model, streams=1, batch=5)) as engine:
        found, wanted = output(engine, golden.images), golden.outputs["embedding"]
    assert 0 < np.abs(found - wanted).max() < 0.05 * np.abs(wanted).max()


def test_what_is_named_an_island_stays_in_float(builder, tiny_source, tmp_path):
    calibrated = replace(tiny_source, calibration=standard_pictures(4, seed=3), calibrated_on="noise")
    made, model = built(builder, Order(calibrated, "int8", islands=["conv*"]), tmp_path)
    assert [name for name in made.islands if "conv" in name]
    (golden,) = tiny_source.golden
    with contextlib.closing(builder.load(model, streams=1, batch=5)) as engine:
        # Some processors compute what is not in INT8 with eight bits of mantissa.
        np.testing.assert_allclose(output(engine, golden.images), golden.outputs["embedding"], rtol=0.02, atol=0.01)


def test_half_a_file_is_an_error_that_names_it(builder, tiny_source, tmp_path):
    made, model = built(builder, Order(tiny_source, "fp32"), tmp_path)
    for name in (made.main, *made.others):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(VidreidError, match=re.escape(made.main)):
            builder.load(model, streams=1)
        (tmp_path / name).write_bytes(whole)


def test_an_engine_of_a_later_version_is_refused_and_of_an_earlier_one_warned_of(builder, tmp_path):
    card = read_card(handmade_engine(tmp_path, runtime_version=builder.version()))
    assert builder.refuses(card) is None
    assert builder.warns(card) is None
    assert "9999.0 made it" in builder.refuses(card.model_copy(update={"runtime_version": "9999.0"}))
    assert "0.1 made it" in builder.warns(card.model_copy(update={"runtime_version": "0.1"}))


@pytest.mark.shared
def test_a_checkpoint_and_its_quantised_twin_see_the_same_people(shared):
    import av

    from vidreid.detection.yolo import make
    from vidreid.types import Frame

    with av.open(str(shared / "data/footage/pets_s2l1/vtest.avi")) as footage:
        image = next(itertools.islice(footage.decode(video=0), 60, None)).to_ndarray(format="rgb24")
    found = {}
    for name, file in (
        ("openvino", "yolo26n_int8_openvino_model/yolo26n.xml"),
        ("torch", "yolo26n_dequant.pt"),
    ):
        path = shared / "weights/detector" / file
        model = FileModel(describe(path, read_registry()), path, trusted=True)
        engine = plugins.load("engines.runtimes", name).load(model, streams=1)
        detector = make(lambda size, engine=engine: engine, score=0.3, suppress=None, tile=0, ahead=0)
        ((_, found[name]),) = detector.detect([Frame("c1", 0, 0, 0, 0.0, image)])
        engine.close()
    for one, other in itertools.permutations(found.values(), 2):
        sure = one.boxes[one.scores > 0.6]
        assert len(sure) >= 3
        assert all(np.abs(other.boxes - box).max(1).min() < 4 for box in sure)


def test_a_file_that_is_no_network_is_an_error_that_names_it(runtime, tmp_path):
    (tmp_path / "tiny.onnx").write_bytes(b"no network")
    with pytest.raises(VidreidError, match=r"tiny\.onnx"):
        runtime.load(FileModel(spec(PLAIN), tmp_path / "tiny.onnx"), streams=1)
