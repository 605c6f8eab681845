"""Words that the commands of `engine` take."""

from __future__ import annotations

import re

import click
from click.shell_completion import CompletionItem


class RecipeName(click.ParamType[str]):
    """A recipe's name or YAML, completed from engines/."""

    name = "recipe"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from vidreid.engines.recipe import recipe_names

        return [CompletionItem(name) for name in recipe_names() if name.startswith(incomplete)]


class Batch(click.ParamType[tuple[int, int, int]]):
    """LEAST:USUAL:MOST of a batch, or one number where it never changes."""

    name = "batch"

    def convert(
        self, value: str | tuple[int, int, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int, int]:
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"\d{1,6}(:\d{1,6}:\d{1,6})?", value):
            self.fail(f"{value!r} is not LEAST:USUAL:MOST, such as 1:8:32.", param, ctx)
        numbers = [int(number) for number in value.split(":")]
        least, usual, most = numbers * 3 if len(numbers) == 1 else numbers
        if least < 1:
            self.fail(f"{value}: a batch holds at least 1.", param, ctx)
        if not least <= usual <= most:
            self.fail(f"{value}: the numbers must not fall.", param, ctx)
        return least, usual, most


class Device(click.ParamType[int]):
    """``cuda:1``, or ``cuda`` for the first: the number of a GPU."""

    name = "device"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"cuda(?::(\d{1,3}))?", value)
        if not found:
            self.fail(f"{value!r} is not cuda:N, such as cuda:1.", param, ctx)
        return int(found[1] or 0)


class Capabilities(click.ParamType[tuple[str, ...]]):
    """Compute capabilities of GPUs: ``sm86,sm120``."""

    name = "capabilities"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"sm\d{2,3}(,sm\d{2,3})*", value):
            self.fail(f"{value!r} is no list of compute capabilities, such as sm86,sm120.", param, ctx)
        return tuple(dict.fromkeys(value.split(",")))


class EngineName(click.ParamType[str]):
    """An engine's folder, or the start of its name, completed from the user's engines."""

    name = "engine"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from vidreid.engines.folder import cache, engine_folders

        names = [folder.name for folder in engine_folders(cache()) if folder.name.startswith(incomplete)]
        return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, type="dir")]
