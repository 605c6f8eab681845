"""The identities of a labelled data set: its tracklets put together as a run's are, against who they truly are.

Every (identity, camera, sequence) group of pictures is a tracklet. Nothing is known of when it was seen, so appearance
alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidreid.errors import InputError
from vidreid.evaluation.distances import Vectors, prepared
from vidreid.evaluation.grouping import Grouping, score_grouping
from vidreid.identity.card import Card
from vidreid.pipeline.cards import stranger
from vidreid.training.datasets import DISTRACTOR, JUNK, Dataset, Tracklet
from vidreid.training.embeddings import Source
from vidreid.training.scoring import Say
from vidreid.types import Array


@dataclass(frozen=True)
class Outcome:
    """How the identities of a data set came out. ``promised`` is the share of wrong pairs among those put together
    that was asked for, ``grouping.wrong_share`` the one that came out; ``expected`` is what was foreseen: numbers, and
    shares as value, low and high. ``people`` of the embedder's card, 0 where it has none."""

    system: str
    dataset: str
    promised: float
    grouping: Grouping
    expected: dict[str, Any]
    people: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values by name, for JSON; None where there is nothing to judge."""
        scores = self.grouping.as_dict()
        achieved = {"achieved": scores.pop("wrong_share"), "achieved_95": scores.pop("wrong_share_95")}
        named = {"dataset": self.dataset, "embedder": self.system, "promised": self.promised, **achieved}
        foreseen = {"expected": self.expected, "card_people": self.people}
        return {**named, "tracklets": scores.pop("items"), **scores, **foreseen}


def groups(dataset: Dataset, *, least: int = 1, held_out: bool = False) -> tuple[list[Tracklet], list[str]]:
    """The tracklets of all splits of a data set, each picture once, and notes on what is left out.

    ``least`` pictures are needed of each; ``held_out`` leaves out the people of the training part. Junk is left out.
    `InputError` where there are not two tracklets.
    """
    trained = {item.identity for part in dataset.splits for item in part.train}
    found = _united(
        [item for part in dataset.splits for side in (part.train, part.query, part.gallery) for item in side]
    )
    notes = []
    if held_out:
        found = [item for item in found if item.identity not in trained or item.identity == DISTRACTOR]
    elif trained and not all(item.identity in trained for item in found):
        notes.append("the people of its training part are among them: --held-out leaves them out")
    kept = [item for item in found if len(item.pictures) >= least]
    if len(kept) < len(found):
        notes.append(f"{len(found) - len(kept)} groups of fewer than {least} pictures left out")
    if strangers := sum(item.identity == DISTRACTOR for item in kept):
        notes.append(f"{strangers} tracklets of identity 0 are distractors: nobody else is equal to them")
    if len(kept) < 2:
        where = "outside its training part " if held_out else ""
        raise InputError(
            f"{dataset.name}: {len(kept)} tracklets of {least} pictures or more {where}in it, two are needed",
            "leave out --min-pictures" if least > 1 else "check its labels",
        )
    return kept, notes


def _united(tracklets: Sequence[Tracklet]) -> list[Tracklet]:
    """Tracklets of one (identity, camera, sequence) as one. Strangers, and what has pictures in order of time but no
    sequence to tell it from others, stay as they are."""
    seen: set[str] = set()
    united: dict[tuple[object, ...], Tracklet] = {}
    for item in tracklets:
        new = tuple(key for key in item.pictures if key not in seen)
        if not new or item.identity == JUNK:
            continue
        seen.update(new)
        alone = item.identity == DISTRACTOR or (len(item.pictures) > 1 and not item.sequence)
        key = (item.identity, item.camera, item.sequence, new[0] if alone else None)
        before = united[key].pictures if key in united else ()
        united[key] = Tracklet((*before, *new), item.identity, item.camera, item.sequence)
    return list(united.values())


def score_identity(
    dataset: Dataset, tracklets: Sequence[Tracklet], source: Source, promise: float, say: Say = lambda line: None
) -> Outcome:
    """Embed the tracklets, put together what the ``promise`` allows, and score that.

    Tracklets without a readable picture are left out, and said.
    """
    vectors = source.vectors(dataset, tracklets, dataset.protocol, say)
    readable = np.flatnonzero(~np.isnan(vectors).all(1))
    if len(readable) < 2:
        raise InputError(
            f"{dataset.name}: {len(readable)} tracklets can be read, two are needed", "look at its pictures"
        )
    kept = [tracklets[row] for row in readable.tolist()]
    cameras = np.array([item.camera for item in kept], np.int64)
    unit = prepared(vectors[readable], "cosine", source.branches)
    _, places = np.unique(cameras, return_inverse=True)
    card = source.card(unit.shape[1]) if source.card else stranger(source.system, unit.shape[1])
    if not card.people:
        say(f"{card.name} has no card: nobody measured what its likenesses mean, what is expected is rough")
    clusters, expected = _associated(unit, places, card, promise)
    grouping = score_grouping(clusters, np.array([item.identity for item in kept], np.int64), cameras)
    return Outcome(source.system, dataset.name, promise, grouping, expected, card.people)


def _associated(vectors: Vectors, cameras: Array, card: Card, promise: float) -> tuple[Array, dict[str, Any]]:
    """Numbers of identities (n,) and what is expected of them; ``cameras`` are numbers from 0."""
    from vidreid.identity.association import Sightings, associate  # needs SciPy, which a machine that trains may lack

    nobody = [np.zeros(0, np.int64)] * len(vectors)
    found = associate(Sightings(vectors, cameras, nobody), card, promise)
    expected = found.expected
    return found.clusters, {
        "pairs": expected.pairs,
        "wrong_pairs": expected.wrong,
        "mixed": expected.mixed,
        "split": expected.split,
        "wrong_share": list(expected.wrong_share),
        "false_match_rate": list(expected.false_match_rate),
    }
