"""Who cannot be one person, whatever they look like."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity.clustering import agglomerate
from vidreid.identity.constraints import TOGETHER, TRAVEL, Presence, cannot_link, reason

CAMERAS = ["c1", "c2", "c3"]
SECOND = 1_000_000


@st.composite
def presence_of(draw):
    """Somewhere for some seconds; frames are half seconds, and the clocks of some are unknown."""
    first, length = draw(st.integers(0, 40)), draw(st.integers(0, 12))
    known = draw(st.sampled_from([True, True, True, False]))
    times = [(first + more) * SECOND // 2 if known else None for more in (0, length)]
    return Presence(draw(st.sampled_from(CAMERAS)), first, first + length, *times)


PRESENCES = st.lists(presence_of(), max_size=25)
LIMITS = st.dictionaries(st.sampled_from(list(combinations(CAMERAS, 2))), st.sampled_from([0.0, 0.5, 2.0, 6.0]))


def apart(one, other, limits):
    """The definition, pair by pair."""
    if one.camera == other.camera:
        return one.first <= other.last and other.first <= one.last
    limit = limits.get((one.camera, other.camera), limits.get((other.camera, one.camera)))
    if limit is None or None in (one.start_us, other.start_us):
        return False
    gap = max(one.start_us - other.end_us, other.start_us - one.end_us)
    return gap <= 0 or gap < limit * SECOND


@given(PRESENCES, LIMITS)
def test_apart_are_those_at_once_in_one_camera_or_too_soon_in_another(presences, limits):
    wanted = [
        [j for j, other in enumerate(presences) if j != i and apart(one, other, limits)]
        for i, one in enumerate(presences)
    ]
    assert [others.tolist() for others in cannot_link(presences, limits)] == wanted


@given(PRESENCES, LIMITS)
def test_a_limit_holds_in_both_directions(presences, limits):
    turned = {(other, one): seconds for (one, other), seconds in limits.items()}
    for one, other in zip(cannot_link(presences, limits), cannot_link(presences, turned), strict=True):
        np.testing.assert_array_equal(one, other)


@given(PRESENCES, LIMITS, st.integers(0, 2**32 - 1), st.sampled_from([-1.0, 0.0, 0.4]))
def test_no_identity_is_ever_in_two_places_at_once(presences, limits, seed, threshold):
    """Whatever they look like, and even where everybody is to be merged."""
    looks = np.random.default_rng(seed).normal(size=(len(presences), 4))
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    merges = agglomerate(looks, looks, cannot_link(presences, limits), [], threshold)
    clusters = merges.clusters(len(merges.linkage))
    for i, j in combinations(range(len(presences)), 2):
        assert clusters[i] != clusters[j] or not apart(presences[i], presences[j], limits)


def test_the_last_frame_counts():
    assert [others.tolist() for others in cannot_link([Presence("c", 0, 5), Presence("c", 5, 9)])] == [[1], [0]]
    assert [others.tolist() for others in cannot_link([Presence("c", 0, 5), Presence("c", 6, 9)])] == [[], []]


def at(camera, start, end):
    return Presence(camera, 0, 0, round(start * SECOND), round(end * SECOND))


@pytest.mark.parametrize(
    ("left", "entered", "limit", "kept_apart"),
    [
        (10, 39.9, 30, True),
        (10, 40.0, 30, False),
        (10, 9.0, 30, True),  # at once
        (10, 10.0, 0, True),  # at once for an instant
        (10, 10.1, 0, False),
    ],
)
def test_as_fast_as_the_limit_is_possible_and_faster_is_not(left, entered, limit, kept_apart):
    found = cannot_link([at("a", 0, left), at("b", entered, entered + 5)], {("b", "a"): limit})
    assert [others.tolist() for others in found] == ([[1], [0]] if kept_apart else [[], []])


def test_cameras_without_a_limit_may_see_one_person_at_once():
    assert [len(others) for others in cannot_link([at("a", 0, 9), at("b", 0, 9)], {("a", "c"): 5.0})] == [0, 0]


def test_an_unknown_clock_constrains_nothing_between_cameras():
    presences = [at("a", 0, 9), Presence("b", 0, 9), Presence("b", 9, 12)]
    assert [others.tolist() for others in cannot_link(presences, {("a", "b"): 60.0})] == [[], [2], [1]]


def test_why_two_are_kept_apart():
    assert reason(at("a", 0, 9), at("a", 3, 4)) == TOGETHER
    assert reason(at("a", 0, 9), at("b", 3, 4)) == TRAVEL


def test_memory_grows_with_the_pairs_kept_apart_only():
    """30,000 tracklets, one of them in view all day: a list of all pairs would be 450 million."""
    presences = [Presence("c", 0, 60_000), *(Presence("c", 2 * i, 2 * i) for i in range(30_000))]
    found = cannot_link(presences)
    assert len(found[0]) == 30_000
    assert all(others.tolist() == [0] for others in found[1:])
