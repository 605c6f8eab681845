"""Video sets in their authors' layouts."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tiny_sets

from vidreid import plugins
from vidreid.errors import InputError, MissingError, UsageError
from vidreid.training.datasets import _matlab, dukemtmc_videoreid, ilids_vid, ls_vid, mars, prid2011
from vidreid.training.datasets._two_cameras import random_halves

VIDEO = ["mars", "ilids-vid", "prid2011", "ls-vid", "dukemtmc-videoreid"]


@pytest.mark.parametrize("name", VIDEO)
def test_pictures_of_a_video_set_do_not_stand_alone(name: str, tmp_path: Path):
    with pytest.raises(UsageError, match="set of tracklets"):
        plugins.load("training.datasets", name).open_dataset(tiny_sets.SETS[name](tmp_path), tracklets=False)


class TestMars:
    def test_tracklets_are_those_of_the_info_files(self, tmp_path: Path):
        split = mars.open_dataset(tiny_sets.mars(tmp_path)).splits[0]
        first = split.train[0]
        assert first.pictures == tuple(f"bbox_train/0001/0001C1T0001F00{n}.jpg" for n in (1, 2, 3))
        assert (first.identity, first.camera, first.sequence) == (1, 1, "T0001")
        assert len(split.train) == 2

    def test_the_gallery_begins_with_the_queries_and_has_no_junk(self, tmp_path: Path):
        dataset = mars.open_dataset(tiny_sets.mars(tmp_path))
        split = dataset.splits[0]
        assert split.gallery[: len(split.query)] == split.query
        assert [item.identity for item in split.gallery] == [2, 2, 0, 2]
        assert dataset.notes == ("1 junk tracklets left out",)

    @pytest.mark.parametrize("row", [[1, 7, 1, 1], [0, 2, 1, 1], [3, 2, 1, 1]])
    def test_info_files_that_do_not_belong_together_are_refused(self, row: list[int], tmp_path: Path):
        root = tiny_sets.mars(tmp_path)
        scipy.io.savemat(root / "info" / "tracks_train_info.mat", {"track_train_info": np.array([row])})
        with pytest.raises(InputError, match=r"tracks_train_info\.mat does not belong to train_name\.txt"):
            mars.open_dataset(root)

    @pytest.mark.parametrize("query", [0, 6])
    def test_queries_that_are_not_there_are_refused(self, query: int, tmp_path: Path):
        root = tiny_sets.mars(tmp_path)
        scipy.io.savemat(root / "info" / "query_IDX.mat", {"query_IDX": np.array([[query]])})
        with pytest.raises(InputError, match="query_IDX"):
            mars.open_dataset(root)


class TestIlidsVid:
    def test_the_second_half_of_a_row_is_trained_on(self, tmp_path: Path):
        splits = ilids_vid.open_dataset(tiny_sets.ilids_vid(tmp_path)).splits
        assert [sorted({item.identity for item in split.train}) for split in splits] == [[2, 9], [9, 10]]
        assert [[item.identity for item in split.query] for split in splits] == [[1, 10], [1, 2]]

    def test_queries_are_of_one_camera_and_the_gallery_of_the_other(self, tmp_path: Path):
        for split in ilids_vid.open_dataset(tiny_sets.ilids_vid(tmp_path)).splits:
            assert {item.camera for item in split.query} == {1}
            assert {item.camera for item in split.gallery} == {2}
            assert {item.camera for item in split.train} == {1, 2}

    def test_splits_of_other_people_are_refused(self, tmp_path: Path):
        root = tiny_sets.ilids_vid(tmp_path)
        for camera in (1, 2):
            shutil.rmtree(root / f"i-LIDS-VID/sequences/cam{camera}/person001")
        with pytest.raises(InputError, match="other people than the 3 here"):
            ilids_vid.open_dataset(root)

    def test_a_person_of_one_camera_alone_is_refused(self, tmp_path: Path):
        root = tiny_sets.ilids_vid(tmp_path)
        shutil.rmtree(root / "i-LIDS-VID/sequences/cam2/person001")
        with pytest.raises(InputError, match="do not hold the same people"):
            ilids_vid.open_dataset(root)


class TestPrid2011:
    def test_only_people_of_both_views_are_in_its_ten_splits(self, tmp_path: Path):
        dataset = prid2011.open_dataset(tiny_sets.prid2011(tmp_path))
        assert len(dataset.splits) == 10
        for split in dataset.splits:
            trained = {item.identity for item in split.train}
            assert trained | {item.identity for item in split.query} == {1, 2, 3, 4}
            assert len(trained) == 2
        assert dataset.notes == (prid2011.OWN_SPLITS,)

    def test_own_splits_are_the_same_each_time_and_differ_from_each_other(self):
        people = [f"person_{number:04d}" for number in range(1, 201)]
        assert random_halves(people) == random_halves(people)
        assert len({tuple(train) for train, _ in random_halves(people)}) == 10
        # NumPy's promise, relied on by results that are compared across installations.
        assert random_halves(people)[0][0][:3] == ["person_0003", "person_0005", "person_0006"]

    def test_a_file_of_splits_is_taken_where_there_is_one(self, tmp_path: Path):
        root = tiny_sets.prid2011(tmp_path)
        halves = [{"train": ["person_0002"], "test": ["person_0001", "person_0004"]}]
        (root / "splits_prid2011.json").write_text(json.dumps(halves))
        dataset = prid2011.open_dataset(root)
        assert dataset.notes == ()
        assert [item.identity for item in dataset.splits[0].query] == [1, 4]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[{}]", "not a file of splits"),
            ("{", "not a file of splits"),
            ('[{"train": ["person_0201"], "test": []}]', "0201"),
        ],
    )
    def test_a_broken_file_of_splits_is_refused(self, text: str, said: str, tmp_path: Path):
        root = tiny_sets.prid2011(tmp_path)
        (root / "splits_prid2011.json").write_text(text)
        with pytest.raises(InputError, match=said):
            prid2011.open_dataset(root)


class TestLsVid:
    def test_tracklets_are_those_of_the_lists(self, tmp_path: Path):
        split = ls_vid.open_dataset(tiny_sets.ls_vid(tmp_path)).splits[0]
        assert split.train[0].pictures == tuple(f"tracklet_train/0000/0000_1_3_00000{n}.jpg" for n in ("08", "12"))
        assert [(item.identity, item.camera) for item in split.train] == [(1, 3), (1, 4)], "0 would be a distractor"

    def test_queries_are_named_by_place_and_come_first_in_the_gallery(self, tmp_path: Path):
        split = ls_vid.open_dataset(tiny_sets.ls_vid(tmp_path)).splits[0]
        assert [(item.identity, item.camera) for item in split.query] == [(2, 5), (2, 3)]
        assert split.gallery[:2] == split.query
        assert len(split.gallery) == 3

    def test_queries_may_be_in_a_matlab_file_of_an_older_version(self, tmp_path: Path):
        root = tiny_sets.ls_vid(tmp_path)
        (root / "test" / "query.npy").unlink()
        (root / "test" / "data").mkdir()
        scipy.io.savemat(root / "test" / "data" / "info_test.mat", {"query": np.array([[2], [1]])})
        assert [item.camera for item in ls_vid.open_dataset(root).splits[0].query] == [5, 3]

    def test_without_h5py_it_is_asked_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        root = tiny_sets.ls_vid(tmp_path)
        (root / "test" / "query.npy").unlink()
        (root / "test" / "data").mkdir()
        header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
        (root / "test" / "data" / "info_test.mat").write_bytes(header + bytes(512))
        monkeypatch.setitem(sys.modules, "h5py", None)
        with pytest.raises(MissingError, match="needs h5py"):
            ls_vid.open_dataset(root)

    def test_without_scipy_it_is_asked_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        root = tiny_sets.mars(tmp_path)
        monkeypatch.setitem(sys.modules, "scipy.io", None)
        with pytest.raises(MissingError, match=r"\.mat: a MATLAB file, which needs SciPy") as missing:
            mars.open_dataset(root)
        assert missing.value.hint == "pip install scipy"

    @pytest.mark.parametrize("numbers", [[0], [4], []])
    def test_queries_that_are_not_there_are_refused(self, numbers: list[int], tmp_path: Path):
        root = tiny_sets.ls_vid(tmp_path)
        np.save(root / "test" / "query.npy", np.array(numbers))
        with pytest.raises(InputError, match="do not fit"):
            ls_vid.open_dataset(root)

    def test_an_array_of_objects_is_not_unpickled(self, tmp_path: Path):
        root = tiny_sets.ls_vid(tmp_path)
        np.save(root / "test" / "query.npy", np.array([{}], object), allow_pickle=True)
        with pytest.raises(InputError, match="not an array of numbers"):
            ls_vid.open_dataset(root)

    @pytest.mark.parametrize(
        "line", ["../x/0001_1_3 1", "tracklet_train/0000/0000_9_9 0", "tracklet_train/0000/0000_1_3"]
    )
    def test_a_list_that_names_nothing_here_is_refused(self, line: str, tmp_path: Path):
        root = tiny_sets.ls_vid(tmp_path)
        (root / "list_sequence" / "list_seq_train.txt").write_text(line + "\n")
        with pytest.raises(InputError):
            ls_vid.open_dataset(root)


class TestDuke:
    @pytest.mark.parametrize(("ending", "separator"), [("", "_"), ("_split", "")])
    def test_both_namings_are_read(self, ending: str, separator: str, tmp_path: Path):
        split = dukemtmc_videoreid.open_dataset(tiny_sets.dukemtmc_videoreid(tmp_path, ending, separator)).splits[0]
        assert [(item.identity, item.camera, item.sequence) for item in split.train] == [(1, 6, "0003"), (1, 2, "0004")]
        assert [(item.identity, item.camera) for item in split.query] == [(5, 1)]
        assert [(item.identity, item.camera) for item in split.gallery] == [(5, 2)]

    def test_its_withdrawal_is_said(self, tmp_path: Path):
        assert "withdrew" in dukemtmc_videoreid.open_dataset(tiny_sets.dukemtmc_videoreid(tmp_path)).terms


class TestMatlabFiles:
    def test_a_file_that_is_none_is_refused(self, tmp_path: Path):
        (tmp_path / "x.mat").write_bytes(b"not MATLAB at all, but long enough for a header" * 9)
        with pytest.raises(InputError, match=r"x\.mat: not a MATLAB file"):
            _matlab.read_mat(tmp_path / "x.mat", "query")

    def test_a_missing_variable_is_named(self, tmp_path: Path):
        scipy.io.savemat(tmp_path / "x.mat", {"other": np.zeros(1)})
        with pytest.raises(InputError, match="no variable 'query'"):
            _matlab.read_mat(tmp_path / "x.mat", "query")

    def test_version_7_3_is_turned_as_matlab_shows_it(self, tmp_path: Path):
        h5py = pytest.importorskip("h5py", reason="reads MATLAB 7.3 files only where h5py is installed")
        with h5py.File(tmp_path / "x.mat", "w", userblock_size=512) as file:
            file["query"] = np.array([[5.0, 7.0]])
        with (tmp_path / "x.mat").open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
        assert _matlab.read_mat(tmp_path / "x.mat", "query").tolist() == [[5.0], [7.0]]
