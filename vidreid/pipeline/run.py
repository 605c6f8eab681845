"""Puts the rooms together: finds what is due, has it done, and says what came of it."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from vidreid import plugins
from vidreid.errors import InputError, UsageError, VidreidError
from vidreid.footage.cameras import Site
from vidreid.footage.zones import zone_named
from vidreid.pipeline.in_use import InUse, in_use
from vidreid.pipeline.ingest import ingest_camera
from vidreid.pipeline.match import match_run
from vidreid.pipeline.networks import Identities, Networks, Tools, find_networks
from vidreid.pipeline.plan import (
    CameraPlan,
    SegmentState,
    camera_of,
    in_order_of_time,
    plan_camera,
    segment_states,
)
from vidreid.pipeline.progress import building
from vidreid.pipeline.room import check_room, needed_bytes
from vidreid.pipeline.segment import SegmentWork, process_segment
from vidreid.pipeline.window import EVERYTHING, Window, chosen
from vidreid.posix import cores
from vidreid.settings import Settings, check_model
from vidreid.store.folder import CameraRecord, FileRecord, RunFolder, RunRecord
from vidreid.store.parts import write_json
from vidreid.types import Camera, Reporter


@dataclass(frozen=True)
class Options:
    """How a run is done; nothing here changes what comes out of a segment.

    ``until`` the last stage; ``workers`` processes (1: this one); ``redo_outdated`` also makes anew what an older
    program made; ``trust`` opens unregistered checkpoints; ``window``: only segments that lie in it are analysed.
    """

    until: str = "match"
    workers: int = 1
    offline: bool = False
    redo_outdated: bool = False
    trust: bool = False
    window: Window = EVERYTHING


@dataclass
class Report:
    """How a run ended: ``failed`` cameras and segments with their errors, ``networks`` in use where they were found,
    and what should be known."""

    failed: dict[str, str] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    networks: list[InUse] = field(default_factory=list)
    seconds: float = 0.0
    frames: int = 0


def run(
    folder: RunFolder,
    site: Site,
    overrides: Mapping[str, Mapping[str, Any]],
    options: Options,
    reporter: Reporter,
) -> Report:
    """Do everything that is due up to ``options.until``. ``site`` and ``overrides`` add to what the run knows.

    Parts that are done are kept; a camera or segment that fails is in the report, and the others go on.
    """
    report = Report()
    with folder.locked():
        folder.progress.unlink(missing_ok=True)
        record = _record(folder, site, overrides)
        settings = check_model(Settings, record.settings, "settings")
        if options.until != "ingest":
            networks = _networks(record, settings, options, reporter)
            if isinstance(networks, Networks):
                record = replace(record, networks=asdict(networks.identities))
                report.networks = in_use(networks, settings)
        options = replace(options, window=options.window.in_zone(zone_named(record.timezone)))
        folder.write(record)
        for line in (line for network in report.networks for line in network.lines()):
            reporter.note(line)
        plans = _ingest(folder, record, settings, report, reporter)
        if options.until != "ingest" and plans:
            identities = Identities(**record.networks)
            _segments(folder, plans, settings, identities, networks, options, report, reporter)
            if options.until == "match":
                with folder.matching(reporter.note):
                    match_run(folder, plans, settings, identities, reporter, redo_outdated=options.redo_outdated)
        reporter.stop()
        write_json(folder.progress, {"failed": report.failed})
    return report


def _record(folder: RunFolder, site: Site, overrides: Mapping[str, Mapping[str, Any]]) -> RunRecord:
    """The run's record with new cameras and settings in it; what it knows of ways and views holds until more is."""
    known = folder.read() if folder.exists() else RunRecord((), {}, {})
    records = {camera.name: camera for camera in known.cameras}
    for camera in site.cameras:
        records[camera.name] = _camera_record(camera, records.get(camera.name))
    if not records:
        raise UsageError("no footage given", f"vidreid run c0=FILE c1=FILE --output {folder.path}")
    settings = {name: dict(section) for name, section in known.settings.items()}
    for name, section in overrides.items():
        settings[name] = {**settings.get(name, {}), **section}
    checked = check_model(Settings, settings, "settings")
    same = _choice(checked) == _choice(check_model(Settings, known.settings, "settings"))
    stated = site if site.travel or site.overlaps else known
    networks = known.networks if same else {}
    zone = site.timezone or known.timezone
    return RunRecord(tuple(records.values()), settings, networks, stated.travel, stated.overlaps, zone)


