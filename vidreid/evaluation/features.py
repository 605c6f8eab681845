"""Embeddings in a file, anybody's: NPZ with ``paths`` (n,) and ``features`` (n, dim). Nothing in it is unpickled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from vidreid.embedding.pooling import normalize
from vidreid.errors import InputError
from vidreid.evaluation.distances import Metric, Vectors
from vidreid.types import Array

WANTED = ("paths", "features")
FORMAT = "np.savez(file, paths=array of n texts, features=array (n, dim) of numbers)"


def write_features(file: BinaryIO, groups: Sequence[Sequence[str]], vectors: Vectors) -> None:
    """Write vectors (n, dim) of n tracklets: one row each, under the path of its first picture."""
    np.savez(file, paths=np.array([group[0] for group in groups], np.str_), features=vectors)


def read_features(file: Path) -> tuple[list[str], Vectors]:
    """Paths and their vectors, float32 (n, dim); `InputError` where the file is not of the format."""
    paths, features = _arrays(file)
    if paths.ndim != 1 or paths.dtype.kind not in "US" or features.ndim != 2 or features.dtype.kind not in "fiu":
        found = f"paths {paths.dtype} {paths.shape}, features {features.dtype} {features.shape}"
        raise InputError(f"{file.name}: {found}", f"write it with {FORMAT}")
    if len(paths) != len(features):
        raise InputError(f"{file.name}: {len(paths)} paths, but {len(features)} rows of features", "one row a path")
    broken = np.flatnonzero(~np.isfinite(features).all(1))
    names = [PurePosixPath(name).as_posix() for name in paths.astype(np.str_).tolist()]
    if len(broken):
        first = names[broken[0]]
        raise InputError(f"{file.name}: {len(broken)} rows hold NaN or infinity, first {first}", "embed those anew")
    most = Counter(names).most_common(1)
    if most and most[0][1] > 1:
        raise InputError(f"{file.name}: {most[0][0]} is in it {most[0][1]} times", "one row a path")
    return names, features.astype(np.float32)


def _arrays(file: Path) -> tuple[Array, Array]:
    try:
        with file.open("rb") as opened:
            stored = np.load(opened, allow_pickle=False)
            names = stored.files if isinstance(stored, np.lib.npyio.NpzFile) else []
            found = {name: stored[name] for name in WANTED if name in names}
    except Exception as error:  # damaged archives raise whatever their bytes happen to mean
        reason = "objects are never read" if "allow_pickle" in str(error) else " ".join(str(error).split())[:120]
        raise InputError(f"{file.name}: cannot be read as NPZ: {reason}", f"write it with {FORMAT}") from None
    missing = [name for name in WANTED if name not in found]
    if missing:
        raise InputError(f"{file.name}: no {' and no '.join(missing)} in it", f"write it with {FORMAT}")
    return found["paths"], found["features"]


def vectors_of(
    groups: Sequence[Sequence[str]], paths: Sequence[str], features: Vectors, metric: Metric = "cosine"
) -> Vectors:
    """The vectors (n, dim) of n tracklets, each a group of picture paths.

    A file that knows no picture but the first of tracklets has one row a tracklet. Any other has one row a picture: a
    tracklet gets the mean of its pictures, each scaled to length 1 before where the ``metric`` is cosine. A path that
    is wanted and missing is an `InputError`; rows that nobody wants are passed over.
    """
    row = {path: number for number, path in enumerate(paths)}
    whole = not any(picture in row for group in groups for picture in group[1:])
    wanted = [group[:1] if whole else group for group in groups]
    missing = [picture for group in wanted for picture in group if picture not in row]
    if missing:
        count = sum(map(len, wanted))
        raise InputError(
            f"no features of {len(missing)} of {count} pictures, first {missing[0]}",
            f"paths are those of the data set, such as {missing[0]}; the file has such as {paths[0] if paths else '-'}",
        )
    ready = normalize(features) if metric == "cosine" else features
    starts = np.cumsum([0, *map(len, wanted)])[:-1]
    rows = np.array([row[picture] for group in wanted for picture in group], np.int64)
    if not len(rows):
        return np.zeros((0, features.shape[1]), np.float32)
    sums = np.add.reduceat(ready[rows], starts, axis=0)
    return np.asarray(sums / np.array([len(group) for group in wanted], np.float32)[:, None])
