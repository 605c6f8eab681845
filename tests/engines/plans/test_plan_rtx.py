"""Real plans of TensorRT-RTX, built on the processor: no GPU, no driver."""

import os
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from standard_networks import SIZE, order, source

from vidreid.engines.card import Target, WeightsCard
from vidreid.engines.order import Order
from vidreid.engines.recipe import read_recipe
from vidreid.engines.registry import read_registry
from vidreid.engines.runtimes import tensorrt_rtx as runtime
from vidreid.engines.source import Source
from vidreid.errors import InputError, MissingError
from vidreid.resources import shipped_weights

NAMED = Target(capabilities=["sm86", "sm89", "sm120"])


@pytest.fixture(autouse=True)
def library():
    """TensorRT-RTX itself; where it is missing the tests are skipped, or fail if VIDREID_REQUIRE names it."""
    try:
        runtime.version()
    except ImportError as error:
        if "tensorrt-rtx" in os.environ.get("VIDREID_REQUIRE", "").split(","):
            pytest.fail(f"VIDREID_REQUIRE: {error}")
        pytest.skip(str(error))


@pytest.fixture
def no_gpu():
    if runtime.available() is None:
        pytest.skip("this machine has a GPU")


@pytest.fixture
def build(tmp_path, folder):
    """Builds a tiny network for named GPUs."""

    def do(precision="fp32", *, target=NAMED, progress=lambda words, share: None, **made):
        return runtime.build(order(tmp_path / "tiny.onnx", precision, target=target, **made), folder, progress)

    return do


def precisions(folder, built):
    """What the layers are computed in, by name."""
    return {one.name: one.precision for one in runtime.layers(SimpleNamespace(path=folder / built.main))}


def test_a_plan_is_built_for_named_gpus(build, folder):
    told = []
    built = build(sizes=(SIZE, (16, 28)), progress=lambda words, share: told.append(share))
    assert built.target.capabilities == NAMED.capabilities
    assert (folder / built.main).stat().st_size > 10_000
    assert [(one.name, one.dtype, one.shape) for one in built.tensors] == [
        ("images", "uint8", [-1, -1, -1, 3]),
        ("embedding", "float32", [-1, 6]),
    ]
    assert sorted(file.name for file in folder.iterdir()) == sorted([built.main, *built.others])
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 10


@pytest.mark.parametrize(("precision", "word"), [("fp32", "FLOAT"), ("fp16", "HALF"), ("bf16", "BF16")])
def test_the_graph_says_what_is_computed_in_which_type(build, folder, precision, word):
    found = precisions(folder, build(precision))
    assert found["the_conv"] == word


@pytest.mark.parametrize("islands", [("Conv",), ("*_conv",)])
def test_islands_stay_in_float32(build, folder, islands):
    built = build("fp16", islands=islands)
    assert "the_conv" in built.islands
    assert precisions(folder, built)["the_conv"] == "FLOAT"


def test_int8_stands_in_the_graph_and_the_rest_is_fp16(build, folder):
    pictures = np.random.default_rng(0).integers(0, 256, (4, *SIZE, 3), np.uint8)
    built = build("int8", calibration=pictures)
    layers = runtime.layers(SimpleNamespace(path=folder / built.main))
    kinds = Counter((one.kind, one.precision) for one in layers)
    assert kinds["QUANTIZE", "INT8"] >= 2  # what the convolution is given, and its weights
    assert kinds["DEQUANTIZE", "HALF"] >= 1
    assert precisions(folder, built)["the_conv"] == "HALF"


def test_int8_leaves_islands_alone(build, folder):
    pictures = np.zeros((1, *SIZE, 3), np.uint8)
    built = build("int8", calibration=pictures, islands=("Conv",))
    assert "the_conv" in built.islands
    assert "INT8" not in precisions(folder, built).values()


def test_int8_without_pictures_is_refused(build, folder):
    with pytest.raises(InputError, match="no pictures to measure the ranges of int8 on") as error:
        build("int8")
    assert "--calibrate-on" in error.value.hint
    assert list(folder.iterdir()) == []


def test_uint8_pictures_may_be_turned_before_they_are_cast(build):
    assert build(cast_late=True).tensors[0].dtype == "uint8"


@pytest.mark.parametrize("operator", ["Det", "OfSomebodyElse"])
def test_an_unknown_operator_is_named_with_its_layer(build, folder, operator):
    with pytest.raises(InputError, match=rf"TensorRT-RTX .* does not know the operator {operator} \(layer my_layer\)$"):
        build(operator=operator, layer="my_layer")
    assert list(folder.iterdir()) == []


def test_a_graph_that_the_library_refuses_is_an_error_that_names_the_layer(build):
    with pytest.raises(InputError, match=r"^tiny: TensorRT-RTX .* refuses \w+ \(layer odd\)"):
        build(operator="Concat", layer="odd")


