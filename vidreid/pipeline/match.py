"""The stage `match`: tracks to tracklets, tracklets to identities, and what speaks for and against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from vidreid.identity.clustering import cluster
from vidreid.identity.constraints import Presence, cannot_link
from vidreid.identity.margins import Margins, margins
from vidreid.identity.splitting import Look, find_exchanges, mean_look
from vidreid.pipeline.plan import CameraPlan, header_for
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_part, write_part
from vidreid.tracklets.assemble import Assembled, SegmentTracks, assemble, in_order, split
from vidreid.tracklets.contacts import Way, find_cuts
from vidreid.types import Array, Segment


@dataclass(frozen=True)
class Tracklet:
    """A tracklet with its name and its unit vector (dim,), None where no crop of it was embedded."""

    name: str
    camera: str
    way: Assembled
    start_s: float
    end_s: float
    start: int | None
    end: int | None
    vector: Array | None


def camera_tracklets(
    folder: RunFolder,
    camera: CameraPlan,
    ready: Sequence[Segment],
    *,
    join_seconds: float,
    split_below: float | None,
) -> list[Tracklet]:
    """The tracklets of one camera from its finished segments, in order of time.

    ``split_below``: the cosine under which two sides of a contact may be two people; None leaves tracks whole.
    """
    elapsed = camera.timeline.elapsed
    ways = assemble([read_tracks(folder, segment) for segment in ready], elapsed, join_seconds=join_seconds)
    found = read_looks(folder, ready)
    looks = [_looks_of(way, found) for way in ways]
    if split_below is not None:
        cuts = find_cuts([Way(way.frames, elapsed(way.frames), way.boxes) for way in ways])
        exchanged = find_exchanges(cuts, looks, split_below)
        ways = sorted((part for i, way in enumerate(ways) for part in split(way, exchanged.get(i, []))), key=in_order)
        looks = [_looks_of(way, found) for way in ways]
    return [_tracklet(camera, i, way, looks[i - 1]) for i, way in enumerate(ways, start=1)]


def read_looks(folder: RunFolder, segments: Sequence[Segment]) -> dict[tuple[int, int], list[Look]]:
    """The vectors of segments, by (segment, track)."""
    looks: dict[tuple[int, int], list[Look]] = {}
    for segment in segments:
        table = read_part(folder.embed(segment.camera, segment.name), schema.VECTORS)
        vectors = table["vector"].combine_chunks()
        rows = vectors.flatten().to_numpy().reshape(len(vectors), -1) if len(vectors) else []
        for row, vector in zip(table.drop_columns(["vector"]).to_pylist(), rows, strict=True):
            look = Look(row["first"], row["last"], row["quality"], vector)
            looks.setdefault((segment.number, row["track"]), []).append(look)
    return looks


def _looks_of(way: Assembled, looks: Mapping[tuple[int, int], list[Look]]) -> list[Look]:
    """The looks that were taken within the pieces of a way, in order of time."""
    return sorted(
        (
            look
            for piece in way.pieces
            for look in looks.get((piece.segment, piece.track), [])
            if look.last >= piece.first and look.first <= piece.last
        ),
        key=lambda look: look.first,
    )


def read_tracks(folder: RunFolder, segment: Segment) -> SegmentTracks:
    """The track part of a segment as arrays."""
    table = read_part(folder.track(segment.camera, segment.name), schema.TRACKS)
    boxes = np.stack([table[name].to_numpy() for name in ("x1", "y1", "x2", "y2")], 1).astype(np.float32)
    return SegmentTracks(
        segment,
        table["frame"].to_numpy().astype(np.int64),
        table["track"].to_numpy().astype(np.int64),
        boxes,
        table["score"].to_numpy().astype(np.float32),
    )


def _tracklet(camera: CameraPlan, number: int, way: Assembled, looks: Sequence[Look]) -> Tracklet:
    ends = way.frames[[0, -1]]
    elapsed = camera.timeline.elapsed(ends)
    utc = camera.timeline.utc(ends)
    return Tracklet(
        name=f"{camera.record.name}/{number:06d}",
        camera=camera.record.name,
        way=way,
        start_s=float(elapsed[0]),
        end_s=float(elapsed[1]),
        start=None if utc is None else int(utc[0]),
        end=None if utc is None else int(utc[1]),
        vector=mean_look(looks),
    )


def match(
    folder: RunFolder,
    tracklets: Sequence[Tracklet],
    inputs: Mapping[str, Any],
    facts: Mapping[str, Any],
    *,
    threshold: float,
    min_seconds: float,
) -> None:
    """Cluster the tracklets and write the tables of `match`."""
    known = [t for t in tracklets if t.vector is not None and t.end_s - t.start_s >= min_seconds]
    known.sort(key=lambda t: (t.start_s if t.start is None else t.start / 1e6, t.name))
    vectors = np.stack([t.vector for t in known if t.vector is not None]) if known else np.zeros((0, 1))
    apart = cannot_link([Presence(t.camera, int(t.way.frames[0]), int(t.way.frames[-1])) for t in known])
    clusters = cluster(vectors, apart, threshold)
    near = margins(vectors, clusters)
    names = [f"P{number + 1:04d}" for number in range(int(clusters.max()) + 1 if len(clusters) else 0)]
    place = {t.name: i for i, t in enumerate(known)}
    header = header_for(inputs, facts)
    identity_of = {t.name: names[clusters[i]] for t, i in zip(known, range(len(known)), strict=True)}
    rows = [_tracklet_row(t, identity_of.get(t.name), near, names, place.get(t.name)) for t in tracklets]
    doubt = near.doubt(threshold)
    people = [
        _identity_row(name, [known[i] for i in np.flatnonzero(clusters == c)], doubt[clusters == c])
        for c, name in enumerate(names)
    ]
    evidence = list(_evidence(known, vectors, clusters, apart, near, threshold))
    write_part(folder.match("identities"), pa.Table.from_pylist(people, schema.IDENTITIES), schema.IDENTITIES, header)
    write_part(folder.match("evidence"), pa.Table.from_pylist(evidence, schema.EVIDENCE), schema.EVIDENCE, header)
    # The table that names the others' rows comes last: when it is there, all are.
    write_part(folder.match("tracklets"), pa.Table.from_pylist(rows, schema.TRACKLETS), schema.TRACKLETS, header)


def _tracklet_row(
    tracklet: Tracklet, identity: str | None, near: Margins, names: Sequence[str], place: int | None
) -> dict[str, Any]:
    own, nearest, likeness = (
        (None, None, None)
        if place is None
        else (_number(near.own[place]), int(near.nearest[place]), _number(near.other[place]))
    )
    heights = tracklet.way.boxes[:, 3] - tracklet.way.boxes[:, 1]
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
        "height": float(np.median(heights)),
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


def _evidence(
    known: Sequence[Tracklet], vectors: Array, clusters: Array, apart: Sequence[Array], near: Margins, threshold: float
) -> Any:
    """For each tracklet: what is most like it within its identity, and the likest of the nearest other one."""
    for i, tracklet in enumerate(known):
        inside = np.flatnonzero(clusters == clusters[i])
        inside = inside[inside != i]
        if len(inside):
            likeness = vectors[inside] @ vectors[i]
            j = int(inside[likeness.argmax()])
            yield _pair(tracklet, known[j], float(likeness.max()), "same", "appearance")
        if near.nearest[i] >= 0:
            outside = np.flatnonzero(clusters == near.nearest[i])
            likeness = vectors[outside] @ vectors[i]
            j = int(outside[likeness.argmax()])
            if likeness.max() >= threshold - 0.2:
                reason = "together in one camera" if np.isin(outside, apart[i]).any() else "appearance"
                yield _pair(tracklet, known[j], float(likeness.max()), "apart", reason)


def _pair(first: Tracklet, second: Tracklet, similarity: float, kind: str, reason: str) -> dict[str, Any]:
    return {"first": first.name, "second": second.name, "similarity": similarity, "kind": kind, "reason": reason}
