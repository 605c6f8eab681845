"""Footage as pictures: a video, or a folder of videos with ``gt/<camera>.txt`` (MOT) beside those that are labelled.

Frames are decoded in order; whoever reads them in the order of `Source.pictures` decodes each file once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from vidreid.errors import InputError
from vidreid.training.detector.sources import Part, Picture, Source, check_root
from vidreid.types import Boxes, Frame, Image, VideoFile

SECONDS = 0.5  # between two frames that are trained on: neighbours show the same


def open_source(root: Path, part: Part) -> Source:
    """For training a frame every half second, for scoring every labelled one; with ``val`` only labelled cameras.

    ``scene.json`` may say how far labels reach and that they are partial, as for runs
    (`vidreid.evaluation.truth.read_truth`). The name of the folder, or of the video, is the set's.
    """
    from vidreid.footage.cameras import VIDEO_SUFFIXES

    check_root(root)
    folder = root if root.is_dir() else root.parent
    videos = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
    found = [root] if root.is_file() else videos
    if not found:
        raise InputError(f"{root}: no footage in it", "give a video, or a folder of videos")
    _check_names(found)
    truth, partial = _truth(folder, [path.stem for path in found])
    cameras = {path.stem: _Camera(path) for path in found if part == "train" or path.stem in truth}
    if not cameras:
        raise InputError(f"{root}: no labels", "expected gt/<camera>.txt beside the footage")
    pictures = []
    for name, camera in cameras.items():
        span, labels = truth.get(name, (None, None))
        for index in camera.every(SECONDS) if part == "train" else range(camera.frames):
            if span is None or span[0] <= index + 1 <= span[1]:
                boxes = None if labels is None else camera.shares(labels(index))
                pictures.append(Picture(root.stem, f"{name}/{index:06d}", boxes))

    def read(key: str) -> Image:
        name, _, index = key.rpartition("/")
        return cameras[name].read(int(index))

    return Source(root.stem, tuple(pictures), read, partial=partial)


def _check_names(videos: Sequence[Path]) -> None:
    """`InputError` where two videos would be the same camera."""
    known: dict[str, Path] = {}
    for path in videos:
        other = known.setdefault(path.stem, path)
        if other is not path:
            raise InputError(f"{other} and {path.name}: two videos of one camera", "give one of them another name")


Labels = tuple[tuple[int, int] | None, Callable[[int], Boxes]]


def _truth(folder: Path, cameras: list[str]) -> tuple[dict[str, Labels], bool]:
    """By camera: the labelled span, and boxes in pixels by frame index; and whether the labels are partial."""
    from vidreid.evaluation.truth import CameraTruth, read_truth

    if not any((folder / part / f"{camera}.txt").is_file() for camera in cameras for part in ("", "gt")):
        return {}, False
    found = read_truth(folder, cameras)

    def labels(truth: CameraTruth) -> Labels:
        return truth.span, lambda index: truth.rows.boxes[truth.rows.frame == index + 1]

    return {name: labels(truth) for name, truth in found.cameras.items()}, found.partial


class _Camera:
    """A video whose frames are read one after another, and from the beginning again where somebody goes back."""

    def __init__(self, path: Path) -> None:
        from vidreid.footage.probe import probe

        self.path = path
        self.file: VideoFile = probe(path)
        self._frames: Iterator[Frame] = iter(())
        self._frame: Frame | None = None
        self._before = -1  # index of the frame before the one that is held
        self._rewind()

    @property
    def frames(self) -> int:
        return len(self.file.pts)

    def every(self, seconds: float) -> Iterator[int]:
        """Indices of frames at least so far apart in time."""
        last = -np.inf
        for index in range(self.frames):
            time = self.file.seconds(index)
            if abs(time - last) >= seconds:
                last = time
                yield index

    def shares(self, boxes: Boxes) -> Boxes:
        """Boxes in pixels as shares of the picture, within it."""
        size = np.array([self.file.width, self.file.height] * 2, np.float32)
        return np.asarray(np.clip(boxes / size, 0, 1), np.float32)

    def read(self, index: int) -> Image:
        """`OSError` where this frame cannot be decoded."""
        if index <= self._before:
            self._rewind()
        while self._frame is None or self._frame.index < index:
            self._before = -1 if self._frame is None else self._frame.index
            self._frame = next(self._frames, None)
            if self._frame is None:
                self._rewind()
                break
        if self._frame is None or self._frame.index != index:
            raise OSError(f"{self.path.name}: frame {index} cannot be decoded")
        return self._frame.image

    def _rewind(self) -> None:
        self._frames, self._frame, self._before = self._decoded(), None, -1

    def _decoded(self) -> Iterator[Frame]:
        from vidreid.footage.decode import SegmentDecoder
        from vidreid.footage.segments import cut

        for segment in cut(self.path.stem, [self.file], seconds=np.inf, overlap=0.0):
            yield from SegmentDecoder(self.path, self.file, segment).frames()
