"""Digests of what each stage makes of the small world: ``python tests/pipeline/digests.py RUN`` stores those of RUN.

A digest is of numbers rounded to what a person could see (0.1 pixel, 0.01 of a cosine), never of a file's bytes, so
that the last bits of a processor's arithmetic do not count. The film's bytes depend on the encoder and the choice of
crops on its pictures, hence digests are compared only where the footage and the versions are those they are from.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from parts import parts_of

from vidreid.pipeline.plan import CODE
from vidreid.pipeline.versions import made_by
from vidreid.store import schema
from vidreid.store.parts import read_part

STORED = Path(__file__).with_name("digests.json")
PACKAGES = ("av", "boxmot", "numpy", "opencv-python", "scipy")
BOX = dict.fromkeys(("x1", "y1", "x2", "y2"), 1)

# stage: the parts that it writes, their columns, and the decimals that count (None: as it is)
COLUMNS: dict[str, dict[str, tuple[Any, dict[str, int | None]]]] = {
    "ingest": {
        "ingest": (
            schema.FILES,
            dict.fromkeys(("codec", "width", "height", "rotation", "time_base", "pts", "key", "stretches", "timing")),
        )
    },
    "track": {
        "track": (schema.TRACKS, {"frame": None, "pts": None, **BOX, "score": 2, "track": None}),
        "crops": (schema.CROPS, {**dict.fromkeys(("track", "run", "place", "frame")), "quality": 2, **BOX}),
    },
    "embed": {"embed": (schema.VECTORS, {**dict.fromkeys(("track", "run", "first", "last")), "vector": 2})},
    "match": {
        "match/tracklets": (
            schema.TRACKLETS,
            {**dict.fromkeys(("tracklet", "identity", "first", "last", "start", "pieces", "nearest")), "similarity": 2},
        ),
        "match/identities": (schema.IDENTITIES, dict.fromkeys(("identity", "tracklets", "cameras", "start", "end"))),
        "match/evidence": (schema.EVIDENCE, dict.fromkeys(("first", "second", "kind", "reason"))),
    },
}


def digests(run: Path) -> dict[str, str]:
    """The digest of each stage's parts of a run."""
    return {stage: hashlib.sha256("\n".join(_lines(run, stage)).encode()).hexdigest()[:16] for stage in CODE}


def _lines(run: Path, stage: str) -> Iterator[str]:
    for start, (kind, columns) in COLUMNS[stage].items():
        for name, path in parts_of(run).items():
            if name.startswith((f"{start}/", f"{start}.")):
                yield name
                for row in read_part(path, kind, list(columns)).to_pylist():
                    yield repr([_rounded(row[column], decimals) for column, decimals in columns.items()])


def _rounded(value: Any, decimals: int | None) -> Any:
    if decimals is None or value is None:
        return value
    return (np.round(np.asarray(value, np.float64), decimals) + 0.0).tolist()  # + 0.0: no negative zero


def circumstances(run: Path) -> dict[str, str]:
    """On what digests depend beside the code: versions, and the footage."""
    versions = {name: version for name, version in made_by().items() if name in PACKAGES}
    hashes = [file for name, path in parts_of(run).items() if name.startswith("ingest/") for file in _hashes(path)]
    return {**versions, "footage": hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:16]}


def _hashes(ingest: Path) -> list[str]:
    found: list[str] = read_part(ingest, schema.FILES, ["sha256"])["sha256"].to_pylist()
    return found


if __name__ == "__main__":
    finished = Path(sys.argv[1])
    stored = {"code": CODE, "digests": digests(finished), "circumstances": circumstances(finished)}
    STORED.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
