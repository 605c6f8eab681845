"""What a file's header states, without reading its packets: its length, when it was made, and of which channel."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vidreid.footage.containers import head_of
from vidreid.footage.packets import open_video

EARLIEST = 2000  # years before that are a clock that was never set


@dataclass(frozen=True, slots=True)
class FileHeader:
    """``seconds`` that a file says it lasts, None where it does not; ``made``: when it says it was made, in UTC, or
    without a zone where that is the recorder's local time; ``channel`` of the recorder, empty where it names none."""

    seconds: float | None
    made: datetime | None
    channel: str


def read_header(path: Path) -> FileHeader:
    """Open a file and read its header; `InputError` says why it is no footage."""
    with open_video(path) as container:
        seconds = container.duration / 1e6 if container.duration and container.duration > 0 else None
        dahua = container.format.name == "dhav"
        return FileHeader(seconds, _local(container) if dahua else _made(container), _channel(path) if dahua else "")


def _made(container: Any) -> datetime | None:
    """When the container says that it was made: of many tools, when the copy was."""
    for key in ("creation_time", "date"):
        with contextlib.suppress(KeyError, ValueError):
            made = datetime.fromisoformat(container.metadata[key])
            if made.year >= EARLIEST:
                return made
    return None


def _local(container: Any) -> datetime | None:
    """The first frame's time of a Dahua recording: its frames hold the recorder's clock, which FFmpeg takes for UTC."""
    start = container.start_time
    made = None if start is None else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=start)
    return made.replace(tzinfo=None) if made is not None and made.year >= EARLIEST else None


def _channel(path: Path) -> str:
    """The channel in the header of a Dahua recording's first frame, which counts from 0."""
    head = head_of(path, 64)
    place = head.find(b"DHAV")
    return f"ch{head[place + 6] + 1}" if 0 <= place < len(head) - 6 else ""
