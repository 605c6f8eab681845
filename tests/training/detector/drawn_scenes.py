"""Drawn scenes with upright people of one colour as a data set in YOLO's layout, and a recipe that learns them."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 96, 72
CLOTHES = (230, 60, 40)

RECIPE = """
about: Learns people in red.
kind: detector
data: {pictures: 2, sizes: [64], natural: 96}
augmentation: {zoom: [0.8, 1.2], jpeg: 0.3}
optimizer: {name: adamw, rate: 2.0e-3, decay: 0.02, clip: 10.0}
schedule: {steps: 3}
average: 0.9
precision: fp32
"""

Box = tuple[int, int, int, int]


def draw(boxes: Sequence[Box], seed: int = 0) -> np.ndarray:
    """A grainy scene, RGB, with people in these boxes (x1, y1, x2, y2 in pixels)."""
    image = np.random.default_rng(seed).integers(70, 130, (HEIGHT, WIDTH, 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = CLOTHES
    return image


def people(seed: int) -> list[Box]:
    """One or two people side by side."""
    rng = np.random.default_rng(seed)
    boxes = []
    for left in (4, 52)[: int(rng.integers(1, 3))]:
        x, y = left + int(rng.integers(0, 20)), int(rng.integers(2, 16))
        boxes.append((x, y, x + 18, y + 52))
    return boxes


def write_picture(folder: Path, name: str, boxes: Sequence[Box] | None, seed: int = 0) -> str:
    """``folder/SET/images/N.png`` by its name ``SET/N`` and, but where ``boxes`` is None, its label; its path."""
    place, _, number = name.partition("/")
    for kind in ("images", "labels"):
        (folder / place / kind).mkdir(parents=True, exist_ok=True)
    picture = folder / place / "images" / f"{number}.png"
    picture.write_bytes(cv2.imencode(".png", draw(boxes or (), seed)[..., ::-1])[1].tobytes())
    if boxes is not None:
        shares = [
            ((x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT, (x2 - x1) / WIDTH, (y2 - y1) / HEIGHT)
            for x1, y1, x2, y2 in boxes
        ]
        lines = [f"0 {x:.6f} {y:.6f} {width:.6f} {height:.6f}\n" for x, y, width, height in shares]
        (folder / place / "labels" / f"{number}.txt").write_text("".join(lines))
    return str(picture.relative_to(folder))


def write_scenes(folder: Path, *, unlabelled: int = 2) -> Path:
    """Six pictures of the set ``shop`` and two of ``empty`` to train on, two to score, and some without labels."""
    train = [write_picture(folder, f"shop/{seed}", people(seed), seed) for seed in range(6)]
    train += [write_picture(folder, f"empty/{seed}", [], seed) for seed in range(2)]
    val = [write_picture(folder, f"shop/val{seed}", people(seed), seed) for seed in (20, 21)]
    others = [write_picture(folder, f"street/{seed}", None, seed) for seed in range(30, 30 + unlabelled)]
    for name, listed in (("train", train), ("val", val), ("unlabelled", others)):
        (folder / f"{name}.txt").write_text("".join(f"{path}\n" for path in listed))
    (folder / "data.yaml").write_text("train: train.txt\nval: val.txt\nnames: [person]\n")
    return folder
