"""Decoding on an NVIDIA GPU's video engine (NVDEC) through FFmpeg; pictures come back to main memory."""

from __future__ import annotations

from typing import Any

import av
from av.codec.hwaccel import HWAccel

from vidreid.errors import MissingError


def acceleration(decoder: str) -> Any:
    """What `av.open` takes as ``hwaccel`` for the decoder ``cpu`` or ``cuda``; None for the former.

    A file that the video engine cannot decode is decoded on the CPU. Raises `MissingError` where there is no engine.
    """
    if decoder == "cpu":
        return None
    accel = HWAccel("cuda", allow_software_fallback=True)
    try:
        accel.create(av.Codec("h264", "r"))
    except (av.error.FFmpegError, NotImplementedError) as error:
        reason = str(getattr(error, "strerror", error)).lower()
        raise MissingError(
            f"decoder cuda: FFmpeg finds no NVIDIA video engine here ({reason})", "set decoding: {decoder: cpu}"
        ) from None
    return accel
