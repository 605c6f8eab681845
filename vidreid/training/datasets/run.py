"""A run folder of this program as a data set: the crops that it stored, cut to the persons' boxes."""

from __future__ import annotations

import re
from pathlib import Path

from vidreid.errors import MissingError
from vidreid.training.datasets import JUNK, Dataset, Split, Tracklet
from vidreid.training.datasets._crops import cut, decode

OWN = "identities are those of the run's match: who learns from them learns its mistakes too"


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """Every stored crop of a matched run, as training tracklets (pictures of one each where ``tracklets`` is False).

    Identities are those of the run's match; tracklets without one are `JUNK`. Cameras count from 1 in the run's order.
    """
    # A machine that only trains may lack PyArrow and pydantic.
    try:
        from vidreid.pipeline.results import Run
    except ModuleNotFoundError as error:
        raise MissingError(f"{root}: a run, which needs {error.name}", f"pip install {error.name}") from error
    run = Run(root)
    names = run.tracklets().select(["tracklet", "identity"]).to_pylist()
    identities = {row["tracklet"]: _number(row["identity"]) for row in names}
    cameras = {name: number for number, name in enumerate(run.cameras, 1)}
    crops: dict[str, tuple[bytes, tuple[float, float, float, float]]] = {}
    found: dict[tuple[str, str], list[str]] = {}
    for row in run.crops().to_pylist():
        key = f"{row['tracklet']}/{row['frame']}"
        crops[key] = row["jpeg"], (row["x1"], row["y1"], row["x2"], row["y2"])
        found.setdefault((row["camera"], row["tracklet"]), []).append(key)

    def read(key: str) -> bytes:
        jpeg, box = crops[key]
        return cut(decode(jpeg, key), box, key)

    train = tuple(
        Tracklet(tuple(pictures), identities[tracklet], cameras[camera], tracklet)
        for (camera, tracklet), keys in found.items()
        for pictures in ([[key] for key in keys] if tracklets is False else [keys])
    )
    return Dataset("run", (Split(train),), read, notes=(OWN,))


def _number(identity: str | None) -> int:
    """The number of ``P12``, which counts from 1."""
    found = re.fullmatch(r"P(\d+)", identity or "")
    return int(found[1]) if found else JUNK
