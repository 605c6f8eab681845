"""`run --dry-run`: what a run would see, what it would take, and how well it would do."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vidreid.pipeline.prospect import Choice, Prospect
    from vidreid.types import Reporter


def show(prospect: Prospect, reporter: Reporter, *, as_json: bool) -> None:
    """Look at the cameras, write ``preview.png``, measure pieces, and print what was found."""
    from vidreid.pipeline.prospect import choices
    from vidreid.pipeline.room import free_bytes

    picture = prospect.folder.path / "preview.png"
    cameras = _look(prospect, reporter, picture)
    found = choices(prospect, reporter)
    free = free_bytes(prospect.folder.path)
    if as_json:
        told = {"cameras": cameras, "choices": [choice.as_dict() for choice in found], "free_bytes": free}
        click.echo(json.dumps({**told, "preview": str(picture), "failed": prospect.report.failed}, indent=1))
        return
    _print_cameras(cameras)
    _print_choices(found, free)
    click.echo(f"next: look at {picture}")
    click.echo(f"      vidreid run {prospect.folder.path} --fps {_fps(found[0])}")


def _look(prospect: Prospect, reporter: Reporter, picture: Any) -> list[dict[str, Any]]:
    """What is known of each camera; its frames go to the picture."""
    from vidreid.pipeline.networks import Tools
    from vidreid.pipeline.preview import FRAMES, look_at
    from vidreid.posix import cores
    from vidreid.views.preview_sheet import draw_camera, write_sheet

    facts, bands = [], []
    reporter.start("look", dict.fromkeys(prospect.plans, FRAMES))
    with contextlib.closing(Tools(prospect.networks, prospect.settings, cores())) as tools:
        for seen in look_at(prospect.plans, prospect.wanted, tools):
            bands.append(draw_camera(seen))
            facts.append(seen.as_dict(prospect.plans[seen.camera].timeline, prospect.zone))
            reporter.advance(seen.camera, FRAMES)
    reporter.stop()
    write_sheet(picture, bands)
    return facts


def _print_cameras(cameras: Sequence[dict[str, Any]]) -> None:
    width = max(len(camera["camera"]) for camera in cameras) + 2
    click.echo(f"\n{'camera':<{width}}{'pictures':<12}{'a second':<10}{'people, pixels tall':<26}clock")
    for camera in cameras:
        wide, tall = camera["size"]
        size, rate = f"{wide}x{tall}", f"{camera['frames_per_second']:.3g}"
        click.echo(f"{camera['camera']:<{width}}{size:<12}{rate:<10}{_heights(camera['heights']):<26}{camera['clock']}")
    for camera in cameras:
        for gap in camera["gaps"]:
            click.echo(f"gap     {camera['camera']}: {gap}")
    click.echo("")


def _heights(heights: dict[str, float] | None) -> str:
    if heights is None:
        return "nobody found"
    return f"{heights['low']:.0f} to {heights['high']:.0f} (median {heights['median']:.0f})"


def _print_choices(found: Sequence[Choice], free: int) -> None:
    from vidreid.pipeline.progress import duration
    from vidreid.pipeline.room import frame_rates, size

    click.echo(f"{'frames a second':<18}{'time':<12}{'disk':<12}{'people right':<15}{'tracks right':<15}")
    for choice in found:
        people, tracks = (_share(value) for value in (choice.people_idf1, choice.tracks_idf1))
        room = size(choice.bytes) + (" !" if choice.bytes > free else "")
        click.echo(f"--fps {_fps(choice):<12}{duration(choice.seconds):<12}{room:<12}{people:<15}{tracks:<15}".rstrip())
    short = " (! is more than that)" if any(choice.bytes > free for choice in found) else ""
    click.echo(f"free on that disk: {size(free)}{short}")
    click.echo(f"right: IDF1 in labelled footage, mean of {', '.join(frame_rates())}; yours may differ")


def _fps(choice: Choice) -> str:
    return "all" if choice.fps is None else f"{choice.fps:g}"


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.0%}"
