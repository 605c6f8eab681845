"""ONNX: the runtimes compute what torch does, and the weights come back under their names."""

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from goldens import seeded
from small import Small

from vidreid.engines.runtimes.openvino import shared_core
from vidreid.errors import InputError, MissingError
from vidreid.networks import MEAN, STD, afa, average, qan, tclnet, tclnet_authors
from vidreid.networks.backbones import resnet50
from vidreid.networks.modules.temporal_conv import TemporalConv
from vidreid.networks.weights.checkpoint import load_into, read_checkpoint
from vidreid.networks.weights.onnx import export_onnx, read_onnx_weights

SIZE = (64, 32)


class Inflated(Small):
    """Its last stage begins with a 3-D convolution, over the frames beside, as base.+3D has them."""

    def __init__(self):
        super().__init__()
        self.stages[3].insert(0, TemporalConv(16, 16))


NETWORKS = {
    "average": lambda: average.build(Small(), average.Settings()),
    "3d": lambda: average.build(Inflated(), average.Settings()),
    "afa": lambda: afa.build(Small(), afa.Settings(tsb=(2,))),
    "qan": lambda: qan.build(Small(), qan.Settings()),
    "tclnet": lambda: tclnet.build(Small(), tclnet.Settings()),
}


def random_clips(clips, frames, size=SIZE):
    return np.random.default_rng(clips).integers(0, 256, (clips, frames, *size, 3), dtype=np.uint8)


def by_torch(network, clips, mean=MEAN, std=STD):
    pictures = torch.from_numpy(clips).float() / 255
    normalised = (pictures - torch.tensor(mean)) / torch.tensor(std)
    with torch.no_grad():
        return network.eval()(normalised.permute(0, 1, 4, 2, 3)).numpy()


def by_onnxruntime(path, clips):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["embedding"], {"clips": clips})[0]


def by_openvino(path, clips):
    # bfloat16 is its default on processors that have it.
    compiled = shared_core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled({"clips": clips})["embedding"]


@pytest.fixture(scope="module", params=[(name, half) for name in NETWORKS for half in (False, True)], ids=str)
def exported(request, tmp_path_factory):
    """A network, its file, and whether the file has 16 bits a weight; the network has the file's weights."""
    name, half = request.param
    network = seeded(NETWORKS[name]())
    path = tmp_path_factory.mktemp("onnx") / f"{name}.onnx"
    export_onnx(network, path, 4, SIZE, half=half)
    if half:
        rounded = {key: value.half() for key, value in network.state_dict().items() if value.ndim >= 2}
        network.load_state_dict({**network.state_dict(), **rounded})
    return network, path, half


@pytest.mark.parametrize("clips", [1, 3])
@pytest.mark.parametrize("frames", [2, 4, 7])
@pytest.mark.parametrize("runtime", [by_onnxruntime, by_openvino])
def test_runtimes_compute_what_torch_does(exported, runtime, clips, frames):
    network, path, _ = exported
    if network.multiple > 1:
        frames = 4
    pictures = random_clips(clips, frames)
    expected = by_torch(network, pictures)
    found = runtime(path, pictures)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_the_weights_come_back_under_their_names(exported):
    network, path, half = exported
    found = read_onnx_weights(path)
    state = network.state_dict()
    used = {name for name in state if not name.endswith("num_batches_tracked")}
    if not network.after_neck:
        used = {name for name in used if not name.startswith("necks.")}
    assert found.keys() == used
    for name, value in found.items():
        assert value.dtype == (torch.float16 if half and value.ndim >= 2 else torch.float32)
        assert torch.equal(value.float(), state[name])


def test_a_file_is_a_checkpoint_to_go_on_from(tmp_path):
    network, other = (NETWORKS["average"]() for _ in range(2))
    export_onnx(seeded(network), tmp_path / "w.onnx", 2, SIZE)
    load_into(other, read_checkpoint(tmp_path / "w.onnx"), "w.onnx")
    pictures = random_clips(1, 2)
    np.testing.assert_array_equal(by_torch(other, pictures), by_torch(network, pictures))


def test_inputs_and_outputs_are_the_documented_ones(exported):
    network, path, _ = exported
    graph = onnx.load(path).graph
    [clips], [embedding] = graph.input, graph.output
    assert (clips.name, embedding.name) == ("clips", "embedding")
    assert clips.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    batch, frames, *rest = clips.type.tensor_type.shape.dim
    assert batch.dim_param
    assert bool(frames.dim_param) == (network.multiple == 1)
    assert [size.dim_value for size in rest] == [*SIZE, 3]
    assert embedding.type.tensor_type.shape.dim[1].dim_value == network.branches * network.width


def test_the_graph_has_no_control_flow_and_keeps_batch_normalisation(exported):
    network, path, _ = exported
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert not {"If", "Loop", "Scan", "SplitToSequence", "SequenceAt"} & set(kinds)
    norms = sum(isinstance(module, torch.nn.modules.batchnorm._BatchNorm) for module in network.modules())
    unused = 0 if network.after_neck else network.branches
    # The learners share blocks, whose nodes stand in the graph once a learner.
    assert kinds.count("BatchNormalization") >= norms - unused