def test_a_batch_that_falls_is_refused(build):
    with pytest.raises(InputError, match=r"^tiny: its input does not take shapes from \[4, 12, 20, 3\] to"):
        build(batch=(4, 2, 1))


def test_portable_plans_are_for_every_gpu_since_ampere(build):
    built = build(target=Target(portable=True))
    assert built.target.portable
    assert {"sm80", "sm86", "sm89", "sm120"} <= set(built.target.capabilities)
    assert "sm75" not in built.target.capabilities


def test_an_h200_has_no_target(build):
    with pytest.raises(InputError, match="no target sm90: it has sm75, sm80, sm86, sm89, sm120") as error:
        build(target=Target(capabilities=["sm86", "sm90"]))
    assert "onnxruntime" in error.value.hint


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_the_target_has_to_be_named(build):
    with pytest.raises(MissingError, match="no GPU here") as error:
        build(target=Target())
    assert "--target sm86" in error.value.hint


@pytest.mark.usefixtures("no_gpu")
def test_a_machine_without_a_gpu_builds_plans_and_runs_none(build, folder, tmp_path):
    built = build()
    card = SimpleNamespace(runtime_version=runtime.version(), target=built.target)
    assert runtime.refuses(card) == runtime.available()
    assert runtime.warns(card) is None
    model = SimpleNamespace(path=folder / built.main, spec=source(tmp_path / "tiny.onnx").spec)
    with pytest.raises(MissingError, match=r"^engine\.plan: "):
        runtime.load(model, streams=1)


@pytest.mark.usefixtures("no_gpu")
def test_a_plan_of_another_release_is_refused_whatever_the_machine():
    card = SimpleNamespace(runtime_version="1.0.0.1", target=Target(capabilities=["sm86"], portable=True))
    assert runtime.refuses(card) == f"built by TensorRT-RTX 1.0.0.1, here is {runtime.version()}"


def test_the_same_order_gives_the_same_plan(build, folder):
    plans = []
    for _ in range(2):
        built = build("fp16")
        plans.append((folder / built.main).read_bytes())
    assert plans[0] == plans[1]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "batch"), [("slim-afa", (1, 8, 32)), ("detector-yolo26n", (1, 4, 16))])
def test_the_networks_that_ship_become_plans(tmp_path, folder, name, batch):
    from vidreid.engines.graph.standard import to_standard

    entry = read_registry().models[name]
    file, digest = next(iter(entry.files.items()))
    spec, graph = entry.spec(name, digest), tmp_path / "standard.onnx"
    to_standard(shipped_weights() / name / file, spec, graph)
    wanted = Order(Source(spec, graph, (), WeightsCard(kind="registered", sha256=digest)), "fp16", (), batch, NAMED)
    built = runtime.build(wanted, folder, lambda words, share: None)
    images, answers = built.tensors
    assert (images.name, images.dtype, images.shape[-1]) == ("images", "uint8", 3)
    assert answers.name == ("embedding" if spec.kind == "embedder" else "boxes")
    layers = runtime.layers(SimpleNamespace(path=folder / built.main))
    convolutions = Counter(one.precision for one in layers if one.kind == "CONVOLUTION")
    assert set(convolutions) == {"HALF"}
    assert np.prod((folder / built.main).stat().st_size) < 20e6


def built_in_half(source, recipe, folder):
    """A plan in fp16 as the recipe wants it: names of its outputs, and the precisions of its convolutions."""
    built = runtime.build(Order(source, "fp16", recipe.islands, recipe.batch, NAMED), folder, lambda words, share: None)
    layers = runtime.layers(SimpleNamespace(path=folder / built.main))
    convolutions = {one.precision for one in layers if one.kind == "CONVOLUTION"}
    return [one.name for one in built.tensors if one.role == "output"], convolutions


@pytest.mark.slow
@pytest.mark.parametrize(("name", "frames"), [("afa", 2), ("tclnet", 2), ("tclnet-authors", 4)])
def test_recipes_of_networks_to_be_trained_become_plans(tmp_path, folder, name, frames):
    from vidreid.training.sources import trained_source

    recipe = read_recipe(name)[1].model_copy(update={"frames": frames, "precision": "fp16"})
    source = trained_source(recipe, "random", tmp_path, calibrate_on=None)
    outputs, convolutions = built_in_half(source, recipe, folder)
    assert outputs == (["embedding"] if name == "afa" else ["embedding", "rows"])
    assert convolutions == {"HALF"}


@pytest.mark.slow
@pytest.mark.shared
def test_the_recipe_of_yolo26n_becomes_a_plan(shared, tmp_path, folder):
    from vidreid.pipeline.sources import registered_source

    recipe = read_recipe("yolo26n")[1]
    weights = str(shared / "weights/detector/yolo26n_dequant.pt")
    source = registered_source(weights, recipe, tmp_path, offline=True, announce=print, calibrate_on=None)
    outputs, convolutions = built_in_half(source, recipe, folder)
    assert outputs == ["boxes"]
    assert convolutions == {"HALF"}
