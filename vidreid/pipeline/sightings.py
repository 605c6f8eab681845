"""Tracks to tracklets: the sightings that `match` tells apart, with how they looked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from vidreid.footage.scene import standing
from vidreid.identity.splitting import Look, find_exchanges, mean_look
from vidreid.pipeline.carriers import Footage, Track
from vidreid.pipeline.decisions import cuts
from vidreid.pipeline.plan import CameraPlan
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.journal import Decision
from vidreid.store.parts import read_part
from vidreid.tracklets.assemble import Assembled, SegmentTracks, assemble, in_order, split
from vidreid.tracklets.contacts import Way, find_cuts
from vidreid.tracklets.duplicates import beyond, find_duplicates
from vidreid.tracklets.things import find_things
from vidreid.types import Array, Boxes, Scene, Segment, VideoFile

SIDES = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True)
class Tracklet:
    """A tracklet with its name, its looks in order of time and its unit vector (dim,), None where it has no look."""

    name: str
    camera: str
    way: Assembled
    start_s: float
    end_s: float
    start: int | None
    end: int | None
    looks: Sequence[Look]
    vector: Array | None

    @property
    def height(self) -> float:
        """Median height of its boxes, pixels."""
        return float(np.median(self.way.boxes[:, 3] - self.way.boxes[:, 1]))

    @property
    def track(self) -> Track:
        """Its boxes, as decisions are found in them."""
        return Track(self.name, self.camera, self.way.frames, self.way.boxes)


@dataclass(frozen=True)
class Finished:
    """Tracks and looks, by (segment, track), of a camera's finished segments, of people who stand where they count;
    ``outside`` boxes of ``boxes`` do not."""

    tracks: Sequence[SegmentTracks]
    looks: Mapping[tuple[int, int], list[Look]]
    boxes: int
    outside: int


def camera_tracklets(
    camera: CameraPlan, finished: Finished, *, join_seconds: float, split_below: float | None
) -> list[Tracklet]:
    """The tracklets of one camera from its finished segments, in order of time.

    ``split_below``: the cosine under which two sides of a contact may be two people; None leaves tracks whole.
    """
    elapsed = camera.timeline.elapsed
    ways = _without_doubles(assemble(finished.tracks, elapsed, join_seconds=join_seconds), elapsed)
    things = find_things([elapsed(way.frames) for way in ways], [way.boxes for way in ways], [w.scores for w in ways])
    people = [way for way, thing in zip(ways, things, strict=True) if not thing]
    if split_below is not None:
        looks = [_looks_of(way, finished.looks) for way in people]
        exchanged = find_exchanges(find_cuts(_ways(people, elapsed)), looks, split_below)
        people = [part for i, way in enumerate(people) for part in split(way, exchanged.get(i, []))]
    # What is no person keeps its tracklet, since nothing that was seen is lost, but has no look to be told by.
    looked = [(way, _looks_of(way, finished.looks)) for way in people]
    looked += [(way, []) for way, thing in zip(ways, things, strict=True) if thing]
    looked.sort(key=lambda pair: in_order(pair[0]))
    return [_tracklet(camera, i, way, looks) for i, (way, looks) in enumerate(looked, start=1)]


def _ways(ways: Sequence[Assembled], elapsed: Callable[[Array], Array]) -> list[Way]:
    return [Way(way.frames, elapsed(way.frames), way.boxes) for way in ways]


def _without_doubles(ways: Sequence[Assembled], elapsed: Callable[[Array], Array]) -> list[Assembled]:
    """Ways without second boxes of the same people; what of a second way lies beyond the first is one of its own."""
    kept = find_duplicates(_ways(ways, elapsed))
    parts = [beyond(way, ways[kept[i]]) if i in kept else [way] for i, way in enumerate(ways)]
    return sorted((part for found in parts for part in found), key=in_order)


def read_finished(folder: RunFolder, files: Sequence[VideoFile], scene: Scene, segments: Sequence[Segment]) -> Finished:
    """What finished segments of a camera with these files hold, as far as it counts by the polygons of ``scene``."""
    found = [_read_tracks(folder, segment) for segment in segments]
    looks = _read_looks(folder, segments)
    boxes = _owned_boxes(found)
    if scene.include or scene.ignore:
        found = [tracks.take(standing(scene, files, tracks.frames, tracks.boxes)) for tracks in found]
        looks = dict(_standing_looks(looks, found))
    return Finished(found, looks, boxes, boxes - _owned_boxes(found))


def outside_note(outside: int, boxes: int) -> str:
    """What people are told of boxes that do not count."""
    return f"{outside} of {boxes} boxes do not count: they stand where its polygons leave people out"


def _owned_boxes(found: Sequence[SegmentTracks]) -> int:
    return sum(len(each.between(each.segment.own_first, each.segment.own_stop).frames) for each in found)


def _standing_looks(
    looks: Mapping[tuple[int, int], list[Look]], found: Sequence[SegmentTracks]
) -> Iterator[tuple[tuple[int, int], list[Look]]]:
    """Looks without those that were taken only where their track has no box that counts."""
    for tracks in found:
        for track in np.unique(tracks.tracks).tolist():
            frames = tracks.frames[tracks.tracks == track]
            key = tracks.segment.number, track
            yield key, [look for look in looks.get(key, []) if ((frames >= look.first) & (frames <= look.last)).any()]


def _read_looks(folder: RunFolder, segments: Sequence[Segment]) -> dict[tuple[int, int], list[Look]]:
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


def _read_tracks(folder: RunFolder, segment: Segment) -> SegmentTracks:
    """The tracks of a finished segment."""
    table = read_part(folder.track(segment.camera, segment.name), schema.TRACKS)
    return SegmentTracks(
        segment,
        table["frame"].to_numpy().astype(np.int64),
        table["track"].to_numpy().astype(np.int64),
        _corners(table),
        table["score"].to_numpy().astype(np.float32),
    )


def standing_crops(folder: RunFolder, camera: str, segment: str, files: Sequence[VideoFile], scene: Scene) -> pa.Table:
    """The crops of a segment (`schema.CROPS`) of a camera with these files, of people who stand where they count."""
    crops = read_part(folder.crops(camera, segment), schema.CROPS)
    if not (scene.include or scene.ignore):
        return crops
    rows = read_part(folder.track(camera, segment), schema.TRACKS, ["frame", "track", *SIDES])
    counts = standing(scene, files, rows["frame"].to_numpy(), _corners(rows))
    kept = set(zip(*(rows[name].to_numpy()[counts].tolist() for name in ("frame", "track")), strict=True))
    places = zip(crops["frame"].to_pylist(), crops["track"].to_pylist(), strict=True)
    return crops.filter(pa.array([place in kept for place in places], pa.bool_()))


def _corners(table: pa.Table) -> Boxes:
    return np.stack([table[side].to_numpy() for side in SIDES], 1).astype(np.float32)


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
        looks=looks,
        vector=mean_look(looks),
    )


@dataclass(frozen=True)
class Parts:
    """Tracklets after a person's splits, and of each the position (n,) of the whole that it came from."""

    tracklets: Sequence[Tracklet]
    whole: Array


