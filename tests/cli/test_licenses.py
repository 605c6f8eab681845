"""`licenses`: the terms of everything that a run is made of."""

import json
from importlib.metadata import version

import pytest

from vidreid.digests import file_sha256
from vidreid.resources import shipped_weights
from vidreid.store.folder import RunFolder, RunRecord

YAML = "kind: embedder\nfamily: reid\nlicence: for us alone\ninput: {size: [8, 8]}\ndim: 8\n"


@pytest.fixture
def listed(say, tmp_path):
    """``listed(embedder=..., ...)``: what is said of a run with these networks and settings."""

    def call(settings=None, **networks):
        RunFolder(tmp_path / "run").write(RunRecord((), settings or {}, networks))
        answer = say("licenses", tmp_path / "run", "--json")
        assert answer.status == 0, answer.err
        return json.loads(answer.out)

    return call


def network(name, path, **more):
    return {"name": name, "network": file_sha256(path), "runtime": "openvino", **more}


def test_code_is_listed_with_the_versions_that_are_installed(listed):
    code = {one["name"]: one for one in listed()["code"]}
    assert next(iter(code)) == "vidreid"
    assert code["vidreid"]["licence"] == "AGPL-3.0-or-later"
    for name, licence in (("ultralytics", "AGPL"), ("boxmot", "AGPL"), ("av", "BSD"), ("numpy", "BSD")):
        assert code[name]["version"] == version(name)
        assert licence in code[name]["licence"]
    assert "LGPL" in code["ffmpeg (inside av)"]["licence"]  # which the wheel of av carries
    assert "pytest" not in code


def test_licences_are_words_and_no_texts(listed):
    assert all(one["licence"] and "\n" not in one["licence"] for one in listed()["code"])


def test_shipped_weights_have_their_terms(listed):
    path = shipped_weights() / "slim-afa" / "slim-afa.onnx"
    found = listed(embedder=network("slim-afa", path))
    (weights,) = found["weights"]
    assert (weights["sha256"], weights["licence"]) == (file_sha256(path), "AGPL-3.0-or-later")
    data = {one["used_for"]: one["terms"] for one in found["data"]}
    assert "research only" in data["weights of slim-afa"]
    assert "cuhk03" in " ".join(one["terms"] for one in found["data"] if "likeness" in one["used_for"])


def test_weights_of_somebody_else_have_the_terms_beside_them(listed, tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"numbers")
    path.with_suffix(".yaml").write_text(YAML)
    settings = {"embedding": {"embedder": str(path)}}
    (weights,) = listed(settings, embedder=network("mine", path))["weights"]
    assert weights["licence"] == "for us alone"


def test_weights_that_are_gone_or_others_state_nothing(listed, tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"numbers")
    path.with_suffix(".yaml").write_text(YAML)
    settings, mine = {"embedding": {"embedder": str(path)}}, network("mine", path)
    path.write_bytes(b"other numbers")
    (weights,) = listed(settings, embedder=mine)["weights"]
    assert (weights["licence"], weights["terms"]) == ("not stated", "its file has changed since")
    path.unlink()
    (weights,) = listed(settings, embedder=mine)["weights"]
    assert (weights["licence"], weights["terms"]) == ("not stated", "its file is not on this machine any more")


def test_what_stands_in_for_networks_is_code_of_our_own(say, finished):
    answer = say("licenses", finished)
    assert answer.status == 0
    assert "detector oracle-1: AGPL-3.0-or-later; no network: part of vidreid" in answer.out
    assert "synthetic worlds" in answer.out


def test_a_folder_that_is_no_run_is_an_error(say, tmp_path):
    answer = say("licenses", tmp_path)
    assert answer.status == 3
    assert "not a run folder" in answer.err
