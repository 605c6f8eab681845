"""A run folder as a data set."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_sets import decoded

from vidreid.errors import InputError, MissingError
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder
from vidreid.training.datasets import JUNK
from vidreid.training.datasets.run import OWN, open_dataset


def test_every_stored_crop_is_a_training_picture(finished: Path):
    dataset = open_dataset(finished)
    pictures = [key for item in dataset.splits[0].train for key in item.pictures]
    assert len(pictures) == len(set(pictures)) == Run(finished).crops().num_rows


def test_crops_are_cut_to_the_person(finished: Path):
    dataset = open_dataset(finished)
    row = Run(finished).crops().slice(0, 1).to_pylist()[0]
    height, width = decoded(dataset.read(f"{row['tracklet']}/{row['frame']}")).shape[:2]
    assert width == np.ceil(row["x2"]) - np.floor(row["x1"])
    assert height == np.ceil(row["y2"]) - np.floor(row["y1"])


def test_tracklets_and_cameras_are_the_runs(finished: Path):
    run, dataset = Run(finished), open_dataset(finished)
    people = dict(zip(*(run.tracklets()[name].to_pylist() for name in ("tracklet", "identity")), strict=True))
    for item in dataset.splits[0].train:
        assert (f"P{item.identity:04d}" if item.identity != JUNK else None) == people[item.sequence]
        assert run.cameras[item.camera - 1] == item.sequence.rpartition("/")[0]
        frames = [int(key.rpartition("/")[2]) for key in item.pictures]
        assert frames == sorted(frames)


def test_labels_are_said_to_be_the_programs_own(finished: Path):
    dataset = open_dataset(finished)
    assert max(item.identity for item in dataset.splits[0].train) > 0
    assert dataset.notes == (OWN,)


def test_pictures_can_stand_alone(finished: Path):
    train = open_dataset(finished, tracklets=False).splits[0].train
    assert {len(item.pictures) for item in train} == {1}
    assert len(train) == Run(finished).crops().num_rows


def test_a_run_that_was_not_matched_says_how(finished: Path, tmp_path: Path):
    shutil.copytree(finished, tmp_path / "run")
    RunFolder(tmp_path / "run").match("tracklets").unlink()
    with pytest.raises(InputError, match="not matched yet") as caught:
        open_dataset(tmp_path / "run")
    assert caught.value.hint.startswith("vidreid match")


def test_a_folder_that_is_no_run_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=str(tmp_path)):
        open_dataset(tmp_path)


@pytest.mark.parametrize("package", ["pyarrow", "pydantic"])
def test_packages_that_a_run_needs_are_asked_for(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in ("vidreid.pipeline.results", "vidreid.pipeline.summary", "vidreid.engines.registry"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingError, match=f"a run, which needs {package}") as missing:
        open_dataset(tmp_path)
    assert missing.value.hint == f"pip install {package}"
