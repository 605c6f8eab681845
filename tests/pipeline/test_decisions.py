"""Decisions find their sightings again whatever tracked them, are taken in order, and never contradict each other."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.footage.clock import Timeline
from vidreid.pipeline.carriers import ANCHORS, Carriers, Footage, Track, anchors
from vidreid.pipeline.decide import changes
from vidreid.pipeline.decisions import cut, cuts, resolve
from vidreid.store.journal import KINDS, Decision
from vidreid.types import Clock, VideoFile

FRAMES, RATE = 400, 25


def footage(name, stretches=(0,)):
    """A camera of one file: 16 seconds at 25 frames a second, its pts beginning anew at each stretch."""
    bounds = [*stretches, FRAMES]
    pts = np.concatenate([np.arange(stop - start) + 7 for start, stop in itertools.pairwise(bounds)])
    base = Fraction(1, RATE)
    file = VideoFile(
        f"sha of {name}", 1, "h264", 640, 480, 0, Fraction(1), base, pts, np.zeros(1, int), np.array(stretches), 0
    )
    return Footage([file], Timeline([file], Clock((None,))))


PLACES = {name: footage(name) for name in ("north", "south")}


def walker(name, camera, lane, first=0, stop=FRAMES, speed=0.5):
    """A person of 40 x 100 pixels on a lane of its own; lanes are 60 pixels apart."""
    frames = np.arange(first, stop)
    left = 20 + speed * frames
    top = np.full(len(frames), 60.0 * lane)
    boxes = np.stack([left, top, left + 40, top + 100], axis=1).astype(np.float32)
    return Track(name, camera, frames, boxes)


def found(tracks, subject):
    """The names of the tracks that carry a subject."""
    return [tracks[position].name for position in Carriers(tracks, PLACES).of(subject)]


# Finding sightings again


def test_a_sighting_stands_for_itself_by_a_few_boxes_spread_over_it():
    track = walker("a", "north", 0, 50, 150)
    subject = anchors(track, PLACES["north"])
    assert [anchor.pts - 7 for anchor in subject] == [60, 80, 100, 119, 139]
    assert len(subject) == ANCHORS
    assert {(anchor.camera, anchor.file) for anchor in subject} == {("north", "sha of north")}
    assert subject[0].box == tuple(track.boxes[10].tolist())
    assert len(anchors(walker("a", "north", 0, 50, 52), PLACES["north"])) == 2


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), kept=st.floats(0.3, 1.0), noise=st.floats(0, 6))
def test_it_is_found_in_jittered_boxes_with_gaps_among_neighbours(seed, kept, noise):
    """Boxes move by up to 6 pixels a side, and up to two thirds of them are missing."""
    rng = np.random.default_rng(seed)
    before = [walker(f"{camera} {lane}", camera, lane) for camera in PLACES for lane in range(5)]
    after = []
    for track in before:
        rows = np.flatnonzero(rng.random(FRAMES) < kept)
        boxes = track.boxes[rows] + rng.uniform(-noise, noise, (len(rows), 4)).astype(np.float32)
        after.append(Track(f"again {track.name}", track.camera, track.frames[rows], boxes))
    rng.shuffle(after)
    for track in before:
        assert found(after, anchors(track, PLACES[track.camera])) == [f"again {track.name}"]


def test_a_sighting_in_pieces_is_all_its_larger_pieces():
    subject = anchors(walker("a", "north", 0), PLACES["north"])
    halves = [walker("early", "north", 0, 0, 210), walker("late", "north", 0, 210)]
    assert set(found(halves, subject)) == {"early", "late"}
    assert found([walker("most", "north", 0, 0, 300), walker("end", "north", 0, 320)], subject) == ["most"]


def test_it_is_the_whole_that_swallowed_it():
    subject = anchors(walker("a", "north", 0, 100, 140), PLACES["north"])
    assert found([walker("b", "north", 3), walker("all", "north", 0)], subject) == ["all"]


def test_of_two_that_are_there_at_the_same_time_only_the_larger_part_counts():
    """A tracker that follows one person twice made one of them by mistake."""
    subject = anchors(walker("a", "north", 0), PLACES["north"])
    shifted = walker("double", "north", 0, 200)
    double = Track("double", "north", shifted.frames, shifted.boxes + np.float32(3))
    own = walker("a", "north", 0)
    holes = np.r_[0:230, 270:310, 350:400]
    assert found([double, Track("a", "north", own.frames[holes], own.boxes[holes])], subject) == ["a"]


@pytest.mark.parametrize(
    "others",
    [
        [],
        [walker("elsewhere", "north", 4)],
        [walker("other camera", "south", 0)],
        [walker("too short", "north", 0, 0, 100)],
        [walker("too late", "north", 0, 340)],
    ],
)
def test_less_than_half_of_it_is_not_it(others):
    assert found(others, anchors(walker("a", "north", 0), PLACES["north"])) == []


def test_a_box_half_a_second_away_is_near_and_one_further_away_is_not():
    subject = anchors(walker("a", "north", 0, 100, 101, speed=0), PLACES["north"])
    near, far = (walker("a", "north", 0, 101 + wait, speed=0) for wait in (11, 13))
    assert found([near], subject) == ["a"]
    assert found([far], subject) == []


def test_in_a_file_where_time_jumps_back_the_right_one_of_equal_times_is_found():
    places = {"north": footage("north", stretches=(0, 200))}
    tracks = [walker("first", "north", 0, 0, 200), walker("second", "north", 4, 200)]
    for track in tracks:
        (position,) = Carriers(tracks, places).of(anchors(track, places["north"]))
        assert tracks[position] is track


# What decisions mean


def decided(tracks, *words):
    """Decisions of names and a frame: ``("same", "a", "b")``, ``("split", "a", 120)``, numbered from 1."""
    by_name = {track.name: track for track in tracks}
    made = []
    for number, (kind, *names) in enumerate(words, start=1):
        at = None
        if kind == "split":
            name, frame = names
            track = by_name[name]
            row = int(np.searchsorted(track.frames, frame))
            parts = [track.between(0, row), track.between(row, len(track.frames))]
            at = PLACES[track.camera].place(frame)
        else:
            parts = [by_name[name] for name in names]
        made.append(Decision(kind, tuple(anchors(part, PLACES[part.camera]) for part in parts), at, number=number))
    return made


A, B = walker("a", "north", 0, 0, 100), walker("b", "north", 0, 150, 250)  # one after the other
C, D = walker("c", "south", 1), walker("d", "south", 3, 20)  # together
E = walker("e", "north", 4, 60, 200)  # together with a and with b
WORLD = [A, B, C, D, E]


def test_the_numbers_of_decisions_come_with_what_they_say():
    rulings = resolve(decided(WORLD, ("same", "c", "a"), ("different", "d", "b"), ("discard", "e")), WORLD, PLACES)
    assert rulings.same == {(0, 2): 1}
    assert rulings.apart == {(1, 3): 2}
    assert rulings.discarded == {4: 3}
    assert rulings.named == [0, 1, 2, 3, 4]
    assert rulings.notes == []


def test_many_at_once_are_one_and_one_is_none_of_many():
    rulings = resolve(decided(WORLD, ("same", "a", "b", "d"), ("different", "c", "b", "e")), WORLD, PLACES)
    assert rulings.same == {(0, 1): 1, (0, 3): 1}
    assert rulings.apart == {(1, 2): 2, (2, 4): 2}


@pytest.mark.parametrize(
    ("words", "why", "against"),
    [
        ([("same", "c", "d")], "c and d are together in camera south", ()),
        ([("same", "c", "a"), ("same", "a", "d")], "c and d (by decision 1) are together in camera south", (1,)),
        ([("different", "a", "c"), ("same", "c", "a")], "decision 1 says that a and c are two people", (1,)),
        ([("same", "c", "a"), ("different", "a", "c")], "decision 1 says that a and c are one person", (1,)),
        (
            [("same", "a", "b"), ("different", "b", "c"), ("same", "a", "c")],
            "decision 2 says that b and c (by decision 1) are two people",
            (1, 2),
        ),
        (
            [("same", "a", "b"), ("same", "b", "c"), ("different", "a", "c")],
            "decision 1 with 2 says that a and c are one person",
            (1, 2),
        ),
        ([("discard", "a"), ("same", "a", "c")], "decision 1 discards a", (1,)),
        ([("discard", "a"), ("different", "c", "a")], "decision 1 discards a", (1,)),
        ([("same", "a", "c"), ("discard", "c")], "decision 1 says who c is", (1,)),
        ([("same", "a", "c"), ("split", "c", 200)], "decision 1 says that c and c from frame 200 are one person", (1,)),
    ],
)
def test_the_later_of_two_that_contradict_each_other_is_left_out_and_both_are_named(words, why, against):
    decisions = decided(WORLD, *words)
    tracks = cut(WORLD, cuts(decisions, WORLD, PLACES))
    rulings = resolve(decisions, tracks, PLACES)
    (out,) = rulings.left_out
    assert (out.number, out.why, out.against) == (len(words), why, against)
    assert rulings.notes == [f"decision {len(words)} is left out: {why}"]


def test_who_was_only_told_apart_may_be_discarded():
    rulings = resolve(decided(WORLD, ("different", "a", "c"), ("discard", "a")), WORLD, PLACES)
    assert (rulings.apart, rulings.discarded, rulings.notes) == ({}, {0: 2}, [])


words = st.one_of(
    st.tuples(st.just("same"), st.sampled_from("abcde"), st.sampled_from("abcde")),
    st.tuples(st.just("different"), st.sampled_from("abcde"), st.sampled_from("abcde")),
    st.tuples(st.just("discard"), st.sampled_from("abcde")),
    st.tuples(st.just("split"), st.sampled_from("ac"), st.integers(20, 80)),
)


@settings(max_examples=60)
@given(st.lists(words, max_size=8))
def test_whatever_is_said_what_is_ruled_can_hold_and_every_decision_is_in_it_or_named(said):
    decisions = decided(WORLD, *said)
    tracks = cut(WORLD, cuts(decisions, WORLD, PLACES))
    rulings = resolve(decisions, tracks, PLACES)
    group = list(range(len(tracks)))
    for _ in tracks:
        for a, b in rulings.same:
            group[a] = group[b] = min(group[a], group[b])
    assert not any(group[a] == group[b] for a, b in rulings.apart)
    for a, b in itertools.combinations(range(len(tracks)), 2):
        assert not (group[a] == group[b] and tracks[a].meets(tracks[b]))
    assert not set(rulings.discarded) & set(itertools.chain(*rulings.same, *rulings.apart))
    for kept in (rulings.same, rulings.apart, rulings.discarded):
        assert not {out.number for out in rulings.left_out} & set(kept.values())
    assert all(set(out.against) <= set(range(1, out.number)) for out in rulings.left_out)
    assert rulings.lost == []
    without_effect = {out.number for out in rulings.left_out}
    for decision in decisions:
        if decision.kind == "same" and decision.number not in without_effect:
            one, other = (Carriers(tracks, PLACES).of(subject) for subject in decision.subjects)
            assert len({group[position] for position in (*one, *other)}) == 1
        if decision.kind == "discard" and decision.number not in without_effect:
            assert set(Carriers(tracks, PLACES).of(decision.subjects[0])) <= set(rulings.discarded)


@settings(max_examples=60)
@given(st.lists(words.filter(lambda word: word[0] != "split"), max_size=8))
def test_a_decision_takes_nothing_from_those_before_it(said):
    decisions = decided(WORLD, *said)
    if decisions:
        before, after = resolve(decisions[:-1], WORLD, PLACES), resolve(decisions, WORLD, PLACES)
        assert after.left_out[: len(before.left_out)] == before.left_out
        assert before.same.items() <= after.same.items()
        assert before.discarded.items() <= after.discarded.items()


def test_what_nobody_carries_any_more_is_named():
    decisions = decided(WORLD, ("same", "a", "c"), ("discard", "e"), ("same", "b", "c", "d"))
    rulings = resolve(decisions, [C], PLACES)
    assert rulings.notes == [
        "decision 1 has no effect: nobody is followed in north at 2.0 s now",
        "decision 2 has no effect: nobody is followed in north at 5.2 s now",
        "decision 3 has no effect: nobody is followed in north at 8.0 s, south at 8.4 s now",
    ]
    assert (rulings.same, rulings.discarded) == ({}, {})


def test_what_is_left_of_a_decision_holds():
    rulings = resolve(decided(WORLD, ("same", "c", "a", "b")), [A, C], PLACES)
    assert rulings.same == {(0, 1): 1}
    assert rulings.notes == ["decision 1 holds for the others: nobody is followed in north at 8.0 s now"]


def test_footage_that_is_gone_is_named():
    rulings = resolve(decided(WORLD, ("same", "a", "c")), [A], {"north": PLACES["north"]})
    assert rulings.notes == [
        "decision 1 has no effect: nobody is followed in south in footage that is not in this run now"
    ]


# Splits


def test_a_split_makes_two_of_one_and_keeps_them_apart():
    decisions = decided(WORLD, ("split", "c", 120))
    starts = cuts(decisions, WORLD, PLACES)
    assert starts == {2: [120]}
    tracks = cut(WORLD, starts)
    assert [track.name for track in tracks] == ["a", "b", "c", "d", "e", "c from frame 120"]
    assert (tracks[2].frames[-1], tracks[5].frames[0]) == (119, 120)
    assert len(tracks[2].boxes) + len(tracks[5].boxes) == len(C.boxes)
    rulings = resolve(decisions, tracks, PLACES)
    assert (rulings.apart, rulings.notes) == ({(2, 5): 1}, [])


@given(st.lists(st.integers(1, FRAMES - 1), min_size=1, max_size=4, unique=True))
def test_every_split_of_one_sighting_is_made(frames):
    decisions = decided([C], *(("split", "c", frame) for frame in frames))
    starts = cuts(decisions, [C], PLACES)
    assert starts == {0: sorted(frames)}
    parts = cut([C], starts)
    assert sorted(int(part.frames[0]) for part in parts) == [0, *sorted(frames)]


def test_of_a_person_who_stands_still_the_sides_of_a_split_are_told_apart_by_time():
    still = walker("c", "south", 1, speed=0)
    decisions = decided([still], ("split", "c", 200))
    rulings = resolve(decisions, cut([still], {0: [200]}), PLACES)
    assert (rulings.apart, rulings.notes) == ({(0, 1): 1}, [])


def test_what_a_tracker_has_split_itself_is_not_cut_again():
    tracks = [walker("early", "south", 1, 0, 118), walker("late", "south", 1, 123)]
    decisions = decided([C], ("split", "c", 120))
    assert cuts(decisions, tracks, PLACES) == {}
    assert resolve(decisions, tracks, PLACES).apart == {(0, 1): 1}


def test_a_part_that_was_split_off_may_be_discarded():
    (split,) = decided([C], ("split", "c", 120))
    parts = cut([C], {0: [120]})
    discard = Decision("discard", (anchors(parts[1], PLACES["south"]),), number=2)
    rulings = resolve([split, discard], parts, PLACES)
    assert (rulings.apart, rulings.discarded, rulings.notes) == ({}, {1: 2}, [])
    assert cuts([split, discard], [C], PLACES) == {0: [120]}


def test_every_kind_of_decision_has_a_meaning():
    assert set(KINDS) == {"same", "different", "discard", "split"}


# What changed


@pytest.mark.parametrize(
    ("before", "after", "groups"),
    [
        ("a1 b1 c2", "a1 b1 c2", []),
        ("a1 b1 c2", "a1 b1 c1", [(["1", "2"], {"1": 3})]),
        ("a1 b1 c2", "a1 b3 c2", [(["1"], {"1": 1, "3": 1})]),
        ("a1 b1 c2", "a1 b1 c-", [(["2"], {})]),
        ("a1 b1 c2", "a1 b1 c2 d3", [([], {"3": 1})]),
        ("a1 b2 c3 d4", "a1 b1 c3 d3", [(["1", "2"], {"1": 2}), (["3", "4"], {"3": 2})]),
        ("a1 b1 c2 d2", "a1 c1 b2 d2", [(["1", "2"], {"1": 2, "2": 2})]),
    ],
)
def test_people_who_are_others_than_they_were_are_named_in_groups(before, after, groups):
    def people(text):
        return {word[0]: None if word[1] == "-" else word[1] for word in text.split()}

    assert changes(people(before), people(after)) == groups
