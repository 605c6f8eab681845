"""A run before it is made: what of it is there already, and what it will take at each number of frames a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from statistics import fmean
from typing import Any

from vidreid.footage.cameras import Site
from vidreid.footage.zones import zone_named
from vidreid.pipeline.estimate import estimate, measure_pieces
from vidreid.pipeline.networks import Networks, find_networks
from vidreid.pipeline.plan import CameraPlan, camera_of, plan_camera
from vidreid.pipeline.progress import building
from vidreid.pipeline.room import frame_rates
from vidreid.pipeline.run import Options, Report, run, settled
from vidreid.pipeline.window import chosen
from vidreid.settings import Settings, check_model
from vidreid.store.folder import RunFolder
from vidreid.types import Reporter, Segment

RATES: tuple[float | None, ...] = (5.0, 10.0, None)


@dataclass(frozen=True)
class Prospect:
    """A run whose ingest is done: how that ended, the cameras, of each the segments to analyse, and with what."""

    folder: RunFolder
    report: Report
    plans: Mapping[str, CameraPlan]
    wanted: Mapping[str, Sequence[Segment]]
    settings: Settings
    networks: Networks
    zone: tzinfo


def prepare(
    folder: RunFolder, site: Site, overrides: Mapping[str, Mapping[str, Any]], options: Options, reporter: Reporter
) -> Prospect:
    """Ingest the footage, which a run need not do again, and find the networks."""
    report = run(folder, site, overrides, replace(options, until="ingest"), reporter)
    record = folder.read()
    settings = settled(check_model(Settings, record.settings, "settings"), record.networks)
    networks = find_networks(
        settings,
        {camera.name: camera_of(camera) for camera in record.cameras},
        offline=options.offline,
        trust=options.trust,
        announce=reporter.note,
        progress=building(reporter),
    )
    found = {camera.name: plan_camera(folder, camera.usable, settings) for camera in record.cameras}
    plans = {name: plan for name, plan in found.items() if plan is not None and name not in report.failed}
    zone = zone_named(record.timezone)
    return Prospect(folder, report, plans, chosen(plans, options.window.in_zone(zone)), settings, networks, zone)


@dataclass(frozen=True)
class Choice:
    """One number of frames a second, None for all: seconds of one process, bytes on the disk, and how well the labelled
    footage came out with it (`frame_rates`; None where nobody measured)."""

    fps: float | None
    seconds: float
    bytes: int
    people_idf1: float | None
    tracks_idf1: float | None
    tracks_mota: float | None

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**self.__dict__, "fps": "all" if self.fps is None else self.fps}


def choices(prospect: Prospect, reporter: Reporter) -> list[Choice]:
    """What a run will take at 5, 10 and all frames a second, and at the number that its settings state."""
    measured = measure_pieces(prospect.plans, prospect.wanted, prospect.networks, prospect.settings, reporter)
    stated = prospect.settings.decoding.rate
    rates = RATES if stated in RATES else (*RATES, stated)
    runs = prospect.settings.crops.runs
    found = []
    for fps in sorted(rates, key=lambda rate: rate or float("inf")):
        taken = estimate(measured, prospect.plans, prospect.wanted, fps, runs)
        found.append(Choice(fps, taken.seconds, taken.bytes, **_accuracy(fps)))
    return found


def _accuracy(fps: float | None) -> dict[str, float | None]:
    """Means over the labelled scenes."""
    key = "all" if fps is None else f"{fps:g}"
    scenes = [scene.get(key) for scene in frame_rates().values()]
    names = ("people_idf1", "tracks_idf1", "tracks_mota")
    return {name: fmean(row[name] for row in scenes if row) if all(scenes) else None for name in names}
