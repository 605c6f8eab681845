"""The command line. Commands are loaded when they are called, so that help is immediate."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import click

from vidreid import __version__
from vidreid.errors import VidreidError

# name: (module, function, one line of help); the order is that of a user's day.
COMMANDS = {
    "cameras": ("cameras", "cameras", "Sort a recorder's export into cameras."),
    "clock": ("clock", "clock", "Set a camera's clock by a stamp in its picture."),
    "run": ("run", "run", "Footage of several cameras in, people across cameras out."),
    "resume": ("run", "resume", "Go on with a run that was stopped."),
    "status": ("status", "status", "What of a run is done, stale or due."),
    "search": ("search", "search", "Find a person: the sightings that are most like them."),
    "explain": ("explain", "explain", "Why two sightings are one person, or two."),
    "decide": ("decide", "decide", "Say who is who, or is not; later matches keep to it."),
    "calibrate": ("calibrate", "calibrate", "What a likeness means in a run."),
    "export": ("export", "export", "Write a run's sightings as tables, annotated video or clips."),
    "verify": ("verify", "verify", "Whether an export or a run is what it was."),
    "licenses": ("licenses", "licenses", "Terms of the code, weights and data of a run."),
    "demo": ("demo", "demo", "Film a synthetic site, run on it, score the result."),
    "doctor": ("doctor", "doctor", "What this machine can run, and what is missing."),
    "evaluate": ("evaluate", "evaluate", "Score a run against labels, or a network on a data set."),
    "engine": ("engine", "engine", "Build networks for a runtime; check and time them."),
    "pack": ("pack", "pack", "Make trained weights a network that runs take."),
    "train": ("train", "train", "Train a network on labelled pictures of people."),
    "ingest": ("run", "ingest", "Stage 1: which frames the files hold."),
    "track": ("run", "track", "Stage 2: find and follow people, keep pictures of them."),
    "embed": ("run", "embed", "Stage 3: pictures to vectors."),
    "match": ("run", "match", "Stage 4: who is who."),
    "completion": ("completion", "completion", "Print the tab completion of a shell."),
}


class LazyGroup(click.Group):
    """Lists commands from a ``table`` like `COMMANDS` and imports the one that is called, a module of ``package``."""

    def __init__(self, *words: Any, table: Mapping[str, tuple[str, str, str]], package: str, **options: Any) -> None:
        super().__init__(*words, **options)
        self._table = table
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return None
        module, function, _ = self._table[cmd_name]
        command = getattr(importlib.import_module(f"{self._package}.{module}"), function)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in self._table.items()])


@click.group(cls=LazyGroup, table=COMMANDS, package=__name__, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vidreid")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Who is who, across the cameras of a site, from raw footage, offline."""


def main() -> None:
    """The program: errors are two lines on stderr and an exit status (docs/architecture.md)."""
    words = [word for word in sys.argv[1:] if word != "--debug"]
    debug = len(words) < len(sys.argv) - 1  # wherever it stands: it is added after a command has failed
    # Libraries read these when they are imported: no telemetry, no installs, no chatter.
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    os.environ.setdefault("OPENVINO_TELEMETRY", "0")
    # FFmpeg's words about damaged packets are counted and reported by ourselves.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        status = cli.main(words, standalone_mode=False, prog_name="vidreid")
        sys.exit(status if isinstance(status, int) else 0)
    except click.Abort:
        sys.exit(_fail("stopped; what is finished is kept", "the same command goes on", 130))
    except KeyboardInterrupt:
        sys.exit(_fail("stopped; what is finished is kept", "the same command goes on", 130))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "vidreid"
        sys.exit(_fail(error.format_message(), f"{command} --help", 2))
    except VidreidError as error:
        if debug:
            traceback.print_exc()
        sys.exit(_fail(error.message, error.hint, error.exit_status))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if _hides_interrupt(error):
            sys.exit(_fail("stopped; what is finished is kept", "the same command goes on", 130))
        if debug:
            traceback.print_exc()
        line = f"{type(error).__name__}: {error}".splitlines()[0]
        sys.exit(_fail(line, "this is a fault in vidreid; the same with --debug shows where", 1))


def _hides_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: compiled modules that it stops while they load raise their own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _fail(message: str, hint: str, status: int) -> int:
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    return status
