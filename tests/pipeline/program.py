"""The program in processes that can be killed, forked from one that has imported everything already."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

IMPORTED = ["vidreid.cli.run", "vidreid.pipeline.run", "vidreid.tracking.boxmot", "vidreid.views.people"]


def start(*words: object, says: Path) -> BaseProcess:
    """Start ``vidreid WORDS``; what it says goes to the file ``says``."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    process = context.Process(target=_main, args=([str(word) for word in words], str(says)))
    process.start()
    return process


def _main(words: list[str], says: str) -> None:
    descriptor = os.open(says, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.argv = ["vidreid", *words]
    from vidreid.cli import main

    main()


def wait_for(condition: Callable[[], object], process: BaseProcess) -> bool:
    """Wait until something is so; False where the process ended before."""
    while not condition():
        if not process.is_alive():
            return bool(condition())
        time.sleep(0.002)
    return True


def gone(process: int) -> bool:
    """Whether a process has ended."""
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
