"""`status`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vidreid.cli.options import RUN_FOLDER


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the state as JSON.")
def status(run_folder: Path, as_json: bool) -> None:
    """Say what of RUN is done, stale (and why), outdated or due; works while a run goes on."""
    from vidreid.footage.zones import zone_named
    from vidreid.pipeline.room import size
    from vidreid.pipeline.status import run_status
    from vidreid.store.folder import RunFolder
    from vidreid.views.coverage import camera_words, words

    found = run_status(RunFolder(run_folder))
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=1))
        return
    zone = zone_named(found.timezone)
    width = max([len(camera.camera) for camera in found.cameras], default=6) + 2
    click.echo(f"{'camera':<{width}}{'analysed':>9}  {'track':<34}{'embed':<34}{'footage'}")
    for camera in found.cameras:
        track, embed = (_states(camera.stages.get(stage, {})) for stage in ("track", "embed"))
        when = camera_words(camera.covers, zone)
        click.echo(f"{camera.camera:<{width}}{camera.analysed:>9.0%}  {track:<34}{embed:<34}{when}")
    for line in sorted({line for camera in found.cameras for line in camera.why}):
        click.echo(line)
    why = f": {found.match.why}" if found.match.why else ""
    covers = f", {words(found.covers, zone)}" if found.covers else ""
    now = " (another vidreid matches it now)" if found.matching else ""
    click.echo(f"match   {found.match.status}{why}{now}{covers}")
    click.echo("on disk " + ", ".join(f"{stage} {size(count)}" for stage, count in found.bytes.items()))
    for key, error in found.failed.items():
        click.echo(f"failed  {key}: {error}")
    _print_progress(found.progress)


def _states(stages: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in stages.items() if count) or "-"


def _print_progress(progress: dict[str, Any]) -> None:
    if not progress:
        return
    from vidreid.pipeline.progress import duration

    left = progress["seconds_left"]
    click.echo(
        f"working {progress['frames']} of {progress['frames_total']} frames, {progress['frames_per_second']}/s"
        + (f", {duration(left)} left" if left is not None else "")
    )
