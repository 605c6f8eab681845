"""`engine build`: what it refuses before any work, and what it says of the engine that it built."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vidreid.engines.card import read_card

SLIM = ("engine", "build", "slim-afa", "--runtime", "openvino", "--precision", "fp32", "--batch", "1:2:4")


@pytest.fixture(scope="module")
def built(vidreid, tmp_path_factory):
    """A folder with the shipped embedder as an engine, and what the program said of it. Read only."""
    where = tmp_path_factory.mktemp("built")
    return where, vidreid(*SLIM, "--output", where)


@pytest.fixture
def building(tmp_path):
    """The program in the middle of building that engine in ``tmp_path``."""
    program = Path(sys.executable).with_name("vidreid")
    with subprocess.Popen([program, *SLIM, "--output", tmp_path], stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob(".building-*/source/*")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--batch", "0"], 2, "a batch holds at least 1"),
        (["--batch", "1:0:4"], 2, "the numbers must not fall"),
        (["--batch", "8:4:16"], 2, "the numbers must not fall"),
        (["--batch", "1:2"], 2, "is not LEAST:USUAL:MOST"),
        (["--size", "0x640"], 2, "is not HEIGHTxWIDTH"),
        (["--target", "RTX 4090"], 2, "no list of compute capabilities"),
        (["--device", "gpu"], 2, "is not cuda:N"),
        (["--precision", "fp8"], 2, "fp8"),
        (["--runtime", "abacus"], 2, "'abacus' is none of"),
        (["--runtime", "torch"], 2, "runtime torch builds no engines"),
        (["--target", "sm86"], 2, "openvino builds for no GPU"),
        (["--precision", "fp16"], 2, "openvino: no fp16"),
        (["--device", "cuda:0"], 2, "openvino builds for no GPU"),
        (["--calibrate-on", "."], 2, "bf16 needs no calibration"),
        (["--size", "8x8", "--size", "8x8"], 3, "a size is given twice"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_what_cannot_be_meant_is_one_line_and_builds_nothing(say, own_home, words, status, said):
    answer = say("engine", "build", "slim-afa", "--runtime", "openvino", *words)
    error, hint = answer.err.splitlines()
    assert (answer.status, error.startswith("error: "), hint.startswith("hint: ")) == (status, True, True)
    assert said in error
    assert not (own_home / "engines").exists()


def test_a_precision_that_the_runtime_lacks_becomes_float32_unless_it_was_asked_for(say, tmp_path):
    answer = say("engine", "build", "slim-afa", "--runtime", "onnxruntime", "--batch", "1", "--output", tmp_path)
    assert answer.status == 0, answer.err
    assert answer.err.splitlines()[0] == "onnxruntime has no bf16: built in fp32"
    (folder,) = tmp_path.glob("slim-afa-fp32-onnxruntime-*")
    assert "--precision fp32" in read_card(folder).command


def test_an_unknown_recipe_is_refused_with_the_nearest(say):
    answer = say("engine", "build", "tclnett")
    assert answer.status == 3
    assert answer.err.splitlines() == ["error: no engine recipe 'tclnett'", "hint: did you mean 'tclnet'?"]


@pytest.mark.parametrize(("recipe", "words"), [("tclnet", []), ("afa", ["--weights", "nowhere.safetensors"])])
def test_weights_that_are_not_to_be_had_are_refused_with_how_to_train_them(say, recipe, words):
    answer = say("engine", "build", recipe, "--runtime", "openvino", *words)
    error, hint = answer.err.splitlines()
    assert answer.status == 5
    assert f"{recipe}: no weights" in error
    assert f"vidreid train {recipe}/{recipe}" in hint
    assert f"vidreid engine build {recipe} --weights random" in hint


def test_a_registered_network_that_is_not_here_is_refused_with_how_to_get_it(say):
    answer = say("engine", "build", "yolo26n", "--runtime", "openvino", "--offline")
    assert answer.status == 5
    assert "yolo26n is not on this machine" in answer.err
    assert "put yolo26n_dequant.pt into " in answer.err


def test_a_registered_network_has_no_random_weights(say):
    answer = say("engine", "build", "yolo26n", "--runtime", "openvino", "--weights", "random")
    assert answer.status == 2
    assert "only networks of a training recipe can have random weights" in answer.err


def test_it_says_where_the_engine_lies_its_size_its_error_and_what_is_next(built):
    where, answer = built
    assert answer.status == 0, answer.err
    (folder,) = where.glob("slim-afa-fp32-openvino-*")
    engine, exact, _, following = answer.out.splitlines()
    assert engine.startswith(f"engine: {folder} (")
    assert engine.endswith(" MB)")
    assert exact.startswith("beside float32: least cosine 1.00000, error at most ")
    assert exact.endswith("16 golden inputs")
    assert following == f"next: vidreid engine bench {folder}"
    assert answer.err.splitlines()[0] == "making the graph (0%)"
    assert answer.err.splitlines()[-1] == "done (100%)"


def test_the_card_holds_the_command_that_builds_it_again(built):
    where, _ = built
    (folder,) = where.glob("slim-afa-*")
    words = "vidreid engine build slim-afa --runtime openvino --precision fp32 --batch 1:2:4"
    assert read_card(folder).command == words


def test_the_same_engine_is_not_built_twice(say, built):
    where, _ = built
    (folder,) = where.glob("slim-afa-*")
    before = (folder / "card.json").stat().st_mtime_ns
    answer = say(*SLIM, "--output", where)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(f"there already: {folder} (")
    assert "--rebuild" in answer.out
    assert (folder / "card.json").stat().st_mtime_ns == before


def test_json_says_the_same(say, built):
    where, _ = built
    found = json.loads(say(*SLIM, "--output", where, "--json").out)
    assert found["built"] is False
    assert found["card"]["batch"] == [1, 2, 4]
    assert found["folder"].startswith(str(where))


def test_ctrl_c_while_building_leaves_nothing_and_says_one_line(building, tmp_path):
    building.send_signal(signal.SIGINT)
    said = building.stderr.read().splitlines()
    assert building.wait() == 130
    assert said[-2:] == ["error: stopped; what is finished is kept", "hint: the same command goes on"]
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_full_disk_is_one_line_and_leaves_nothing(say, tmp_path, full_disk):
    with full_disk(1_000_000):
        answer = say(*SLIM, "--output", tmp_path)
    assert answer.status == 3
    assert answer.err.splitlines()[-2].startswith(f"error: {tmp_path}: the engine cannot be written: ")
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
