"""A labelled data set in YOLO's layout whose pictures say what the tiny detector beside it will find in them."""

from pathlib import Path

import cv2
import numpy as np
import yaml
from tiny_networks import glance

from vidreid.types import InputSpec

SIDE = 64
HERE, THERE = (8, 8, 24, 56), (36, 10, 52, 58)


def write_detector(folder: Path, name: str = "glance", color: str = "rgb") -> Path:
    """A network that finds what a picture says; with ``color`` "bgr" it reads the corners the wrong way round."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.onnx"
    glance(path, InputSpec((SIDE, SIDE)))
    card = {"kind": "detector", "family": "yolo", "input": {"size": [SIDE, SIDE], "color": color}}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    return path


def write_pictures(folder: Path, sets: dict[str, list[tuple[tuple | None, list[tuple]]]]) -> Path:
    """``sets`` by name: of each picture the box (x1, y1, x2, y2) that it says, or None, and the boxes of its label."""
    names = []
    for name, pictures in sets.items():
        for kind in ("images", "labels"):
            (folder / name / kind).mkdir(parents=True)
        for number, (says, labels) in enumerate(pictures):
            picture = folder / name / "images" / f"{number}.png"
            picture.write_bytes(cv2.imencode(".png", _saying(says)[:, :, ::-1])[1].tobytes())
            lines = [
                f"0 {(x1 + x2) / 2 / SIDE} {(y1 + y2) / 2 / SIDE} {(x2 - x1) / SIDE} {(y2 - y1) / SIDE}\n"
                for x1, y1, x2, y2 in labels
            ]
            (folder / name / "labels" / f"{number}.txt").write_text("".join(lines), encoding="utf-8")
            names.append(str(picture.relative_to(folder)))
    (folder / "val.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    (folder / "data.yaml").write_text("train: train.txt\nval: val.txt\nnames: [person]\n", encoding="utf-8")
    return folder


def _saying(box):
    image = np.full((SIDE, SIDE, 3), 90, np.uint8)
    image[0, :2] = np.array([*(box or (0, 0, 0, 0)), 1, 0]).reshape(2, 3)
    return image
