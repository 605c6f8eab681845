"""A run opened for reading: its tables, joined to what a person asks for."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vidreid.errors import InputError
from vidreid.footage.clock import Timeline
from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.scene import as_seen, standing
from vidreid.footage.segments import cut
from vidreid.footage.zones import zone_named
from vidreid.pipeline.coverage import CameraCoverage, Coverage, Ranges, camera_coverage, match_coverage
from vidreid.pipeline.matched import Matched, check_same, read_matched
from vidreid.pipeline.plan import camera_of, read_files, scene_of, seen_alike
from vidreid.pipeline.sightings import standing_crops
from vidreid.pipeline.summary import Summary, summarise
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part
from vidreid.tracklets.joins import interpolate
from vidreid.types import Array, Boxes, Frame, Scene, VideoFile

BOXES = pa.schema(
    [
        ("frame", pa.int32()),  # frame index, from 0
        ("file", pa.string()),  # name of the footage file
        ("pts", pa.int64()),  # ticks of that file
        ("time", pa.timestamp("us", "UTC")),  # null where the clock is unknown
        ("elapsed_s", pa.float64()),  # since the camera's first frame
        ("x1", pa.float32()),
        ("y1", pa.float32()),
        ("x2", pa.float32()),
        ("y2", pa.float32()),
        ("score", pa.float32()),  # null where interpolated
        ("interpolated", pa.bool_()),
        ("tracklet", pa.string()),
        ("identity", pa.string()),  # null where the tracklet is too short to say
    ]
)

CROPS = pa.schema(
    [
        ("tracklet", pa.string()),
        ("camera", pa.string()),
        ("frame", pa.int32()),
        ("pts", pa.int64()),
        ("time", pa.timestamp("us", "UTC")),
        ("elapsed_s", pa.float64()),
        ("quality", pa.float32()),
        ("x1", pa.float32()),
        ("y1", pa.float32()),
        ("x2", pa.float32()),
        ("y2", pa.float32()),
        ("jpeg", pa.binary()),
    ]
)


class Run:
    """An opened run: read-only, parts are read when they are asked for.

    ``failed``: cameras and segments that failed when it was run just now, with their errors. ``zone``: that of the
    times which people type and see.
    """

    def __init__(self, path: Path, failed: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.failed = dict(failed or {})
        self._folder = RunFolder(path)
        self.record = self._folder.read()
        self.cameras = tuple(camera.name for camera in self.record.cameras)
        self.zone = zone_named(self.record.timezone)
        # Of all cameras at once, long footage would fill the memory.
        self._one = functools.lru_cache(maxsize=1)(self._read_files)

    @functools.cached_property
    def match(self) -> Matched:
        """What `match` wrote, as it was when somebody first asked; `InputError` where nothing is matched yet."""
        found = read_matched(self._folder)
        if found is None:
            raise InputError(f"{self.path}: not matched yet", f"vidreid match {self.path}")
        return found

    @property
    def is_matched(self) -> bool:
        """Whether there is a match to be shown."""
        return "match" in self.__dict__ or self._folder.match("tracklets").is_file()

    def tracklets(self) -> pa.Table:
        """One row a tracklet (`schema.TRACKLETS`)."""
        return self.match.tracklets

    def identities(self) -> pa.Table:
        """One row a person (`schema.IDENTITIES`)."""
        return self.match.identities

    def evidence(self) -> pa.Table:
        """Pairs of tracklets held together or kept apart (`schema.EVIDENCE`)."""
        path = self._folder.match("evidence")
        header = read_header(path)
        check_same(self._folder, self.match.header.fingerprint, header.fingerprint if header else "")
        return read_part(path, schema.EVIDENCE)

    def files(self, camera: str) -> list[VideoFile]:
        """What ingest found in a camera's files; empty where it found nothing, or in other files than these."""
        return self._one(self._known(camera))[0]

    def scene(self, camera: str) -> Scene:
        """The polygons of a camera that it was matched with."""
        return scene_of(self.match.header.inputs if self.is_matched else {}, self._known(camera))

    def footage(self, camera: str) -> list[Path]:
        """The footage files of a camera."""
        return [Path(file.path) for file in self.record.camera(self._known(camera)).usable.files]

    def timeline(self, camera: str) -> Timeline:
        """From frame indices of a camera to seconds and UTC."""
        timeline = self._one(self._known(camera))[1]
        if timeline is None:
            raise InputError(f"{camera}: none of its footage could be read", f"vidreid status {self.path}")
        return timeline

    def boxes(self, camera: str, *, interpolate: bool = True) -> pa.Table:
        """Every box of a camera's tracklets (`BOXES`), in order of frame and tracklet.

        With ``interpolate``, gaps within tracklets hold boxes linear in time, marked as such and without a score.
        """
        files = self.files(camera)
        if not files:
            return BOXES.empty_table()
        timeline = self.timeline(camera)
        rows = self._rows(camera)
        tables = [_boxes_of(tracklet, part, timeline, interpolate) for tracklet, part in rows if len(part["frame"])]
        if not tables:
            return BOXES.empty_table()
        columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
        order = np.lexsort((columns["tracklet"].astype(str), columns["frame"]))
        # Filtered last: where somebody went outside meanwhile, nothing is filled in from before to after.
        order = order[standing(self.scene(camera), files, columns["frame"], _corners(columns))[order]]
        return _with_times({name: column[order] for name, column in columns.items()}, files, self, camera)

    def crops(self, tracklets: Collection[str] | None = None, *, best: int | None = None) -> pa.Table:
        """Pictures of tracklets (`CROPS`), of each the ``best`` by quality first; of all tracklets where None."""
        wanted = None if tracklets is None else set(tracklets)
        parts = [part for camera in self.cameras for part in self._crops_of(camera, wanted, best)]
        return pa.concat_tables(parts) if parts else CROPS.empty_table()

    def frames(self, camera: str) -> Iterator[Frame]:
        """Decoded pictures of a camera, from its first frame to its last."""
        files, paths = self.files(camera), self.footage(camera)
        for segment in cut(camera, files, seconds=float("inf"), overlap=0.0):
            path = paths[segment.file]
            if not path.is_file():
                raise InputError(f"{camera}: {path.name} is missing", f"put it back: {path}")
            yield from SegmentDecoder(path, files[segment.file], segment).frames()

    def summary(self) -> Summary:
        """What the run found, and what limits trust in it."""
        return summarise(self)

    def lost_frames(self, camera: str) -> int:
        """Frames of a camera that could not be decoded, of what was analysed so far."""
        return sum(stop - first for first, stop in self.lost(camera))

    def lost(self, camera: str) -> list[tuple[int, int]]:
        """Frame indices ``[first, stop)`` that could not be decoded."""
        folder = self._folder.track(self._known(camera), "x").parent
        headers = [read_header(part) for part in sorted(folder.glob("*.parquet"))]
        return [(first, stop) for header in headers if header for first, stop in header.facts.get("lost", [])]

    def partial(self) -> Coverage | None:
        """What of the footage the match covers, where that is not all of it; else None.

        None too where an older program matched it and did not say.
        """
        return match_coverage(self.match.header.facts, self.cameras, self._camera_coverage)

    def _camera_coverage(self, camera: str, ranges: Ranges) -> CameraCoverage:
        files, timeline = self._one(camera)
        return camera_coverage(camera, timeline, sum(len(file.pts) for file in files), ranges)

    def _read_files(self, camera: str) -> tuple[list[VideoFile], Timeline | None]:
        """What ingest found in the files that the camera has now, and their times; nothing where it found others."""
        record = self.record.camera(camera).usable
        header = read_header(self._folder.ingest(camera))
        if header is None or header.inputs["files"] != [file.sha256 for file in record.files]:
            return [], None
        files = [as_seen(file, record.scene) for file in read_files(self._folder.ingest(camera))]
        return files, Timeline(files, camera_of(record).clock)

    def _known(self, camera: str) -> str:
        if camera not in self.cameras:
            raise InputError(f"no camera {camera!r} in {self.path}", f"cameras: {', '.join(self.cameras)}")
        return camera

    def _pieces(self, camera: str) -> Iterator[tuple[int, list[tuple[str, str | None, dict[str, int]]]]]:
        """Pieces of a camera's tracklets by segment: (tracklet, identity, piece).

        Raises `InputError` where a segment was tracked anew since, so that its tracks have other numbers.
        """
        table = self.tracklets()
        table = table.filter(pc.equal(table["camera"], self._known(camera)))
        found: dict[int, list[tuple[str, str | None, dict[str, int]]]] = defaultdict(list)
        for row in table.select(["tracklet", "identity", "pieces"]).to_pylist():
            for piece in row["pieces"]:
                found[piece["segment"]].append((row["tracklet"], row["identity"], piece))
        tracked = self.match.header.facts.get("tracked", {})
        files = self.files(camera)
        for segment, pieces in sorted(found.items()):
            name = f"{segment:05d}"
            part = read_header(self._folder.track(camera, name))
            if part is None or part.fingerprint != tracked.get(f"{camera}/{name}", part.fingerprint):
                raise InputError(f"{camera}: tracked anew since it was matched", f"vidreid match {self.path}")
            if not seen_alike(part.inputs, files):
                raise InputError(f"{camera}: was tracked in another view or shape", f"vidreid run {self.path}")
            yield segment, pieces

    def _rows(self, camera: str) -> list[tuple[tuple[str, str | None], dict[str, Array]]]:
        """((tracklet, identity), columns of its boxes in order of time) of a camera."""
        parts: dict[tuple[str, str | None], list[dict[str, Array]]] = defaultdict(list)
        names = ["frame", "x1", "y1", "x2", "y2", "score"]
        for segment, pieces in self._pieces(camera):
            table = read_part(self._folder.track(camera, f"{segment:05d}"), schema.TRACKS, [*names, "track"])
            columns = {name: table[name].to_numpy() for name in [*names, "track"]}
            for tracklet, identity, piece in pieces:
                rows = columns["track"] == piece["track"]
                rows &= (columns["frame"] >= piece["first"]) & (columns["frame"] <= piece["last"])
                parts[tracklet, identity].append({name: columns[name][rows] for name in names})
        return [
            (key, {name: np.concatenate([part[name] for part in found]) for name in names})
            for key, found in parts.items()
        ]

    def _crops_of(self, camera: str, wanted: set[str] | None, best: int | None) -> Iterator[pa.Table]:
        """Tables of crops, a tracklet each, in order of tracklets."""
        found: dict[str, list[pa.Table]] = defaultdict(list)
        files, scene = self.files(camera), self.scene(camera)
        for segment, pieces in self._pieces(camera):
            mine = [(tracklet, piece) for tracklet, _, piece in pieces if wanted is None or tracklet in wanted]
            if not mine:
                continue
            table = standing_crops(self._folder, camera, f"{segment:05d}", files, scene)
            for tracklet, piece in mine:
                within = pc.and_(
                    pc.equal(table["track"], piece["track"]),
                    pc.and_(
                        pc.greater_equal(table["frame"], piece["first"]), pc.less_equal(table["frame"], piece["last"])
                    ),
                )
                found[tracklet].append(table.filter(within))
        timeline = self.timeline(camera) if found else None
        for tracklet, tables in sorted(found.items()):
            table = pa.concat_tables(tables)
            if best is not None:
                table = table.take(pc.sort_indices(table, [("quality", "descending"), ("frame", "ascending")])[:best])
            yield _crops_with_times(table, tracklet, camera, timeline)


