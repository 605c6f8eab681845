"""Detection data sets as unlabelled crops."""

import tarfile
from pathlib import Path

import numpy as np
import pytest
import tiny_sets
from hypothesis import given
from hypothesis import strategies as st
from tiny_sets import decoded, encoded

from vidreid.errors import InputError
from vidreid.training.datasets import JUNK
from vidreid.training.datasets.yolo import MARGIN, open_dataset, parse_labels, with_margin


def test_every_labelled_person_is_a_crop_of_nobody(tmp_path: Path):
    dataset = open_dataset(tiny_sets.yolo(tmp_path))
    train = dataset.splits[0].train
    assert [item.pictures for item in train] == [("images/a.jpg#0",), ("images/a.jpg#1",)]
    assert {item.identity for item in train} == {JUNK}
    assert not dataset.splits[0].query


def test_a_crop_has_a_quarter_more_on_each_side_as_far_as_the_picture_goes(tmp_path: Path):
    dataset = open_dataset(tiny_sets.yolo(tmp_path))
    whole, edge = (decoded(dataset.read(item.pictures[0])).shape for item in dataset.splits[0].train)
    assert whole == (60, 30, 3)  # 40 x 20 of a picture 80 x 100 high and wide
    assert edge == (30, 13, 3)  # 20 x 10 whose left edge is the picture's


fractions = st.floats(0.01, 1)


@given(st.tuples(fractions, fractions, fractions, fractions))
def test_the_person_is_where_boxes_say(box: tuple[float, float, float, float]):
    x, y, width, height = box
    region, within = with_margin(box)
    sides = np.array([region[2] - region[0], region[3] - region[1]])
    found = np.array(within).reshape(2, 2) * sides + region[:2]
    wanted = np.clip([[x - width / 2, y - height / 2], [x + width / 2, y + height / 2]], 0, 1)
    assert np.allclose(found, wanted)
    assert (np.array(region) >= 0).all()
    assert (np.array(region) <= 1).all()
    assert sides[0] <= width * (1 + 2 * MARGIN) + 1e-9


def test_a_tar_of_it_will_do_and_so_will_the_folder_it_lies_in(tmp_path: Path):
    tiny_sets.yolo(tmp_path / "people")
    folder = tmp_path / "detect"
    folder.mkdir()
    with tarfile.open(folder / "people.tar", "w") as archive:
        archive.add(tmp_path / "people", "people")
    plain = open_dataset(tmp_path / "people")
    for root in (folder, folder / "people.tar"):
        dataset = open_dataset(root)
        for mine, same in zip(dataset.splits[0].train, plain.splits[0].train, strict=True):
            assert dataset.read(mine.pictures[0]) == plain.read(same.pictures[0])


def test_a_folder_of_images_instead_of_a_list(tmp_path: Path):
    root = tiny_sets.yolo(tmp_path)
    (root / "data.yaml").write_text("train: ../images\nnames: {0: dog, 1: person}\n")
    (root / "labels" / "a.txt").write_text("0 .5 .5 .2 .2\n1 .5 .5 .3 .3\n")
    (root / "labels" / "c.txt").unlink()
    assert [item.pictures for item in open_dataset(root).splits[0].train] == [("images/a.jpg#0",)]


@pytest.mark.parametrize(
    "line", ["0 .5 .5 .2", "0 .5 .5 .2 x", "0 .5 .5 nan .2", "0 .5 .5 0 .2", "0 .5 1.5 .2 .2", "0 .5 .5 2 .2"]
)
def test_a_line_that_is_no_box_is_left_out_and_counted(line: str):
    assert parse_labels(f"{line}\n0 .5 .5 .2 .2\n", 0) == ([(0.5, 0.5, 0.2, 0.2)], 1)


def test_lines_left_out_are_noted(tmp_path: Path):
    root = tiny_sets.yolo(tmp_path)
    (root / "labels" / "b.txt").write_text("a b c\n")
    assert open_dataset(root).notes == ("1 label lines that are no boxes left out",)


def test_a_broken_picture_is_its_crops_loss_alone(tmp_path: Path):
    root = tiny_sets.yolo(tmp_path)
    (root / "labels" / "b.txt").write_text("0 .5 .5 .2 .2\n")
    (root / "images" / "b.jpg").write_bytes(encoded()[:20])
    dataset = open_dataset(root)
    with pytest.raises(OSError, match=r"images/b\.jpg: a broken picture"):
        dataset.read("images/b.jpg#0")
    assert dataset.read("images/a.jpg#0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train: train.txt\nnames: [dog, cat]\n", "no class 'person'"),
        ("names: [person]\n", "states no train"),
        ("train: pictures\nnames: [person]\n", "no pictures in pictures"),
        ("train: /data/train.txt\nnames: [person]\n", "outside"),
        ("train: ../../train.txt\nnames: [person]\n", "outside"),
        ("- a\n", "states nothing"),
        ("a: [\n", "not YAML"),
    ],
)
def test_a_data_yaml_that_cannot_be_meant(text: str, said: str, tmp_path: Path):
    root = tiny_sets.yolo(tmp_path)
    (root / "data.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        open_dataset(root)


def test_a_list_that_leads_outside_is_refused(tmp_path: Path):
    root = tiny_sets.yolo(tmp_path)
    (root / "train.txt").write_text("../../elsewhere.jpg\n")
    with pytest.raises(InputError, match="outside"):
        open_dataset(root)
