"""What an export was made from, for those who have to check it: footage, programs, networks, clocks, and what is not
in it. The same run gives the same words: no time of today, no name of a machine."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np

from vidreid.footage.clock import Timeline
from vidreid.footage.zones import at
from vidreid.pipeline.coverage import camera_coverage, ranges_of
from vidreid.pipeline.licences import weights_of
from vidreid.pipeline.plan import camera_of
from vidreid.pipeline.results import Run
from vidreid.pipeline.versions import made_by
from vidreid.settings import Settings, check_model
from vidreid.store.folder import CameraRecord, RunFolder, RunRecord
from vidreid.store.journal import Decision, Journal, digest
from vidreid.store.parts import Header, read_header
from vidreid.types import Segment, VideoFile

OF_SEGMENT = {"file", "segment"}  # inputs of tracks that differ from segment to segment


def describe(run: Run) -> dict[str, Any]:
    """A matched run as plain values.

    ``settings`` and ``cameras`` are as they stand in the run now; ``made`` says of each stage what its parts were
    really made from and by. ``decisions`` are those that hold; of each, whether the match took it into account.
    """
    folder, record, match = RunFolder(run.path), run.record, run.match.header
    tracks = _tracks(folder, match)
    return {
        "exported_with": {**made_by(), "python": platform.python_version()},
        "settings": check_model(Settings, record.settings, "settings").model_dump(mode="json"),
        "networks": _networks(record),
        "timezone": record.timezone,
        "travel": record.travel,
        "overlaps": record.overlaps,
        "cameras": [_camera(run, camera, tracks.get(camera.name, [])) for camera in record.cameras],
        "made": _made(folder, record, match, tracks),
        "decisions": _decisions(Journal(folder.journal).active(), match.inputs.get("decisions", [])),
        "limits": run.summary().notes,
    }


def _networks(record: RunRecord) -> dict[str, Any]:
    networks: dict[str, Any] = {"tracker": record.networks.get("tracker", {})}
    for one in weights_of(record):
        networks[one.kind] = {key: value for key, value in asdict(one).items() if key != "kind"}
    return networks


def _tracks(folder: RunFolder, match: Header) -> dict[str, list[Header]]:
    """The headers of the tracks that were matched, by camera, in order of time."""
    found: dict[str, list[Header]] = {}
    for name in sorted(match.facts.get("tracked", {})):
        camera, _, segment = name.rpartition("/")
        header = read_header(folder.track(camera, segment))
        if header is not None:
            found.setdefault(camera, []).append(header)
    return found


def _made(
    folder: RunFolder, record: RunRecord, match: Header, tracks: Mapping[str, Sequence[Header]]
) -> dict[str, list[dict[str, Any]]]:
    """By stage: what its parts were made from and by, and how many of them were."""
    names = [name.rpartition("/") for name in sorted(match.facts.get("tracked", {}))]
    embedded = [read_header(folder.embed(camera, segment)) for camera, _, segment in names]
    return {
        "ingest": _distinct((read_header(folder.ingest(camera.name)) for camera in record.cameras), {"files"}),
        "track": _distinct((header for headers in tracks.values() for header in headers), OF_SEGMENT),
        "embed": _distinct(embedded, {"crops"}),
        "match": [{"parts": 1, "inputs": match.inputs, "made_by": match.made_by, "fingerprint": match.fingerprint}],
    }


def _distinct(headers: Iterable[Header | None], without: set[str]) -> list[dict[str, Any]]:
    """Parts that were made from and by the same things, together; ``without`` what differs from part to part."""
    found: list[dict[str, Any]] = []
    for header in headers:
        if header is None:
            continue
        inputs = {key: value for key, value in header.inputs.items() if key not in without}
        same = [one for one in found if (one["inputs"], one["made_by"]) == (inputs, header.made_by)]
        if same:
            same[0]["parts"] += 1
        else:
            found.append({"parts": 1, "inputs": inputs, "made_by": header.made_by})
    return found


def _camera(run: Run, record: CameraRecord, tracks: Sequence[Header]) -> dict[str, Any]:
    """A camera's files, clock, view, and what of it was analysed, lost, and left out."""
    files = run.files(record.name)
    found: dict[str, Any] = {"camera": record.name, "files": _files(record, files), "scene": asdict(record.scene)}
    if not files:
        return {**found, "clock": _clock(record)}
    timeline = run.timeline(record.name)
    total = files[-1].first + len(files[-1].pts)
    ranges = ranges_of(Segment(record.name, 0, 0, *one.inputs["segment"]) for one in tracks)
    lost = sorted((first, stop) for one in tracks for first, stop in one.facts.get("lost", []))
    covered = camera_coverage(record.name, timeline, total, ranges)
    return {
        **found,
        "clock": _clock(record) | _running(timeline, total),
        "frames": total,
        "analysed": covered.frames,
        "covered": covered.as_dict(),
        "lost": [_span(timeline, first, stop) for first, stop in lost],
    }


