"""Footage made for the tests: every picture says its number and which corner is its upper left one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.segments import cut
from vidreid.types import Image, Segment, VideoFile

WIDTH, HEIGHT = 64, 48
GREY, DARK, LIGHT = 110, 20, 235
KEY_EVERY = 12


@dataclass(frozen=True)
class Film:
    """How a file is to be made. ``pts`` in ticks of ``base``; evenly 25 a second where there are none."""

    name: str
    frames: int = 60
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    pts: tuple[int, ...] = ()
    base: Fraction = Fraction(1, 25)
    container: str | None = None
    key_every: int = KEY_EVERY
    size: tuple[int, int] = (WIDTH, HEIGHT)
    pixel_aspect: Fraction | None = None
    turned: int = 0
    first_number: int = 0

    def write(self, folder: Path) -> Path:
        """Encode the film; a film that is ``turned`` is stored lying and says by how many degrees."""
        path = folder / self.name
        with av.open(str(path), "w", format=self.container) as container:
            stream: Any = container.add_stream(self.codec, rate=25, options=self._options())
            stream.width, stream.height = self.size
            stream.pix_fmt = "yuvj420p" if self.codec == "mjpeg" else "yuv420p"
            stream.codec_context.gop_size = self.key_every
            stream.codec_context.thread_count = 1
            stream.codec_context.time_base = self.base
            if self.pixel_aspect:
                stream.codec_context.sample_aspect_ratio = self.pixel_aspect
            if self.turned:
                stream.set_display_rotation(self.turned)
            for number in range(self.frames):
                frame = av.VideoFrame.from_ndarray(self._stored(number), format="rgb24")
                frame.pts = self.pts[number] if self.pts else number
                frame.time_base = self.base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    def _options(self) -> dict[str, str]:
        best = {"libx264": {"crf": "10", "preset": "veryfast", "bf": "0", "sc_threshold": "0"}, "mpeg4": {"qscale": "2"}}
        return {**best.get(self.codec, {}), **self.options}

    def _stored(self, number: int) -> Image:
        lying = self.turned % 180 != 0
        upright = draw(number + self.first_number, self.size[::-1] if lying else self.size)
        return np.ascontiguousarray(np.rot90(upright, -self.turned // 90))


def draw(number: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image:
    """A grey picture with a red upper left corner and its number, in eight dark or light fields."""
    width, height = size
    image = np.full((height, width, 3), GREY, np.uint8)
    image[: height // 4, : width // 4] = (230, 20, 20)
    for bit, (rows, columns) in enumerate(_fields(width, height)):
        image[rows, columns] = LIGHT if number >> bit & 1 else DARK
    return image


def number_of(image: Image) -> int:
    """The number that a picture shows, whatever its scale."""
    height, width = image.shape[:2]
    means = [image[rows, columns].mean() for rows, columns in _fields(width, height)]
    return sum(1 << bit for bit, mean in enumerate(means) if mean > GREY)


def is_upright(image: Image) -> bool:
    """Whether the red corner is the upper left one, and no other."""
    height, width = image.shape[:2]
    down, across = height // 8, width // 8
    red = [
        int(image[y, x, 0]) - int(image[y, x, 1]) > 100
        for y, x in ((down, across), (down, -across), (-down, across), (-down, -across))
    ]
    return red == [True, False, False, False]


def _fields(width: int, height: int) -> list[tuple[slice, slice]]:
    """Eight fields below the corner: two rows of four."""
    ys = [height // 4, height * 5 // 8, height]
    xs = [width * i // 4 for i in range(5)]
    return [(slice(ys[r], ys[r + 1]), slice(xs[c], xs[c + 1])) for r in range(2) for c in range(4)]


def whole(file: VideoFile, camera: str = "c") -> list[Segment]:
    """One segment a stretch: the file in as few pieces as can be."""
    return cut(camera, [file], seconds=1e9, overlap=0.1)


def decode(path: Path, file: VideoFile, segments: Sequence[Segment]) -> dict[int, Image]:
    """Pictures of the frames that the segments own, by frame index."""
    pictures: dict[int, Image] = {}
    for segment in segments:
        for frame in SegmentDecoder(path, file, segment).frames():
            if segment.own_first <= frame.index < segment.own_stop:
                pictures[frame.index] = frame.image
    return pictures
