"""A small image set of drawn people, told apart by the colours of their clothes."""

import csv
from pathlib import Path

import cv2
import numpy as np

PEOPLE = {1: ((200, 30, 30), (30, 30, 120)), 2: ((30, 160, 60), (90, 60, 30)), 3: ((230, 210, 60), (40, 40, 40))}
STRANGER = ((120, 60, 160), (200, 200, 210))


def draw(shirt, trousers, *, seed, light=1.0):
    """uint8 (64, 32, 3), RGB: a person before a grey wall."""
    random = np.random.default_rng(seed)
    image = np.full((64, 32, 3), 150.0)
    image[6:14, 12:20] = (190, 150, 130)
    image[14:38, 8:24] = shirt
    image[38:62, 10:22] = trousers
    return (image * light + random.normal(0, 4, image.shape)).clip(0, 255).astype(np.uint8)


def write_crowd(folder: Path, *, sequences: int = 1, pictures: int = 1) -> Path:
    """``crowd.csv`` and its pictures: three people by two cameras, and a distractor, all in the gallery.

    Camera 1 has the queries. Each person and camera has so many ``sequences`` of so many ``pictures``.
    """
    rows = []

    def add(name, image, identity, camera, sequence, split):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", image[:, :, ::-1])[1].tobytes())
        rows.append((name, identity, camera, sequence, split))

    for person, clothes in PEOPLE.items():
        for camera in (1, 2):
            for sequence in range(sequences):
                for number in range(pictures):
                    seed = 1000 * person + 100 * camera + 10 * sequence + number
                    name = f"pictures/p{person}_c{camera}_s{sequence}_{number}.png"
                    split = "query" if camera == 1 else "gallery"
                    add(name, draw(*clothes, seed=seed, light=0.8 + 0.2 * camera), person, camera, sequence, split)
    add("pictures/stranger.png", draw(*STRANGER, seed=7), 0, 2, 0, "gallery")
    listing = folder / "crowd.csv"
    with listing.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "identity", "camera", "sequence", "split"), *rows])
    return listing
