"""`engine info`: what an engine is."""

import json
import shutil

import pytest
from handmade_engines import engine

from vidreid.engines.bundle import write_bundle
from vidreid.engines.card import Measured, Target
from vidreid.engines.order import Layer
from vidreid.engines.runtimes._tensorrt.layers import LAYERS, write_layers


@pytest.fixture
def good(own_home):
    measured = Measured(inputs=5, cosine=[(0.9991, 0.9999)], error=(0.5, 0.25))
    return engine(own_home / "engines", "good-fp32-onnxruntime-1a2b", measured=measured)


def test_it_says_what_the_engine_is_takes_and_gives(say, good):
    answer = say("engine", "info", "good")
    assert answer.status == 0, answer.err
    told = dict(line.split(maxsplit=1) for line in answer.out.splitlines()[:4])
    assert told["engine"] == "good-fp32-onnxruntime-1a2b"
    assert told["network"].startswith("tiny (embedder); weights file")
    assert told["licence"] == "MIT; not for the moon"
    assert "12x8, uint8 RGB, batches of 1:2:4" in answer.out
    assert "least cosine 0.99910, error at most 0.5, 0.25 on average, 5 golden inputs" in answer.out
    assert "vidreid engine build tiny --runtime onnxruntime" in answer.out
    lines = [line.split(maxsplit=3) for line in answer.out.splitlines()]
    assert ["input", "images", "uint8", "N x 12 x 8 x 3"] in lines
    assert ["output", "embedding", "float32", "N x 6"] in lines


def test_it_says_what_a_program_of_ones_own_must_give_and_gets(say, good):
    told = say("engine", "info", "good").out
    assert "RGB from 0 to 255: the person's box, stretched to 12x8" in told
    assert "vector, compared by cosine" in told


def test_a_pack_is_told_by_its_engine_that_runs_here(say, good, own_home, tmp_path):
    write_bundle([good], good / "model.onnx", tmp_path / "tiny.zip")
    shutil.rmtree(good)
    answer = say("engine", "info", tmp_path / "tiny.zip")
    assert answer.status == 0, answer.err
    assert answer.out.startswith("engine       good-fp32-onnxruntime-1a2b\n")


def test_layers_that_the_builder_listed_are_told_where_the_engine_does_not_run(say, own_home):
    folder = engine(own_home / "engines", "away-fp16-sm75-1a2b", plan=b"plan", runtime="abacus")
    write_layers(folder / LAYERS, [Layer("conv1", "CONVOLUTION", "HALF"), Layer("mean", "REDUCE", "FLOAT")])
    assert "2 layers: 1 HALF, 1 FLOAT" in say("engine", "info", "away").out


def test_layers_are_counted_and_listed_on_request(say, good):
    short, long = say("engine", "info", "good").out, say("engine", "info", "good", "--layers").out
    assert " layers: " in short
    assert "--layers" in short
    assert "Conv" in long
    assert len(long.splitlines()) > len(short.splitlines())


def test_json_holds_card_and_layers(say, good):
    told = json.loads(say("engine", "info", good, "--json").out)
    assert told["card"]["name"] == "good-fp32-onnxruntime-1a2b"
    assert told["bytes"] > 0
    assert any("Conv" in layer["kind"] for layer in told["layers"])


def test_an_engine_that_does_not_run_here_is_told_all_the_same(say, own_home):
    engine(
        own_home / "engines",
        "away-fp16-sm75-1a2b",
        plan=b"plan",
        runtime="abacus",
        target=Target(capabilities=["sm75"], portable=True, gpu="T4", driver="13.0"),
    )
    answer = say("engine", "info", "away")
    assert answer.status == 0
    assert "sm75 and newer, built on T4, driver 13.0" in answer.out
    assert "no: away-fp16-sm75-1a2b: made for the runtime 'abacus'" in answer.out
    assert "not compared" in answer.out


@pytest.mark.parametrize(("wanted", "status"), [("nothing", 5), ("good", 3)])
def test_a_start_of_no_name_or_of_several_is_one_line(say, good, own_home, wanted, status):
    engine(own_home / "engines", "good-int8-onnxruntime-1a2b")
    answer = say("engine", "info", wanted)
    assert answer.status == status
    assert len(answer.err.splitlines()) == 2
