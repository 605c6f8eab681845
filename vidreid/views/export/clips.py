"""``<camera>_<person>_<time>``: the original stream of each sighting, cut without encoding it again, and beside it
``…_annotated.mp4``, the same frames with the people outlined and named; ``clips.csv`` says what each was cut from.

A clip begins at the key frame before its person is seen. Sightings of one person in one camera whose clips would
overlap are one clip; where a file ends, or its time jumps back, the next clip begins. Sound is left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from itertools import chain, count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vidreid.footage.clock import Timeline
from vidreid.footage.remux import container_for, key_before, remux
from vidreid.footage.zones import at, offset, since_start
from vidreid.pipeline.results import Run
from vidreid.store.parts import write_atomic
from vidreid.types import Frame, VideoFile
from vidreid.views.export.video import encode
from vidreid.views.frames import Annotator, check_there, frames
from vidreid.views.names import file_name, tracklet_number
from vidreid.views.selection import Selection, selected_boxes, selected_cameras

VIDEOS = ("clip", "annotated")
WHAT = ("camera", "identity", "tracklets", "source", "source_sha256")
WHERE = ("first_frame", "seen_from", "seen_to", "first_pts", "last_pts", "time_base", "time", "local_time", "elapsed_s")


@dataclass(frozen=True, slots=True)
class Cut:
    """Frames ``[first, stop)`` of a camera, from a key frame on, within one file; ``who`` is in view from ``seen`` on.

    ``identity`` is None for a tracklet of nobody in particular, whose number is ``who``.
    """

    identity: str | None
    who: str
    tracklets: tuple[str, ...]
    file: int
    first: int
    seen: int
    stop: int


@dataclass(frozen=True, slots=True)
class Source:
    """A camera's footage, its times, and the selected boxes in it (`BOXES`)."""

    camera: str
    paths: Sequence[Path]
    files: Sequence[VideoFile]
    timeline: Timeline
    zone: tzinfo
    boxes: pa.Table

    def moment(self, frame: int) -> tuple[datetime | None, float]:
        """When a frame was taken, in the run's zone, where that is known; seconds since the camera's first frame."""
        index = np.array([frame])
        utc = self.timeline.utc(index)
        return None if utc is None else at(int(utc[0]), self.zone), float(self.timeline.elapsed(index)[0])


def write(run: Run, folder: Path, selection: Selection) -> list[Path]:
    """Write two videos a clip, and ``clips.csv``."""
    paths: list[Path] = []
    rows: list[dict[str, object]] = []
    for camera in selected_cameras(run, selection):
        boxes = selected_boxes(run, camera, selection)
        if not len(boxes):
            continue
        source = Source(camera, run.footage(camera), run.files(camera), run.timeline(camera), run.zone, boxes)
        for cut in cuts(source):
            written = _write_clip(run, source, cut, folder / _name(source, cut, {path.stem for path in paths}))
            paths += written
            rows.append({**dict(zip(VIDEOS, (path.name for path in written), strict=False)), **_row(source, cut)})
    paths.append(folder / "clips.csv")
    write_atomic(paths[-1], lambda file: file.write(_csv(rows)))
    return paths


def cuts(source: Source) -> list[Cut]:
    """The clips of a camera, in order of time."""
    ends = [("frame", "min"), ("frame", "max")]
    spans = source.boxes.group_by(["identity", "tracklet"], use_threads=False).aggregate(ends).to_pylist()
    pieces = [cut for row in spans for cut in _pieces(source, row)]
    pieces.sort(key=lambda cut: (cut.who, cut.first, cut.stop))
    joined: list[Cut] = []
    for cut in pieces:
        last = joined[-1] if joined else None
        if last and (last.who, last.file) == (cut.who, cut.file) and cut.first < last.stop:
            tracklets = tuple(dict.fromkeys((*last.tracklets, *cut.tracklets)))
            seen, stop = min(last.seen, cut.seen), max(last.stop, cut.stop)
            joined[-1] = replace(last, tracklets=tracklets, seen=seen, stop=stop)
        else:
            joined.append(cut)
    return sorted(joined, key=lambda cut: (cut.seen, cut.who))


def _pieces(source: Source, span: Mapping[str, Any]) -> Iterator[Cut]:
    """A tracklet cut where files end and time jumps back."""
    tracklet, identity = span["tracklet"], span["identity"]
    begin, end = span["frame_min"], span["frame_max"] + 1
    who = identity or f"{tracklet_number(tracklet):06d}"
    for number, file in enumerate(source.files):
        for start, stop in pairwise(file.first + bound for bound in (*file.stretches.tolist(), len(file.pts))):
            seen, until = max(begin, start), min(end, stop)
            if seen < until:
                first = key_before(file, seen - file.first) + file.first
                yield Cut(identity, who, (tracklet,), number, first, seen, until)


def _write_clip(run: Run, source: Source, cut: Cut, stem: Path) -> list[Path]:
    """The original and the annotated copy; without the latter where no frame can be decoded."""
    path, file = source.paths[cut.file], source.files[cut.file]
    check_there(run, source.camera, path)
    original, annotated = (stem.with_name(stem.name + end) for end in (container_for(path)[1], "_annotated.mp4"))
    first, stop = cut.first - file.first, cut.stop - file.first
    write_atomic(original, lambda output: remux(path, file, first, stop, output))
    pictures = _annotated(run, source, cut)
    head = next(pictures, None)
    if head is None:
        return [original]
    write_atomic(annotated, partial(encode, pictures=chain([head], pictures), files=source.files))
    return [original, annotated]


def _annotated(run: Run, source: Source, cut: Cut) -> Iterator[Frame]:
    annotator = Annotator(source.camera, source.boxes, source.timeline, source.zone)
    for frame in frames(run, source.camera, cut.first, cut.stop):
        annotator.draw(frame.image, frame.index)
        yield frame


def _name(source: Source, cut: Cut, taken: Collection[str]) -> str:
    """Camera, person and time in a file's name; two clips of one second get numbers."""
    time, elapsed = source.moment(cut.seen)
    moment = since_start(elapsed) if time is None else f"{time:%Y-%m-%dT%H:%M:%S}{offset(time)}"
    name = f"{file_name(source.camera)}_{cut.who}_{moment}".replace(":", "-")  # which Windows has no room for
    return next(one for one in chain([name], (f"{name}-{number}" for number in count(2))) if one not in taken)


def _row(source: Source, cut: Cut) -> dict[str, object]:
    """What `clips.csv` says of a clip; frames count from the camera's first, ``seen_to`` and ``last_pts`` inclusive."""
    file = source.files[cut.file]
    time, elapsed = source.moment(cut.seen)
    return {
        "camera": source.camera,
        "identity": cut.identity or "",
        "tracklets": " ".join(cut.tracklets),
        "source": source.paths[cut.file].name,
        "source_sha256": file.sha256,
        "first_frame": cut.first,
        "seen_from": cut.seen,
        "seen_to": cut.stop - 1,
        "first_pts": int(file.pts[cut.first - file.first]),
        "last_pts": int(file.pts[cut.stop - 1 - file.first]),
        "time_base": str(file.time_base),
        "time": "" if time is None else f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        "local_time": "" if time is None else f"{time:%Y-%m-%dT%H:%M:%S.%f}{offset(time)}",
        "elapsed_s": round(elapsed, 6),
    }


def _csv(rows: Sequence[dict[str, object]]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, [*VIDEOS, *WHAT, *WHERE], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()
