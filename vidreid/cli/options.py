"""Options that several commands share, and how they become settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])

RUN_FOLDER = click.Path(path_type=Path, file_okay=False)

# option name: (section, key) of the settings
SETTINGS = {
    "detector": ("detection.detector",),
    "runtime": ("detection.runtime",),
    "engine": ("detection.engine", "embedding.engine"),
    "tile": ("detection.tile",),
    "fps": ("decoding.fps",),
    "motion_gate": ("detection.motion_gate",),
    "tracker": ("tracking.tracker",),
    "embedder": ("embedding.embedder",),
    "wrong_pairs": ("matching.wrong_pairs",),
}


class TrackerName(click.ParamType[str]):
    """A tracker's name or YAML, completed from configs/trackers."""

    name = "tracker"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from vidreid.resources import carried

        names = sorted(file.stem for file in (carried("configs") / "trackers").glob("*.yaml"))
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class PlugIn(click.ParamType[str]):
    """The name of a file of a plug-in folder, e.g. ``views.export``; ``others`` are words that are allowed besides."""

    name = "plug-in"

    def __init__(self, room: str, *others: str) -> None:
        self._room = room
        self._others = others

    def _known(self) -> list[str]:
        from vidreid.plugins import names

        return [*self._others, *names(self._room)]

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self._known():
            self.fail(f"{value!r} is none of {', '.join(self._known())}.", param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self._known() if name.startswith(incomplete)]


class FrameRate(click.ParamType[float | str]):
    """Frames a second, or ``all``."""

    name = "frame rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        if value == "all":
            return "all"
        try:
            rate = float(value)
        except ValueError:
            rate = 0.0
        if not 0 < rate < float("inf"):
            self.fail(f"{value!r} is neither a number above 0 nor all.", param, ctx)
        return rate


class Footage(click.ParamType[str]):
    """``CAMERA=FILE``: the file is completed behind the sign too, where shells see a single word."""

    name = "footage"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        camera, sign, path = incomplete.partition("=")
        if not sign:
            return [CompletionItem(incomplete, type="file")]
        head, slash, start = path.rpartition("/")
        folder = Path(f"{head}{slash}" or ".").expanduser()
        if not folder.is_dir():
            return []
        names = sorted(file.name + "/" * file.is_dir() for file in folder.iterdir() if file.name.startswith(start))
        return [CompletionItem(f"{camera}={head}{slash}{name}") for name in names]


def run_options(command: Command) -> Command:
    """Footage, where to, with which networks, and how the work is done."""
    for option in reversed(
        [
            click.argument("footage", nargs=-1, type=Footage()),
            click.option("--output", type=RUN_FOLDER, help="The run folder; made anew or gone on with."),
            click.option(
                "--detector", metavar="NAME|PATH|ENGINE", help="Person detector [default: the first at hand]."
            ),
            click.option("--embedder", metavar="NAME|PATH|ENGINE", help="Re-identification network, or colours."),
            click.option("--tracker", metavar="NAME|YAML", type=TrackerName(), help="Tracker [default: bytetrack]."),
            click.option(
                "--runtime",
                metavar="NAME",
                type=PlugIn("engines.runtimes", "auto"),
                help="Engine runtime [default: what fits the network].",
            ),
            click.option(
                "--engine",
                type=click.Choice(["auto", "none"]),
                help="auto: the fastest engine for this machine, built once [default: none, the networks as they are].",
            ),
            click.option(
                "--fps", type=FrameRate(), metavar="N|all", help="Look at N frames a second at most [default: all]."
            ),
            click.option("--tile", type=int, metavar="PIXELS", help="Also search tiles of this side (small people)."),
            click.option(
                "--motion-gate/--no-motion-gate",
                default=None,
                help="Fixed cameras: look for people only where something moves [default: look at every frame].",
            ),
            click.option(
                "--wrong-pairs",
                type=float,
                metavar="SHARE",
                help="Expected share of wrong ones among the pairs put together [default: 0.02].",
            ),
            click.option("--settings", "settings_file", type=click.Path(path_type=Path), help="YAML with any setting."),
            click.option(
                "--max-damage",
                type=float,
                default=0.05,
                show_default=True,
                metavar="SHARE",
                help="Lost share of frames from which the exit status is 4.",
            ),
            *work_options(),
        ]
    ):
        command = option(command)
    return command


def footage_option(command: Command) -> Command:
    """``--footage``, of commands that open footage."""
    kind, words = click.Path(path_type=Path, file_okay=False), "Where moved footage lies now; proven by its SHA-256."
    return click.option("--footage", "footage_folder", type=kind, metavar="FOLDER", help=words)(command)


def window_options(command: Command) -> Command:
    """Which part of the footage is analysed."""
    said = "2026-04-12 10:00, local time of the cameras YAML, or +HH:MM:SS from each camera's start"
    command = click.option("--to", "end", metavar="TIME", help="Likewise; exclusive.")(command)
    return click.option("--from", "start", metavar="TIME", help=f"Whole segments from then on: {said}.")(command)


def work_options() -> list[Callable[[Any], Any]]:
    """How work is done; nothing here changes what comes out."""
    return [
        click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Worker processes."),
        footage_option,
        click.option("--offline", is_flag=True, help="Never download a network."),
        click.option("--redo-outdated", is_flag=True, help="Make anew what an older program made."),
        click.option("--trust-checkpoint", is_flag=True, help="Open an unregistered .pt file (it can run any code)."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    ]


def device_option(help_text: str) -> Callable[[Any], Any]:
    """``--device`` of a command that computes with torch."""
    kinds = click.Choice(["auto", "cpu", "cuda"])
    return click.option("--device", type=kinds, default="auto", show_default=True, help=help_text)


def overrides(settings_file: Path | None, chosen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings that the command line states: those of the YAML, then the options."""
    from vidreid.settings import Settings, check_model, read_yaml

    stated: dict[str, dict[str, Any]] = {}
    if settings_file is not None:
        found = read_yaml(settings_file) or {}
        check_model(Settings, found, str(settings_file))
        stated = {section: dict(values or {}) for section, values in found.items()}
    for name, value in chosen.items():
        for place in SETTINGS[name] if value is not None else ():
            section, key = place.split(".")
            stated.setdefault(section, {})[key] = value
    return stated
