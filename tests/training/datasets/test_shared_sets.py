"""The development data: every list opens, and counts are those that its README states."""

from pathlib import Path

import pytest
from tiny_sets import decoded

from vidreid.training.datasets import DISTRACTOR, JUNK, Dataset, Tracklet
from vidreid.training.datasets.csv import open_dataset
from vidreid.training.datasets.yolo import open_dataset as open_yolo

pytestmark = pytest.mark.shared


def opened(shared: Path, name: str, tracklets: bool | None = None) -> Dataset:
    return open_dataset(shared / "data" / "reid" / f"{name}.csv.gz", tracklets=tracklets)


def pictures(tracklets: tuple[Tracklet, ...]) -> int:
    return sum(len(item.pictures) for item in tracklets)


def people(tracklets: tuple[Tracklet, ...]) -> set[int]:
    return {item.identity for item in tracklets}


def test_market_train_is_the_official_split(shared: Path):
    split = opened(shared, "market_train").splits[0]
    assert pictures(split.train) + pictures(split.query) == 12_936
    assert len(people(split.train) | people(split.query)) == 751
    assert len(people(split.query)) == 100
    assert {item.camera for item in split.train} == set(range(1, 7))


def test_market_test_is_the_official_single_query_protocol(shared: Path):
    split = opened(shared, "market_test").splits[0]
    assert len(split.query) == 3_368
    assert len(split.gallery) == pictures(split.gallery) == 19_732
    assert len(people(split.query)) == 750
    strangers = [item.identity for item in split.gallery if item.identity <= 0]
    assert (strangers.count(JUNK), strangers.count(DISTRACTOR)) == (3_819, 2_798)


def test_market_test_tracklets_are_sparse_tracklets(shared: Path):
    split = opened(shared, "market_test_tracklets").splits[0]
    assert (len(split.query), len(split.gallery)) == (2_863, 3_051)
    assert (pictures(split.query), pictures(split.gallery)) == (12_024, 12_514)
    assert set(split.query) <= set(split.gallery)


def test_cuhk03_is_that_of_its_readme(shared: Path):
    dataset = opened(shared, "cuhk03_pair1")
    split = dataset.splits[0]
    assert pictures(split.train) + pictures(split.query) == 8_177
    assert len(people(split.train) | people(split.query)) == 843
    assert len(people(split.query)) == 100
    assert "10 training pictures of identity 0 or -1 carry no label" in dataset.notes


def test_cuhk01_is_all_training(shared: Path):
    split = opened(shared, "cuhk01").splits[0]
    assert (pictures(split.train), len(people(split.train)), len(split.query)) == (3_884, 971, 0)
    assert len(opened(shared, "cuhk01", tracklets=False).splits[0].train) == 3_884


@pytest.mark.parametrize(("name", "size"), [("cuhk01", (160, 60)), ("cuhk03_pair1", (128, 64))])
def test_pictures_are_read_from_the_archive(name: str, size: tuple[int, int], shared: Path):
    dataset = opened(shared, name)
    train = dataset.splits[0].train
    for item in (train[0], train[-1]):
        assert decoded(dataset.read(item.pictures[-1])).shape[:2] == size


def test_every_training_box_of_the_detection_set_is_a_crop(shared: Path):
    dataset = open_yolo(shared / "data" / "detect")
    assert len(dataset.splits[0].train) == 16_129
    assert decoded(dataset.read(dataset.splits[0].train[0].pictures[0])).size
