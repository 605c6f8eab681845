"""`engine pack`: engines of one network in a file, with what their makers ask."""

import zipfile

import pytest
from handmade_engines import engine, graph

from vidreid.engines.bundle import unpack_fitting
from vidreid.engines.folder import cache


@pytest.fixture
def plan(own_home):
    """A plan in the user's cache, which is no graph any more."""
    return engine(cache(), "tiny-fp16-sm86-aaaa", plan=b"of an A40", capabilities=["sm86"], runtime="tensorrt")


def test_engines_are_found_by_the_start_of_their_names_and_joined(say, plan, tmp_path):
    engine(cache(), "tiny-fp32-onnxruntime-bbbb")
    answer = say("engine", "pack", "tiny-fp16", "tiny-fp32", "--output", tmp_path / "tiny.zip")
    assert answer.status == 0, answer.err
    assert "  tiny-fp16-sm86-aaaa: fp32, tensorrt " in answer.out
    assert " for sm86\n" in answer.out
    assert answer.out.endswith("licence of the weights: MIT\nterms: not for the moon\n")
    found = unpack_fitting(tmp_path / "tiny.zip", lambda card: None, tmp_path / "there")
    assert found.name == "tiny-fp16-sm86-aaaa"


def test_an_engine_that_is_the_float32_graph_itself_gives_it(say, own_home, tmp_path):
    folder = engine(cache())
    assert say("engine", "pack", folder, "--output", tmp_path / "tiny.zip").status == 0
    with zipfile.ZipFile(tmp_path / "tiny.zip") as archive:
        assert archive.read("network.onnx") == (folder / "model.onnx").read_bytes()


def test_a_plan_alone_needs_the_graph_that_it_was_built_from(say, plan, tmp_path):
    answer = say("engine", "pack", "tiny", "--output", tmp_path / "tiny.zip")
    assert answer.status == 5
    assert answer.err.startswith("error: tiny-fp16-sm86-aaaa: its recipe 'tiny' is not here\nhint: ")
    assert "--onnx" in answer.err
    given = say("engine", "pack", "tiny", "--output", tmp_path / "tiny.zip", "--onnx", graph(tmp_path / "float32.onnx"))
    assert given.status == 0, given.err


def test_random_weights_are_named(say, own_home, tmp_path):
    engine(cache(), weights={"kind": "random", "sha256": "0"})
    answer = say("engine", "pack", "tiny", "--output", tmp_path / "tiny.zip")
    assert "random weights: for measuring its speed; runs refuse it\n" in answer.out


def test_another_graph_is_refused(say, plan, tmp_path):
    other = graph(tmp_path / "other.onnx", seed=5)
    answer = say("engine", "pack", "tiny", "--output", tmp_path / "tiny.zip", "--onnx", other)
    assert answer.status == 2
    assert "other.onnx: not the graph that tiny-fp16-sm86-aaaa was built from" in answer.err
    assert not (tmp_path / "tiny.zip").exists()


def test_an_unknown_engine(say, own_home, tmp_path):
    answer = say("engine", "pack", "none", "--output", tmp_path / "tiny.zip")
    assert answer.status == 5
    assert "no engine 'none'" in answer.err
