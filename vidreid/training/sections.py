"""Typed sections of a YAML file: mappings in, frozen dataclasses out; what does not fit is named in one line."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, Union

from vidreid.errors import InputError

Section = TypeVar("Section")


def section(kind: type[Section], values: Mapping[str, Any], where: str) -> Section:
    """The dataclass ``kind`` from a mapping of its fields; unknown or missing keys, wrong types and what its
    ``__post_init__`` refuses are an `InputError`.

    ``where`` is said first in errors. A word alone for a dataclass within is its first field.
    """
    hints = typing.get_type_hints(kind)
    for key in values:
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(hints)}"
            raise InputError(f"{where}: unknown key {key!r}", hint)
    for key in _required(kind):
        if key not in values:
            raise InputError(f"{where}: {key} is missing", f"give {key}")
    read = {key: _value(hints[key], value, f"{where}: {key}") for key, value in values.items()}
    try:
        return kind(**read)
    except InputError as error:
        raise InputError(f"{where}: {error.message}", error.hint) from None


def within(values: object, low: float, high: float, *fields: str) -> None:
    """For ``__post_init__``: `InputError` where a number, or one in a tuple, is not finite and in low..high."""
    hint = f"give {low} to {high}" if high < math.inf else f"give at least {low}"
    for field in fields:
        value = getattr(values, field)
        for number in value if isinstance(value, tuple) else (value,):
            if not (low <= number <= high and math.isfinite(number)):
                raise InputError(f"{field}: {number}", hint)


def _required(kind: Any) -> list[str]:
    nothing = dataclasses.MISSING
    fields = dataclasses.fields(kind)
    return [field.name for field in fields if field.default is nothing and field.default_factory is nothing]


def _value(kind: Any, value: Any, where: str) -> Any:
    """``value`` as YAML has it, as a field of type ``kind``."""
    if dataclasses.is_dataclass(kind):
        return _nested(kind, value, where)
    return READERS[typing.get_origin(kind) or kind](kind, value, where)


def _nested(kind: Any, value: Any, where: str) -> Any:
    if isinstance(value, str):
        value = {dataclasses.fields(kind)[0].name: value}
    return section(kind, value, where) if isinstance(value, dict) else _refuse(kind, value, where)


def _choice(kind: Any, value: Any, where: str) -> Any:
    known = typing.get_args(kind)
    if value in known:
        return value
    raise InputError(f"{where}: {value!r}", f"one of: {', '.join(map(str, known))}")


def _optional(kind: Any, value: Any, where: str) -> Any:
    inner = next(one for one in typing.get_args(kind) if one is not type(None))
    return None if value is None else _value(inner, value, where)


def _sequence(kind: Any, value: Any, where: str) -> Any:
    kinds = typing.get_args(kind)
    if not isinstance(value, list):
        return _refuse(kind, value, where)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise InputError(f"{where}: {len(value)} values", f"give {len(kinds)}")
    return tuple(_value(one, item, where) for one, item in zip(kinds, value, strict=True))


def _mapping(kind: Any, value: Any, where: str) -> Any:
    inner = typing.get_args(kind)[1]
    if not isinstance(value, dict):
        return _refuse(kind, value, where)
    return {str(key): _value(inner, item, f"{where}: {key}") for key, item in value.items()}


def _number(kind: Any, value: Any, where: str) -> Any:
    # YAML 1.1 takes 1e-4, which lacks a point, for a word.
    with contextlib.suppress(ValueError):
        if type(value) in {int, float, str}:
            return float(value)
    return _refuse(kind, value, where)


def _plain(kind: Any, value: Any, where: str) -> Any:
    # Not isinstance: true would be a whole number.
    return value if type(value) is kind else _refuse(kind, value, where)


def _anything(kind: Any, value: Any, where: str) -> Any:
    return value


def _refuse(kind: Any, value: Any, where: str) -> Any:
    wanted = WORDS.get(typing.get_origin(kind) or kind, "a mapping of keys")
    raise InputError(f"{where}: {value!r} is of the wrong kind", f"give {wanted}")


READERS: dict[Any, Callable[[Any, Any, str], Any]] = {
    Literal: _choice,
    types.UnionType: _optional,
    Union: _optional,
    tuple: _sequence,
    Mapping: _mapping,
    float: _number,
    int: _plain,
    str: _plain,
    bool: _plain,
    Any: _anything,
}
WORDS = {float: "a number", int: "a whole number", str: "a word", bool: "true or false", tuple: "a list"}
