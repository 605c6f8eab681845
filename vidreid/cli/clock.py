"""`clock`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidreid.cli.times import HOW, parse_time
from vidreid.errors import UsageError

if TYPE_CHECKING:
    from vidreid.pipeline.stamps import Corrected

FAR = 2.0  # seconds by which a reading may miss the line through all of them before it is spoken of


@click.command()
@click.argument("cameras", metavar="CAMERAS.yaml", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("camera", metavar="CAMERA")
@click.option("--at", required=True, metavar="HH:MM:SS", help="Where the player stands, from the file's first frame.")
@click.option("--shows", required=True, metavar="TIME", help="What the stamp in the picture shows then.")
@click.option("--file", metavar="NAME", help="Which of the camera's files; the first where this is not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def clock(cameras: Path, camera: str, at: str, shows: str, file: str | None, as_json: bool) -> None:
    """Set the clock of CAMERA by a stamp in its picture; a second reading, hours away, gives its drift.

    The reading is written into CAMERAS.yaml, and `run CAMERAS.yaml --output RUN` takes it: of a finished run only
    `match` is made anew. TIME (2026-04-12 10:13:05) is local time of the file's `timezone` unless it states its zone
    (2026-04-12T08:13:05Z, or +02:00 at its end).

    \b
      vidreid clock cameras.yaml c3 --at 00:01:30 --shows '2026-04-12 10:13:05'
    """
    from vidreid.footage.zones import seconds_of
    from vidreid.pipeline.stamps import Stamp, add_stamp

    try:
        seconds = seconds_of(at)
    except ValueError:
        raise UsageError(f"--at {at!r}: not the time of a player", "write it as 00:01:30") from None
    shown = parse_time(shows)
    if not isinstance(shown, datetime):
        raise UsageError(f"--shows {shows!r}: not the time of a stamp", HOW)
    found = add_stamp(cameras, camera, Stamp(round(seconds, 3), shown, file))
    if as_json:
        click.echo(json.dumps({**asdict(found), "first": found.first.isoformat()}, indent=1))
    else:
        _print(found, cameras)


def _print(found: Corrected, path: Path) -> None:
    from vidreid.footage.zones import said

    click.echo(f"{found.camera}: its first frame was taken at {said(found.first)}")
    if found.moved is not None:
        click.echo(f"its times move by {found.moved:+.1f} s")
    if found.drift_ppm is not None and found.unsure_ppm is not None:
        day = found.drift_ppm * 0.0864
        unsure = f"give or take {found.unsure_ppm:.0f}, since stamps show whole seconds"
        click.echo(f"drift by {found.readings} readings: {found.drift_ppm:+.0f} ppm ({unsure}), {day:+.1f} s a day")
    else:
        click.echo("drift: unknown; read another stamp, hours away from this one, to know it")
    if found.miss > FAR:
        click.echo(
            f"note: the readings do not agree: up to {found.miss:.1f} s lie between them and an even clock. One is "
            "misread, or the clock was set: state the `start` of the file after that"
        )
    click.echo(f"next: vidreid run {path} --output RUN")
