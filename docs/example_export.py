"""Makes a recorder's export of synthetic people: python docs/example_export.py FOLDER

What docs/recorder.md is tried on. The north door and the hall are channels 1 and 2 of a Dahua recorder, in files of
half a minute with a pause between; the yard is a camera's memory card, whose files have no time in their names. Each
burns its local time into the picture.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import yaml

from vidreid.types import Image
from vidreid.views.drawing import BLACK, draw_plate
from vidreid.world.film import TICKS, encode, write_world

ZONE = ZoneInfo("Europe/Berlin")
SECONDS = 60
PIECE = 30  # seconds of a file
PAUSE = 2  # seconds that the recorder loses between two
NAMES = {
    "north": "NVR/2026-04-12/NVR_ch1_main_{start:%Y%m%d%H%M%S}_{end:%Y%m%d%H%M%S}.mp4",
    "hall": "NVR/2026-04-12/NVR_ch2_main_{start:%Y%m%d%H%M%S}_{end:%Y%m%d%H%M%S}.mp4",
    "yard": "card/hiv{number:05d}.mp4",
}


def stamped(film: Path, start: datetime) -> Iterator[tuple[float, Image]]:
    """Seconds and pictures of a film, with the time burned in."""
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            image = frame.to_ndarray(format="rgb24")
            seconds = float(frame.pts * frame.time_base)
            now = start + timedelta(seconds=seconds)
            draw_plate(image, f"{now:%Y-%m-%d %H:%M:%S}", (8, 8), 12, BLACK)
            yield seconds, image


def write_camera(film: Path, start: datetime, name: str, folder: Path) -> None:
    """Cut a camera's film into the files that its recorder would write."""
    with av.open(str(film)) as container:
        fps = float(container.streams.video[0].average_rate)
    pictures = stamped(film, start)
    for number in range(SECONDS // PIECE):
        first, stop = number * PIECE, (number + 1) * PIECE - PAUSE
        taken = ((s, image) for s, image in pictures if s >= first)
        begin = start + timedelta(seconds=first)
        path = folder / name.format(start=begin, end=begin + timedelta(seconds=stop - first), number=number + 7)
        path.parent.mkdir(parents=True, exist_ok=True)
        encode(path, ((round((s - first) * TICKS), image) for s, image in until(taken, stop)), fps)


def until(pictures: Iterator[tuple[float, Image]], stop: float) -> Iterator[tuple[float, Image]]:
    """Those before ``stop``; the first one after it is lost with the pause."""
    for seconds, image in pictures:
        if seconds >= stop:
            return
        yield seconds, image


def main(folder: Path) -> None:
    """Film the world and write each camera as its recorder would."""
    with tempfile.TemporaryDirectory() as name:
        listing = write_world(Path(name), seed=4, seconds=SECONDS, size=(640, 360))
        cameras = yaml.safe_load(listing.read_text(encoding="utf-8"))["cameras"]
        for camera, entry in cameras.items():
            start = entry["start"].astimezone(ZONE)
            write_camera(Path(name) / f"{camera}.mp4", start, NAMES[camera], folder)
    (folder / "NVR/readme.txt").write_text("Exported by NVR 4.0\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