def test_half_precision_takes_half_the_room(tmp_path):
    network = average.build(Small((32, 64, 96, 128)), average.Settings())
    sizes = {}
    for half in (False, True):
        export_onnx(network, tmp_path / "w.onnx", 4, SIZE, half=half)
        sizes[half] = (tmp_path / "w.onnx").stat().st_size
    matrices = sum(value.numel() for value in network.state_dict().values() if value.ndim >= 2)
    assert abs(sizes[False] - sizes[True] - 2 * matrices) < 10_000
    assert sizes[True] < 2.05 * matrices + 30_000


def test_another_normalisation_is_inside_the_graph(tmp_path):
    network = seeded(NETWORKS["average"]())
    export_onnx(network, tmp_path / "w.onnx", 1, SIZE, mean=(0.5, 0.5, 0.5), std=(0.25, 0.5, 1.0))
    pictures = random_clips(2, 1)
    expected = by_torch(network, pictures, (0.5, 0.5, 0.5), (0.25, 0.5, 1.0))
    found = by_onnxruntime(tmp_path / "w.onnx", pictures)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_the_same_network_gives_the_same_bytes_and_no_path_of_this_machine(tmp_path):
    network = NETWORKS["average"]().train()
    for name in ("a", "b"):
        export_onnx(network, tmp_path / name, 2, SIZE)
    assert network.training
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert b".py" not in (tmp_path / "a").read_bytes()


@pytest.mark.parametrize(
    ("package", "call"),
    [
        ("onnx", lambda path: export_onnx(NETWORKS["average"](), path, 2, SIZE)),
        ("onnxscript", lambda path: export_onnx(NETWORKS["average"](), path, 2, SIZE)),
        ("onnx", read_onnx_weights),
        ("onnx", read_checkpoint),
    ],
)
def test_without_the_packages_the_error_says_what_to_install(tmp_path, monkeypatch, package, call):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingError, match=f"^{package} is not installed") as missing:
        call(tmp_path / "w.onnx")
    assert missing.value.hint == "pip install onnx onnxscript"


def test_networks_are_imported_without_it():
    script = "import sys, vidreid.networks.weights.checkpoint as c; sys.exit('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_damaged_or_missing_file_is_named(tmp_path):
    export_onnx(NETWORKS["average"](), tmp_path / "w.onnx", 2, SIZE)
    whole = (tmp_path / "w.onnx").read_bytes()
    for data in (whole[:1000], whole[:-100], b"no network"):
        (tmp_path / "w.onnx").write_bytes(data)
        with pytest.raises(InputError, match=r"^w\.onnx: not an ONNX file, or damaged"):
            read_onnx_weights(tmp_path / "w.onnx")
    with pytest.raises(InputError, match="no such file"):
        read_onnx_weights(tmp_path / "none.onnx")


def test_weights_outside_the_file_are_not_looked_for(tmp_path):
    export_onnx(NETWORKS["average"](), tmp_path / "w.onnx", 2, SIZE)
    model = onnx.load(tmp_path / "w.onnx")
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    (tmp_path / "w.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="damaged"):
        read_onnx_weights(tmp_path / "w.onnx")


@pytest.mark.parametrize("learners", [2, 3])
def test_rows_that_were_erased_are_a_second_output_where_asked_for(tmp_path, learners):
    network = seeded(tclnet.build(Small(), tclnet.Settings(learners=learners, block_height=1)))
    export_onnx(network, tmp_path / "w.onnx", 2 * learners, (64, 64), rows=True)
    session = onnxruntime.InferenceSession(str(tmp_path / "w.onnx"), providers=["CPUExecutionProvider"])
    clips = random_clips(5, 2 * learners, (64, 64))
    embedding, rows = session.run(["embedding", "rows"], {"clips": clips})
    expected = by_torch(network, clips)
    np.testing.assert_allclose(embedding, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert (rows.shape, rows.dtype) == ((5, 2, learners - 1), np.int64)
    pictures = (torch.from_numpy(clips).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    with torch.no_grad():
        np.testing.assert_array_equal(rows, network.features(pictures.permute(0, 1, 4, 2, 3)).rows)
    assert len(np.unique(rows)) > 1


def test_a_network_that_erases_nothing_has_no_such_output(tmp_path):
    export_onnx(NETWORKS["average"](), tmp_path / "w.onnx", 2, SIZE, rows=True)
    assert [value.name for value in onnx.load(tmp_path / "w.onnx").graph.output] == ["embedding"]


@pytest.mark.slow
def test_the_released_tclnet_is_exported_too(tmp_path):
    network = seeded(tclnet_authors.build(resnet50.build(resnet50.Settings()), tclnet_authors.Settings()))
    export_onnx(network, tmp_path / "w.onnx", 4, SIZE)
    pictures = random_clips(2, 4)
    expected = by_torch(network, pictures)
    for runtime in (by_onnxruntime, by_openvino):
        found = runtime(tmp_path / "w.onnx", pictures)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
