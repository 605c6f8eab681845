"""A machine that never had a network: what a bundle holds, what its installer refuses, and that the whole works."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vidreid.engines.weights import find_model

ROOT = Path(__file__).resolve().parents[1]
_spec = importlib.util.spec_from_file_location("bundle", ROOT / "docs/bundle.py")
bundle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bundle)


def run(*words: object, cwd: Path, **environment: object) -> subprocess.CompletedProcess[str]:
    """A command with nothing of this session's environment but the path."""
    told = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, **environment}
    told = {name: str(value) for name, value in told.items()}
    return subprocess.run(list(map(str, words)), cwd=cwd, env=told, capture_output=True, text=True, check=False)


# What it holds


def test_the_manual_is_whole(tmp_path):
    bundle.copy(bundle.pages(), ROOT, tmp_path)
    pages = list(tmp_path.rglob("*.md"))
    assert {page.name for page in pages} >= {"README.md", "formats.md", "card.md"}
    for page in pages:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.fixture
def theirs(own_home: Path) -> Path:
    """The folder of a detector in the user's cache, which the user's own models.yaml registers and prefers."""
    folder = own_home / "models/theirs"
    folder.mkdir(parents=True)
    files = {"net.xml": "the graph", "net.bin": "the numbers", "notes.txt": "no part of it"}
    for name, text in files.items():
        (folder / name).write_text(text)
    digests = {name: hashlib.sha256(files[name].encode()).hexdigest() for name in ("net.xml", "net.bin")}
    entry = {"kind": "detector", "family": "yolo", "input": {"size": [64, 64]}, "folder": "theirs", "files": digests}
    registry = {"order": {"detector": ["theirs"]}, "models": {"theirs": entry}}
    (own_home / "models.yaml").write_text(json.dumps(registry))
    return folder


def weights(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.glob("weights/**/*") if file.is_file()}


def test_it_takes_the_registered_networks_of_the_user_s_cache_and_no_other_file(theirs, tmp_path):
    bundle.fill(tmp_path)
    assert weights(tmp_path) == {"weights/theirs/net.xml", "weights/theirs/net.bin"}


def test_a_file_that_is_not_the_registered_one_is_left_out_and_named(theirs, tmp_path, capsys):
    (theirs / "net.bin").write_text("other numbers")
    bundle.fill(tmp_path)
    assert weights(tmp_path) == set()
    assert capsys.readouterr().out == f"left out: {theirs / 'net.xml'}: not the registered file (SHA-256)\n"


def test_what_ships_is_taken_from_no_cache(own_home):
    assert list(bundle.cached()) == []


def test_equal_bundles_have_equal_sums_of_every_file_in_order(tmp_path):
    names = ["wheels/b.whl", "manual/docs/a.md", "wheels/B.whl", "README"]
    for folder, order in (("one", names), ("two", names[::-1])):
        for name in order:
            file = tmp_path / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
        bundle.seal(tmp_path / folder)
        bundle.seal(tmp_path / folder)
    sums = (tmp_path / "one/SHA256SUMS").read_text()
    assert sums == (tmp_path / "two/SHA256SUMS").read_text()
    assert sums == "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in sorted(names))