def _choice(settings: Settings) -> tuple[str, ...]:
    """The settings that lead to networks."""
    detection, embedding = settings.detection, settings.embedding
    return (
        *(detection.detector, detection.runtime, detection.engine),
        *(embedding.embedder, embedding.runtime, embedding.engine),
        settings.tracking.tracker,
    )


def _camera_record(camera: Camera, known: CameraRecord | None) -> CameraRecord:
    """A camera's record; what was known of files that stay, or have moved (`vidreid.pipeline.moved`), is kept."""
    before = {file.path: file for file in known.files} if known else {}
    # By its place too: recorders give files of several folders the same names.
    moved = {(place, Path(file.path).name): file for place, file in enumerate(known.files)} if known else {}
    files = tuple(
        before.get(str(path)) or (None if path.exists() else moved.get((place, path.name))) or FileRecord(str(path))
        for place, path in enumerate(camera.files)
    )
    clock = camera.clock
    return CameraRecord(
        camera.name, files, clock.starts, clock.offset_us, clock.drift_ppm, clock.readings, camera.scene
    )


def _networks(record: RunRecord, settings: Settings, options: Options, reporter: Reporter) -> Networks | VidreidError:
    """The networks, looked for before any footage is read.

    Where the record says which they were, their lack is returned, not raised: what they made may be all that is needed.
    """
    cameras = {camera.name: camera_of(camera) for camera in record.cameras}
    settings = settled(settings, record.networks)
    try:
        return find_networks(
            settings,
            cameras,
            offline=options.offline,
            trust=options.trust,
            announce=reporter.note,
            progress=building(reporter),
        )
    except VidreidError as error:
        if not record.networks:
            raise
        return error


def settled(settings: Settings, networks: Mapping[str, Any]) -> Settings:
    """Settings with ``auto`` replaced by the networks that the run was begun with: it keeps them to its end."""
    if not networks:
        return settings
    detection, embedding = settings.detection, settings.embedding
    if detection.detector == "auto":
        detection = detection.model_copy(update={"detector": networks["detector"]["name"]})
    if embedding.embedder == "auto":
        embedding = embedding.model_copy(update={"embedder": networks["embedder"]["name"]})
    return settings.model_copy(update={"detection": detection, "embedding": embedding})


def _ingest(
    folder: RunFolder, record: RunRecord, settings: Settings, report: Report, reporter: Reporter
) -> dict[str, CameraPlan]:
    """Plans of the cameras that can be analysed; the others are in the report."""
    plans: dict[str, CameraPlan] = {}
    reporter.start("ingest", {camera.name: len(camera.files) for camera in record.cameras})
    for camera in record.cameras:

        def note(line: str) -> None:
            report.notes.append(line)
            reporter.note(line)

        def leave_out(file: str, error: InputError, camera: str = camera.name) -> None:
            _fail(report, reporter, f"{camera}/{file}", error)

        step = functools.partial(reporter.advance, camera.name)
        try:
            known = ingest_camera(folder, camera, note, leave_out, step)
        except InputError as error:
            if type(error) is not InputError or len(record.cameras) == 1:
                raise
            _fail(report, reporter, camera.name, error)
            continue
        if known != camera:
            record = record.with_camera(known)
            folder.write(record)
        plan = plan_camera(folder, known.usable, settings)
        if plan is not None:
            plans[camera.name] = plan
    return plans


def _fail(report: Report, reporter: Reporter, key: str, error: VidreidError) -> None:
    report.failed[key] = error.message
    report.hints[key] = error.hint
    reporter.note(f"error: {error.message}")
    if error.hint:
        reporter.note(f"hint: {error.hint}")


