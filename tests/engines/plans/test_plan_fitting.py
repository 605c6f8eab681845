"""Whether a plan runs here is said by its card, before anything of it is loaded."""

import shutil
import sys
from types import SimpleNamespace

import pytest
from pretend_tensorrt import ELEVEN, RTX, TEN
from standard_networks import order

from vidreid import plugins
from vidreid.engines.card import Target
from vidreid.errors import InputError, MissingError

A4000, T4, H200, B200 = (
    "NVIDIA RTX A4000;8;6;13000",
    "NVIDIA T4;7;5;13000",
    "NVIDIA H200;9;0;13000",
    "NVIDIA B200;10;0;13000",
)


def card(version, capabilities=("sm86",), *, portable=False, gpu="NVIDIA RTX A4000", driver="13.0"):
    """The lines of a card that are looked at."""
    target = Target(capabilities=list(capabilities), portable=portable, gpu=gpu, driver=driver)
    return SimpleNamespace(runtime_version=version, target=target)


def test_the_machine_that_built_it_runs_it(machine, version):
    runtime = machine(version)
    assert runtime.available() is None
    assert runtime.version() == version
    assert runtime.refuses(card(version)) is None
    assert runtime.warns(card(version)) is None


@pytest.mark.parametrize(
    ("here", "built", "portable", "runs"),
    [
        (TEN, "10.13.3.8", False, False),
        (TEN, "10.13.3.8", True, True),
        (TEN, "10.13.4.0", True, False),
        (ELEVEN, TEN, True, False),
        (TEN, ELEVEN, True, False),
        (RTX, "1.7.0.100", False, False),
        (RTX, "1.7.0.100", True, False),
    ],
)
def test_plans_of_other_versions(machine, here, built, portable, runs):
    refused = machine(here).refuses(card(built, portable=portable))
    assert (refused is None) == runs
    if not runs:
        assert f"{built}, here is {here}" in refused


@pytest.mark.parametrize(
    ("here", "gpu", "capabilities", "portable", "runs"),
    [
        (TEN, A4000, ["sm89"], False, False),
        (TEN, B200, ["sm86"], False, False),
        (TEN, B200, ["sm86"], True, True),
        (TEN, T4, ["sm86"], True, False),
        (ELEVEN, H200, ["sm90"], False, True),
        (RTX, A4000, ["sm89", "sm86", "sm120"], False, True),
        (RTX, A4000, ["sm89", "sm120"], False, False),
        (RTX, T4, ["sm80", "sm86", "sm89", "sm120"], True, False),
        (RTX, A4000, ["sm80", "sm86", "sm89", "sm120"], True, True),
    ],
)
def test_plans_for_other_gpus(machine, here, gpu, capabilities, portable, runs):
    refused = machine(here, gpu=gpu).refuses(card(here, capabilities, portable=portable))
    assert (refused is None) == runs
    if not runs:
        name = gpu.partition(";")[0]
        assert f"built for {', '.join(capabilities)}, {name} is sm" in refused


def test_another_gpu_of_the_kind_is_a_warning(machine):
    told = machine(TEN, gpu="NVIDIA RTX A5000;8;6;13000").warns(card(TEN))
    assert told == "built on NVIDIA RTX A4000, this is NVIDIA RTX A5000: it may be slower than an engine of its own"


@pytest.mark.parametrize(("built", "warned"), [("13.1", True), ("13.0", False), ("12.9", False), ("", False)])
def test_an_older_driver_is_a_warning(machine, built, warned):
    assert bool(machine(TEN).warns(card(TEN, driver=built))) == warned


def test_an_h200_runs_no_plan_of_rtx(machine):
    runtime = machine(RTX, gpu=H200)
    wanted = f"TensorRT-RTX {RTX} does not run on NVIDIA H200 (sm90)"
    assert runtime.available() == wanted
    assert runtime.refuses(card(RTX, ["sm80", "sm86"], portable=True)) == wanted


@pytest.fixture
def bare(monkeypatch):
    """A machine without a driver and without the libraries."""
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    return lambda name: plugins.load("engines.runtimes", name)


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt-rtx"])
def test_a_missing_library_is_named_with_what_installs_it(bare, name, tmp_path, folder):
    runtime = bare(name)
    assert runtime.available().endswith(f"pip install {name}")
    assert runtime.refuses(card(RTX)).endswith(f"pip install {name}")
    with pytest.raises(ImportError):
        runtime.version()
    with pytest.raises(MissingError) as error:
        runtime.build(order(tmp_path / "tiny.onnx"), folder, print)
    assert error.value.hint == f"pip install {name}"


@pytest.fixture
def portable(machine, tmp_path, folder):
    """``portable(ELEVEN)``: a portable plan that was built here, as ``load`` is given it, and its runtime."""

    def make(version):
        runtime = machine(version)
        wanted = order(tmp_path / "tiny.onnx", target=Target(portable=True))
        built = runtime.build(wanted, folder, lambda words, share: None)
        card = SimpleNamespace(target=built.target)
        return runtime, SimpleNamespace(spec=wanted.source.spec, path=folder / built.main, card=card, trusted=False)

    return make


@pytest.mark.parametrize("version", [TEN, ELEVEN])
def test_code_in_a_plan_runs_where_the_plan_was_built_or_is_trusted(portable, version, own_home):
    runtime, model = portable(version)
    runtime.load(model, streams=1).close()
    shutil.rmtree(own_home)  # another machine
    with pytest.raises(InputError, match=r"engine\.plan: a portable plan can run any code, and this one is not"):
        runtime.load(model, streams=1)
    model.trusted = True
    runtime.load(model, streams=1).close()


def test_portable_plans_of_rtx_hold_no_code_and_run_anywhere(portable, own_home):
    runtime, model = portable(RTX)
    assert not (own_home / "built").exists()
    runtime.load(model, streams=1).close()
