"""Builds with TensorRT 10, 11 and TensorRT-RTX that pretend: the builder's process, its answers and its ends."""

import json
import os
import time
from types import SimpleNamespace

import pretend_tensorrt
import pytest
from pretend_tensorrt import ELEVEN, RTX, TEN
from standard_networks import SIZE, order

from vidreid.engines.card import Target
from vidreid.errors import InputError

TURING, H200 = "NVIDIA T4;7;5;12080", "NVIDIA H200;9;0;13000"


@pytest.fixture
def told():
    """What was said of the progress."""
    return []


@pytest.fixture
def build(machine, tmp_path, folder, told):
    """``build(ELEVEN)`` builds a tiny network; the runtime, and what was built."""

    def do(version, *, gpu="NVIDIA RTX A4000;8;6;13000", target=None, **made):
        runtime = machine(version, gpu=gpu)
        wanted = order(tmp_path / "tiny.onnx", target=target, **made)
        return runtime, runtime.build(wanted, folder, lambda words, share: told.append((words, share)))

    return do


def head(folder):
    """What the pretended builder was told."""
    plan = (folder / "engine.plan").read_bytes()[len(pretend_tensorrt.MAGIC) :]
    return json.loads(plan[8 : 8 + int.from_bytes(plan[:8], "little")])


@pytest.fixture(scope="module")
def done():
    """What `plain` built, by version."""
    return {}


@pytest.fixture
def plain(build, version, folder, told, done):
    """A finished build of each library: its runtime, what was built, its folder, and what was said of the progress."""
    if version not in done:
        done[version] = (*build(version, sizes=(SIZE, (16, 28))), folder, told)
    return done[version]


def test_the_card_gets_names_types_and_shapes(plain):
    _, built, folder, _ = plain
    assert built.main == "engine.plan"
    assert [(one.name, one.role, one.dtype, one.shape) for one in built.tensors] == [
        ("images", "input", "uint8", [-1, -1, -1, 3]),
        ("embedding", "output", "float32", [-1, 6]),
    ]
    assert sorted(file.name for file in folder.iterdir()) == sorted([built.main, *built.others])


def test_the_card_gets_the_gpu_and_its_driver(plain):
    assert plain[1].target == Target(capabilities=["sm86"], gpu="NVIDIA RTX A4000", driver="13.0")


def test_every_size_is_a_profile(plain):
    assert head(plain[2])["profiles"] == [
        [[1, 12, 20, 3], [2, 12, 20, 3], [4, 12, 20, 3]],
        [[1, 16, 28, 3], [2, 16, 28, 3], [4, 16, 28, 3]],
    ]


def test_float32_is_float32(plain):
    assert "TF32" not in head(plain[2])["flags"]


def test_layers_are_those_of_the_plan(plain):
    runtime, built, folder, _ = plain
    layers = runtime.layers(SimpleNamespace(path=folder / built.main))
    assert ("the_conv", "CONVOLUTION", "FLOAT") in [(one.name, one.kind, one.precision) for one in layers]


def test_progress_grows_from_0_to_1(plain):
    words, shares = zip(*plain[3], strict=True)
    assert list(shares) == sorted(shares)
    assert shares[0] == 0.0
    assert 0.9 < shares[-1] <= 1.0
    assert any("timing graph nodes" in one for one in words)


@pytest.mark.parametrize("contents", [None, "[1]", "no JSON"])
def test_layers_that_were_lost_are_an_input_error(machine, folder, contents):
    if contents:
        (folder / "layers.json").write_text(contents)
    with pytest.raises(InputError, match="no list of layers"):
        machine(ELEVEN).layers(SimpleNamespace(path=folder / "engine.plan"))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("crash", "builder was ended by SIGSEGV: Segmentation fault, so they say"),
        ("killed", r"builder was ended by SIGKILL \(the machine's memory may be too small\)"),
        ("refuses", r"cannot build it: IBuilder::build: Error Code 10 \(no kernel for {the_conv}"),
    ],
)
def test_a_builder_that_fails_is_an_error_line(build, folder, monkeypatch, how, words):
    monkeypatch.setenv("PRETEND_BUILDER", how)
    with pytest.raises(InputError, match=f"^tiny: TensorRT.*{words}") as error:
        build(ELEVEN)
    assert "\n" not in error.value.message
    assert error.value.hint
    assert list(folder.iterdir()) == []


def test_an_unknown_operator_is_named_with_its_layer(build):
    with pytest.raises(InputError, match=r"^tiny: TensorRT.* does not know the operator Det \(layer my_det\)$"):
        build(TEN, operator="Det", layer="my_det")


