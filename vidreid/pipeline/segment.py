"""The stages `track` and `embed` of one segment: one pass over its pixels, then its crops to vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.hardware import acceleration
from vidreid.footage.thinning import frame_rate, kept
from vidreid.pipeline.gating import Gated
from vidreid.pipeline.networks import Tools
from vidreid.pipeline.plan import header_for
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_part, write_part
from vidreid.tracklets.runs import Cut, RunPicker, StoredCrop, decode
from vidreid.types import Crop, Detections, Frame, Segment, VideoFile

STEP = 25  # frames between two words of progress


@dataclass(frozen=True)
class SegmentWork:
    """What is due of one segment: ``track`` and ``embed`` are the inputs of parts to make, None where done.

    ``file`` is what ingest found in its ``footage``, as its camera sees it.
    """

    folder: Path
    footage: Path
    file: VideoFile
    segment: Segment
    track: Mapping[str, Any] | None
    embed: Mapping[str, Any] | None


def process_segment(tools: Tools, advance: Callable[[str, int], None], work: SegmentWork) -> dict[str, Any]:
    """Make the due parts of a segment; the facts of its track part, empty where that was done before."""
    facts: dict[str, Any] = {}
    if work.track is not None:
        facts = track_segment(tools, advance, work)
    if work.embed is not None:
        embed_segment(tools, work)
        if work.track is None:
            advance(work.segment.camera, work.segment.stop - work.segment.first)
    return facts


def track_segment(tools: Tools, advance: Callable[[str, int], None], work: SegmentWork) -> dict[str, Any]:
    """Decode, detect, track and cut crops in one pass; writes the crops part, then the track part."""
    folder, file, segment = RunFolder(work.folder), work.file, work.segment
    looked_at = kept(file, tools.settings.decoding.rate)
    decoder = SegmentDecoder(work.footage, file, segment, acceleration(tools.settings.decoding.decoder), looked_at)
    settings = tools.settings.crops
    cut = Cut(settings.margin, settings.longest, settings.jpeg)
    picker = RunPicker(runs=settings.runs, length=settings.length, spacing=settings.spacing, cut=cut)
    detector, tracker = tools.detector(), tools.tracker(frame_rate(file) * float(looked_at.mean()))
    gate = Gated(detector, tracker, tools.settings.detection.look_every)
    if tools.settings.detection.motion_gate:
        detector = tracker = gate
    rows = _Rows()
    frames = _counted(decoder.frames(), segment, advance)
    for frame, detections in _with_vectors(tools, detector.detect(frames)):
        tracked = tracker.update(detections, frame)
        scores = detections.scores[tracked.rows]
        rows.add(frame, tracked.boxes, scores, tracked.ids)
        picker.add(frame, tracked, scores)
    facts: dict[str, Any] = {"frames": rows.frames, "lost": [[lost.first, lost.stop] for lost in decoder.damage]}
    if tools.settings.detection.motion_gate:
        facts["skipped"] = gate.skipped
    header = header_for(work.track or {}, facts)
    crops = crops_table(picker.finish())
    write_part(folder.crops(segment.camera, segment.name), crops, schema.CROPS, header)
    write_part(folder.track(segment.camera, segment.name), rows.table(), schema.TRACKS, header)
    return facts


def _counted(frames: Iterator[Frame], segment: Segment, advance: Callable[[str, int], None]) -> Iterator[Frame]:
    """The same frames, with a word of progress every `STEP` of the footage's, and at the end on what is missing."""
    told = 0
    for frame in frames:
        yield frame
        done = frame.index + 1 - segment.first
        if done - told >= STEP:
            advance(segment.camera, done - told)
            told = done
    advance(segment.camera, segment.stop - segment.first - told)


