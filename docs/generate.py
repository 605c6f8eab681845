"""Writes what of the documentation the program itself knows: python docs/generate.py, or make docs.

A page holds places of the form ``<!-- made: NAME -->`` ... ``<!-- /made -->``; `BLOCKS` says what belongs between
them. A test compares, so no page can say what the program does not do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
import pyarrow as pa
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vidreid.cli import COMMANDS, cli
from vidreid.engines.registry import InputEntry, ModelEntry
from vidreid.footage.cameras import CameraEntry, CamerasFile, FileEntry, ReadingEntry, TravelEntry
from vidreid.settings import Settings
from vidreid.store import schema

sys.path.insert(0, str(Path(__file__).parent))
from measured import card_accuracy, card_calibration, card_detector, claims, measured, table
from recorder_tables import estimates, frame_rates
from systems import costs, systems

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "tests/benchmarks/results"
PAGES = (
    "README.md",
    "docs/cli.md",
    "docs/formats.md",
    "docs/recorder.md",
    "docs/reproduction.md",
    "vidreid/weights/slim-afa/card.md",
    "vidreid/weights/detector-yolo26n/card.md",
)
PLACE = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- /made -->)", re.DOTALL)

TABLES = {
    "ingest/<camera>.parquet": schema.FILES,
    "track/<camera>/<segment>.parquet": schema.TRACKS,
    "crops/<camera>/<segment>.parquet": schema.CROPS,
    "embed/<camera>/<segment>.parquet": schema.VECTORS,
    "match/tracklets.parquet": schema.TRACKLETS,
    "match/identities.parquet": schema.IDENTITIES,
    "match/evidence.parquet": schema.EVIDENCE,
}


def commands() -> str:
    """All commands, one line each."""
    return table(("command", "what it does"), [(f"`vidreid {name}`", text) for name, (_, _, text) in COMMANDS.items()])


def pages_of_help() -> Iterator[tuple[str, click.Context]]:
    """Every command's path and context, groups before what they hold."""

    def walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Context]]:
        yield context.command_path, context
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None
                yield from walk(child, child.context_class(child, info_name=name, parent=context))

    yield from walk(cli, click.Context(cli, info_name="vidreid", **cli.context_settings))


def command_line() -> str:
    """The help of every command, as the program prints it."""
    parts = []
    for path, context in pages_of_help():
        context.max_content_width = context.terminal_width = 100
        parts.append(f"## {path}\n\n```text\n{context.command.get_help(context)}\n```\n")
    return "\n".join(parts)


def run_folder() -> str:
    """The columns of every table in a run folder."""
    parts = []
    for name, columns in TABLES.items():
        rows = [(f"`{field.name}`", _kind(field.type), field.metadata[b"meaning"].decode()) for field in columns]
        parts.append(f"### `{name}`\n\n{table(('column', 'type', 'meaning'), rows)}")
    return "\n".join(parts)


def _kind(kind: pa.DataType) -> str:
    """An Arrow type in words that do not change with its version."""
    if pa.types.is_list(kind):
        return f"list of {_kind(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "(" + ", ".join(f"{kind.field(i).name} {kind.field(i).type}" for i in range(kind.num_fields)) + ")"
    return str(kind)


def settings() -> str:
    """All settings, section by section."""
    parts = []
    for name, section in Settings.model_fields.items():
        kind = section.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        parts.append(f"### `{name}`\n\n{kind.__doc__}\n\n{_fields(kind)}")
    return "\n".join(parts)


def cameras() -> str:
    """The keys of a camera, and of a file within it, in a cameras YAML."""
    return (
        f"The file:\n\n{_fields(CamerasFile)}\nA camera:\n\n{_fields(CameraEntry)}\n"
        f"A file of it, where it is more than a path:\n\n{_fields(FileEntry)}\n"
        f"An entry of `readings`:\n\n{_fields(ReadingEntry)}\n"
        f"An entry of `travel`:\n\n{_fields(TravelEntry)}"
    )


def models() -> str:
    """The keys of a network's entry, and of its input."""
    return f"{_fields(ModelEntry)}\n`input`:\n\n{_fields(InputEntry)}"


def _fields(kind: type[BaseModel]) -> str:
    """Keys, types, defaults and limits of a pydantic model."""
    rows = [
        (f"`{name}`", _type(field), "required" if field.is_required() else f"`{_default(field)}`", _meaning(field))
        for name, field in kind.model_fields.items()
    ]
    return table(("key", "type", "default", "meaning"), rows)


def _type(field: FieldInfo) -> str:
    return _named(field.annotation)


def _named(kind: Any) -> str:
    """A type as it is written, without its module and what checks it."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is None:
        return "None" if kind is type(None) else str(getattr(kind, "__name__", kind))
    if origin is Annotated:
        return _named(inner[0])
    if origin in (Union, UnionType):
        return " | ".join(map(_named, inner))
    if origin is Literal:
        return " | ".join(map(repr, inner))
    return f"{origin.__name__}[{', '.join(map(_named, inner))}]"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value) or '""'


def _meaning(field: FieldInfo) -> str:
    signs = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most", "min_length": "entries: at least"}
    limits = [
        f"{word} {getattr(limit, key):g}"
        for limit in field.metadata
        for key, word in signs.items()
        if hasattr(limit, key)
    ]
    return "; ".join([*([field.description] if field.description else []), *([", ".join(limits)] if limits else [])])


BLOCKS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "command-line": command_line,
    "run-folder": run_folder,
    "settings": settings,
    "cameras": cameras,
    "models": models,
    "measured": lambda: measured(RESULTS),
    "tclnet": lambda: systems(RESULTS, "tclnet"),
    "afa": lambda: systems(RESULTS, "afa"),
    "complexity": costs,
    "claims": lambda: claims(RESULTS),
    "card-accuracy": lambda: card_accuracy(RESULTS, "slim-afa"),
    "card-calibration": lambda: card_calibration(RESULTS, "slim-afa"),
    "frame-rates": lambda: frame_rates(ROOT / "configs/frame_rates.json", table),
    "estimates": lambda: estimates(RESULTS / "estimate.json", table),
    "card-detector": lambda: card_detector(RESULTS),
}


def filled(text: str) -> str:
    """A page with all its places filled anew."""
    return PLACE.sub(lambda place: f"{place[1]}\n{BLOCKS[place[2]]()}\n{place[3]}", text)


def main() -> None:
    """Rewrite the pages that are out of date, and name them."""
    for name in PAGES:
        page = ROOT / name
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            page.write_text(filled(text), encoding="utf-8")
            print(name)


if __name__ == "__main__":
    main()