def _files(record: CameraRecord, found: Sequence[VideoFile]) -> list[dict[str, Any]]:
    """Every file as it was given, those that could not be used too, with why."""
    probed = iter(found)
    rows: list[dict[str, Any]] = []
    for file in record.files:
        row: dict[str, Any] = {"path": file.path, "bytes": file.bytes, "sha256": file.sha256}
        video = None if file.unusable else next(probed, None)
        if video is None:
            rows.append({**row, "left_out": file.unusable or "not read"})
            continue
        seconds = float((video.pts.max() - video.pts.min()) * video.time_base)
        plain = {name: getattr(video, name) for name in ("codec", "width", "height", "timing", "interlaced")}
        rows.append({**row, "frames": len(video.pts), "seconds": round(seconds, 6), **plain, "notes": video.notes})
    return rows


def _clock(record: CameraRecord) -> dict[str, Any]:
    """A clock as it was stated: where files start, UTC or null, its correction, and what stamps were read."""
    names = [Path(file.path).name for file in record.files]
    return {
        "known": camera_of(record.usable).clock.known,
        "starts": [None if start is None else _iso(start) for start in record.starts],
        "offset_seconds": record.offset_us / 1e6,
        "drift_ppm": record.drift_ppm,
        "readings": [
            {"file": names[one.file], "seconds": one.seconds, "shows": _iso(one.shows_us)} for one in record.readings
        ],
    }


def _running(timeline: Timeline, total: int) -> dict[str, Any]:
    """When the first and the last frame were taken by all that is said of a clock, and the drift that this makes."""
    ends = np.array([0, total - 1])
    utc, elapsed = timeline.utc(ends), timeline.elapsed(ends)
    if utc is None:
        return {}
    seconds = float(elapsed[1] - elapsed[0])
    drift = (float(utc[1] - utc[0]) / seconds - 1e6) if seconds else 0.0
    return {"first_frame": _iso(int(utc[0])), "last_frame": _iso(int(utc[1])), "drift_ppm_in_use": round(drift, 3)}


def _span(timeline: Timeline, first: int, stop: int) -> dict[str, Any]:
    """Frames ``[first, stop)`` and when they were taken, inclusive."""
    ends = np.array([first, stop - 1])
    utc, elapsed = timeline.utc(ends), timeline.elapsed(ends)
    times = {} if utc is None else {"from": _iso(int(utc[0])), "to": _iso(int(utc[1]))}
    return {"first": first, "stop": stop, "from_s": float(elapsed[0]), "to_s": float(elapsed[1]), **times}


def _iso(microseconds: int) -> str:
    return at(microseconds, UTC).isoformat().replace("+00:00", "Z")


def _decisions(active: Sequence[Decision], used: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {**asdict(decision), "matched": mark in used} for decision, mark in zip(active, digest(active), strict=True)
    ]
