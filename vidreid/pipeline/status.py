"""What of a run is done, stale and why, outdated or due; readable while another process works on it."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidreid.pipeline.coverage import CameraCoverage, Coverage, Ranges, camera_coverage, match_coverage, ranges_of
from vidreid.pipeline.match import made_from
from vidreid.pipeline.networks import Identities
from vidreid.pipeline.plan import (
    CameraPlan,
    SegmentState,
    State,
    counts,
    match_inputs,
    part_state,
    plan_camera,
    segment_states,
    sound_header,
)
from vidreid.settings import Settings, check_model
from vidreid.store.folder import RunFolder
from vidreid.store.journal import Journal, digest


@dataclass(frozen=True)
class CameraStatus:
    """A camera's stages: how many parts are in which state, why some are not done, what of it is analysed."""

    camera: str
    stages: dict[str, dict[str, int]]
    why: list[str]
    covers: CameraCoverage

    @property
    def analysed(self) -> float:
        """Share 0..1 of its frames."""
        return self.covers.share

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        stages = {"camera": self.camera, "stages": self.stages, "why": self.why}
        return {**stages, "analysed": self.analysed, "covers": self.covers.as_dict()}


@dataclass(frozen=True)
class RunStatus:
    """A run's state. ``bytes`` per stage; ``progress`` of the process that works on it now, if one does.

    ``covers``: what the match that there is was made from, where that is not all footage; ``matching``: whether it is
    made anew just now. ``failed``: cameras and segments that failed when the run was last worked on, with their errors.
    """

    cameras: list[CameraStatus]
    match: State
    covers: Coverage | None
    matching: bool
    timezone: str
    bytes: dict[str, int]
    progress: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "cameras": [camera.as_dict() for camera in self.cameras],
            "match": dict(self.match.__dict__),
            "covers": self.covers and self.covers.as_dict(),
            "matching": self.matching,
            "timezone": self.timezone,
            "bytes": self.bytes,
            "progress": self.progress,
            "failed": self.failed,
        }


def run_status(folder: RunFolder) -> RunStatus:
    """Compare all parts of a run with its record."""
    record = folder.read()
    settings = check_model(Settings, record.settings, "settings")
    identities = Identities(**record.networks) if record.networks else None
    plans: dict[str, CameraPlan] = {}
    ready: dict[str, list[SegmentState]] = {}
    cameras = []
    for camera in record.cameras:
        plan = plan_camera(folder, camera.usable, settings)
        if plan is not None:
            plans[camera.name] = plan
        if plan is None or identities is None:
            done = int(plan is not None)
            stages = {"ingest": {"done": done, "due": 1 - done}}
            cameras.append(CameraStatus(camera.name, stages, [], _covers(plans, camera.name, [])))
            continue
        states = segment_states(folder, plan, settings, identities)
        ready[camera.name] = [state for state in states if state.ready]
        cameras.append(_camera_status(plan, states, ready[camera.name]))
    matched = State("due")
    if identities is not None and plans:
        decisions = digest(Journal(folder.journal).active())
        inputs = match_inputs(plans.values(), made_from(ready), settings, identities, record, decisions)
        matched = part_state(folder.match("tracklets"), inputs)
    header, said = sound_header(folder.match("tracklets")), _said(folder)
    covers = functools.partial(_covers, plans)
    return RunStatus(
        cameras,
        matched,
        match_coverage(header.facts, [camera.camera for camera in cameras], covers) if header else None,
        folder.is_matched_now(),
        record.timezone,
        _bytes(folder.path),
        said if "frames" in said and folder.busy() else {},
        said.get("failed", {}),
    )


def _camera_status(plan: CameraPlan, states: Sequence[SegmentState], ready: Sequence[SegmentState]) -> CameraStatus:
    stages = {
        "ingest": {"done": 1, "stale": 0, "outdated": 0, "due": 0},
        "track": counts(state.track for state in states),
        "embed": counts(state.embed for state in states),
    }
    why = [*_reasons("track", (s.track for s in states)), *_reasons("embed", (s.embed for s in states))]
    name = plan.record.name
    covers = _covers({name: plan}, name, ranges_of(state.segment for state in ready))
    return CameraStatus(name, stages, why, covers)  # type: ignore[arg-type]


def _covers(plans: Mapping[str, CameraPlan], camera: str, ranges: Ranges) -> CameraCoverage:
    plan = plans.get(camera)
    return camera_coverage(camera, plan.timeline if plan else None, plan.frames if plan else 0, ranges)


def _reasons(stage: str, states: Iterable[State]) -> list[str]:
    found = Counter((state.status, state.why) for state in states if state.why)
    return [f"{stage} {status}: {why} ({count} segments)" for (status, why), count in sorted(found.items())]


def _bytes(path: Path) -> dict[str, int]:
    """Bytes of each stage's parts."""
    return {
        stage: sum(file.stat().st_size for file in (path / stage).rglob("*.parquet"))
        for stage in ("ingest", "track", "crops", "embed", "match")
    }


def _said(folder: RunFolder) -> dict[str, Any]:
    """The last word of the process that is or was at work; empty where there is none."""
    try:
        found: dict[str, Any] = json.loads(folder.progress.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found
