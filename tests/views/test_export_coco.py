"""COCO JSON: valid, and equal to the run's boxes."""

import json
from pathlib import Path
from typing import Any

import pytest
from hand_made import FakeRun

from vidreid.views.export import coco
from vidreid.views.selection import Selection


def read(run: FakeRun, folder: Path, selection: Selection | None = None) -> dict[str, Any]:
    (path,) = coco.write(run, folder, selection or Selection())
    return json.loads(path.read_text(encoding="utf-8"))


def test_ids_are_unique_and_refer_to_what_is_there(run: FakeRun, tmp_path: Path) -> None:
    found = read(run, tmp_path)
    images = {image["id"]: image for image in found["images"]}
    assert len(images) == len(found["images"])
    assert [a["id"] for a in found["annotations"]] == list(range(1, len(found["annotations"]) + 1))
    assert {a["image_id"] for a in found["annotations"]} == set(images)
    assert {a["category_id"] for a in found["annotations"]} == {c["id"] for c in found["categories"]} == {1}
    assert len({image["file_name"] for image in found["images"]}) == len(images)


def test_annotations_are_the_boxes(run: FakeRun, tmp_path: Path) -> None:
    found = read(run, tmp_path)
    images = {image["id"]: image for image in found["images"]}
    rows = [(camera, row) for camera in run.cameras for row in run.boxes(camera).to_pylist()]
    for got, (camera, row) in zip(found["annotations"], rows, strict=True):
        image = images[got["image_id"]]
        assert (image["camera"], image["frame"], image["pts"]) == (camera, row["frame"], row["pts"])
        assert image["file_name"] == f"{camera}/{row['frame']:06d}.jpg"
        assert (image["width"], image["height"]) == (96, 64)
        x, y, width, height = got["bbox"]
        assert [x, y, x + width, y + height] == pytest.approx([row[side] for side in ("x1", "y1", "x2", "y2")])
        assert got["area"] == pytest.approx(width * height, abs=1e-3)
        attributes = got["attributes"]
        assert attributes["camera"] == camera
        assert attributes["time"] == image["time"] == row["time"].isoformat(timespec="microseconds")[:-6] + "Z"
        for key in ("tracklet", "identity", "interpolated", "file", "pts"):
            assert attributes[key] == row[key]


def test_only_images_with_a_selected_box_are_listed(run: FakeRun, tmp_path: Path) -> None:
    found = read(run, tmp_path, Selection(identities=("P0002",)))
    assert [image["frame"] for image in found["images"]] == list(range(5, 46))


def test_nobody_is_valid_json(empty: FakeRun, tmp_path: Path) -> None:
    found = read(empty, tmp_path)
    assert found["images"] == found["annotations"] == []
