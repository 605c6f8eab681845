"""The tracklets of a labelled set put together, on drawn people told apart by their clothes."""

import csv
import json

import numpy as np
import pytest
from crowds import PEOPLE, write_crowd

from vidreid.errors import InputError
from vidreid.training.datasets import DISTRACTOR, JUNK, Dataset, Split, Tracklet
from vidreid.training.embeddings import from_embedder, from_file
from vidreid.training.identity import groups, score_identity
from vidreid.training.retrieval import open_dataset


@pytest.fixture
def crowd(tmp_path):
    """Three people by two cameras, twice each, two pictures a time; and a distractor of one picture."""
    return open_dataset(str(write_crowd(tmp_path, sequences=2, pictures=2)), None)


def made(*splits):
    return Dataset("made", splits, read=lambda key: b"")


def alone(key, identity, camera=1, sequence="1"):
    return Tracklet((key,), identity, camera, sequence)


def test_every_group_of_identity_camera_and_sequence_is_a_tracklet(crowd):
    tracklets, notes = groups(crowd)
    assert sorted((item.identity, item.camera, item.sequence) for item in tracklets) == [
        (0, 2, "0"),
        *((person, camera, sequence) for person in PEOPLE for camera in (1, 2) for sequence in "01"),
    ]
    assert [len(item.pictures) for item in tracklets] == [2] * 12 + [1]
    assert notes == ["1 tracklets of identity 0 are distractors: nobody else is equal to them"]


def test_groups_of_few_pictures_can_be_left_out(crowd):
    tracklets, notes = groups(crowd, least=2)
    assert len(tracklets) == 12
    assert notes == ["1 groups of fewer than 2 pictures left out"]


def test_splits_are_united_and_no_picture_counts_twice():
    query, gallery = (alone("a", 1),), (alone("a", 1), alone("b", 1), alone("c", 2, camera=3))
    tracklets, _ = groups(made(Split((), query, gallery), Split((), gallery, query)))
    assert [item.pictures for item in tracklets] == [("a", "b"), ("c",)]


def test_junk_is_left_out_and_distractors_stay_apart():
    gallery = (alone("a", JUNK), alone("b", DISTRACTOR), alone("c", DISTRACTOR), alone("d", 4))
    tracklets, _ = groups(made(Split((), (), gallery)))
    assert [item.pictures for item in tracklets] == [("b",), ("c",), ("d",)]


def test_tracklets_that_no_sequence_tells_apart_are_not_made_one():
    gallery = (Tracklet(("a", "b"), 1, 1), Tracklet(("c", "d"), 1, 1))
    tracklets, _ = groups(made(Split((), (), gallery)))
    assert len(tracklets) == 2


def test_the_people_of_the_training_part_are_named_and_can_be_left_out():
    part = Split((alone("a", 1), alone("b", 1, camera=2)), (), (alone("c", 2), alone("d", 2, camera=2)))
    assert groups(made(part))[1] == ["the people of its training part are among them: --held-out leaves them out"]
    tracklets, notes = groups(made(part), held_out=True)
    assert ([item.identity for item in tracklets], notes) == ([2, 2], [])


def test_a_set_that_is_only_there_to_train_has_nobody_held_out():
    part = Split((alone("a", 1), alone("b", 1, camera=2)))
    assert groups(made(part))[1] == []
    with pytest.raises(InputError, match="0 tracklets of 1 pictures or more outside its training part"):
        groups(made(part), held_out=True)


def test_one_tracklet_is_nothing_to_put_together():
    part = Split((), (), (Tracklet(("a", "b"), 1, 1), alone("c", 1, camera=2)))
    with pytest.raises(InputError, match="1 tracklets of 2 pictures or more in it, two are needed") as refused:
        groups(made(part), least=2)
    assert "--min-pictures" in refused.value.hint


def test_people_told_apart_by_their_clothes_are_put_together(crowd):
    tracklets, _ = groups(crowd)
    found = score_identity(crowd, tracklets, from_embedder("colours"), 0.02)
    assert (found.grouping.items, found.grouping.people, found.grouping.distractors) == (13, 3, 1)
    assert found.grouping.pair_precision == 1
    result = json.loads(json.dumps(found.as_dict()))
    assert (result["embedder"], result["dataset"], result["promised"]) == ("colours", "crowd", 0.02)
    assert result["achieved"] == 0
    assert result["achieved_95"][0] == 0 < result["achieved_95"][1]


def test_one_camera_is_scored_without_pairs_across_cameras(tmp_path):
    listing = write_crowd(tmp_path, sequences=2, pictures=2)
    with listing.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with listing.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row for row in rows if row["camera"] == "1")
    dataset = open_dataset(str(listing), None)
    tracklets, _ = groups(dataset)
    found = score_identity(dataset, tracklets, from_embedder("colours"), 0.02).grouping
    assert (found.items, found.cross_pair_precision, found.cross_pair_recall) == (6, None, None)


def test_a_tracklet_without_a_readable_picture_is_left_out(crowd, tmp_path):
    for number in range(2):
        (tmp_path / "pictures" / f"p1_c1_s0_{number}.png").write_bytes(b"no picture")
    said = []
    tracklets, _ = groups(crowd)
    found = score_identity(crowd, tracklets, from_embedder("colours"), 0.02, said.append)
    assert found.grouping.items == 12
    assert sum("cannot be read" in line for line in said) == 2


def test_nothing_readable_is_one_line(crowd, tmp_path):
    for picture in (tmp_path / "pictures").iterdir():
        picture.write_bytes(b"no picture")
    with pytest.raises(InputError, match="0 tracklets can be read, two are needed"):
        score_identity(crowd, groups(crowd)[0], from_embedder("colours"), 0.02)


def test_features_made_elsewhere_are_taken_as_they_are(crowd, tmp_path):
    tracklets, _ = groups(crowd)
    vectors = np.eye(4)[[item.identity for item in tracklets]]
    np.savez(tmp_path / "f.npz", paths=[item.pictures[0] for item in tracklets], features=vectors)
    found = score_identity(crowd, tracklets, from_file(tmp_path / "f.npz"), 0.2)  # nobody measured what they mean
    assert (found.system, found.grouping.pair_f1) == ("f", 1)
