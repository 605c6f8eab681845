"""A data set scored by its protocol: embeddings of its tracklets in, CMC and mAP averaged over its splits out.

Needs NumPy alone; where the embeddings come from is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vidreid import plugins
from vidreid.errors import InputError, UsageError
from vidreid.evaluation.distances import Distances, Vectors, distances, prepared
from vidreid.evaluation.reranking import reranked
from vidreid.evaluation.retrieval import Labels, Retrieval, rankings, score
from vidreid.training.datasets import Dataset, Protocol, Split, Tracklet

ROOM = "training.datasets"
RANKS = (1, 5, 10, 20)
CURVE = 50  # ranks of the CMC curve that results hold


@dataclass(frozen=True)
class Division:
    """One split that was scored; ``query`` and ``gallery`` names are the tracklets' first pictures."""

    number: int
    query: Labels
    gallery: Labels
    distances: Distances
    found: Retrieval


@dataclass(frozen=True)
class Scores:
    """How embeddings do on a data set. ``protocol`` is how they were compared; fractions are means over splits."""

    dataset: str
    protocol: Mapping[str, Any]
    divisions: tuple[Division, ...]

    def cmc(self, depth: int) -> list[float]:
        """Share of queries with a right entry among the first 1, 2, ..., ``depth``."""
        return [float(share) for share in np.mean([part.found.cmc(depth) for part in self.divisions], axis=0)]

    @property
    def mean_ap(self) -> float:
        """Mean average precision."""
        return float(np.mean([part.found.mean_ap for part in self.divisions]))

    def summary(self) -> dict[str, Any]:
        """Scores and counts as plain values; counts are sums over splits."""
        curve = self.cmc(CURVE)
        return {
            **{f"rank{rank}": curve[rank - 1] for rank in RANKS},
            "mAP": self.mean_ap,
            "queries": sum(int(part.found.scored.sum()) for part in self.divisions),
            "queries_without_match": sum(int((~part.found.scored).sum()) for part in self.divisions),
            "gallery": sum(part.found.gallery for part in self.divisions),
            "splits": len(self.divisions),
        }

    def as_dict(self) -> dict[str, Any]:
        """Everything that `vidreid.evaluation.comparison` compares, as plain values."""
        return {
            "dataset": self.dataset,
            "protocol": dict(self.protocol),
            **self.summary(),
            "cmc": self.cmc(CURVE),
            "per_query": {
                "split": [part.number for part in self.divisions for _ in part.query.names],
                "query": [name for part in self.divisions for name in part.query.names],
                "identity": [who for part in self.divisions for who in part.query.identities.tolist()],
                "first": [rank for part in self.divisions for rank in part.found.first.tolist()],
                "ap": [round(ap, 6) for part in self.divisions for ap in part.found.ap.tolist()],
            },
        }


def open_dataset(wanted: str, root: Path | None, *, tracklets: bool | None = None) -> Dataset:
    """The data set of a layout's name, or of a CSV by its path; ``root`` may be left out for the latter.

    ``tracklets``: sparse tracklets, or each picture alone (False); None is what the set's authors do.
    """
    if wanted.endswith((".csv", ".csv.gz")):
        file = Path(wanted).expanduser()
        opened = plugins.load(ROOM, "csv").open_csv(file, root or file.parent, tracklets=tracklets)
    elif Path(wanted).is_dir():
        raise UsageError(f"{wanted}: of which layout?", f"--dataset LAYOUT --data {wanted}; layouts: {_layouts()}")
    elif root is None:
        raise UsageError(f"{wanted}: where is it?", f"--data FOLDER; layouts: {_layouts()}")
    else:
        opened = plugins.load(ROOM, wanted).open_dataset(root, tracklets=tracklets)
    assert isinstance(opened, Dataset)
    return opened


def _layouts() -> str:
    return ", ".join(plugins.names(ROOM))


def chosen_splits(dataset: Dataset, split: int | None = None) -> list[tuple[int, Split]]:
    """Numbers, from 1, and splits to score: all, or one of them. `InputError` where there is nothing to score."""
    splits = list(enumerate(dataset.splits, 1))
    if split is not None:
        if not 1 <= split <= len(splits):
            raise InputError(f"{dataset.name}: no split {split}", f"it has 1 to {len(splits)}")
        splits = [splits[split - 1]]
    if not all(part.query and part.gallery for _, part in splits):
        raise InputError(f"{dataset.name}: no queries or no gallery in it", "it can be trained on, but not be scored")
    return splits


def scored_tracklets(dataset: Dataset, split: int | None = None) -> list[Tracklet]:
    """Every tracklet that is queried or searched, once."""
    found: dict[str, Tracklet] = {}
    for _, part in chosen_splits(dataset, split):
        for tracklet in (*part.query, *part.gallery):
            known = found.setdefault(tracklet.pictures[0], tracklet)
            if known.pictures != tracklet.pictures:
                raise InputError(f"{dataset.name}: two tracklets begin with {tracklet.pictures[0]}", "make them one")
    return list(found.values())


