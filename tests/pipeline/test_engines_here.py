"""Engines on this machine: which of them run, which never can again, and for which GPUs one is built."""

import io
import os

import pytest
from handmade_engines import engine

from vidreid.engines.card import CARD, Target
from vidreid.errors import MissingError, UsageError
from vidreid.pipeline.engines import builder, engines_in, open_on_this_machine, target_of
from vidreid.pipeline.progress import phases

tensorrt_rtx = pytest.importorskip("tensorrt_rtx")

RTX = {"runtime": "tensorrt-rtx", "plan": b"a plan", "capabilities": ["sm75"]}


@pytest.fixture
def kept(tmp_path):
    """A folder of engines, none of which this machine can run."""
    engine(tmp_path, "a-damaged")
    (tmp_path / "a-damaged/model.onnx").write_bytes(b"")
    engine(tmp_path, "b-elsewhere", runtime_version=tensorrt_rtx.__version__, **RTX)
    engine(tmp_path, "c-older", runtime_version="1.0.0.1", **RTX)
    engine(tmp_path, "d-unknown", runtime="abacus")
    engine(tmp_path, "e-no-card")
    (tmp_path / "e-no-card" / CARD).write_text("{}")
    return tmp_path


def test_each_engine_is_listed_with_what_this_machine_says_to_it(kept):
    found = {one.folder.name: one for one in engines_in(kept)}
    assert list(found) == ["a-damaged", "b-elsewhere", "c-older", "d-unknown", "e-no-card"]
    assert "model.onnx is damaged" in found["a-damaged"].problem
    assert found["b-elsewhere"].problem
    assert "1.0.0.1" in found["c-older"].problem
    assert "abacus is unknown here" in found["d-unknown"].problem
    assert "changed by hand" in found["e-no-card"].problem
    assert min(one.bytes for one in found.values()) > 0


def test_only_what_is_damaged_or_of_a_version_that_is_gone_is_useless(kept):
    assert [one.folder.name for one in engines_in(kept) if one.useless] == ["a-damaged", "c-older", "e-no-card"]


def test_an_engine_of_an_unknown_runtime_is_not_opened(kept):
    with pytest.raises(MissingError, match="'abacus', which is unknown here"):
        open_on_this_machine(kept / "d-unknown")


def test_torch_builds_no_engines():
    with pytest.raises(UsageError, match="torch builds no engines"):
        builder("torch")


def test_a_runtime_of_cpus_builds_for_no_gpu():
    runtime = builder("openvino")
    assert target_of(runtime, "openvino", Target(), None) == Target()
    for wanted, device in [(Target(capabilities=["sm86"]), None), (Target(portable=True), None), (Target(), 0)]:
        with pytest.raises(UsageError, match="openvino builds for no GPU"):
            target_of(runtime, "openvino", wanted, device)


def test_the_chosen_gpu_is_the_only_one_that_is_seen(monkeypatch):
    runtime, wanted = builder("tensorrt-rtx"), Target(capabilities=["sm86", "sm89"])
    for before, device, seen in [(None, 1, "1"), ("4,7", 1, "7"), ("", 0, "0")]:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if before is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before)
        assert target_of(runtime, "tensorrt-rtx", wanted, device).capabilities == ["sm86", "sm89"]
        assert os.environ["CUDA_VISIBLE_DEVICES"] == seen


def test_phases_without_a_terminal_are_a_line_each():
    out = io.StringIO()
    with phases(out) as progress:
        for words, share in [("reading", 0.0), ("reading", 0.1), ("building", 0.5), ("building", 0.9)]:
            progress(words, share)
    assert out.getvalue() == "reading (0%)\nbuilding (50%)\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_phases_on_a_terminal_are_one_bar_that_goes_away(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with phases(out) as progress:
        progress("reading", 0.25)
        progress("building", 1.0)
    assert "building" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K")