def test_ctrl_c_ends_the_builder_and_leaves_nothing(machine, tmp_path, folder, monkeypatch):
    started = tmp_path / "pid"
    monkeypatch.setenv("PRETEND_BUILDER", "hangs")
    monkeypatch.setenv("PRETEND_PID", str(started))
    runtime = machine(ELEVEN)

    def interrupt(words, share):
        if "building" in words:
            while not started.is_file() or not started.read_text():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runtime.build(order(tmp_path / "tiny.onnx"), folder, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_what_the_system_calls_it(build, folder, full_disk):
    with full_disk(1500), pytest.raises(OSError, match="File too large"):
        build(ELEVEN)


def test_uint8_is_cast_before_anything_else(build, folder):
    runtime, built = build(TEN, cast_late=True)
    layers = [one for one in runtime.layers(SimpleNamespace(path=folder / built.main)) if one.kind != "CONSTANT"]
    assert layers[0].kind == "CAST"
    assert all(one.precision != "UINT8" for one in layers)


@pytest.mark.parametrize("version", [TEN, ELEVEN])
def test_portable_plans_are_for_newer_gpus_and_versions(build, version, folder):
    _, built = build(version, target=Target(portable=True))
    assert built.target.portable
    assert head(folder)["hardware"] == 1
    assert "VERSION_COMPATIBLE" in head(folder)["flags"]


def test_portable_rtx_plans_are_for_all_gpus_since_ampere(build, folder):
    _, built = build(RTX, target=Target(portable=True))
    assert built.target.capabilities == ["sm80", "sm86", "sm89", "sm120"]
    assert head(folder)["capabilities"] == []


def test_rtx_builds_for_the_gpus_that_are_named(build, folder):
    _, built = build(RTX, target=Target(capabilities=["sm89", "sm120", "sm89"]))
    assert built.target.capabilities == ["sm89", "sm120"]
    assert head(folder)["capabilities"] == ["SM89", "SM120"]


def test_tensorrt_builds_for_its_own_gpu_only(build):
    with pytest.raises(InputError, match=r"for this machine's NVIDIA RTX A4000 \(sm86\), not for sm89$") as error:
        build(TEN, target=Target(capabilities=["sm86", "sm89"]))
    assert "tensorrt-rtx" in error.value.hint


def test_portable_needs_ampere(build):
    with pytest.raises(InputError, match="NVIDIA T4 is sm75"):
        build(TEN, gpu=TURING, target=Target(portable=True))


def test_an_h200_is_no_target_of_rtx(build):
    with pytest.raises(InputError, match=r"has no target sm90: it has sm75, sm80, sm86, sm89, sm120") as error:
        build(RTX, gpu=H200)
    assert "--runtime tensorrt" in error.value.hint


def test_a_target_is_resolved_before_anything_is_built(machine):
    runtime = machine(RTX)
    wanted = runtime.target(Target())
    assert wanted == Target(capabilities=["sm86"], gpu="NVIDIA RTX A4000", driver="13.0")
    assert runtime.target(wanted) == wanted


@pytest.mark.parametrize("version", [TEN, ELEVEN])
@pytest.mark.parametrize("known", [None, b"timings of yesterday", b"damaged"])
def test_what_the_builder_measured_is_kept(build, version, own_home, known):
    path = own_home / "timings" / f"tensorrt-{version}-sm86"
    if known:
        path.parent.mkdir()
        path.write_bytes(known)
    build(version)
    assert path.read_bytes() == (known if known == b"timings of yesterday" else b"timings")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", pretend_tensorrt.REMOVED_IN_11)
def test_the_pretended_11_lacks_what_11_removed(name):
    ten, eleven = pretend_tensorrt.module(TEN), pretend_tensorrt.module(ELEVEN)
    for removed in pretend_tensorrt.REMOVED_IN_11[name]:
        assert hasattr(getattr(ten, name), removed)
        assert not hasattr(getattr(eleven, name), removed)


def test_the_pretended_libraries_have_nothing_that_the_real_one_lacks():
    real = pytest.importorskip("tensorrt_rtx")
    pretended = pretend_tensorrt.module(RTX, rtx=True)
    for name, one in vars(pretended).items():
        if isinstance(one, type):
            assert hasattr(real, name)
            public = {key for key in dir(one) if not key.startswith("_")} - set(dir(int))
            assert public <= set(dir(getattr(real, name))), name