def _corners(columns: Mapping[str, Array]) -> Boxes:
    return np.stack([columns[name] for name in ("x1", "y1", "x2", "y2")], 1).astype(np.float32)


def _boxes_of(
    tracklet: tuple[str, str | None], part: dict[str, Array], timeline: Timeline, fill: bool
) -> dict[str, Array]:
    """A tracklet's boxes as columns, gaps filled where asked."""
    frames = part["frame"].astype(np.int64)
    boxes = _corners(part)
    score, added = part["score"], np.zeros(len(frames), bool)
    if fill and frames[-1] - frames[0] + 1 > len(frames):
        every = np.arange(frames[0], frames[-1] + 1)
        filled, boxes, added = interpolate(frames, timeline.elapsed(frames), boxes, every, timeline.elapsed(every))
        score = np.full(len(filled), np.nan, np.float32)
        score[np.isin(filled, frames)] = part["score"]
        frames = filled
    name, identity = tracklet
    return {
        "frame": frames,
        **dict(zip(("x1", "y1", "x2", "y2"), boxes.T, strict=True)),
        "score": score,
        "interpolated": added,
        "tracklet": np.full(len(frames), name, object),
        "identity": np.full(len(frames), identity, object),
    }


def _with_times(columns: dict[str, Array], files: list[VideoFile], run: Run, camera: str) -> pa.Table:
    """The table of `BOXES`: with file, pts and times of each frame."""
    frames, timeline = columns["frame"], run.timeline(camera)
    names = np.array([path.name for path in run.footage(camera)], object)
    file = np.searchsorted([f.first for f in files], frames, side="right") - 1
    pts = np.concatenate([f.pts for f in files])
    arrays = {
        "frame": frames,
        "file": names[file],
        "pts": pts[frames],
        "time": timeline.utc(frames),
        "elapsed_s": timeline.elapsed(frames),
        **{name: columns[name] for name in ("x1", "y1", "x2", "y2")},
        "score": pa.array(columns["score"], pa.float32(), mask=columns["interpolated"]),
        **{name: columns[name] for name in ("interpolated", "tracklet", "identity")},
    }
    return pa.table([_column(arrays[field.name], field, len(frames)) for field in BOXES], schema=BOXES)


def _column(values: Any, field: pa.Field, count: int) -> pa.Array:
    if values is None:
        return pa.nulls(count, field.type)
    return values if isinstance(values, pa.Array) else pa.array(values, field.type, safe=False)


def _crops_with_times(table: pa.Table, tracklet: str, camera: str, timeline: Timeline | None) -> pa.Table:
    frames = table["frame"].to_numpy()
    count = len(frames)
    arrays = {
        "tracklet": [tracklet] * count,
        "camera": [camera] * count,
        "time": None if timeline is None else timeline.utc(frames),
        "elapsed_s": None if timeline is None else timeline.elapsed(frames),
    }
    columns = [
        _column(arrays[field.name], field, count)
        if field.name in arrays
        else table[field.name].combine_chunks().cast(field.type)
        for field in CROPS
    ]
    return pa.table(columns, schema=CROPS)
