"""What is due: each part's inputs, and how what lies in the run folder compares with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from vidreid.errors import InputError
from vidreid.footage.clock import Timeline
from vidreid.footage.scene import as_seen
from vidreid.footage.segments import cut
from vidreid.pipeline.cards import card_digest
from vidreid.pipeline.networks import Identities, least_score
from vidreid.pipeline.versions import made_by
from vidreid.settings import Settings
from vidreid.store import schema
from vidreid.store.folder import CameraRecord, RunFolder, RunRecord
from vidreid.store.parts import Header, fingerprint, read_header, read_part
from vidreid.types import Camera, Clock, Scene, Segment, VideoFile

CODE = {"ingest": 2, "track": 1, "embed": 2, "match": 2}
"""Version of each stage's code; raised when its output changes for the same input (see tests/pipeline/test_code.py)."""

UNMEASURED = 0.5  # cosine taken for networks of which nobody stated one

DAMAGED = "its file is damaged"

Status = Literal["done", "stale", "outdated", "due"]


@dataclass(frozen=True)
class State:
    """How a part compares with what it should be; ``why`` it is not done."""

    status: Status
    why: str = ""


@dataclass(frozen=True)
class CameraPlan:
    """A camera whose ingest is done: its files, segments and timeline."""

    record: CameraRecord
    files: list[VideoFile]
    segments: list[Segment]
    timeline: Timeline

    @property
    def frames(self) -> int:
        return sum(len(file.pts) for file in self.files)


def camera_of(record: CameraRecord) -> Camera:
    """A camera as the run's record has it."""
    clock = Clock(record.starts, record.offset_us, record.drift_ppm, record.readings)
    return Camera(record.name, tuple(Path(file.path) for file in record.files), clock, record.scene)


def ingest_inputs(record: CameraRecord) -> dict[str, Any]:
    """What the ingest part of a camera is made from."""
    return {"stage": "ingest", "code": CODE["ingest"], "files": [file.sha256 for file in record.files]}


def plan_camera(folder: RunFolder, record: CameraRecord, settings: Settings) -> CameraPlan | None:
    """The camera's segments; None while its ingest is not done for these files."""
    header = sound_header(folder.ingest(record.name))
    if header is None or header.inputs != ingest_inputs(record):
        return None
    files = [as_seen(file, record.scene) for file in read_files(folder.ingest(record.name))]
    segments = cut(record.name, files, seconds=settings.segments.seconds, overlap=settings.segments.overlap)
    return CameraPlan(record, files, segments, Timeline(files, camera_of(record).clock))


def track_inputs(camera: CameraPlan, segment: Segment, settings: Settings, networks: Identities) -> dict[str, Any]:
    """What the track and crops parts of a segment are made from."""
    detection = {"score": least_score(settings, networks.score), "tile": settings.detection.tile}
    if settings.detection.motion_gate:
        detection["look_every"] = settings.detection.look_every
    inputs = {
        "stage": "track",
        "code": CODE["track"],
        "file": camera.files[segment.file].sha256,
        "segment": [segment.first, segment.stop, segment.own_first, segment.own_stop],
        "detector": networks.detector,
        "detection": detection,
        "tracker": networks.tracker,
        "crops": settings.crops.model_dump(),
        "erasures": [],
        **picture_inputs(camera.files[segment.file]),
    }
    if settings.decoding.decoder != "cpu":  # its pictures are rounded otherwise
        inputs["decoder"] = settings.decoding.decoder
    if settings.decoding.rate is not None:
        inputs["fps"] = settings.decoding.rate
    if networks.appearance:
        inputs["appearance"] = networks.embedder
    return inputs


def picture_inputs(file: VideoFile) -> dict[str, Any]:
    """What a file's pictures are before anybody looks at them; empty where they are as they are stored."""
    found: dict[str, Any] = {}
    if file.view is not None:
        found["view"] = [*file.view[:2], file.width, file.height]
    if file.pixel_aspect != 1:
        found["stretched"] = str(file.pixel_aspect)
    if file.interlaced:
        found["deinterlaced"] = True
    return found