def score_dataset(
    dataset: Dataset,
    tracklets: Sequence[Tracklet],
    vectors: Vectors,
    protocol: Protocol,
    *,
    branches: int = 1,
    rerank: bool = False,
    split: int | None = None,
) -> Scores:
    """Score the vectors (n, dim) of ``tracklets``, those of `scored_tracklets`, on every split or on one.

    A row of nothing but NaN is a tracklet without a readable picture: it is neither query nor gallery.
    """
    kept = np.flatnonzero(~np.isnan(vectors).all(1)).tolist()
    if not kept:
        raise InputError(f"{dataset.name}: not one embedding that is a number", "the network or its input is broken")
    ready = prepared(vectors[kept], protocol.distance, branches)
    row = {tracklets[number].pictures[0]: place for place, number in enumerate(kept)}
    divisions = []
    for number, part in chosen_splits(dataset, split):
        sides = [[item for item in side if item.pictures[0] in row] for side in (part.query, part.gallery)]
        query, gallery = (ready[[row[item.pictures[0]] for item in side]] for side in sides)
        divisions.append(_division(number, sides, query, gallery, protocol, rerank=rerank))
        if not divisions[-1].found.scored.any():
            raise InputError(
                f"{dataset.name}: no query of split {number} has a match in the gallery", "check the labels"
            )
    settings = {
        "tracklets": any(len(item.pictures) > 1 for item in tracklets),
        **asdict(protocol),
        "frames": protocol.frames or "all",
        "rerank": rerank,
    }
    return Scores(dataset.name, settings, tuple(divisions))


def joined(parts: Sequence[Scores]) -> Scores:
    """Scores of different splits of a data set as one, which are its mean; the protocol is that of the first."""
    return replace(parts[0], divisions=tuple(division for part in parts for division in part.divisions))


def _division(
    number: int,
    sides: Sequence[Sequence[Tracklet]],
    queries: Vectors,
    gallery: Vectors,
    protocol: Protocol,
    *,
    rerank: bool,
) -> Division:
    query_labels, gallery_labels = map(_labels, sides)
    if rerank:
        between: Distances = reranked(queries, gallery).__getitem__
    else:
        between = distances(queries, gallery, protocol.distance)
    found = score(between, query_labels, gallery_labels, ap=protocol.ap)
    return Division(number, query_labels, gallery_labels, between, found)


def _labels(side: Sequence[Tracklet]) -> Labels:
    return Labels(
        np.array([item.identity for item in side], np.int64),
        np.array([item.camera for item in side], np.int64),
        [item.pictures[0] for item in side],
    )


def per_query(scores: Scores) -> Iterator[tuple[str | int | float, ...]]:
    """A header, then a row a query: what it is, how it fared, and its nearest right and wrong gallery entries."""
    yield "split", "query", "identity", "camera", "first", "ap", "best_right", "best_wrong"
    for part in scores.divisions:
        found, names = part.found, [*part.gallery.names, ""]  # row -1 is nobody
        for row, name in enumerate(part.query.names):
            who, camera = int(part.query.identities[row]), int(part.query.cameras[row])
            best = names[found.best_right[row]], names[found.best_wrong[row]]
            yield part.number, name, who, camera, int(found.first[row]), round(float(found.ap[row]), 6), *best


@dataclass(frozen=True, slots=True)
class Ranked:
    """A query's best gallery entries, nearest first, each by name and whether it is the query's person; ``first`` is
    the rank of the first right one, the last entry where it is beyond the others."""

    query: str
    first: int
    ap: float
    entries: tuple[tuple[str, bool], ...]


def worst_queries(scores: Scores, count: int, depth: int = 10) -> list[Ranked]:
    """The ``count`` queries of lowest average precision, over all splits, with their first ``depth`` entries and, where
    that comes later, the first right one."""
    found = []
    for part in scores.divisions:
        numbers = np.flatnonzero(part.found.scored)
        chosen = numbers[np.argsort(part.found.ap[numbers], kind="stable")[:count]]
        for number, order, right in rankings(part.distances, part.query, part.gallery, chosen):
            first, ap = int(part.found.first[number]), float(part.found.ap[number])
            shown = [*range(min(depth, len(order))), *([first - 1] if first > depth else [])]
            entries = tuple((part.gallery.names[order[place]], bool(right[place])) for place in shown)
            found.append(Ranked(part.query.names[number], first, ap, entries))
    return sorted(found, key=lambda ranked: ranked.ap)[:count]


def spread(pictures: Sequence[str], frames: int) -> Sequence[str]:
    """The first picture of each of ``frames`` equal parts; all of them (0, or where there are no more) in order.

    >>> spread("abcdefgh", 2)
    ['a', 'e']
    """
    if not 0 < frames < len(pictures):
        return pictures
    return [pictures[number * len(pictures) // frames] for number in range(frames)]
