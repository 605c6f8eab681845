"""The only calls that Windows lacks or does otherwise, and what is done there instead: untried, so as little as can be.

Standard library only. Every other module is portable: mypy reads them with ``--platform win32`` too, and
tests/test_posix.py looks for the rest.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from vidreid.errors import MissingError

if sys.platform != "win32":
    import fcntl
    import resource

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)  # the user's, and a batch system's, which never comes on Windows


def take_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed or the process ends; False, without waiting, where another one has it.

    `MissingError` on Windows.
    """
    if sys.platform == "win32":
        raise MissingError("a run's folder cannot be locked on Windows", "use Linux, macOS, or Linux in Windows (WSL)")
    else:
        return _flock(descriptor, fcntl.LOCK_EX)


def has_lock(descriptor: int) -> bool:
    """Whether another process has locked an open file; on Windows none can have."""
    if sys.platform == "win32":
        return False
    else:
        return not _flock(descriptor, fcntl.LOCK_SH)


def sync_folder(folder: Path) -> None:
    """Put names that files were given in a folder on the disk; Windows opens no folders, and does so itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Keep SIGINT from this thread, and for life from processes that it starts meanwhile; on Windows from nobody."""
    if sys.platform == "win32":
        yield
    else:
        from multiprocessing import resource_tracker

        # The first start of a process would also start Python's resource tracker, which unblocks SIGINT again.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def cores() -> int:
    """Processor cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    else:
        return os.cpu_count() or 1


def processor_flags() -> set[str]:
    """What the processor can do in the words of Linux (``avx2``); empty where the system does not tell."""
    return set(_told("/proc/cpuinfo", "flags").split())


def peak_memory() -> int | None:
    """The most bytes of memory that this process ever had; None on Windows."""
    if sys.platform == "win32":
        return None
    else:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def free_memory() -> int:
    """Bytes that can be had without swapping: where only the whole is known half of it, and on Windows none."""
    available = _told("/proc/meminfo", "MemAvailable").split()
    if available:
        return int(available[0]) * 1024
    if sys.platform == "win32":
        return 0
    else:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


if sys.platform != "win32":

    def _flock(descriptor: int, kind: int) -> bool:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _told(file: str, key: str) -> str:
    """What Linux says first of ``key`` in one of its own files; empty where it says nothing."""
    try:
        lines = [line.partition(":") for line in Path(file).read_text(encoding="utf-8").splitlines()]
    except OSError:
        return ""
    return next((value for name, _, value in lines if name.strip() == key), "")
