"""The stage `match`: writes who is who, what speaks for and against it, and what a likeness means here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from vidreid.identity.calibration import logit, odds, supported
from vidreid.identity.card import Card
from vidreid.identity.margins import Margins, margins
from vidreid.identity.revision import NOBODY
from vidreid.pipeline.calibrated import write_calibration
from vidreid.pipeline.evidence import pairs_apart, pairs_together
from vidreid.pipeline.grouping import Grouped
from vidreid.pipeline.index import Indexed, index_run
from vidreid.pipeline.plan import header_for
from vidreid.pipeline.sightings import Tracklet
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import write_part
from vidreid.types import Array


def write_match(
    folder: RunFolder,
    grouped: Grouped,
    card: Card,
    cameras: Sequence[str],
    network: Mapping[str, str],
    inputs: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> None:
    """Write the tables of `match`, the calibration and the index of search."""
    curves = {kind: supported(curve, card.people) for kind, curve in grouped.curves.items()}
    grouped = replace(grouped, curves=curves)
    people, clusters = np.unique(grouped.labels[grouped.labels != NOBODY], return_inverse=True)
    told = [one for one, label in zip(grouped.known, grouped.labels, strict=True) if label != NOBODY]
    rows = np.flatnonzero(grouped.labels != NOBODY)
    near = margins(grouped.likeness.left[rows], grouped.likeness.right[rows], clusters)
    names = [f"P{number + 1:04d}" for number in people.tolist()]
    place = {one.name: position for position, one in enumerate(told)}
    identity = {one.name: names[cluster] for one, cluster in zip(told, clusters.tolist(), strict=True)}
    header = header_for(inputs, facts)
    doubt = _doubt(grouped, rows, near)
    found = [
        _identity_row(name, [told[i] for i in np.flatnonzero(clusters == c)], doubt[clusters == c])
        for c, name in enumerate(names)
    ]
    evidence = [*pairs_together(grouped, rows, clusters), *pairs_apart(grouped, rows, clusters, near)]
    table = [_tracklet_row(one, identity.get(one.name), near, names, place.get(one.name)) for one in grouped.tracklets]
    write_calibration(folder, grouped, card, cameras)
    index_run(folder, _indexed(grouped), network, inputs)
    write_part(folder.match("identities"), pa.Table.from_pylist(found, schema.IDENTITIES), schema.IDENTITIES, header)
    write_part(folder.match("evidence"), pa.Table.from_pylist(evidence, schema.EVIDENCE), schema.EVIDENCE, header)
    # The table that names the others' rows comes last: when it is there, all are.
    write_part(folder.match("tracklets"), pa.Table.from_pylist(table, schema.TRACKLETS), schema.TRACKLETS, header)


def _doubt(grouped: Grouped, rows: Array, near: Margins) -> Array:
    """The chance (n,) that a tracklet's place is wrong: that it is none of its own people, or rather the nearest
    other, whose odds are weighed against those of its own."""
    curve = grouped.curves["cross" if len(np.unique(grouped.space.cameras)) > 1 else "same"]
    alone, unrivalled = np.isnan(near.own), np.isnan(near.other)
    own = np.where(alone, 0.5, curve.above(np.where(alone, 0.0, near.own)))
    other = curve.above(np.where(unrivalled, 0.0, near.other))
    leaves = np.where(unrivalled, 0.0, odds(logit(other) - logit(own)))
    labels = np.unique(grouped.labels[rows])
    for position in np.flatnonzero(~unrivalled):
        kept_out = grouped.labels[grouped.apart[rows[position]]]
        if (kept_out == labels[near.nearest[position]]).any():  # a constraint, which no likeness overrules
            leaves[position] = 0.0
    return np.asarray(np.maximum(np.where(alone, 0.0, 1 - own), leaves))


def _indexed(grouped: Grouped) -> list[Indexed]:
    """What search compares: a vector a tracklet, without what its camera gives to all, and its levels."""
    space = grouped.space
    return [
        Indexed(
            tracklet=one.name,
            camera=one.camera,
            height=one.height,
            first=int(one.way.frames[0]),
            last=int(one.way.frames[-1]),
            vector=vector,
            levels=levels,
        )
        for one, vector, levels in zip(grouped.known, space.vectors, space.levels.level, strict=True)
    ]


def _tracklet_row(
    tracklet: Tracklet, identity: str | None, near: Margins, names: Sequence[str], place: int | None
) -> dict[str, Any]:
    own, nearest, likeness = (
        (None, None, None)
        if place is None
        else (_number(near.own[place]), int(near.nearest[place]), _number(near.other[place]))
    )
    return {
        "tracklet": tracklet.name,
        "camera": tracklet.camera,
        "identity": identity,
        "first": int(tracklet.way.frames[0]),
        "last": int(tracklet.way.frames[-1]),
        "start": tracklet.start,
        "end": tracklet.end,
        "start_s": tracklet.start_s,
        "end_s": tracklet.end_s,
        "boxes": len(tracklet.way.frames),
        "height": tracklet.height,
        "similarity": own,
        "nearest": names[nearest] if nearest is not None and nearest >= 0 else None,
        "nearest_similarity": likeness,
        "pieces": [
            {"segment": p.segment, "track": p.track, "first": p.first, "last": p.last} for p in tracklet.way.pieces
        ],
    }


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _identity_row(name: str, members: Sequence[Tracklet], doubt: Array) -> dict[str, Any]:
    starts = [t.start for t in members if t.start is not None]
    ends = [t.end for t in members if t.end is not None]
    known = len(starts) == len(members)
    return {
        "identity": name,
        "tracklets": len(members),
        "cameras": sorted({t.camera for t in members}),
        "start": min(starts) if known else None,
        "end": max(ends) if known else None,
        "doubt": float(doubt.max()),
    }
