"""`engine list` and `engine prune`: what is here, what runs, and what goes."""

import json

import pytest
from handmade_engines import engine

from vidreid.engines.card import CARD, WeightsCard


@pytest.fixture
def engines(own_home):
    """The user's engines: one that runs, one of random weights, one damaged, one for another machine."""
    where = own_home / "engines"
    engine(where, "good-fp32-onnxruntime-1a2b")
    engine(where, "random-fp32-onnxruntime-1a2b", weights=WeightsCard(kind="random", sha256="0"))
    engine(where, "torn-fp32-onnxruntime-1a2b")
    (where / "torn-fp32-onnxruntime-1a2b" / "model.onnx").write_bytes(b"half")
    engine(where, "away-fp16-sm75-1a2b", plan=b"plan", runtime="abacus", capabilities=["sm75"])
    return where


def test_no_engine_yet_says_how_to_build_one(say, own_home):
    answer = say("engine", "list")
    assert answer.status == 0
    assert answer.out.splitlines()[0] == f"no engines in {own_home / 'engines'}"
    assert answer.out.splitlines()[-1].startswith("next: vidreid engine build ")


def test_each_engine_has_a_line_with_what_it_takes_and_whether_it_runs(say, engines):
    answer = say("engine", "list")
    assert answer.status == 0, answer.err
    head, *rows = answer.out.splitlines()[:5]
    assert head.split() == ["engine", "runtime", "pictures", "batch", "MB"]
    lines = {row.split()[0]: row for row in rows}
    assert list(lines) == sorted(lines)
    assert lines["good-fp32-onnxruntime-1a2b"].split()[3:5] == ["12x8", "1:2:4"]
    assert lines["good-fp32-onnxruntime-1a2b"].endswith("  runs")
    assert lines["random-fp32-onnxruntime-1a2b"].endswith("  random weights")
    assert "model.onnx is damaged" in lines["torn-fp32-onnxruntime-1a2b"]
    assert lines["away-fp16-sm75-1a2b"].endswith("runtime abacus is unknown here")


def test_json_holds_cards_and_problems(say, engines):
    found = {one["name"]: one for one in json.loads(say("engine", "list", "--json").out)}
    assert found["good-fp32-onnxruntime-1a2b"]["runs"]
    assert found["good-fp32-onnxruntime-1a2b"]["card"]["batch"] == [1, 2, 4]
    assert found["torn-fp32-onnxruntime-1a2b"]["card"] is None
    assert not found["away-fp16-sm75-1a2b"]["runs"]


def test_engines_elsewhere_are_listed_by_their_folder(say, tmp_path):
    engine(tmp_path, "mine-fp32-onnxruntime-1a2b")
    assert "mine-fp32-onnxruntime-1a2b" in say("engine", "list", "--in", tmp_path).out


def test_prune_deletes_what_can_never_run_again_and_says_why(say, engines):
    planned = say("engine", "prune", "--dry-run")
    assert "torn-fp32-onnxruntime-1a2b" in planned.out
    assert "1 engines, 0.0 MB would be deleted" in planned.out
    assert (engines / "torn-fp32-onnxruntime-1a2b" / CARD).is_file()
    answer = say("engine", "prune")
    assert (answer.status, answer.err) == (0, "")
    assert "damaged" in answer.out
    assert sorted(path.name for path in engines.glob("*-1a2b")) == [
        *("away-fp16-sm75-1a2b", "good-fp32-onnxruntime-1a2b", "random-fp32-onnxruntime-1a2b")
    ]


def test_prune_deletes_kernels_and_timings_of_engines_that_are_gone(say, engines, own_home):
    for place in ("compiled", "timings"):
        (own_home / place).mkdir()
        (own_home / place / "tensorrt-10.9-sm86").write_bytes(bytes(500_000))
    assert "2 files of kernels or timings that no engine here has use of, 1.0 MB would be" in (
        say("engine", "prune", "--dry-run").out
    )
    assert len(list(own_home.glob("*/tensorrt-10.9-sm86"))) == 2
    assert say("engine", "prune").status == 0
    assert not list(own_home.glob("*/tensorrt-10.9-sm86"))


def test_prune_of_nothing_says_so(say, own_home):
    assert say("engine", "prune").out == "0 engines, 0.0 MB deleted\n"