def split_by_decisions(
    tracklets: Sequence[Tracklet], decisions: Sequence[Decision], cameras: Mapping[str, CameraPlan]
) -> Parts:
    """The parts of tracklets. The first part keeps the name; later ones are numbered after the camera's last, so that
    nobody else's number changes."""
    starts = cuts(decisions, [one.track for one in tracklets], footage_of(cameras))
    last = {one.camera: int(one.name.rpartition("/")[2]) for one in tracklets}
    found, whole = list(tracklets), list(range(len(tracklets)))
    for position, frames in starts.items():
        one = tracklets[position]
        first, *later = (_part(one, way, cameras[one.camera]) for way in split(one.way, frames))
        found[position] = replace(first, name=one.name)
        for part in later:
            last[one.camera] += 1
            found.append(replace(part, name=f"{one.camera}/{last[one.camera]:06d}"))
            whole.append(position)
    return Parts(found, np.array(whole, np.int64))


def _part(one: Tracklet, way: Assembled, camera: CameraPlan) -> Tracklet:
    frames = way.frames
    looks = [look for look in one.looks if look.last >= frames[0] and look.first <= frames[-1]]
    return _tracklet(camera, 0, way, looks)


def footage_of(cameras: Mapping[str, CameraPlan]) -> dict[str, Footage]:
    """Files and times of cameras, as decisions name them."""
    return {name: Footage(plan.files, plan.timeline) for name, plan in cameras.items()}
