"""Pictures to tracklets."""

from hypothesis import given
from hypothesis import strategies as st

from vidreid.training.datasets import DISTRACTOR, JUNK
from vidreid.training.datasets._tracklets import Picture, single_tracklets, sparse_tracklets


@st.composite
def pictures(draw: st.DrawFn) -> list[Picture]:
    labels = draw(st.lists(st.tuples(st.integers(-1, 3), st.integers(1, 2), st.sampled_from("xy"))))
    return [Picture(f"{place}.jpg", *label) for place, label in enumerate(labels)]


@given(pictures(), st.booleans())
def test_no_picture_is_lost_or_told_another_label(found: list[Picture], strangers: bool):
    grouped = sparse_tracklets(found, strangers=strangers)
    told = {key: (item.identity, item.camera, item.sequence) for item in grouped for key in item.pictures}
    assert told == {item.key: (item.identity, item.camera, item.sequence) for item in found}
    assert sum(len(item.pictures) for item in grouped) == len(found)


@given(pictures())
def test_a_person_has_one_tracklet_a_camera_and_sequence(found: list[Picture]):
    groups = [(item.identity, item.camera, item.sequence) for item in sparse_tracklets(found) if item.identity > 0]
    assert len(groups) == len(set(groups))


@given(pictures())
def test_single_pictures_keep_their_order(found: list[Picture]):
    assert [item.pictures for item in single_tracklets(found)] == [(item.key,) for item in found]


def test_pictures_are_in_order_of_frame_or_of_names():
    named = [Picture(f"img{number}.jpg", 1, 1) for number in (10, 2)]
    framed = [Picture("a.jpg", 1, 1, frame=9), Picture("b.jpg", 1, 1, frame=3)]
    assert sparse_tracklets(named)[0].pictures == ("img2.jpg", "img10.jpg")
    assert sparse_tracklets(framed)[0].pictures == ("b.jpg", "a.jpg")


def test_strangers_under_one_number_are_not_one_tracklet():
    found = [
        Picture(f"{place}.jpg", identity, 1, "x") for place, identity in enumerate([JUNK, JUNK, DISTRACTOR, DISTRACTOR])
    ]
    assert len(sparse_tracklets(found)) == 4
    assert len(sparse_tracklets(found, strangers=True)) == 2
