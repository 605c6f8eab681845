"""What all tests share."""

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")
os.environ.setdefault("YOLO_VERBOSE", "false")


# A loaded machine is no fault of the program.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data beside the repository; a test that asks for it is skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs the development data in ../shared, which is not there")
    return folder


@contextlib.contextmanager
def _full_disk(room: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="session")
def full_disk() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """``with full_disk(room)``: no file may grow beyond ``room`` bytes, which a write learns in the kernel.

    A context, for pytest writes its own lines between the parts of a test, and these may go to a long file.
    """
    return _full_disk


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small world: four people, three cameras, 20 seconds. Read only."""
    from vidreid.world import write_world

    return write_world(tmp_path_factory.mktemp("site"), seed=3, seconds=20, people=4).parent


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees, or fills, the developer's own cache of networks."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("VIDREID_HOME", str(home))
    return home


@pytest.fixture
def no_detector(own_home: Path) -> None:
    """On this machine no detector is at hand, not even one that ships."""
    (own_home / "models.yaml").write_text("order: {detector: [yolo26n-int8]}")


@pytest.fixture(scope="session")
def finished(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the small world, in short segments, with the oracle and colours. Read only."""
    from vidreid.footage.cameras import read_site
    from vidreid.pipeline.progress import Silent
    from vidreid.pipeline.run import Options, run
    from vidreid.store.folder import RunFolder

    folder = tmp_path_factory.mktemp("finished") / "run"
    run(RunFolder(folder), read_site([str(site / "cameras.yaml")]), WORLD_SETTINGS, Options(), Silent())
    return folder


WORLD_SETTINGS = {
    "detection": {"detector": "oracle"},
    "embedding": {"embedder": "colours"},
    "segments": {"seconds": 6.0, "overlap": 2.0},
}


@dataclass(frozen=True)
class Answer:
    """Exit ``status``, and what both streams said."""

    status: int
    out: str
    err: str


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """``say("status", run)`` is ``vidreid status RUN`` without a terminal, in this process."""
    from vidreid.cli import main

    def call(*words: object) -> Answer:
        monkeypatch.setattr("sys.argv", ["vidreid", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        spoken = capsys.readouterr()
        return Answer(ended.value.code, spoken.out, spoken.err)

    return call


@pytest.fixture(scope="session")
def vidreid() -> Callable[..., Answer]:
    """``vidreid("status", run)`` calls the installed program in a process of its own."""
    program = Path(sys.executable).with_name("vidreid")

    def call(*words: object) -> Answer:
        done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=300, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)

    return call
