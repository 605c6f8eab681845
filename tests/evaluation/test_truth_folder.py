"""A folder of labels: one MOT file a camera, and what the files beside them say."""

import json

import numpy as np
import pytest

from vidreid.errors import InputError, UsageError
from vidreid.evaluation.truth import Distractor, parse_distractor, read_distractors, read_truth

ROW = "1,1,300,5,10,20,1\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "c0.txt").write_text(ROW)
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "c1.txt").write_text(ROW + "2,2,300,5,10,20,0\n")
    return tmp_path


def test_labels_lie_in_the_folder_or_in_gt(folder):
    truth = read_truth(folder, ["c0", "c1"])
    assert list(truth.cameras) == ["c0", "c1"]
    assert truth.cameras["c1"].rows.ids.tolist() == [1]  # the row of flag 0 does not count
    assert (truth.partial, truth.global_ids, truth.unlabelled) == (False, True, ())
    assert truth.cameras["c0"].span is None
    assert truth.cameras["c0"].distractors.shape == (0, 4)


def test_a_camera_without_labels_is_named(folder):
    truth = read_truth(folder, ["c0", "roof"])
    assert truth.unlabelled == ("roof",)
    assert truth.notes(partial=False) == ["roof: no labels, not scored"]


def test_no_labels_at_all_says_what_is_there(folder):
    with pytest.raises(InputError, match="no labels for door, roof") as refusal:
        read_truth(folder, ["door", "roof"])
    assert refusal.value.hint == "name them <camera>.txt; found: c0, c1"
    with pytest.raises(InputError, match="no such folder"):
        read_truth(folder / "c0.txt", ["c0"])


def test_the_scene_says_which_frames_are_labelled_and_how_well(folder):
    scene = {"range": {"c0": [5, 90]}, "exhaustive": "partial", "global_ids": False}
    (folder / "scene.json").write_text(json.dumps(scene))
    truth = read_truth(folder, ["c0", "c1"])
    assert (truth.cameras["c0"].span, truth.cameras["c1"].span) == ((5, 90), None)
    assert (truth.partial, truth.global_ids) == (True, False)


def test_notes_tell_where_scores_mislead(folder):
    (folder / "scene.json").write_text('{"exhaustive": "partial", "global_ids": false}')
    partial = read_truth(folder, ["c0"])
    assert ["--partial leaves them out" in note for note in partial.notes(partial=False)] == [True]
    assert partial.notes(partial=True) == []
    assert ["persons.csv" in note for note in partial.notes(partial=True, identity=True)] == [True]
    (folder / "scene.json").unlink()
    assert ["false ones too" in note for note in read_truth(folder, ["c0"]).notes(partial=True)] == [True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not readable as JSON"),
        ("[]", "not a JSON object"),
        ('{"range": [1, 9]}', "no frame range of c0"),
        ('{"range": {"c0": [9, 1]}}', "no frame range of c0"),
        ('{"range": {"c0": [0, 9]}}', "no frame range of c0"),
        ('{"range": {"c0": 9}}', "no frame range of c0"),
    ],
)
def test_a_malformed_scene_is_refused(folder, text, message):
    (folder / "scene.json").write_text(text)
    with pytest.raises(InputError, match=rf"scene\.json: {message}"):
        read_truth(folder, ["c0"])


def test_distractors_come_from_the_folder_and_from_the_caller(folder):
    (folder / "distractors.csv").write_text("camera,x,y,w,h\nc1,1,2,3,4\n")
    truth = read_truth(folder, ["c0", "c1"], distractors=[parse_distractor("c1:319,73,14,50")])
    assert truth.cameras["c1"].distractors.tolist() == [[319, 73, 333, 123], [1, 2, 4, 6]]
    assert len(truth.cameras["c0"].distractors) == 0


def test_a_distractor_of_an_unknown_camera_is_refused(folder):
    with pytest.raises(InputError, match="c9: a distractor in a camera without labels") as refusal:
        read_truth(folder, ["c0"], distractors=[parse_distractor("c9:319,73,14,50")])
    assert refusal.value.hint == "cameras with labels: c0"


def test_a_camera_name_may_hold_a_colon():
    assert parse_distractor("hall:2:1,2,3,4.5") == Distractor("hall:2", (1, 2, 4, 6.5))


@pytest.mark.parametrize(
    "text", ["", "c1", "c1:1,2,3", "c1:1,2,3,4,5", ":1,2,3,4", "c1:1,2,x,4", "c1:1,2,0,4", "c1:1,2,3,nan"]
)
def test_a_malformed_distractor_is_refused(tmp_path, text):
    with pytest.raises(UsageError) as refusal:
        parse_distractor(text)
    assert refusal.value.hint == "write it like c1:319,73,14,50"


@pytest.mark.parametrize("row", ["c1,1,2,3", ",1,2,3,4", "c1,1,2,x,4", "c1,1,2,3,-4"])
def test_a_malformed_row_of_distractors_is_refused(tmp_path, row):
    path = tmp_path / "distractors.csv"
    path.write_text(f"camera,x,y,w,h\nc1,1,2,3,4\n{row}\n")
    with pytest.raises(InputError, match="row 2 is not a camera with a box"):
        read_distractors(path)


def test_a_table_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "distractors.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a table"):
        read_distractors(tmp_path / "distractors.csv")


def test_ids_become_persons(folder):
    (folder / "c0.txt").write_text("1,4,300,5,10,20,1\n1,9,500,5,10,20,1\n3,6,300,5,10,20,1\n")
    (folder / "persons.csv").write_text("mot_id,person_id,looks\n4,1,coat\n6,1,coat\n9,2,hat\n")
    truth = read_truth(folder, ["c0"], by_person=True)
    assert truth.cameras["c0"].rows.ids.tolist() == [1, 2, 1]
    assert truth.global_ids


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "No such file"),
        ("person_id,looks\n1,coat\n", "no table of mot_id,person_id"),
        ("mot_id,person_id\n1,coat\n", "no table of mot_id,person_id in whole numbers"),
        ("mot_id,person_id\n2,2\n", "does not name id 1, 3"),
        ("mot_id,person_id\n1,2\n3,2\n", r"person 2 of persons\.csv is twice in frame 1"),
    ],
)
def test_a_table_of_persons_that_does_not_fit_is_refused(folder, table, message):
    (folder / "c0.txt").write_text("1,1,300,5,10,20,1\n1,3,500,5,10,20,1\n")
    if table is not None:
        (folder / "persons.csv").write_text(table)
    with pytest.raises(InputError, match=message):
        read_truth(folder, ["c0"], by_person=True)


@pytest.mark.shared
def test_the_19_tracks_of_pets_are_10_people(shared):
    folder = shared / "data" / "footage" / "pets_s2l1"
    tracks, people = (read_truth(folder, ["vtest"], by_person=by_person) for by_person in (False, True))
    assert [len(np.unique(each.cameras["vtest"].rows.ids)) for each in (tracks, people)] == [19, 10]
    assert (tracks.global_ids, people.global_ids) == (False, True)
