"""The stage `match`: who is who in what is finished, what speaks for and against it, what a likeness means here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from vidreid.errors import InputError
from vidreid.footage.cameras import Site
from vidreid.identity.calibration import logit, odds, supported
from vidreid.identity.card import Card
from vidreid.identity.margins import Margins, margins
from vidreid.identity.revision import NOBODY
from vidreid.pipeline.calibrated import write_calibration
from vidreid.pipeline.cards import card_of
from vidreid.pipeline.coverage import ranges_of
from vidreid.pipeline.evidence import pairs_apart, pairs_together
from vidreid.pipeline.grouping import Grouped, group
from vidreid.pipeline.index import Indexed, index_run
from vidreid.pipeline.networks import Identities
from vidreid.pipeline.plan import (
    CameraPlan,
    SegmentState,
    header_for,
    match_inputs,
    part_state,
    plan_camera,
    segment_states,
    split_below,
)
from vidreid.pipeline.sightings import Tracklet, camera_tracklets, outside_note, read_finished
from vidreid.settings import Settings, check_model
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.journal import Journal, digest
from vidreid.store.parts import fingerprint, write_part
from vidreid.types import Array, Reporter


def match_finished(folder: RunFolder, reporter: Reporter, *, redo_outdated: bool = False) -> None:
    """Match what is finished of a run, be it worked on or not; footage and networks are not needed.

    The lock of `RunFolder.matching` is held. `InputError` where nothing is finished yet.
    """
    record = folder.read()
    settings = check_model(Settings, record.settings, "settings")
    found = {camera.name: plan_camera(folder, camera.usable, settings) for camera in record.cameras}
    plans = {name: plan for name, plan in found.items() if plan is not None}
    if not plans or not record.networks or not any(folder.path.glob("embed/*/*.parquet")):
        raise InputError(f"{folder.path}: nothing of it is analysed yet", f"watch it: vidreid status {folder.path}")
    match_run(folder, plans, settings, Identities(**record.networks), reporter, redo_outdated=redo_outdated)
    reporter.stop()


def match_run(
    folder: RunFolder,
    plans: Mapping[str, CameraPlan],
    settings: Settings,
    identities: Identities,
    reporter: Reporter,
    *,
    redo_outdated: bool = False,
) -> None:
    """Match what is finished so far, unless that is done; the lock of `RunFolder.matching` is held."""
    ready = {name: ready_states(folder, plan, settings, identities) for name, plan in plans.items()}
    decisions = Journal(folder.journal).active()
    record = folder.read()
    inputs = match_inputs(plans.values(), made_from(ready), settings, identities, record, digest(decisions))
    state = part_state(folder.match("tracklets"), inputs)
    if state.status == "done" or (state.status == "outdated" and not redo_outdated):
        return
    if state.status == "stale" and state.why != "vectors":  # new segments alone are no surprise
        reporter.note(f"match: done again ({state.why})")
    reporter.start("match", dict.fromkeys(plans, 1))
    tracklets: list[Tracklet] = []
    joins, splits = settings.tracking.join_seconds, split_below(settings, identities)
    outside: dict[str, list[int]] = {}
    for name, plan in plans.items():
        segments = [state.segment for state in ready[name]]
        finished = read_finished(folder, plan.files, plan.record.scene, segments)
        tracklets += camera_tracklets(plan, finished, join_seconds=joins, split_below=splits)
        if finished.outside:
            outside[name] = [finished.outside, finished.boxes]
            reporter.note(f"{name}: {outside_note(*outside[name])}")
        reporter.advance(name, 1)
    dim = next((len(one.vector) for one in tracklets if one.vector is not None), 0)
    card = card_of(identities.embedder["name"], dim, identities.embedder["network"])
    site = Site(travel=record.travel, overlaps=record.overlaps)
    how = settings.matching
    grouped = group(tracklets, plans, decisions, site, card, promise=how.wrong_pairs, min_seconds=how.min_seconds)
    for note in grouped.notes:
        reporter.note(note)
    with folder.new_match() as made:
        facts = _facts(plans, ready, outside)
        write_match(made, grouped, grouped.card, list(plans), identities.embedder, inputs, facts)


def ready_states(folder: RunFolder, plan: CameraPlan, settings: Settings, identities: Identities) -> list[SegmentState]:
    """The segments of a camera whose tracks and vectors can be used, in order of time."""
    return [state for state in segment_states(folder, plan, settings, identities) if state.ready]


def made_from(ready: Mapping[str, Sequence[SegmentState]]) -> list[str]:
    """The fingerprints of the vectors that `match` uses, by camera and time."""
    return [fingerprint(state.embed_inputs) for name in sorted(ready) for state in ready[name]]


def _facts(
    plans: Mapping[str, CameraPlan],
    ready: Mapping[str, Sequence[SegmentState]],
    outside: Mapping[str, Sequence[int]],
) -> dict[str, Any]:
    """What of the footage the tables are made from, the tracks by whose numbers they name it, and of each camera with
    boxes ``outside`` of its polygons how many these are of how many."""
    used = [state for states in ready.values() for state in states]
    return {
        "frames": sum(state.segment.own_stop - state.segment.own_first for state in used),
        "frames_total": sum(plan.frames for plan in plans.values()),
        "covered": {name: ranges_of(state.segment for state in states) for name, states in ready.items()},
        "tracked": {f"{state.camera}/{state.segment.name}": fingerprint(state.track_inputs) for state in used},
        "outside": outside,
    }


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
    write_calibration(folder, grouped, card, cameras, header.fingerprint)
    index_run(folder, _indexed(grouped), network, inputs)
    write_part(folder.match("identities"), pa.Table.from_pylist(found, schema.IDENTITIES), schema.IDENTITIES, header)
    write_part(folder.match("evidence"), pa.Table.from_pylist(evidence, schema.EVIDENCE), schema.EVIDENCE, header)
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
