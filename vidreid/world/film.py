"""Films the world: an MP4, its truth and its clock for each camera."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from vidreid.errors import UsageError
from vidreid.types import Image
from vidreid.world.gait import Stance
from vidreid.world.paths import Visit, visits
from vidreid.world.people import Person, cast
from vidreid.world.render import Sighting, Studio
from vidreid.world.scene import Scene
from vidreid.world.sites import SITES

DAWN = datetime(2026, 4, 12, 8, tzinfo=UTC)
TICKS = 90_000  # of the time base, a second
RATES = (25.0, 15.0, 12.5)
UNSTEADY = "hall"  # its frames come up to a quarter of an interval early or late
KEY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Film:
    """One camera's footage to be made: ``start`` in world seconds, ``pts`` of a frame by its number."""

    name: str
    start: float
    fps: float
    seconds: float
    seed: int

    @property
    def frames(self) -> int:
        return max(1, round(self.seconds * self.fps))

    @property
    def utc(self) -> datetime:
        return DAWN + timedelta(seconds=self.start)

    def pts(self) -> Iterator[int]:
        """Presentation times in ticks, from 0."""
        rng = np.random.default_rng([self.seed, 6])
        for number in range(self.frames):
            late = rng.uniform(-0.25, 0.25) if self.name == UNSTEADY and number else 0.0
            yield round((number + late) * TICKS / self.fps)


def write_world(
    folder: Path,
    *,
    seed: int = 0,
    seconds: float = 60.0,
    cameras: int = 3,
    people: int = 8,
    size: tuple[int, int] = (480, 270),
    fps: Sequence[float] | None = None,
    advance: Callable[[str, int], None] | None = None,
) -> Path:
    """Write synthetic footage of a site with its truth into ``folder``; returns the path of ``cameras.yaml``.

    Writes ``<camera>.mp4``, ``gt/<camera>.txt`` (MOT rows ``frame,id,x,y,w,h,conf,class,visibility``, frames from 1,
    ids of the whole world), ``truth.json`` and ``cameras.yaml``. ``size`` is (width, height), even; ``fps`` one rate
    a camera, 25, 15 and 12.5 by default. ``advance`` is told the camera and the number of frames just written.

    The truth box of a person is tight around the pixels the body would cover at least by half if nothing stood in
    front, clipped to the picture; visibility is the share of the whole body's pixels that are in the picture and not
    hidden by people or things. A row is written from 8 pixels of height and a visibility of 0.1.

    The same arguments give the same bytes. Memory does not grow with ``seconds``. Raises `UsageError`.
    """
    films = _films(seed, seconds, cameras, people, size, fps)
    (folder / "gt").mkdir(parents=True, exist_ok=True)
    persons = cast(seed, people)
    scenes = {film.name: SITES[film.name](seed, *size) for film in films}
    for film in films:
        _shoot(film, scenes, persons, folder, advance or (lambda camera, frames: None))
    truth = {
        "seed": seed,
        "cameras": {film.name: _facts(film, size, folder / f"{film.name}.mp4") for film in films},
        "people": {str(person.number): person.description for person in persons},
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    listing = folder / "cameras.yaml"
    entries = (f"  {film.name}:\n    files: [{film.name}.mp4]\n    start: {_iso(film.utc)}\n" for film in films)
    listing.write_text("cameras:\n" + "".join(entries), encoding="utf-8")
    return listing


def _films(
    seed: int, seconds: float, cameras: int, people: int, size: tuple[int, int], fps: Sequence[float] | None
) -> list[Film]:
    rates = RATES[:cameras] if fps is None else tuple(fps)
    if not 1 <= cameras <= len(SITES):
        raise UsageError(f"cameras: {cameras}", f"the world has 1 to {len(SITES)} cameras")
    if len(rates) != cameras or not all(0 < rate <= 120 for rate in rates):
        raise UsageError(f"fps: {', '.join(map(str, rates))}", f"give {cameras} rates, each above 0 and at most 120")
    if min(size) < 64 or size[0] % 2 or size[1] % 2:
        raise UsageError(f"size: {size[0]}x{size[1]}", "width and height must be even and at least 64")
    if seconds <= 0 or people < 0:
        raise UsageError(f"seconds: {seconds}, people: {people}", "seconds must be above 0, people at least 0")
    rng = np.random.default_rng([seed, 3])
    late = np.round(rng.uniform(0, min(6.0, 0.08 * seconds), cameras), 3)
    late -= late.min()
    return [
        Film(name, round(float(start), 3), rate, seconds, seed)
        for name, start, rate in zip(SITES, late, rates, strict=False)
    ]


def _shoot(
    film: Film,
    scenes: Mapping[str, Scene],
    people: Sequence[Person],
    folder: Path,
    advance: Callable[[str, int], None],
) -> None:
    """Render, encode and label one camera."""
    routes = {name: scene.routes for name, scene in scenes.items()}
    diaries = {who.number: visits(who, routes, seed=film.seed, seconds=film.seconds) for who in people}
    studio = Studio(scenes[film.name], {who.number: who for who in people}, film.seed)
    walkers = _walkers(film, diaries)
    with (folder / "gt" / f"{film.name}.txt").open("w", encoding="ascii", newline="\n") as labels:

        def pictures() -> Iterator[tuple[int, Image]]:
            for number, (pts, stances) in enumerate(walkers):
                image, seen = studio.frame(stances, number)
                labels.writelines(_row(number + 1, sighting) for sighting in seen)
                yield pts, image
                advance(film.name, 1)

        encode(folder / f"{film.name}.mp4", pictures(), film.fps)


def _walkers(film: Film, diaries: Mapping[int, Iterator[Visit]]) -> Iterator[tuple[int, dict[int, Stance]]]:
    """For each frame its pts and who is about in this camera's view."""
    current = {number: next(diary) for number, diary in diaries.items()}
    for pts in film.pts():
        time = film.start + pts / TICKS
        stances: dict[int, Stance] = {}
        for number, diary in diaries.items():
            while current[number].end < time:
                current[number] = next(diary)
            stance = current[number].stance(time) if current[number].camera == film.name else None
            if stance is not None:
                stances[number] = stance
        yield pts, stances


def encode(path: Path, pictures: Iterator[tuple[int, Image]], fps: float) -> None:
    """Write (pts in 1/90000 s, RGB image) as H.264, one thread, bit-exact: the same pictures give the same bytes."""
    with av.open(str(path), "w", format="mp4", container_options={"fflags": "+bitexact"}) as container:
        stream: Any = None
        for pts, image in pictures:
            if stream is None:
                stream = _stream(container, image, fps)
            frame = av.VideoFrame.from_ndarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), format="yuv420p")
            frame.pts, frame.time_base = pts, Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _stream(container: Any, image: Image, fps: float) -> Any:
    options = {"preset": "veryfast", "crf": "23", "bf": "0", "flags": "+bitexact"}
    stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options=options)
    stream.height, stream.width = image.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.thread_count = 1
    stream.codec_context.time_base = Fraction(1, TICKS)
    stream.codec_context.gop_size = max(1, round(KEY_SECONDS * fps))
    return stream


def _row(frame: int, sighting: Sighting) -> str:
    x1, y1, x2, y2 = sighting.box
    return f"{frame},{sighting.person},{x1},{y1},{x2 - x1},{y2 - y1},1,1,{sighting.visibility:.3f}\n"


def _facts(film: Film, size: tuple[int, int], video: Path) -> dict[str, object]:
    with video.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "fps": film.fps,
        "size": list(size),
        "start": _iso(film.utc),
        "frames": film.frames,
        "sha256": digest,
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
