"""A file's frames as its header claims them: quick, for what can bear that the claim is wrong."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from vidreid.footage.packets import open_video
from vidreid.footage.probe import probe
from vidreid.types import VideoFile

MICRO = 1_000_000


def outline(path: Path) -> VideoFile:
    """Frames at an even rate over the claimed length; as `ingest` finds them where the header claims none.

    Without SHA-256. Raises `InputError` where the file is no video.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        length, rate = container.duration or 0, stream.average_rate or stream.guessed_rate or Fraction(25)
        codec = stream.codec_context
        if length > 0:
            count = max(1, round(length / MICRO * rate))
            return VideoFile(
                sha256="",
                bytes=path.stat().st_size,
                codec=codec.name,
                width=codec.width,
                height=codec.height,
                rotation=0,
                pixel_aspect=Fraction(1),
                time_base=Fraction(1, MICRO),
                pts=np.linspace(0, length, count, endpoint=False).round().astype(np.int64),
                key=np.zeros(1, np.int64),
                stretches=np.zeros(1, np.int64),
                first=0,
            )
    return probe(path)
