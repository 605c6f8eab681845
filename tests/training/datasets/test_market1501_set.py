"""Market-1501's official folders."""

from pathlib import Path

import pytest
import tiny_sets
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.training.datasets.market1501 import open_dataset, parse_name


@given(
    st.one_of(st.just(-1), st.integers(0, 1501)),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(0, 999_999),
    st.integers(0, 99),
)
def test_a_name_tells_identity_camera_and_sequence(identity: int, camera: int, sequence: int, frame: int, box: int):
    person = "-1" if identity < 0 else f"{identity:04d}"
    name = f"{person}_c{camera}s{sequence}_{frame:06d}_{box:02d}.jpg"
    assert parse_name(name) == (identity, camera, str(sequence))


@given(st.text(max_size=30))
def test_any_other_name_is_none(name: str):
    assert parse_name(f"{name}.png") is None
    assert parse_name(f"x{name}") is None


def test_each_picture_is_a_tracklet_as_the_set_is_scored(tmp_path: Path):
    split = open_dataset(tiny_sets.market1501(tmp_path)).splits[0]
    assert (len(split.train), len(split.query), len(split.gallery)) == (8, 2, 7)
    assert {len(item.pictures) for part in (split.train, split.query, split.gallery) for item in part} == {1}
    assert sorted(item.identity for item in split.gallery) == [-1, 0, 0, 1, 1, 1, 1]


def test_sparse_tracklets_are_queries_and_gallery(tmp_path: Path):
    dataset = open_dataset(tiny_sets.market1501(tmp_path), tracklets=True)
    split = dataset.splits[0]
    assert split.query == split.gallery
    assert [(item.identity, item.camera, len(item.pictures)) for item in split.gallery] == [(1, 1, 2), (1, 2, 2)]
    assert len(split.train) == 4
    assert dataset.notes == ("3 pictures of junk and distractors left out: they make no tracklets",)


def test_terms_are_said(tmp_path: Path):
    assert "not to be distributed" in open_dataset(tiny_sets.market1501(tmp_path)).terms


def test_folders_with_other_pictures_are_refused(tmp_path: Path):
    tiny_sets.put(tmp_path, *(f"{part}/1.jpg" for part in ("bounding_box_train", "bounding_box_test", "query")))
    with pytest.raises(InputError, match="no pictures named as Market-1501's"):
        open_dataset(tmp_path)
