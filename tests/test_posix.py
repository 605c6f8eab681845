"""Calls that Windows lacks or does otherwise are in vidreid/posix.py alone, and nothing needs them to be loaded."""

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vidreid import posix

ROOT = Path(__file__).resolve().parents[1]
THE_ONE = ROOT / "vidreid/posix.py"

MODULES = {"curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "select", "termios", "tty"}
# What Windows lacks mypy finds too (--platform win32); of what it does otherwise only this table knows.
CALLS = {
    "os": {
        "O_DIRECTORY",
        "chmod",
        "chown",
        "fork",
        "kill",
        "killpg",
        "sched_getaffinity",
        "symlink",
        "sysconf",
        "umask",
    },
    "signal": {"SIGALRM", "SIGHUP", "SIGKILL", "SIGTERM", "SIGUSR1", "alarm", "pthread_sigmask", "setitimer"},
    "multiprocessing": {"resource_tracker"},
}
FOLDERS = ("/dev/", "/proc/", "/sys/")


def uses(source: str) -> Iterator[str]:
    """The modules and calls of POSIX, and the files of its kernels, that a source names."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=imported):
                yield from {alias.name for alias in imported} & MODULES
            case ast.ImportFrom(module=str(module), names=imported):
                yield from {module} & MODULES
                yield from {alias.name for alias in imported} & CALLS.get(module, set())
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                yield from {name} & CALLS.get(module, set())
            case ast.Constant(value=str(text)) if text.startswith(FOLDERS):
                yield text


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import fcntl, json", "fcntl"),
        ("from resource import getrusage", "resource"),
        ("from os import kill", "kill"),
        ("from multiprocessing import resource_tracker", "resource_tracker"),
        ("import os\nlen(os.sched_getaffinity(0))", "sched_getaffinity"),
        ("import signal\nsignal.signal(signal.SIGTERM, note)", "SIGTERM"),
        ('Path("/proc/meminfo").read_text()', "/proc/meminfo"),
    ],
)
def test_such_a_use_is_seen(source, found):
    assert list(uses(source)) == [found]


def test_they_are_in_one_module_alone():
    found = {file for file in ROOT.glob("vidreid/**/*.py") if any(uses(file.read_text(encoding="utf-8")))}
    assert found == {THE_ONE}


def test_nothing_else_is_called_that_windows_lacks():
    """As far as typeshed knows it. The cache is its own, for one of another system would be made anew."""
    cache = ROOT / ".mypy_cache/win32"
    run(Path(sys.executable).with_name("mypy"), "--platform", "win32", "--cache-dir", cache)


def run(*words: object) -> str:
    """What a command says; the test fails with it where the command fails."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


# As on Windows: what it lacks is taken away before vidreid is loaded. Other packages are loaded as what they are.
ON_WINDOWS = """
import os, signal, sys
from pathlib import Path
import vidreid.cli, vidreid.store.folder

for name in [name for name in sys.modules if name.partition(".")[0] == "vidreid"]:
    del sys.modules[name]
sys.modules.update(dict.fromkeys(["fcntl", "resource"]))
del os.sched_getaffinity, os.sysconf, signal.pthread_sigmask
sys.platform = "win32"

from vidreid import posix
from vidreid.cli import cli
from vidreid.errors import MissingError
from vidreid.store.folder import RunFolder

print(posix.cores() >= 1, posix.peak_memory())
with posix.interrupts_blocked():
    posix.sync_folder(Path("no such folder"))
folder = RunFolder(Path(sys.argv[1]))
try:
    with folder.locked():
        print("locked")
except MissingError as error:
    print(error.message, error.hint, sep="; ")
print(folder.busy())
cli.main(["--help"], prog_name="vidreid")
"""


def test_where_they_are_missing_help_works_and_a_run_says_what_it_lacks(tmp_path):
    known, refused, busy, usage, *_ = run(sys.executable, "-c", ON_WINDOWS, tmp_path).splitlines()
    assert known == "True None"
    assert refused == "a run's folder cannot be locked on Windows; use Linux, macOS, or Linux in Windows (WSL)"
    assert busy == "False"
    assert usage.startswith("Usage: vidreid")


# What the one module does


def test_a_lock_is_one_process_s_until_it_is_closed(tmp_path):
    with (tmp_path / "lock").open("w+b") as ours, (tmp_path / "lock").open("rb") as another:
        assert posix.take_lock(ours.fileno())
        assert not posix.take_lock(another.fileno())
        assert posix.has_lock(another.fileno())
        ours.close()
        assert not posix.has_lock(another.fileno())


def test_the_processor_is_described_in_words():
    flags = posix.processor_flags()
    assert all(re.fullmatch(r"\w+", flag) for flag in flags), flags
    assert flags or not Path("/proc/cpuinfo").is_file()


def test_memory_is_counted_in_bytes():
    status = Path("/proc/self/status")
    if not status.is_file():
        pytest.skip("what to compare with is told by Linux alone")
    told = {line.partition(":")[0]: line.split()[1] for line in status.read_text().splitlines() if " kB" in line}
    assert int(told["VmRSS"]) * 512 < posix.peak_memory() < int(told["VmPeak"]) * 1024
    assert 0 < posix.free_memory() < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_an_interrupt_waits_while_it_is_blocked():
    done = []

    def work() -> None:
        with posix.interrupts_blocked():
            # To this thread: one to the process may reach another one, and a library may have started some.
            signal.raise_signal(signal.SIGINT)
            done.append("all")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all"]


def test_a_process_started_meanwhile_never_hears_interrupts():
    program = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('deaf')"
    with posix.interrupts_blocked():
        assert run(sys.executable, "-c", program) == "deaf\n"
