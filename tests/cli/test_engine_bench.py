"""`engine bench`: a table, JSON, a picture; what is compared with what. No test says how long anything may take."""

import json
from dataclasses import asdict, replace

import cv2
import pytest
from handmade_engines import engine

from vidreid.engines.bench import Layout
from vidreid.engines.card import read_card
from vidreid.engines.folder import cache
from vidreid.engines.registry import describe, read_registry
from vidreid.resources import shipped_weights
from vidreid.training.contenders import torch_contenders

NAME = "tiny-fp32-onnxruntime-1a2b"
QUICK = ("--seconds", "0.05", "--batch", "2", "--threads", "1")


@pytest.fixture
def tiny(own_home):
    """An engine in the user's cache, of a network that nobody can build in torch."""
    return engine(cache())


def test_a_table_of_layouts_and_what_it_is_compared_with(say, tiny):
    answer = say("engine", "bench", "tiny", "--seconds", "0.05", "--batch", "1,4", "--threads", "1,2")
    assert answer.status == 0, answer.err
    assert "not beside torch: " in answer.err
    assert "not beside onnx: " in answer.err
    lines = answer.out.splitlines()
    # 6 x 12 x 8 numbers of 3 x 3 x 3 products
    assert lines[0] == f"{NAME}, pictures of 12x8, {2 * 6 * 12 * 8 * 27 / 1e9:.2f} GFLOP each"
    rows = [line.split() for line in lines if line.startswith(NAME + "  ")]
    assert [row[1:4] for row in rows] == [
        ["1", "1", "1"], ["1", "1", "2"], ["1", "2", "1"], ["4", "1", "1"], ["4", "1", "2"], ["4", "2", "1"]
    ]  # fmt: skip


def test_the_figures_as_json(say, tiny):
    told = json.loads(say("engine", "bench", "tiny", *QUICK, "--against", "nothing", "--json").out)
    assert told["contenders"] == [NAME]
    assert told["flops"] == 2 * 6 * 12 * 8 * 27
    ((timing,), (rate,)) = told["timings"], told["matmul"]
    assert (timing["batch"], timing["streams"], timing["threads"]) == (2, 1, 1)
    assert timing["share"] == pytest.approx(timing["throughput"] * told["flops"] / rate["flops"])


def test_operations_on_the_card_need_no_counting(say, own_home):
    engine(cache(), flops=[12345])
    told = json.loads(say("engine", "bench", "tiny", *QUICK, "--against", "nothing", "--json").out)
    assert told["flops"] == 12345


def test_a_picture(say, tiny, tmp_path):
    plot = tmp_path / "tiny.png"
    assert say("engine", "bench", "tiny", *QUICK, "--against", "nothing", "--plot", plot).status == 0
    assert cv2.imread(str(plot)) is not None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--batch", "64"], f"{NAME}: a batch of 64, where it takes 1 to 4"),
        (["--batch", "0"], "'0' is no list of numbers from 1"),
        (["--size", "10x10"], f"{NAME}: takes no pictures of 10x10"),
        (["--plot", "a.gif"], "a.gif: not a kind of picture"),
    ],
)
def test_wrong_use(say, tiny, words, error):
    answer = say("engine", "bench", "tiny", *words)
    assert answer.status == 2
    assert error in answer.err


def test_a_comparison_that_is_asked_for_must_be_had(say, tiny):
    answer = say("engine", "bench", "tiny", *QUICK, "--against", "torch")
    assert answer.status == 5
    assert "its recipe 'tiny' is not here" in answer.err


# Beside torch


@pytest.mark.parametrize("name", ["slim-afa", "detector-yolo26n"])
def test_the_networks_that_ship_are_compared_with_themselves_in_torch(tmp_path, name):
    spec = describe(shipped_weights() / name / f"{name}.onnx", read_registry())
    weights = {"kind": "registered", "sha256": spec.identity}
    stated = {"recipe": name, "command": f"vidreid engine build {name}", "sizes": [spec.input.size]}
    network = {key: value for key, value in asdict(spec).items() if key != "sizes"}
    card = read_card(engine(tmp_path, name, network=network, weights=weights, **stated))
    eager, compiled = torch_contenders(card, spec, "", [Layout(1), Layout(2), Layout(1, 1, 2), Layout(2, 1, 2)])
    assert [eager.takes(layout) for layout in (Layout(1), Layout(2, 2))] == [True, True]
    assert [
        layout for layout in (Layout(1), Layout(2), Layout(1, 1, 2), Layout(2, 1, 2)) if compiled.takes(layout)
    ] == [Layout(2, 1, 2)]
    opened = eager.load(Layout(1))
    clip = (spec.frames,) if spec.frames > 1 else ()
    assert opened.inputs["images"] == (1, *clip, *spec.input.size, 3)
    opened.close()


def test_other_weights_are_not_the_engine_s(say, own_home, tmp_path):
    spec = describe(shipped_weights() / "slim-afa/slim-afa.onnx", read_registry())
    network = {key: value for key, value in asdict(replace(spec, identity="0")).items() if key != "sizes"}
    engine(cache(), recipe="slim-afa", command="", network=network, sizes=[spec.input.size])
    answer = say("engine", "bench", "tiny", *QUICK, "--against", "torch")
    assert answer.status == 5
    assert f"slim-afa.onnx: other weights than those of {NAME}" in answer.err
