"""Tiny copies of every data set's layout: pictures of a few pixels, people whose pictures have shades of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import scipy.io


def encoded(shade: int = 128, width: int = 4, height: int = 8, suffix: str = ".jpg") -> bytes:
    """A picture of one grey."""
    return bytes(cv2.imencode(suffix, np.full((height, width, 3), shade, np.uint8))[1])


def decoded(data: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found


def put(root: Path, *names: str) -> None:
    """Pictures under these names."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(suffix=path.suffix))


def market1501(root: Path) -> Path:
    train = [
        f"bounding_box_train/000{person}_c{camera}s1_000{n}51_01.jpg"
        for person in (2, 7)
        for camera in (1, 2)
        for n in (1, 2)
    ]
    query = ["query/0001_c1s1_000151_00.jpg", "query/0001_c2s1_000151_00.jpg"]
    test = [f"bounding_box_test/0001_c{camera}s1_00{frame}_01.jpg" for camera in (1, 2) for frame in ("0251", "1251")]
    strangers = ["bounding_box_test/0000_c1s1_000001_01.jpg", "bounding_box_test/0000_c1s1_000002_01.jpg"]
    junk = ["bounding_box_test/-1_c1s1_000001_01.jpg"]
    put(root, *train, *query, *test, *strangers, *junk)
    (root / "bounding_box_test" / "Thumbs.db").write_bytes(b"not a picture")
    return root


def cuhk01(root: Path) -> Path:
    put(root, *(f"campus/{person:04d}{number:03d}.png" for person in range(1, 6) for number in range(1, 5)))
    return root


def cuhk03(root: Path) -> Path:
    put(root / "detected", "bounding_box_train/0001_c1_1.png", "bounding_box_train/0001_c2_6.png")
    put(root / "detected", "query/0002_c1_1.png", "query/0002_c2_6.png")
    put(root / "detected", "bounding_box_test/0002_c1_2.png", "bounding_box_test/0002_c1_3.png")
    put(root / "detected", "bounding_box_test/0002_c2_7.png")
    return root


def cuhk03_extracted(root: Path, split_file: str) -> Path:
    """Person 1 of pair 1 to train on, person 1 of pair 2 to score."""
    names = [
        f"{pair}_001_{view}_{number:02d}.png" for pair in (1, 2) for view, number in ((1, 1), (1, 2), (2, 6), (2, 7))
    ]
    put(root, *(f"images_detected/{name}" for name in names))
    parts = {"train": names[:4], "query": [names[4], names[6]], "gallery": [names[5], names[7]]}
    if split_file.endswith(".json"):
        # As the field's programs write it: somebody's paths, and people counted from 0 in each part.
        rows = {part: [[f"/home/somebody/{name}", 0, 0] for name in found] for part, found in parts.items()}
        (root / split_file).write_text(json.dumps([rows]))
    else:
        cells = np.array(names, object)[:, None]
        places = {f"{part}_idx": np.array([[names.index(name) + 1] for name in found]) for part, found in parts.items()}
        scipy.io.savemat(root / split_file, {"filelist": cells, **places})
    return root


def mars(root: Path) -> Path:
    """Two people to train on, one to score and seen twice, a distractor, junk."""
    train = [f"000{person}C{person}T0001F00{frame}.jpg" for person in (1, 3) for frame in (1, 2, 3)]
    test = [
        *("0002C1T0001F001.jpg", "0002C1T0001F002.jpg"),
        *("0002C2T0001F001.jpg", "0002C2T0002F001.jpg"),
        *("0000C1T0001F001.jpg", "00-1C1T0001F001.jpg"),
    ]
    put(root, *(f"bbox_train/{name[:4]}/{name}" for name in train), *(f"bbox_test/{name[:4]}/{name}" for name in test))
    info = root / "info"
    info.mkdir()
    (info / "train_name.txt").write_text("\n".join(train) + "\n")
    (info / "test_name.txt").write_text("\n".join(test) + "\n")
    scipy.io.savemat(info / "tracks_train_info.mat", {"track_train_info": np.array([[1, 3, 1, 1], [4, 6, 3, 3]])})
    rows = np.array([[6, 6, -1, 1], [5, 5, 0, 1], [1, 2, 2, 1], [3, 3, 2, 2], [4, 4, 2, 2]])
    scipy.io.savemat(info / "tracks_test_info.mat", {"track_test_info": rows})
    scipy.io.savemat(info / "query_IDX.mat", {"query_IDX": np.array([[3, 4]])})
    return root


