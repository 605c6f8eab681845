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
    """How a file is to be made.

    ``pts`` in ticks of ``base``; evenly 25 a second where there are none. ``turned`` stored lying, to be turned by
    so many degrees. ``stray`` adds ticks to the times of frames as they are stored, as damage would. The lower field of
    an ``interlaced`` one shows another number, the complement.
    """

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
    stray: dict[int, int] = field(default_factory=dict)
    black: bool = False
    interlaced: bool = False

    def write(self, folder: Path) -> Path:
        """Encode the film."""
        path = folder / self.name
        with av.open(str(path), "w", format=self.container) as container:
            stream: Any = container.add_stream(self.codec, rate=25, options=self._options())
            stream.width, stream.height = self.size
            stream.pix_fmt = {"mjpeg": "yuvj420p", "ffv1": "bgr0"}.get(self.codec, "yuv420p")
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
                self._mux(container, stream.encode(frame))
            self._mux(container, stream.encode(None))
        return path

    def times(self) -> list[Fraction]:
        """Seconds of each frame from the first."""
        ticks = self.pts or range(self.frames)
        return [(tick - ticks[0]) * self.base for tick in ticks]

    def _mux(self, container: Any, packets: Sequence[Any]) -> None:
        for packet in packets:
            number = round(packet.pts * packet.time_base * 25)
            packet.pts += self.stray.get(number, 0)
            container.mux(packet)

    def _options(self) -> dict[str, str]:
        best = {
            "libx264": {"crf": "10", "preset": "veryfast", "bf": "0", "sc_threshold": "0"},
            "mpeg4": {"qscale": "2"},
        }
        return {**best.get(self.codec, {}), **self.options}

    def _stored(self, number: int) -> Image:
        if self.black:
            return np.zeros((*self.size[::-1], 3), np.uint8)
        lying = self.turned % 180 != 0
        upright = draw(number, self.size[::-1] if lying else self.size)
        if self.interlaced:
            upright[1::2] = draw(number ^ 0xFF, self.size)[1::2]
        return np.ascontiguousarray(np.rot90(upright, -self.turned // 90))


BS = {"bf": "2"}
FIELDS = {"bf": "2", "flags": "+ildct", "x264-params": "tff=1"}
OPEN = {"bf": "3", "x264-params": "open-gop=1:min-keyint=12:b-adapt=0"}
PYRAMID = {"bf": "3", "x264-params": "b-pyramid=strict:b-adapt=0"}
MILLI = Fraction(1, 1000)
UNEVEN = tuple(number * 40 + number % 3 * 9 for number in range(60))

FILMS = {
    "plain mp4": Film("plain.mp4"),
    "mp4 with B-frames": Film("b.mp4", options=BS),
    "mp4 with open groups": Film("open.mp4", options=OPEN),
    "mkv of variable rate": Film("uneven.mkv", options=BS, pts=UNEVEN, base=MILLI),
    "mkv with a pyramid of B-frames": Film("pyramid.mkv", options=PYRAMID, pts=tuple(range(0, 2400, 40)), base=MILLI),
    "ts": Film("plain.ts"),
    "ts with B-frames": Film("b.ts", options=BS),
    "ts with open groups": Film("open.ts", options=OPEN),
    "avi": Film("plain.avi"),
    "avi with B-frames": Film("b.avi", options=BS),
    "avi with a pyramid of B-frames": Film("pyramid.avi", options=PYRAMID),
    "avi with open groups": Film("open.avi", options=OPEN),
    "avi of MPEG-4": Film("asp.avi", codec="mpeg4", options={"bf": "2", "b_strategy": "0"}),
    "raw stream": Film("raw.h264"),
    "raw stream with B-frames": Film("b.h264", options=BS),
    "raw stream with open groups": Film("open.h264", options=OPEN),
    "turned by 90 degrees": Film("turned90.mp4", turned=90),
    "turned by 180 degrees": Film("turned180.mp4", turned=180, options=BS),
    "turned by 270 degrees": Film("turned270.mp4", turned=-90),
    "wide pixels": Film("wide.mp4", pixel_aspect=Fraction(4, 3)),
    "tall pixels": Film("tall.mp4", pixel_aspect=Fraction(3, 4)),
    "turned, wide pixels": Film("turned_wide.mp4", turned=90, pixel_aspect=Fraction(4, 3)),
    "interlaced": Film("interlaced.mp4", interlaced=True, options=FIELDS),
    "interlaced ts": Film("interlaced.ts", interlaced=True, options=FIELDS),
    "odd sizes": Film("odd.mkv", codec="ffv1", size=(63, 47), base=MILLI, pts=tuple(range(0, 2400, 40))),
    "one frame": Film("one.avi", codec="mjpeg", frames=1),
}


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


def write_truth(folder: Path, camera: str, *, people: bool = True) -> None:
    """What the oracle needs beside a film: one person who walks to the right, or none in any frame."""
    (folder / "gt").mkdir(exist_ok=True)
    rows = [f"{i},1,{i / 4},8,14,36,1,1,1.0" for i in range(1, 61)] if people else ["9999,1,0,0,9,9,1,1,1.0"]
    (folder / "gt" / f"{camera}.txt").write_text("\n".join(rows) + "\n")
