"""The parts of a run folder, to be compared."""

from pathlib import Path

from vidreid.store import schema
from vidreid.store.parts import read_part

KINDS = {"ingest": schema.FILES, "track": schema.TRACKS, "crops": schema.CROPS, "embed": schema.VECTORS}
MATCH = {
    "tracklets": schema.TRACKLETS,
    "identities": schema.IDENTITIES,
    "evidence": schema.EVIDENCE,
    "vectors": schema.INDEX,
}


def parts_of(run: Path) -> dict[str, Path]:
    """Every part in its place under its real name, by its path within the run."""
    found = sorted(path for path in run.glob("[!.]*/**/*.parquet") if not path.name.startswith("."))
    return {path.relative_to(run).as_posix(): path for path in found}


def contents(run: Path) -> dict[str, bytes]:
    """The bytes of every part."""
    return {name: path.read_bytes() for name, path in parts_of(run).items()}


def marks(run: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of modification of every part: a part that is made again has others.

    A segment's crops are written before its tracks: without these it was not finished, and both are made again.
    """
    found = parts_of(run)
    finished = [path for name, path in found.items() if name.replace("crops/", "track/", 1) in found]
    return {path.relative_to(run).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns) for path in finished}


def check_whole(run: Path) -> None:
    """Read every part to its last byte."""
    for name, path in parts_of(run).items():
        read_part(path, KINDS[name.split("/")[0]] if name.split("/")[0] in KINDS else MATCH[path.stem])