def ilids_vid(root: Path) -> Path:
    """Four people whose numbers have gaps, as the real ones."""
    people = [1, 2, 9, 10]
    for camera in (1, 2):
        for person in people:
            folder = f"i-LIDS-VID/sequences/cam{camera}/person{person:03d}"
            put(root, *(f"{folder}/cam{camera}_person{person:03d}_{frame:05d}.png" for frame in (317, 318)))
    folder = root / "train-test people splits"
    folder.mkdir()
    rows = np.array([[4, 1, 2, 3], [1, 2, 3, 4]])
    scipy.io.savemat(folder / "train_test_splits_ilidsvid.mat", {"ls_set": rows})
    return root


def prid2011(root: Path) -> Path:
    """Four people of both views, 201 to 203 who are others in each."""
    for camera, people in (("a", (1, 2, 3, 4, 201)), ("b", (1, 2, 3, 4, 201, 202))):
        for person in people:
            put(root, *(f"prid_2011/multi_shot/cam_{camera}/person_{person:04d}/000{frame}.png" for frame in (1, 2)))
    return root


def ls_vid(root: Path) -> Path:
    """Identities from 0, tracklets 1 and 12 of a person that a prefix alone would confuse."""
    train = ["tracklet_train/0000/0000_1_3", "tracklet_train/0000/0000_12_4"]
    test = ["tracklet_test/0001/0001_1_3", "tracklet_test/0001/0001_2_5", "tracklet_test/0002/0002_1_5"]
    put(root, *(f"{start}_{frame:07d}.jpg" for start in train + test for frame in (8, 12)))
    lists = root / "list_sequence"
    lists.mkdir()
    for part, starts in (("train", train), ("test", test)):
        text = "".join(f"{start} {int(start.split('/')[1])}\n" for start in starts)
        (lists / f"list_seq_{part}.txt").write_text(text)
    (root / "test").mkdir()
    np.save(root / "test" / "query.npy", np.array([2, 1]))
    return root


def dukemtmc_videoreid(root: Path, ending: str = "", separator: str = "_") -> Path:
    def names(part: str, person: str, tracklet: str, camera: int) -> list[str]:
        folder = f"{part}{ending}/{person}/{tracklet}"
        return [f"{folder}/" + separator.join([person, f"C{camera}", f"F000{n}", f"X3082{n}.jpg"]) for n in (1, 2)]

    put(root, *names("train", "0001", "0003", 6), *names("train", "0001", "0004", 2))
    put(root, *names("query", "0005", "0001", 1), *names("gallery", "0005", "0002", 2))
    return root


def table(root: Path) -> Path:
    """A CSV with its pictures beside it: a person to train on, one seen twice by two cameras, a distractor."""
    rows = [
        *(f"a/{n}.jpg,1,1,x,train" for n in (10, 9)),
        *(f"b/{camera}-{n}.jpg,2,{camera},x,query+gallery" for camera in (1, 2) for n in (2, 1)),
        "c/1.jpg,0,1,y,gallery",
    ]
    put(root, *(row.split(",")[0] for row in rows))
    (root / "set.csv").write_text("path,identity,camera,sequence,split\n" + "\n".join(rows) + "\n")
    return root


def yolo(root: Path) -> Path:
    """A picture of 100 x 80 with two people, one at its edge; one with nobody; one that is not trained on."""
    for name in ("a", "b", "c"):
        path = root / "images" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(width=100, height=80))
    labels = root / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text("0 0.5 0.5 0.2 0.5\n0 0.05 0.5 0.1 0.25\n")
    (labels / "b.txt").write_text("")
    (labels / "c.txt").write_text("0 0.5 0.5 0.2 0.5\n")
    (root / "train.txt").write_text("images/a.jpg\nimages/b.jpg\n")
    (root / "data.yaml").write_text("path: .\ntrain: train.txt\nval: val.txt\nnc: 1\nnames: [person]\n")
    return root


SETS: dict[str, Callable[[Path], Path]] = {
    "market1501": market1501,
    "cuhk01": cuhk01,
    "cuhk03": cuhk03,
    "mars": mars,
    "ilids-vid": ilids_vid,
    "prid2011": prid2011,
    "ls-vid": ls_vid,
    "dukemtmc-videoreid": dukemtmc_videoreid,
    "csv": table,
    "yolo": yolo,
}
"""Every data set by its name on the command line, but runs, which are made by running."""
