"""``<camera>.mp4``: the footage with its people outlined and named, in the source's own timing.

Pictures are shown for as long as in the source: ticks of its time base, counted from the first picture written.
A person has one colour in all cameras; interpolated boxes are thin and dashed; a short tracklet without a person is
grey and named by its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import av
import cv2
import numpy as np

from vidreid.footage.zones import microseconds
from vidreid.pipeline.results import Run
from vidreid.store.parts import write_atomic
from vidreid.types import Array, Frame, Image, VideoFile
from vidreid.views.frames import Annotator, frames
from vidreid.views.names import file_name
from vidreid.views.selection import Selection, selected_boxes, selected_cameras

FINEST = {"libx264": 2**31 - 1, "mpeg4": 65535}  # encoders by preference, and the most ticks a second that each knows
# With its tree of macroblocks, libx264's bytes depend on what lay in memory before.
H264 = {"bf": "0", "crf": "21", "preset": "veryfast", "x264-params": "mbtree=0"}
THREADS = 4  # fixed: libx264's bytes depend on the number of threads


def write(run: Run, folder: Path, selection: Selection) -> list[Path]:
    """Write ``<camera>.mp4`` for each selected camera that has a picture within the selected times."""
    paths = []
    for camera in selected_cameras(run, selection):
        pictures = _annotated(run, camera, selection)
        first = next(pictures, None)
        if first is not None:
            paths.append(folder / f"{file_name(camera)}.mp4")
            write_atomic(paths[-1], partial(encode, pictures=chain([first], pictures), files=run.files(camera)))
    return paths


def _annotated(run: Run, camera: str, selection: Selection) -> Iterator[Frame]:
    """The frames within the selected times, drawn on."""
    files = run.files(camera)
    if not files:
        return
    timeline = run.timeline(camera)
    every = np.arange(files[-1].first + len(files[-1].pts))
    inside = _within(selection, timeline.utc(every), timeline.elapsed(every))
    selected = np.flatnonzero(inside)
    if not len(selected):
        return
    annotator = Annotator(camera, selected_boxes(run, camera, selection), timeline, run.zone)
    for frame in frames(run, camera, int(selected[0]), int(selected[-1]) + 1):
        if inside[frame.index]:
            annotator.draw(frame.image, frame.index)
            yield frame


def _within(selection: Selection, times: Array | None, elapsed: Array) -> Array:
    """Which frames lie between the selection's bounds, (n,) bool; as `selected_boxes` does for boxes."""
    inside = np.ones(len(elapsed), bool)
    if selection.start is not None:
        inside &= _on_axis(selection.start, times, elapsed) >= 0
    if selection.end is not None:
        inside &= _on_axis(selection.end, times, elapsed) < 0
    return inside


def _on_axis(bound: datetime | float, times: Array | None, elapsed: Array) -> Array:
    """How much later than ``bound`` each frame is, (n,)."""
    if not isinstance(bound, datetime):
        return np.asarray(elapsed - bound)
    if times is None:  # `selected_cameras` has let it pass: nobody was seen here
        return np.full(len(elapsed), np.nan)
    return np.asarray(times - microseconds(bound))


def encode(file: BinaryIO, pictures: Iterator[Frame], files: Sequence[VideoFile]) -> None:
    """Encode the pictures at the size and time base of the first one's file."""
    first = next(pictures)
    source = files[first.file]
    codec = next(name for name in FINEST if name in av.codecs_available)
    base = max(source.time_base, Fraction(1, FINEST[codec]))
    height, width = (side + side % 2 for side in first.image.shape[:2])  # 4:2:0 wants even sides
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=_rate(source))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = base
        stream.codec_context.thread_count = THREADS
        stream.options = H264 if codec == "libx264" else {"qscale": "4"}
        for tick, frame in _timed(chain([first], pictures), files, base):
            coded = av.VideoFrame.from_ndarray(_fitted(frame.image, width, height), format="rgb24")
            coded.pts, coded.time_base = tick, base
            container.mux(stream.encode(coded))
        container.mux(stream.encode(None))


def _rate(file: VideoFile) -> Fraction:
    """Frames a second on average, which the encoder plans its bits by."""
    span = int(file.pts.max() - file.pts.min()) * file.time_base
    return Fraction((len(file.pts) - 1) / span).limit_denominator(1001) if span else Fraction(25)


def _timed(pictures: Iterator[Frame], files: Sequence[VideoFile], base: Fraction) -> Iterator[tuple[int, Frame]]:
    """Frames with rising ticks of ``base`` from 0; a new file or a jump back of time follows on without a gap."""
    shift, last, step, file = 0, -1, 1, -1
    for frame in pictures:
        tick = round(frame.pts * files[frame.file].time_base / base)
        if frame.file != file or tick + shift <= last:
            shift = (last + step if last >= 0 else 0) - tick
        elif last >= 0:
            step = tick + shift - last
        last, file = tick + shift, frame.file
        yield last, frame


def _fitted(image: Image, width: int, height: int) -> Image:
    """The picture at the video's size: a file of another size is scaled, an odd side repeats its last line."""
    tall, wide = image.shape[:2]
    if (wide + wide % 2, tall + tall % 2) != (width, height):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        tall, wide = height, width
    fitted: Image = cv2.copyMakeBorder(image, 0, height - tall, 0, width - wide, cv2.BORDER_REPLICATE)
    return fitted
