"""A reading put into a cameras YAML as text, so that comments, order and line ends stay as they are."""

from __future__ import annotations

from typing import Any

import yaml


def with_reading(text: str, camera: str, item: str) -> str:
    """The text of a cameras YAML with ``item``, a YAML mapping in one line, as the last reading of a camera.

    The file must hold the camera. Whoever calls this compares what both texts say: YAML can be written in ways that
    are not foreseen here.
    """
    entry = _value(_value(yaml.compose(text, yaml.SafeLoader), "cameras"), camera)
    readings = _value(entry, "readings")
    if readings is not None and readings.flow_style:
        return _before_end(text, readings, item)
    if readings is not None:
        return _below(text, readings, [f"{' ' * readings.start_mark.column}- {item}"])
    if entry.flow_style:
        return _before_end(text, entry, f"readings: [{item}]")
    indent = " " * entry.start_mark.column
    return _below(text, entry, [f"{indent}readings:", f"{indent}  - {item}"])


def _value(node: Any, key: str) -> Any:
    """The node of a key, None where a mapping does not hold it."""
    return next((value for name, value in node.value if name.value == key), None)


def _before_end(text: str, node: yaml.CollectionNode, item: str) -> str:
    """The text with an entry before the bracket that ends a flow collection."""
    end = node.end_mark.index - 1
    before = text[:end].rstrip()
    return f"{before}{'' if before[-1] in '[{,' else ','} {item}{text[end:]}"


def _below(text: str, node: yaml.Node, added: list[str]) -> str:
    """The text with lines below the last one of a block."""
    lines = text.split("\n")
    last = _last_line(node)
    end = "\r" if lines[0].endswith("\r") else ""
    if last == len(lines) - 1:
        lines[last] += end
    return "\n".join([*lines[: last + 1], *(line + end for line in added), *lines[last + 1 :]])


def _last_line(node: yaml.Node) -> int:
    """The line on which a node ends; marks of blocks lie behind the empty lines and comments that follow."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    return int(mark.line) - (mark.column == 0 and mark.line > node.start_mark.line)
