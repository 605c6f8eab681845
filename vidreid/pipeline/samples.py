"""Pictures of people that engines are compared and calibrated on: those of the synthetic world, or the user's own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from vidreid.detection.letterbox import Letterbox
from vidreid.embedding.network import parts, person, scaled
from vidreid.errors import InputError
from vidreid.footage.cameras import VIDEO_SUFFIXES
from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.probe import probe
from vidreid.footage.segments import cut
from vidreid.types import Array, Crop, Image, ModelSpec
from vidreid.world.film import write_world

GOLDEN = {"embedder": 16, "detector": 4}  # inputs whose answers travel with an engine
CALIBRATION = {"embedder": 128, "detector": 64}  # inputs that ranges are measured on
PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}
SECONDS = 2.0  # of footage that is decoded at most for one picture, but for long ways between key frames
MIN_HEIGHT, MIN_VISIBILITY = 48, 0.6  # of the world's people; pixels, share

Item = TypeVar("Item")
Show = Callable[[], Image]
Shown = Sequence[Show]  # a person's pictures in order of time


def golden_images(spec: ModelSpec, size: tuple[int, int]) -> Array:
    """People of the synthetic world as a network takes them: uint8 RGB (n, [T,] H, W, 3), ``size`` (height, width)."""
    return _inputs(spec, size, GOLDEN[spec.kind], None, seed=14)


def calibration_images(spec: ModelSpec, place: Path | None) -> tuple[Array, str]:
    """The same of the network's usual size, other people, to measure ranges on; and in words what they show.

    ``place`` is the user's: a folder of pictures (of persons for embedders, in whose folders neighbours by name are
    the same person; of scenes for detectors), a run folder, or for detectors a video or a folder of videos.
    `InputError` where nothing of it can be used.
    """
    count = CALIBRATION[spec.kind]
    images = _inputs(spec, spec.input.size, count, place, seed=15)
    what = "clip" if spec.frames > 1 else "picture"
    plural = "s" if len(images) > 1 else ""
    return images, f"{len(images)} {what}{plural} of {place.name if place else 'the synthetic world'}"


def _inputs(spec: ModelSpec, size: tuple[int, int], count: int, place: Path | None, *, seed: int) -> Array:
    if spec.kind == "detector":
        scenes = _world_scenes(seed, count) if place is None else _given_scenes(place, count)
        return np.stack([Letterbox((image.shape[0], image.shape[1]), size).apply(image) for image in scenes])
    people = _world_people(seed, count) if place is None else _given_people(place, count)
    clips = evenly([part for shown in people for part in parts(shown, spec.frames)], count)
    images = np.stack([np.stack([scaled(show(), size) for show in clip]) for clip in clips])
    return images if spec.frames > 1 else images[:, 0]


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """At most ``count`` of them, from the first to the last, as far apart as can be.

    >>> evenly("abcdefg", 3), evenly("ab", 3)
    (['a', 'd', 'g'], ['a', 'b'])
    """
    if len(items) <= count:
        return list(items)
    return [items[place] for place in np.linspace(0, len(items) - 1, count).round().astype(int)]


# The synthetic world


def _world_scenes(seed: int, count: int) -> list[Image]:
    """Frames of its cameras, two seconds apart."""
    with tempfile.TemporaryDirectory() as folder:
        cameras = write_world(
            Path(folder), seed=seed, seconds=2.0 * -(-count // 2), cameras=2, people=12, size=(640, 480), fps=(0.5, 0.5)
        ).parent
        return [image for path in sorted(cameras.glob("*.mp4")) for image in _frames(path, count)][:count]


def _world_people(seed: int, count: int) -> list[Shown]:
    """Its people, three pictures a second; there are more clips of four of them than ``count``."""
    cameras = 1 + (count > GOLDEN["embedder"])
    with tempfile.TemporaryDirectory() as folder:
        write_world(Path(folder), seed=seed, seconds=12.0 * cameras, cameras=cameras, people=12, fps=[3.0] * cameras)
        found: list[Shown] = []
        for path in sorted(Path(folder).glob("*.mp4")):
            frames = _frames(path, None)
            crops = _crops(frames, np.loadtxt(Path(folder) / "gt" / f"{path.stem}.txt", delimiter=",", ndmin=2))
            found += [[partial(np.asarray, crop) for crop in of_one] for of_one in crops.values()]
        return found


def _crops(frames: Sequence[Image], rows: Array) -> Mapping[int, list[Image]]:
    """The people of labelled frames (rows as in ``gt``) who can be seen well, by their number."""
    seen: dict[int, list[Image]] = {}
    for frame, number, x, y, width, height, _, _, visibility in rows:
        if height >= MIN_HEIGHT and visibility >= MIN_VISIBILITY:
            top, left = int(y), int(x)
            crop = frames[int(frame) - 1][top : top + int(height), left : left + int(width)]
            seen.setdefault(int(number), []).append(crop)
    return dict(sorted(seen.items()))


# The user's own


def _given_people(place: Path, count: int) -> list[Shown]:
    if _is_run(place):
        return _people_of_run(place, count)
    pictures = _files(place, PICTURE_SUFFIXES)
    if not pictures:
        raise InputError(f"{place}: no pictures of persons", "give a folder of them, or a run folder (vidreid run)")
    return [[partial(_picture, path) for path in files] for _, files in groupby(pictures, key=lambda path: path.parent)]


def _people_of_run(place: Path, count: int) -> list[Shown]:
    """The crops that a run stored of some of its tracklets."""
    from vidreid.pipeline.results import Run

    run = Run(place)
    chosen = evenly(run.tracklets()["tracklet"].to_pylist(), count)
    if not chosen:
        raise InputError(f"{place}: nobody was found in it", "give another run")
    rows = run.crops(chosen).to_pylist()
    return [[partial(_stored, row) for row in of_one] for _, of_one in groupby(rows, key=lambda row: row["tracklet"])]


def _stored(row: Mapping[str, object]) -> Image:
    """The person of a stored crop."""
    image = _decoded(np.frombuffer(row["jpeg"], np.uint8), str(row["tracklet"]))  # type: ignore[call-overload]
    box = np.array([row[edge] for edge in ("x1", "y1", "x2", "y2")], np.float32)
    height, width = np.ceil(box[3] - box[1]), np.ceil(box[2] - box[0])
    return person(Crop(image, box, 1.0), (max(1, int(height)), max(1, int(width))))


def _given_scenes(place: Path, count: int) -> list[Image]:
    pictures = [] if _is_run(place) else _files(place, PICTURE_SUFFIXES)
    if pictures:
        return [_picture(path) for path in evenly(pictures, count)]
    videos = _footage_of_run(place) if _is_run(place) else _files(place, VIDEO_SUFFIXES)
    if not videos:
        raise InputError(f"{place}: no pictures and no footage", "give a folder of pictures, a video or a run folder")
    chosen = evenly(videos, count)
    return [image for path in chosen for image in _frames(path, -(-count // len(chosen)))][:count]


def _footage_of_run(place: Path) -> list[Path]:
    from vidreid.pipeline.results import Run

    run = Run(place)
    return [path for camera in run.cameras for path in run.footage(camera) if path.is_file()]


def _is_run(place: Path) -> bool:
    return (place / "run.json").is_file()


def _files(place: Path, suffixes: set[str] | frozenset[str]) -> list[Path]:
    """The files of these kinds at a place and below it, by name, folder by folder."""
    found = [place] if place.is_file() else place.rglob("*")
    kept = [path for path in found if path.suffix.lower() in suffixes and path.is_file()]
    return sorted(kept, key=lambda path: (path.parent, path.name))


def _picture(path: Path) -> Image:
    return _decoded(np.fromfile(path, np.uint8), str(path))


def _decoded(encoded: Array, name: str) -> Image:
    found = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    if found is None:
        raise InputError(f"{name}: not a picture, or damaged", "take it out")
    return np.ascontiguousarray(found[:, :, ::-1])


def _frames(path: Path, count: int | None) -> list[Image]:
    """Frames of a video, ``count`` of them spread over it or all; those that cannot be decoded are left out."""
    file = probe(path)
    places = range(len(file.pts))
    wanted = set(places if count is None else evenly(places, count))
    found = []
    for segment in cut(path.stem, [file], seconds=SECONDS, overlap=0.0):
        last = max(wanted.intersection(range(segment.first, segment.stop)), default=-1)
        if last < 0:
            continue
        for frame in SegmentDecoder(path, file, segment).frames():
            if frame.index in wanted:
                found.append(frame.image)
            if frame.index >= last:
                break
    return found
