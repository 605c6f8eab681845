"""`run`, its stages by themselves, and `resume`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from vidreid.cli.options import RUN_FOLDER, overrides, run_options, window_options, work_options
from vidreid.errors import UsageError


@click.command()
@run_options
@window_options
@click.option("--dry-run", is_flag=True, help="Only ingest, then say what a run would see, take and achieve.")
def run(**options: Any) -> int:
    """Find, follow and match the people in FOOTAGE.

    FOOTAGE is CAMERA=FILE, CAMERA=FOLDER, a bare FILE, or a cameras YAML; several files of one camera in order of
    time. Run it again, or `vidreid resume RUN`, to go on after a stop; what is done is kept.

    A cameras YAML also states clocks, the least seconds from camera to camera, and which of them share a view:

    \b
      cameras:
        gate: {files: [gate.mp4], start: 2026-04-12T08:00:00Z}
        hall: {files: [hall.mp4], start: 2026-04-12T08:00:00Z}
        yard: {files: [yard.mp4], start: 2026-04-12T08:00:00Z}
      travel: [{between: [gate, yard], seconds: 20}]
      overlaps: [[gate, hall]]
    """
    return _run("match", **options)


@click.command()
@run_options
def ingest(**options: Any) -> int:
    """Read which frames the files of FOOTAGE hold, and when each was taken. FOOTAGE may be a run folder."""
    return _run("ingest", **options)


@click.command()
@run_options
@window_options
def track(**options: Any) -> int:
    """Find and follow people and keep pictures of them, after `ingest`. FOOTAGE may be a run folder."""
    return _run("track", **options)


@click.command()
@run_options
@window_options
def embed(**options: Any) -> int:
    """Turn pictures into vectors, after `track`. FOOTAGE may be a run folder."""
    return _run("embed", **options)


@click.command()
@run_options
def match(**options: Any) -> int:
    """Decide who is who, after `embed`. FOOTAGE may be a run folder.

    While another process works on that run, this matches what is finished of it.
    """
    return _run("match", beside=True, **options)


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
def resume(run_folder: Path, **options: Any) -> int:
    """Go on with RUN where it was stopped."""
    return _run("match", (), output=run_folder, settings_file=None, max_damage=0.05, **options)


for _option in work_options():
    resume = _option(resume)


def _run(
    until: str,
    footage: tuple[str, ...],
    output: Path | None,
    settings_file: Path | None,
    max_damage: float,
    footage_folder: Path | None,
    workers: int,
    offline: bool,
    redo_outdated: bool,
    trust_checkpoint: bool,
    as_json: bool,
    start: str | None = None,
    end: str | None = None,
    dry_run: bool = False,
    beside: bool = False,
    **chosen: Any,
) -> int:
    from vidreid.cli.times import parse_time
    from vidreid.footage.cameras import Site, read_site
    from vidreid.pipeline.moved import learn
    from vidreid.pipeline.progress import reporter_for
    from vidreid.pipeline.results import Run
    from vidreid.pipeline.run import Options
    from vidreid.pipeline.run import run as run_pipeline
    from vidreid.pipeline.window import Window
    from vidreid.store.folder import RunFolder

    window = Window(parse_time(start), parse_time(end))
    words, folder = _place(footage, output)
    if not words:
        RunFolder(folder).read()  # says what is wrong where there is no run to go on with
    if footage_folder is not None:
        learn(RunFolder(folder), footage_folder, lambda line: click.echo(line, err=True))
    site = read_site(words, elsewhere=footage_folder is not None) if words else Site()
    options = Options(until, workers, offline, redo_outdated, trust_checkpoint, window)
    reporter = reporter_for(sys.stderr)
    stated = overrides(settings_file, chosen)
    if dry_run:
        return _dry_run(RunFolder(folder), site, stated, options, reporter, as_json)
    try:
        if beside and not words and RunFolder(folder).busy():
            report = _match_beside(RunFolder(folder), stated, redo_outdated, reporter)
        else:
            report = run_pipeline(RunFolder(folder), site, stated, options, reporter)
    finally:
        reporter.stop()
    return _tell(Run(folder), report, until, max_damage, as_json)


def _match_beside(folder: Any, stated: Any, redo_outdated: bool, reporter: Any) -> Any:
    """Match what is finished of a run that another process works on, by whose settings it is done."""
    from vidreid.pipeline.match import match_finished
    from vidreid.pipeline.run import Report

    if stated:
        raise UsageError(
            f"{folder.path}: another vidreid works on this run, by its own settings",
            f"leave the options out: vidreid match {folder.path}",
        )
    with folder.matching(reporter.note):
        match_finished(folder, reporter, redo_outdated=redo_outdated)
    return Report()


def _tell(found: Any, report: Any, until: str, max_damage: float, as_json: bool) -> int:
    """Print what was found and write the page of people; the exit status."""
    from vidreid.views.coverage import words

    summary = found.summary()
    calibrated = covers = None
    if until == "match" and found.is_matched:
        from vidreid.pipeline.calibrated import calibration_of
        from vidreid.views.people import renew_people

        covers = found.partial()
        calibrated = calibration_of(found)
        summary.notes.extend(calibrated.notes)
        renew_people(found)
    status = _exit_status(report, summary, max_damage)
    if as_json:
        networks = {network.kind: network.as_dict() for network in report.networks}
        state = {"failed": report.failed, "frames_per_second": _rate(report), "exit_status": status}
        state["covers"] = covers and covers.as_dict()
        expected = calibrated.as_dict()["expected"] if calibrated else {}
        click.echo(json.dumps({**summary.as_dict(), "expected": expected, "networks": networks, **state}, indent=1))
    else:
        _print(found.path, summary, report, calibrated)
        _print_next(found.path, report, covers and words(covers, found.zone), matched=calibrated is not None)
    return status


def _dry_run(folder: Any, site: Any, stated: Any, options: Any, reporter: Any, as_json: bool) -> int:
    """0, or 4 where a camera or file could not be read."""
    from vidreid.cli.dry_run import show
    from vidreid.pipeline.prospect import prepare

    try:
        prospect = prepare(folder, site, stated, options, reporter)
        show(prospect, reporter, as_json=as_json)
    finally:
        reporter.stop()
    return 4 if prospect.report.failed else 0


def _exit_status(report: Any, summary: Any, max_damage: float) -> int:
    """3 where no camera holds a frame, 4 where some footage failed or too much of it is damaged, else 0."""
    if not summary.frames:
        return 3
    return 4 if report.failed or summary.damage > max_damage else 0


def _place(footage: tuple[str, ...], output: Path | None) -> tuple[tuple[str, ...], Path]:
    """Footage words and the run folder; a word may be the run folder itself."""
    runs = [word for word in footage if (Path(word) / "run.json").is_file()]
    if runs and output is None:
        if len(footage) > 1:
            raise UsageError(f"{runs[0]} is a run folder", "give it alone, or as --output")
        return (), Path(runs[0])
    if output is None:
        raise UsageError("no run folder given", "add --output RUN")
    return footage, output


def _rate(report: Any) -> float | None:
    return round(report.frames / report.seconds, 1) if report.frames and report.seconds else None


def _people(summary: Any, calibrated: Any) -> list[tuple[str, str]]:
    """Who was found, and how many errors are to be expected in it."""
    from vidreid.views.certainty import expected_people, rate

    together = calibrated.threshold is not None
    expected = f" ({expected_people(calibrated.expected)})" if together else ""
    rows = [
        ("sightings (tracklets)", f"{summary.sightings}"),
        ("people (identities)", f"{summary.people}{expected}"),
        ("seen in more than one camera", f"{summary.people_in_several}"),
    ]
    if together:
        rows.append(("false-match rate", f"{rate(calibrated.expected['false_match_rate'])} a comparison of two people"))
    return rows


def _print(folder: Path, summary: Any, report: Any, calibrated: Any) -> None:
    """The last table: what was found, what limits trust; ``calibrated`` is None where nobody was matched."""
    matched = calibrated is not None
    rows = [
        ("cameras", f"{summary.cameras}"),
        ("footage", f"{summary.hours:.2f} h, {summary.frames} frames ({summary.covered})"),
    ]
    if summary.looked_at:
        rows.append(("looked at", summary.looked_at))
    if matched:
        rows += _people(summary, calibrated)
    rate = _rate(report)
    if rate is not None:
        rows.append(("frames a second", f"{rate}"))
    click.echo("")
    for name, value in rows:
        click.echo(f"{name:<30}{value}")
    for note in summary.notes:
        click.echo(f"{'limits trust':<30}{note}")
    for key, error in report.failed.items():
        click.echo(f"{'failed':<30}{error if error.startswith(key.split('/')[0]) else f'{key}: {error}'}")


def _print_next(folder: Path, report: Any, covers: str | None, *, matched: bool) -> None:
    """What to type next, after what all of this covers where that is not the whole footage."""
    if covers:
        click.echo(covers)
    click.echo("")
    if report.failed:
        click.echo(f"next: vidreid status {folder}")
        click.echo(f"      vidreid resume {folder}")
    elif matched:
        click.echo(f"next: look at {folder / 'people.html'}  (a match is a lead, not proof)")
        click.echo(f"      vidreid export {folder} --format csv --output {folder}-export")
    else:
        click.echo(f"next: vidreid status {folder}")
        click.echo(f"      vidreid resume {folder}")
