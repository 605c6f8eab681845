"""A process that holds a run's lock: ``python holder.py FOLDER``, until its input ends."""

import sys
from pathlib import Path

from vidreid.store.folder import RunFolder

if __name__ == "__main__":
    with RunFolder(Path(sys.argv[1])).locked():
        print("locked", flush=True)
        sys.stdin.read()
