"""Footage that is empty most of the time, made of footage with people: an empty picture, the camera's own noise, and
one walk after another with long pauses between. For tests/benchmarks/motion.py."""

import itertools
from dataclasses import dataclass

import av
import cv2
import numpy as np

from vidreid.world.film import TICKS, encode

EMPTY = 0.8  # share of the frames that show nobody
DIFFERENT = 10  # grey levels from which a pixel may belong to somebody
SAMPLES = 61  # pictures of which the empty one is the median
MARGIN = 0.15  # of a box's sides, kept around a person, fading out


@dataclass
class Walk:
    """One person's way through the picture: a box and the pixels around it (at ``corner``: x, y) for each frame."""

    person: int
    boxes: list
    corners: list
    pixels: list


def compose(source, labels, target, *, persons=None, longest=25.0, share=EMPTY):
    """Write ``target`` (MP4) and return its truth: (frames, ids, boxes), frames from 0.

    ``labels`` are MOT rows of ``source``. ``persons``: the ids that are shown, one after the other; all whose walk is
    at most ``longest`` seconds otherwise.
    """
    rate = _rate(source)
    rows = np.loadtxt(labels, delimiter=",", ndmin=2)
    lengths = {int(one): np.ptp(rows[rows[:, 1] == one, 0]) / rate for one in np.unique(rows[:, 1])}
    persons = persons or [one for one, seconds in lengths.items() if 1 <= seconds <= longest]
    walks = _walks(source, rows, persons)
    empty = _empty(source, rows)
    truth = []

    def pictures():
        for number, (walk, step) in enumerate(_timeline(walks, share)):
            picture = next(empty)
            if walk is not None:
                _paste(picture, walk, step)
                truth.append((number, walk.person, *walk.boxes[step]))
            yield round(number * TICKS / rate), picture

    encode(target, pictures(), rate)
    table = np.array(truth)
    return table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2:].astype(np.float32)


def _timeline(walks, share):
    for walk in walks:
        pause = round(len(walk.boxes) * share / (1 - share))
        yield from itertools.repeat((None, 0), pause)
        yield from ((walk, step) for step in range(len(walk.boxes)))


def _pictures(source):
    with av.open(str(source)) as container:
        for number, picture in enumerate(container.decode(container.streams.video[0])):
            image = picture.to_ndarray(format="rgb24")
            yield number, image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]


def _rate(source):
    with av.open(str(source)) as container:
        return float(container.streams.video[0].average_rate)


def _walks(source, rows, persons):
    walks = {person: Walk(person, [], [], []) for person in persons}
    for number, image in _pictures(source):
        for row in rows[rows[:, 0] == number + 1]:
            if (walk := walks.get(int(row[1]))) is None:
                continue
            x, y, width, height = row[2:6]
            height_all, width_all = image.shape[:2]
            left, top = max(0, round(x - MARGIN * width)), max(0, round(y - MARGIN * height))
            right = min(width_all, round(x + (1 + MARGIN) * width))
            bottom = min(height_all, round(y + (1 + MARGIN) * height))
            if right - left > 2 and bottom - top > 2:
                walk.boxes.append((x, y, x + width, y + height))
                walk.corners.append((left, top))
                walk.pixels.append(image[top:bottom, left:right].copy())
    return list(walks.values())


def _empty(source, rows):
    """Pictures of the source without anybody, over and over: the median picture and what each frame differs from it,
    as far as noise does; where somebody may be, random noise of each pixel's own strength."""
    count = sum(1 for _ in _pictures(source))
    chosen = set(np.linspace(0, count - 1, min(count, SAMPLES)).astype(int).tolist())
    samples = np.array([image for number, image in _pictures(source) if number in chosen])
    plate = np.median(samples, axis=0).astype(np.float32)
    strength = 1.5 * np.median(np.abs(samples - plate), axis=0).astype(np.float32)
    rng = np.random.default_rng(0)
    noises = [strength * cv2.GaussianBlur(_normal(rng, plate.shape), (0, 0), 0.6) for _ in range(8)]
    while True:
        for number, image in _pictures(source):
            somebody = _somebody(image, plate, rows[rows[:, 0] == number + 1])
            residual = np.clip(image - plate, -2.5 * strength, 2.5 * strength)
            residual[somebody] = noises[rng.integers(8)][somebody]
            yield np.clip(plate + residual + 0.5, 0, 255).astype(np.uint8)


def _normal(rng, shape):
    return 2 * rng.standard_normal(shape, np.float32)  # what the blur takes away again


def _somebody(image, plate, rows):
    """Mask of the pixels that may show a person: unlike the empty picture, or in a labelled box."""
    unlike = cv2.blur(cv2.absdiff(image, plate.astype(np.uint8)).max(axis=2), (5, 5)) > DIFFERENT
    mask = cv2.dilate(unlike.astype(np.uint8), np.ones((9, 9), np.uint8))
    for x, y, width, height in rows[:, 2:6]:
        spare = 0.3 * width
        left, top = max(0, int(x - spare)), max(0, int(y - spare))
        mask[top : int(y + height + spare), left : int(x + width + spare)] = 1
    return mask.astype(bool)


def _paste(picture, walk, step):
    pixels, (left, top) = walk.pixels[step], walk.corners[step]
    height, width = pixels.shape[:2]
    fade = max(2, round(MARGIN * width / 1.3))
    shape = np.zeros((height + 2, width + 2), np.uint8)
    shape[1:-1, 1:-1] = 1
    share = np.clip(cv2.distanceTransform(shape, cv2.DIST_L2, 3)[1:-1, 1:-1] / fade, 0, 1)[..., None]
    place = picture[top : top + height, left : left + width]
    place[:] = share * pixels + (1 - share) * place
