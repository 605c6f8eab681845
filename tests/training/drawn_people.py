"""Labelled pictures of drawn people in colours of their own, to train on."""

import csv
from pathlib import Path

import cv2
import numpy as np
from crowds import draw


def write_people(folder: Path, *, people: int = 6, cameras: int = 2, pictures: int = 4) -> Path:
    """``people.csv``, split train, and its pictures: a tracklet of so many ``pictures`` for each person and camera."""
    folder.mkdir(exist_ok=True)
    colours = np.random.default_rng(0).integers(20, 235, (people, 2, 3))
    rows = []
    for person in range(1, people + 1):
        for camera in range(1, cameras + 1):
            for number in range(pictures):
                name = f"p{person}_c{camera}_{number}.png"
                picture = draw(*colours[person - 1], seed=len(rows), light=0.8 + 0.2 * camera)
                (folder / name).write_bytes(encoded(picture))
                rows.append((name, person, camera, 1, "train"))
    return write_csv(folder / "people.csv", rows)


def write_csv(path: Path, rows: list[tuple]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "identity", "camera", "sequence", "split"), *rows])
    return path


def encoded(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()