def _with_vectors(tools: Tools, found: Iterator[tuple[Frame, Detections]]) -> Iterator[tuple[Frame, Detections]]:
    """Detections with a vector each, where the tracker compares appearance."""
    if not tools.networks.tracker_needs_vectors:
        yield from found
        return
    embedder = tools.embedder()
    for frame, detections in found:
        clips = [[Crop(frame.image, box, 1.0)] for box in detections.boxes]
        vectors = embedder.embed(clips) if clips else np.zeros((0, embedder.spec.dim), np.float32)
        yield frame, Detections(detections.boxes, detections.scores, vectors)


class _Rows:
    """The track part's columns as they grow."""

    def __init__(self) -> None:
        self.frames = 0
        self._parts: list[tuple[np.ndarray, ...]] = []

    def add(self, frame: Frame, boxes: np.ndarray, scores: np.ndarray, ids: np.ndarray) -> None:
        self.frames += 1
        if len(ids):
            place = np.full(len(ids), frame.index), np.full(len(ids), frame.pts)
            self._parts.append((*place, *boxes.T, scores, ids))

    def table(self) -> pa.Table:
        if not self._parts:
            return schema.TRACKS.empty_table()
        columns = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema.TRACKS, strict=True)]
        return pa.table(arrays, schema=schema.TRACKS)


def crops_table(runs: Iterator[tuple[int, int, list[StoredCrop]]]) -> pa.Table:
    """Crops as their part stores them."""
    rows = [
        {
            "track": track,
            "run": run,
            "place": place,
            "frame": crop.frame,
            "pts": crop.pts,
            "quality": crop.quality,
            **dict(zip(("x1", "y1", "x2", "y2"), crop.box.tolist(), strict=True)),
            "jpeg": crop.jpeg,
        }
        for track, run, crops in runs
        for place, crop in enumerate(crops)
    ]
    return pa.Table.from_pylist(rows, schema=schema.CROPS)


def embed_segment(tools: Tools, work: SegmentWork) -> None:
    """Turn the runs of crops of a segment into vectors; a few clips in memory at a time."""
    folder, segment = RunFolder(work.folder), work.segment
    crops = read_part(folder.crops(segment.camera, segment.name), schema.CROPS)
    embedder = tools.embedder()
    rows: list[dict[str, Any]] = []
    vectors: list[np.ndarray] = []
    for clips in _in_batches(_clips(crops), 8):
        rows += [_vector_row(track, run, clip) for track, run, clip in clips]
        vectors += list(embedder.embed([clip for _, _, clip in clips]))
    table = pa.Table.from_pylist(rows, pa.schema([field for field in schema.VECTORS if field.name != "vector"]))
    table = table.append_column(schema.VECTORS.field("vector"), pa.array(vectors, pa.list_(pa.float32())))
    write_part(folder.embed(segment.camera, segment.name), table, schema.VECTORS, header_for(work.embed or {}))


def _vector_row(track: int, run: int, clip: Sequence[Crop]) -> dict[str, Any]:
    quality = float(np.mean([crop.quality for crop in clip]))
    return {"track": track, "run": run, "first": clip[0].frame, "last": clip[-1].frame, "quality": quality}


def _clips(crops: pa.Table) -> Iterator[tuple[int, int, list[Crop]]]:
    """(track, run, crops in order of time) of a crops part, whose rows stand in that order."""
    clip: list[Crop] = []
    key: tuple[int, int] | None = None
    for batch in crops.to_batches(max_chunksize=64):
        for row in batch.to_pylist():
            if key != (row["track"], row["run"]):
                if key is not None:
                    yield *key, clip
                key, clip = (row["track"], row["run"]), []
            box = np.array([row["x1"], row["y1"], row["x2"], row["y2"]], np.float32)
            clip.append(Crop(decode(row["jpeg"]), box, row["quality"], row["frame"]))
    if key is not None:
        yield *key, clip


def _in_batches(clips: Iterator[Any], size: int) -> Iterator[Sequence[Any]]:
    batch = []
    for clip in clips:
        batch.append(clip)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
