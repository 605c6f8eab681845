"""Labelled pictures to tracklets: each alone, as image sets are scored, or grouped into sparse tracklets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vidreid.training.datasets import DISTRACTOR, Split, Tracklet
from vidreid.training.datasets._files import natural


@dataclass(frozen=True, slots=True)
class Picture:
    """A labelled picture; without ``frame`` its time is told by its name."""

    key: str
    identity: int
    camera: int
    sequence: str = ""
    frame: int | None = None


def make_tracklets(pictures: Iterable[Picture], *, grouped: bool) -> tuple[Tracklet, ...]:
    """Sparse tracklets where ``grouped``, else a tracklet a picture, in the order given."""
    return sparse_tracklets(pictures) if grouped else single_tracklets(pictures)


def image_split(
    train: Sequence[Picture], query: Sequence[Picture], gallery: Sequence[Picture], *, grouped: bool
) -> tuple[Split, tuple[str, ...]]:
    """The split of an image set with single queries, and notes.

    Where ``grouped``, the gallery's tracklets are the queries too, since a query has no second picture beside it; and
    junk and distractors are left out.
    """
    notes: tuple[str, ...] = ()
    if grouped:
        named = [item for item in gallery if item.identity > DISTRACTOR]
        left_out = len(gallery) - len(named)
        if left_out:
            notes = (f"{left_out} pictures of junk and distractors left out: they make no tracklets",)
        query = gallery = named
    return Split(*(make_tracklets(part, grouped=grouped) for part in (train, query, gallery))), notes


def single_tracklets(pictures: Iterable[Picture]) -> tuple[Tracklet, ...]:
    """Each picture a tracklet of one."""
    return tuple(Tracklet((item.key,), item.identity, item.camera, item.sequence) for item in pictures)


def sparse_tracklets(pictures: Iterable[Picture], *, strangers: bool = False) -> tuple[Tracklet, ...]:
    """Pictures of one (identity, camera, sequence) together, by frame, or by the natural order of their keys.

    Junk and distractors are many people under one number: each of their pictures stays alone, unless ``strangers``
    says that their sequences tell them apart. Tracklets come in the order of their first pictures.
    """
    groups: dict[tuple[object, ...], list[Picture]] = defaultdict(list)
    for item in pictures:
        alone = item.identity <= DISTRACTOR and not strangers
        groups[item.identity, item.camera, item.sequence, item.key if alone else None].append(item)
    return tuple(_tracklet(group) for group in groups.values())


def _tracklet(group: list[Picture]) -> Tracklet:
    ordered = sorted(group, key=lambda item: (item.frame is not None, item.frame or 0, natural(item.key)))
    first = group[0]
    return Tracklet(tuple(item.key for item in ordered), first.identity, first.camera, first.sequence)