def seen_alike(track: Mapping[str, Any], files: Sequence[VideoFile]) -> bool:
    """Whether the tracks made from the inputs ``track`` lie in the pictures that ``files`` have now."""
    file = next((file for file in reversed(files) if file.first <= track["segment"][0]), None)
    keys = ("view", "stretched", "deinterlaced")
    return file is not None and picture_inputs(file) == {key: track[key] for key in keys if key in track}


def embed_inputs(track: Mapping[str, Any], networks: Identities) -> dict[str, Any]:
    """What the vectors of a segment are made from; ``track`` are the inputs of its crops."""
    return {
        "stage": "embed",
        "code": CODE["embed"],
        "crops": fingerprint(track),
        "embedder": networks.embedder,
    }


def match_inputs(
    cameras: Collection[CameraPlan],
    made_from: list[str],
    settings: Settings,
    networks: Identities,
    record: RunRecord,
    decisions: list[str],
) -> dict[str, Any]:
    """What the tables of `match` are made from; ``made_from`` are fingerprints of the embed parts used, ``decisions``
    the digests of those in force."""
    clocks = {camera.record.name: _clock(camera.record) for camera in cameras}
    inputs = {
        "stage": "match",
        "code": CODE["match"],
        "vectors": fingerprint({"parts": made_from}),
        "clocks": clocks,
        "matching": settings.matching.model_dump(),
        "card": card_digest(networks.embedder["name"]),
        "split_below": split_below(settings, networks),
        "join_seconds": settings.tracking.join_seconds,
        "site": [[list(pair) for pair in record.travel], [list(pair) for pair in record.overlaps]],
        "decisions": decisions,
    }
    scenes = {camera.record.name: polygons for camera in cameras if (polygons := _polygons(camera.record.scene))}
    return inputs | ({"scenes": scenes} if scenes else {})


def _polygons(scene: Scene) -> dict[str, Any]:
    """The polygons of a camera, kind by kind, as lists."""
    kinds = {"include": scene.include, "ignore": scene.ignore}
    return {
        kind: [[list(corner) for corner in polygon] for polygon in polygons]
        for kind, polygons in kinds.items()
        if polygons
    }


def scene_of(match: Mapping[str, Any], camera: str) -> Scene:
    """The polygons of a camera that a match was made with; ``match`` are its inputs."""
    found = match.get("scenes", {}).get(camera, {})
    include, ignore = (
        tuple(tuple((x, y) for x, y in polygon) for polygon in found.get(kind, ())) for kind in ("include", "ignore")
    )
    return Scene(include=include, ignore=ignore)


def _clock(record: CameraRecord) -> list[Any]:
    """A camera's clock; readings only where there are any, as older programs knew none."""
    readings = [[one.file, one.seconds, one.shows_us] for one in record.readings]
    return [list(record.starts), record.offset_us, record.drift_ppm, *([readings] if readings else [])]


def split_below(settings: Settings, networks: Identities) -> float | None:
    """The cosine of two looks of a track under which they may be two people; None where tracks stay whole."""
    if not settings.matching.split:
        return None
    return UNMEASURED if networks.threshold is None else networks.threshold


def sound_header(path: Path) -> Header | None:
    """The header of a part; None where there is none, or a damaged one: then the part is made anew."""
    try:
        return read_header(path)
    except InputError:
        return None