def _segments(
    folder: RunFolder,
    plans: Mapping[str, CameraPlan],
    settings: Settings,
    identities: Identities,
    networks: Networks | VidreidError,
    options: Options,
    report: Report,
    reporter: Reporter,
) -> None:
    """Have the due segments tracked and embedded, in wall-clock order over all cameras."""
    wanted = chosen(plans, options.window)
    states = [
        state
        for name, plan in plans.items()
        for state in segment_states(folder, replace(plan, segments=wanted[name]), settings, identities)
    ]
    _say_why(states, options, reporter)
    for plan in plans.values():
        _remove_strays(folder, plan)
    work: dict[str, tuple[SegmentWork]] = {}
    totals = dict.fromkeys(plans, 0)
    for state in in_order_of_time(plans, states):
        piece = _work(folder, plans[state.camera], state, options)
        if piece is not None:
            work[f"{state.camera}/{state.segment.name}"] = (piece,)
            totals[state.camera] += state.segment.stop - state.segment.first
    if not work:
        return
    if isinstance(networks, VidreidError):
        raise networks
    check_room(folder.path, needed_bytes(folder, plans, [piece.segment for (piece,) in work.values()]))
    progress = _Progress(folder, totals, report, reporter)
    workers = min(options.workers, len(work))
    streams = max(1, cores() // workers)
    setup = functools.partial(Tools, networks, settings, streams)
    executor = plugins.load("pipeline.executors", "inline" if workers == 1 else "local").make(setup, workers)
    reporter.start("track", {camera: total for camera, total in totals.items() if total})
    skipped = 0
    for outcome in executor.map(process_segment, work, progress.advance):
        skipped += (outcome.value or {}).get("skipped", 0)
        if outcome.error:
            report.failed[outcome.key] = outcome.error
            report.hints[outcome.key] = outcome.hint
            reporter.note(f"error: {outcome.key}: {outcome.error}")
            progress.write()
    if skipped:
        reporter.note(f"motion gate: the detector was spared {skipped} of {progress.frames} frames")
    report.frames += progress.frames
    report.seconds += time.monotonic() - progress.started


def _say_why(states: Sequence[SegmentState], options: Options, reporter: Reporter) -> None:
    """Name what is done again, and what could be, before it is."""
    for stage in ("track", "embed"):
        found = [getattr(state, stage) for state in states]
        for status in ("stale", "due", "outdated"):
            reasons = sorted({state.why for state in found if state.status == status and state.why})
            count = sum(state.status == status and bool(state.why) for state in found)
            if count and status != "outdated":
                reporter.note(f"{stage}: {count} of {len(found)} segments are done again ({'; '.join(reasons[:3])})")
            elif count and not options.redo_outdated:
                reporter.note(
                    f"{stage}: {count} segments are kept though {reasons[0]} (--redo-outdated makes them anew)"
                )


def _work(folder: RunFolder, plan: CameraPlan, state: SegmentState, options: Options) -> SegmentWork | None:
    undone = {"due", "stale", "outdated"} if options.redo_outdated else {"due", "stale"}
    track = state.track.status in undone
    embed = options.until in {"embed", "match"} and (track or state.embed.status in undone)
    if not track and not embed:
        return None
    footage = Path(plan.record.files[state.segment.file].path)
    return SegmentWork(
        folder.path,
        footage,
        plan.files[state.segment.file],
        state.segment,
        state.track_inputs if track else None,
        state.embed_inputs if embed else None,
    )


def _remove_strays(folder: RunFolder, plan: CameraPlan) -> None:
    """Remove the parts of segments that the camera no longer has, since it is cut otherwise now."""
    names = {segment.name for segment in plan.segments}
    for part in (folder.track, folder.crops, folder.embed):
        for path in part(plan.record.name, "*").parent.glob("*.parquet"):
            if path.stem not in names:
                path.unlink()


class _Progress:
    """Counts frames for the reporter, and for `vidreid status` in another terminal."""

    def __init__(self, folder: RunFolder, totals: Mapping[str, int], report: Report, reporter: Reporter) -> None:
        self.frames = 0
        self.started = time.monotonic()
        self._folder = folder
        self._total = sum(totals.values())
        self._report = report
        self._reporter = reporter
        self._written = -60.0

    def advance(self, camera: str, count: int) -> None:
        self.frames += count
        self._reporter.advance(camera, count)
        if time.monotonic() - self._written > 5:
            self.write()

    def write(self) -> None:
        self._written = time.monotonic()
        spent = self._written - self.started
        rate = self.frames / spent if spent > 0 else 0.0
        write_json(
            self._folder.progress,
            {
                "frames": self.frames,
                "frames_total": self._total,
                "frames_per_second": round(rate, 2),
                # Work that was tried again is counted again.
                "seconds_left": round(max(0, self._total - self.frames) / rate, 1) if rate else None,
                "failed": self._report.failed,
            },
        )
