"""A process that asks whether a run is busy, again and again: ``python asker.py FOLDER``, until it is killed."""

import sys
from pathlib import Path

from vidreid.store.folder import RunFolder

if __name__ == "__main__":
    folder = RunFolder(Path(sys.argv[1]))
    folder.busy()
    print("asking", flush=True)
    while True:
        folder.busy()
