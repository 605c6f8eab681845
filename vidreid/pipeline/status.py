"""What of a run is done, stale and why, outdated or due; readable while another process works on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidreid.pipeline.networks import Identities
from vidreid.pipeline.plan import (
    CameraPlan,
    State,
    counts,
    match_inputs,
    part_state,
    plan_camera,
    segment_states,
)
from vidreid.pipeline.run import ready_segments
from vidreid.settings import Settings, check_model
from vidreid.store.folder import RunFolder
from vidreid.store.journal import Journal, digest


@dataclass(frozen=True)
class CameraStatus:
    """A camera's stages: how many parts are in which state, why some are not done, what of it is analysed."""

    camera: str
    stages: dict[str, dict[str, int]]
    why: list[str]
    analysed: float


@dataclass(frozen=True)
class RunStatus:
    """A run's state. ``bytes`` per stage; ``progress`` of the process that works on it now, if one does.

    ``failed``: cameras and segments that failed when it was last worked on, with their errors.
    """

    cameras: list[CameraStatus]
    match: State
    bytes: dict[str, int]
    progress: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "cameras": [dict(camera.__dict__) for camera in self.cameras],
            "match": dict(self.match.__dict__),
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
    cameras = []
    for camera in record.cameras:
        plan = plan_camera(folder, camera.usable, settings)
        if plan is None or identities is None:
            done = int(plan is not None)
            cameras.append(CameraStatus(camera.name, {"ingest": {"done": done, "due": 1 - done}}, [], 0.0))
            continue
        plans[camera.name] = plan
        cameras.append(_camera_status(folder, plan, settings, identities))
    matched = State("due")
    if identities is not None and plans:
        parts = [p for name in sorted(plans) for _, p in ready_segments(folder, plans[name], settings, identities)]
        decisions = digest(Journal(folder.journal).active())
        inputs = match_inputs(plans.values(), parts, settings, identities, record, decisions)
        matched = part_state(folder.match("tracklets"), inputs)
    said = _said(folder)
    progress = said if "frames" in said and folder.busy() else {}
    return RunStatus(cameras, matched, _bytes(folder.path), progress, said.get("failed", {}))


def _camera_status(folder: RunFolder, plan: CameraPlan, settings: Settings, identities: Identities) -> CameraStatus:
    states = segment_states(folder, plan, settings, identities)
    usable = [s for s in states if {s.track.status, s.embed.status} <= {"done", "outdated"}]
    owned = sum(state.segment.own_stop - state.segment.own_first for state in usable)
    stages = {
        "ingest": {"done": 1, "stale": 0, "outdated": 0, "due": 0},
        "track": counts(state.track for state in states),
        "embed": counts(state.embed for state in states),
    }
    why = [*_reasons("track", (s.track for s in states)), *_reasons("embed", (s.embed for s in states))]
    return CameraStatus(plan.record.name, stages, why, owned / plan.frames)  # type: ignore[arg-type]


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
