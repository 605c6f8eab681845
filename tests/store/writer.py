"""A process that writes parts for ever: ``python writer.py FOLDER``, until it is killed."""

import itertools
import sys
from pathlib import Path

from tables import HEADER, tracks

from vidreid.store import schema
from vidreid.store.parts import write_part

if __name__ == "__main__":
    tables = [tracks(20_000, seed) for seed in range(2)]
    print("ready", flush=True)
    sys.stdin.readline()
    for number in itertools.count():
        write_part(Path(sys.argv[1]) / f"{number % 3}.parquet", tables[number % 2], schema.TRACKS, HEADER)
