"""Confident pairs between cameras: what may be learned from, and what may not."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.identity.constraints import Presence
from vidreid.identity.encounters import CONFIDENT, encounters


@st.composite
def matched(draw):
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 30)) * draw(st.sampled_from([1, 1, 6]))
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 10**9, count).tolist()
    presences = [
        Presence(f"c{rng.integers(3)}", 0, 0, *((start, start + 10**6) if rng.random() < 0.8 else (None, None)))
        for start in starts
    ]
    looks = rng.normal(size=(count, 3))
    return presences, rng.integers(0, 4, count), looks / np.linalg.norm(looks, axis=1, keepdims=True)


def chance(looks):
    """Of pairs of rows, by their likeness."""
    return lambda pairs: (1 + np.vecdot(looks[pairs[:, 0]], looks[pairs[:, 1]])) / 2


@settings(max_examples=30)
@given(matched())
def test_they_are_all_confident_pairs_of_one_cluster_in_two_cameras_with_known_clocks(matched):
    presences, clusters, looks = matched
    wanted = set()
    for i, j in combinations(range(len(presences)), 2):
        one, other = sorted((i, j), key=lambda row: presences[row].camera)
        known = None not in (presences[i].start_us, presences[j].start_us)
        sure = chance(looks)(np.array([[i, j]])) >= CONFIDENT
        if clusters[i] == clusters[j] and presences[i].camera != presences[j].camera and known and sure:
            wanted.add((presences[one].camera, presences[other].camera, one, other))
    found = encounters(presences, clusters, chance(looks))
    assert [one.cameras for one in found] == sorted({pair[:2] for pair in wanted})
    assert sorted((*one.cameras, *row) for one in found for row in one.rows.tolist()) == sorted(wanted)
    for one in found:
        np.testing.assert_array_equal(one.person, clusters[one.rows[:, 1]])


def test_gaps_and_shifts_are_in_seconds_whichever_came_first():
    presences = [Presence("a", 0, 0, 0, 4_000_000), Presence("b", 0, 0, 10_000_000, 16_000_000)]
    presences.append(Presence("b", 0, 0, 3_000_000, 5_000_000))
    [found] = encounters(presences, np.zeros(3, np.int64), chance(np.ones((3, 1))))
    assert found.gaps.tolist() == pytest.approx([6, -1])
    assert found.shifts.tolist() == pytest.approx([11, 2])
    assert found.people == 1
