"""CUHK01 and CUHK03."""

from pathlib import Path

import pytest
import tiny_sets

from vidreid.errors import InputError
from vidreid.training.datasets import cuhk01, cuhk03

SPLIT_FILES = ["splits_new_detected.json", "cuhk03_new_protocol_config_detected.mat"]


class TestCuhk01:
    def test_pictures_one_and_two_are_the_first_cameras(self, tmp_path: Path):
        split = cuhk01.open_dataset(tiny_sets.cuhk01(tmp_path)).splits[0]
        assert {item.pictures[0][-5] for item in split.query} == {"1", "2"}
        assert {item.pictures[0][-5] for item in split.gallery} == {"3", "4"}
        assert {item.camera for item in split.query} == {1}

    def test_the_smaller_half_is_trained_on_ten_times(self, tmp_path: Path):
        splits = cuhk01.open_dataset(tiny_sets.cuhk01(tmp_path)).splits
        assert [len(split.train) for split in splits] == [8] * 10
        assert [len(split.query) for split in splits] == [6] * 10

    def test_a_persons_two_pictures_are_a_tracklet(self, tmp_path: Path):
        split = cuhk01.open_dataset(tiny_sets.cuhk01(tmp_path), tracklets=True).splits[0]
        assert {len(item.pictures) for item in split.query + split.gallery + split.train} == {2}
        assert len(split.query) == len(split.gallery) == 3

    def test_other_pictures_are_refused(self, tmp_path: Path):
        tiny_sets.put(tmp_path, "campus/holiday.png")
        with pytest.raises(InputError, match="no pictures named as CUHK01's"):
            cuhk01.open_dataset(tmp_path)


class TestCuhk03:
    def test_the_new_protocols_folders(self, tmp_path: Path):
        dataset = cuhk03.open_dataset(tiny_sets.cuhk03(tmp_path))
        split = dataset.splits[0]
        assert (len(split.train), len(split.query), len(split.gallery)) == (2, 2, 3)
        assert [(item.identity, item.camera) for item in split.query] == [(2, 1), (2, 2)]
        assert dataset.notes == ("boxes: detected",)

    def test_sparse_tracklets_are_a_person_and_camera(self, tmp_path: Path):
        split = cuhk03.open_dataset(tiny_sets.cuhk03(tmp_path), tracklets=True).splits[0]
        assert [len(item.pictures) for item in split.gallery] == [2, 1]
        assert split.query == split.gallery

    @pytest.mark.parametrize("split_file", SPLIT_FILES)
    def test_extracted_pictures_with_either_file_of_the_new_protocol(self, split_file: str, tmp_path: Path):
        root = tiny_sets.cuhk03_extracted(tmp_path, split_file)
        for given in (root, root / "images_detected"):
            split = cuhk03.open_dataset(given).splits[0]
            assert {item.identity for item in split.train} == {1001}, "people are numbered anew in each pair"
            assert [(item.identity, item.camera) for item in split.query] == [(2001, 1), (2001, 2)]
            assert [item.pictures for item in split.gallery] == [("2_001_1_02.png",), ("2_001_2_07.png",)]

    def test_boxes_drawn_by_hand_are_asked_for_by_their_folder(self, tmp_path: Path):
        tiny_sets.cuhk03(tmp_path)
        (tmp_path / "detected").rename(tmp_path / "labeled")
        tiny_sets.cuhk03(tmp_path)
        assert cuhk03.open_dataset(tmp_path).notes == ("boxes: detected",)
        assert cuhk03.open_dataset(tmp_path / "labeled").notes == ("boxes: labeled",)

    def test_the_authors_archive_alone_is_said_not_to_be_read(self, tmp_path: Path):
        (tmp_path / "cuhk03_release").mkdir()
        (tmp_path / "cuhk03_release" / "cuhk-03.mat").write_bytes(b"HDF5")
        with pytest.raises(InputError, match=r"only cuhk-03\.mat, which is not read"):
            cuhk03.open_dataset(tmp_path)

    def test_extracted_pictures_without_a_protocol_are_refused(self, tmp_path: Path):
        tiny_sets.put(tmp_path, "images_detected/1_001_1_01.png")
        with pytest.raises(
            InputError, match=r"no splits_new_detected\.json, no cuhk03_new_protocol_config_detected\.mat"
        ):
            cuhk03.open_dataset(tmp_path)

    @pytest.mark.parametrize("text", ["", "[]", "[{}]", '[{"train": [["a.png", 0, 0]], "query": [], "gallery": []}]'])
    def test_a_broken_file_of_splits_is_refused(self, text: str, tmp_path: Path):
        root = tiny_sets.cuhk03_extracted(tmp_path, SPLIT_FILES[0])
        (root / SPLIT_FILES[0]).write_text(text)
        with pytest.raises(InputError):
            cuhk03.open_dataset(root)