def part_state(path: Path, inputs: Mapping[str, Any]) -> State:
    """Compare a part with the inputs that it should be made from."""
    header = sound_header(path)
    if header is None:
        return State("due", DAMAGED if path.is_file() else "")
    changed = differences(header.inputs, inputs)
    if changed:
        return State("stale", ", ".join(changed))
    mine = made_by()
    older = [name for name, version in header.made_by.items() if mine.get(name) != version]
    return State("outdated", f"made by another {', '.join(older)}") if older else State("done")


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Names of inputs that changed, with both values where they are short: ``detection.score 0.1 -> 0.2``."""
    changed: list[str] = []
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            changed += differences(before, after, f"{prefix}{key}.")
        else:
            texts = [str(before), str(after)]
            short = all(len(text) <= 16 for text in texts)
            changed.append(f"{prefix}{key} {texts[0]} -> {texts[1]}" if short else f"{prefix}{key}")
    return changed


@dataclass(frozen=True)
class SegmentState:
    """Both states of one segment, and the inputs to make it from."""

    camera: str
    segment: Segment
    track: State
    embed: State
    track_inputs: Mapping[str, Any]
    embed_inputs: Mapping[str, Any]

    @property
    def ready(self) -> bool:
        """Whether its tracks and vectors can be matched."""
        return {self.track.status, self.embed.status} <= {"done", "outdated"}


def segment_states(
    folder: RunFolder, camera: CameraPlan, settings: Settings, networks: Identities
) -> list[SegmentState]:
    """The states of all segments of a camera, in order of time."""
    states = []
    for segment in camera.segments:
        track = track_inputs(camera, segment, settings, networks)
        embed = embed_inputs(track, networks)
        name = camera.record.name
        track_state = part_state(folder.track(name, segment.name), track)
        crops_state = part_state(folder.crops(name, segment.name), track)
        states.append(
            SegmentState(
                name,
                segment,
                track_state if track_state.status != "done" else crops_state,
                part_state(folder.embed(name, segment.name), embed),
                track,
                embed,
            )
        )
    return states


def in_order_of_time(cameras: Mapping[str, CameraPlan], states: Iterable[SegmentState]) -> list[SegmentState]:
    """Segments in wall-clock order over all cameras, so that an unfinished run holds the first hours of each.

    A camera whose clock is unknown counts as started with the first of the others.
    """
    starts = [utc[0] for camera in cameras.values() if (utc := camera.timeline.utc(np.array([0]))) is not None]
    origin = min(starts, default=0)

    def start(state: SegmentState) -> tuple[float, str]:
        timeline = cameras[state.camera].timeline
        first = np.array([state.segment.first])
        utc = timeline.utc(first)
        return float(origin + timeline.elapsed(first)[0] * 1e6 if utc is None else utc[0]), state.camera

    return sorted(states, key=start)


def files_table(files: Iterable[VideoFile]) -> pa.Table:
    """Files as the ingest part stores them."""
    rows = [
        {
            "file": number,
            "sha256": file.sha256,
            "bytes": file.bytes,
            "codec": file.codec,
            "width": file.width,
            "height": file.height,
            "rotation": file.rotation,
            "pixel_aspect": str(file.pixel_aspect),
            "time_base": str(file.time_base),
            "pts": file.pts,
            "key": file.key,
            "stretches": file.stretches,
            "first": file.first,
            "timing": file.timing,
            "reordering": file.reordering,
            "notes": list(file.notes),
            "interlaced": file.interlaced,
        }
        for number, file in enumerate(files)
    ]
    return pa.Table.from_pylist(rows, schema=schema.FILES)


def read_files(path: Path) -> list[VideoFile]:
    """The files of an ingest part."""
    table = read_part(path, schema.FILES)
    lists = {name: [np.asarray(row.values) for row in table[name]] for name in ("pts", "key", "stretches")}
    plain = [name for name in table.column_names if name not in (*lists, "file")]
    files = []
    for number, row in enumerate(table.select(plain).to_pylist()):
        row["pixel_aspect"] = Fraction(row["pixel_aspect"])
        row["time_base"] = Fraction(row["time_base"])
        row["notes"] = tuple(row["notes"])
        row["interlaced"] = bool(row["interlaced"])
        files.append(VideoFile(**row | {name: arrays[number] for name, arrays in lists.items()}))
    return files


def header_for(inputs: Mapping[str, Any], facts: Mapping[str, Any] | None = None) -> Header:
    """The header of a part made here and now."""
    return Header(inputs, made_by(), facts or {})


def counts(states: Iterable[State]) -> dict[Status, int]:
    """How many parts are in which state."""
    found = Counter(state.status for state in states)
    return {status: found[status] for status in ("done", "stale", "outdated", "due")}