# What the installer refuses, before it makes anything


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A bundle with which nothing is wrong but that its wheel is none."""
    folder = tmp_path / "on a stick"
    (folder / "wheels").mkdir(parents=True)
    (folder / "wheels/torch.whl").write_bytes(b"all of torch")
    bundle.add_installer(folder)
    bundle.seal(folder)
    return folder


def refusal(folder: Path) -> list[str]:
    """The two lines of an installer that made nothing."""
    before = set(folder.parent.iterdir())
    done = run("sh", folder / "install.sh", "my venv", cwd=folder.parent)
    assert done.returncode == 1
    assert set(folder.parent.iterdir()) == before
    return done.stderr.splitlines()


def test_a_flipped_bit(whole):
    wheel = whole / "wheels/torch.whl"
    wheel.write_bytes(bytes([wheel.read_bytes()[0] ^ 1]) + wheel.read_bytes()[1:])
    assert refusal(whole) == ["error: wheels/torch.whl: FAILED", "hint: copy the bundle again"]


def test_a_file_that_was_not_copied(whole):
    (whole / "wheels/torch.whl").unlink()
    error, hint = refusal(whole)
    assert "wheels/torch.whl: No such file" in error
    assert hint == "hint: copy the bundle again"


def test_sums_that_were_cut_off(whole):
    (whole / "SHA256SUMS").write_bytes(b"")
    assert "SHA256SUMS" in refusal(whole)[0]


def test_another_python(whole):
    ours = (whole / "made-for").read_text().strip()
    (whole / "made-for").write_text("Python 3.9, Plan9 mips\n")
    bundle.seal(whole)
    error, hint = refusal(whole)
    assert error == f"error: this bundle is for Python 3.9, Plan9 mips; {sys.executable} is {ours}"
    assert hint.startswith("hint: PYTHON=")


def test_no_python(whole):
    done = run("sh", whole / "install.sh", cwd=whole.parent, PYTHON="python0")
    assert done.returncode == 1
    assert "; python0 is missing\n" in done.stderr


def test_a_folder_that_is_there(whole):
    (whole.parent / "my venv").mkdir()
    assert refusal(whole)[0] == "error: my venv: is there already"


# What the user registered, on the other side


PYTHON = """\
#!/bin/sh
# This session's Python, which makes a venv of itself and finds installed whatever pip should install.
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip") ;;
  *) exec "{}" "$@" ;;
esac
"""


@pytest.fixture
def install(theirs: Path, tmp_path: Path) -> Callable[[Path], str]:
    """``install(home)`` puts a bundle of the user's networks in place for another user; what it says."""
    stick = tmp_path / "on a stick"
    stick.mkdir()
    bundle.fill(stick)
    python = tmp_path / "python"
    python.write_text(PYTHON.format(sys.executable))
    python.chmod(0o755)

    def call(home: Path) -> str:
        done = run("sh", stick / "install.sh", cwd=tmp_path, PYTHON=python, VIDREID_HOME=home, HOME=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_a_network_of_the_user_s_own_registry_is_known_on_the_other_side(install, tmp_path, monkeypatch):
    install(tmp_path / "their home")
    monkeypatch.setenv("VIDREID_HOME", str(tmp_path / "their home"))
    model = find_model("auto", "detector", offline=True, announce=print)
    assert (model.spec.name, model.path) == ("theirs", tmp_path / "their home/models/theirs/net.xml")


def test_a_registry_that_is_there_is_kept(install, tmp_path):
    home = tmp_path / "their home"
    home.mkdir()
    (home / "models.yaml").write_text("order: {detector: [yolo26n]}")
    assert f"kept: {home}/models.yaml; " in install(home)
    assert (home / "models.yaml").read_text() == "order: {detector: [yolo26n]}"


# The whole


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """An empty folder that is emptied again, for it takes gigabytes."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def cut_off() -> list[str]:
    """What starts a command without any network."""
    words = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or run(*words, "true", cwd=ROOT).returncode != 0:
        pytest.skip("unshare cannot cut off the network here")
    return words


def from_an_index(folder: Path) -> None:
    """Make a bundle, where wheels can be had."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder.parent / "trial"]
    if subprocess.run([*pip, "click"], capture_output=True, check=False).returncode != 0:
        pytest.skip("pip reaches no index from which a bundle could be made")
    torch = re.search(r"^TORCH \?= (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
    bundle.make(folder, torch.split())


@pytest.mark.slow
def test_it_installs_and_runs_the_demo_without_a_network(scratch):
    offline, stick, home = cut_off(), scratch / "on a stick", scratch / "home"
    from_an_index(stick)
    (stick / "weights/mine").mkdir(parents=True)
    (stick / "weights/mine/network.onnx").write_bytes(b"numbers")
    bundle.seal(stick)
    empty = scratch / "an empty folder"
    empty.mkdir()
    installed = run(*offline, "sh", stick / "install.sh", "my venv", cwd=empty, HOME=home, VIDREID_HOME=home)
    assert installed.returncode == 0, installed.stderr
    assert f'next: "{empty}/my venv/bin/vidreid" demo --output demo' in installed.stdout.splitlines()
    assert (home / "models/mine/network.onnx").read_bytes() == b"numbers"
    program = empty / "my venv/bin/vidreid"
    words = ("demo", "--seconds", 5, "--output", "demo", "--json")
    shown = run(*offline, program, *words, cwd=empty, HOME=home, VIDREID_HOME=home)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["identity"]["idf1"] > 0
    assert (empty / "demo/result.png").is_file()
