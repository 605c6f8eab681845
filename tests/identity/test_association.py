"""Who is who, as many as the promise allows: on made-up people, and against definitions over all pairs."""

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from visits import DIM, held_out, pairs_of, unit, visits, wrong_pairs

from vidreid.identity import association as room
from vidreid.identity.association import Expected, Sightings, associate, make_space, regroup
from vidreid.identity.calibration import histogram
from vidreid.identity.card import CENTRES
from vidreid.identity.crowd import in_uniform, with_own_mean

NOBODY = np.zeros(0, np.int64)
SEEDS = st.integers(0, 2**32 - 1)


@cache
def associated(seed, promise=0.02, **how):
    found = visits(seed, **how)
    return found, associate(found.sightings, held_out(), promise)


@st.composite
def few(draw):
    """A handful of sightings in up to three cameras, pairs that cannot be one person, and pairs that must."""
    rng = np.random.default_rng(draw(SEEDS))
    count = draw(st.integers(0, 16))
    looks = unit(rng.normal(size=(4, DIM)))
    vectors = unit(
        looks[rng.integers(0, 4, count)] + draw(st.sampled_from([0.1, 0.6])) * unit(rng.normal(size=(count, DIM)))
    )
    group = rng.integers(0, max(1, count // 2), count)  # only within these may pairs be together
    share = draw(st.sampled_from([0.0, 0.1, 0.5]))
    pairs = [pair for pair in combinations(range(count), 2) if rng.random() < share]
    apart = [(a, b) for a, b in pairs if group[a] != group[b]]
    together = [(a, b) for a, b in pairs if group[a] == group[b]]
    lists = [np.array([b if a == i else a for a, b in apart if i in (a, b)], np.int64) for i in range(count)]
    return Sightings(vectors.astype(np.float32), rng.integers(0, 3, count), lists, together), apart


@settings(max_examples=50)
@given(few(), st.sampled_from([0.0, 0.02, 0.5, 1.0]))
def test_no_constraint_is_ever_broken(problem, promise):
    sightings, apart = problem
    clusters = associate(sightings, held_out(), promise).clusters
    assert all(clusters[one] != clusters[other] for one, other in apart)
    assert all(clusters[one] == clusters[other] for one, other in sightings.together)


@pytest.mark.parametrize("how", [{}, {"alike": True}, {"cameras": 1}, {"at_once": 12}])
@pytest.mark.parametrize("promise", [0.02, 1.0])
def test_nobody_is_twice_in_one_picture(how, promise):
    found, told = associated(3, promise, **how)
    assert all(
        not (told.clusters[others] == told.clusters[row]).any() for row, others in enumerate(found.sightings.apart)
    )


@settings(max_examples=50)
@given(few())
def test_likeness_is_the_score_above_even_odds_and_that_of_groups_the_mean_of_their_pairs(problem):
    sightings, _ = problem
    told = associate(sightings, held_out(), 0.02)
    cameras, count = sightings.cameras, len(sightings.cameras)
    pairs = np.array(list(combinations(range(count), 2)), np.int64).reshape(-1, 2)
    even = {kind: min(curve.even, room.NEVER) for kind, curve in told.curves.items()}
    same = cameras[pairs[:, 0]] == cameras[pairs[:, 1]]
    wanted = told.space.pair_scores(pairs) - np.where(same, even["same"], even["cross"])
    np.testing.assert_allclose(told.likeness.of(pairs), wanted, atol=1e-4)
    np.testing.assert_allclose(told.likeness.of(pairs[:, ::-1]), told.likeness.of(pairs), atol=1e-12)

    whole = told.likeness.between(np.arange(count), np.arange(count))
    np.testing.assert_allclose(whole[*pairs.T], wanted, atol=1e-4)
    for kept, (linkage, number) in enumerate(zip(told.merges.linkage, told.merges.pairs, strict=True)):
        before, after = told.merges.clusters(kept), told.merges.clusters(kept + 1)
        met = [(i, j) for i, j in pairs if before[i] != before[j] and after[i] == after[j]]
        assert len(met) == number
        assert linkage == pytest.approx(np.mean([whole[i, j] for i, j in met]), abs=1e-6)


@settings(max_examples=50)
@given(few(), st.sampled_from([1, 3, 512]))
def test_the_scores_of_all_pairs_that_may_be_one_person_are_counted_by_kind(problem, block):
    sightings, apart = problem
    space = make_space(sightings.vectors, sightings.cameras, held_out())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "BLOCK", block)
        curves = room.find_curves(space, sightings, held_out())
    possible = [pair for pair in combinations(range(len(sightings.cameras)), 2) if pair not in apart]
    for kind, alike in (("same", True), ("cross", False)):
        pairs = [(a, b) for a, b in possible if (sightings.cameras[a] == sightings.cameras[b]) == alike]
        scores = space.pair_scores(np.array(pairs, np.int64))
        # Next to the border of two bins, rounding decides.
        doubtful = np.abs(scores[:, None] - (CENTRES - 0.125)).min(1, initial=np.inf) < 1e-3
        assert np.abs(curves[kind].counted - histogram(scores)).sum() <= 2 * doubtful.sum()


@pytest.mark.parametrize(
    ("how", "promise"), [({}, 0.02), ({}, 0.05), ({"people": 400}, 0.02), ({"blur": 1.0}, 0.1), ({"people": 300}, 0.05)]
)
def test_the_share_of_wrong_pairs_is_what_was_promised_within_a_factor_of_two(how, promise):
    sites = [associated(seed, promise, **how) for seed in range(5)]
    expected = sum(told.expected.wrong for _, told in sites)
    wrong = sum(wrong_pairs(told.clusters, found.people) for found, told in sites)
    assert expected >= 30
    chance = np.sqrt(expected)  # of counting, which no promise rules out
    assert expected / 2 - chance <= wrong <= 2 * expected + chance
    assert all(told.expected.wrong <= promise * told.expected.pairs + 1e-9 for _, told in sites)
    assert all(
        told.expected.pairs == told.merges.pairs[: told.kept].sum() for _, told in sites if hasattr(told, "kept")
    )


def test_most_people_are_found_again():
    found, told = associated(0)
    right = pairs_of(told.clusters) - wrong_pairs(told.clusters, found.people)
    assert right / pairs_of(found.people) > 0.6


@pytest.mark.parametrize("people", [15, 40, 150])
def test_everybody_in_one_uniform_is_hardly_put_together(people):
    found = visits(0, people=people, alike=True)
    seen, card = found.sightings, held_out()
    if in_uniform(card, seen.vectors, seen.cameras, seen.impostors):
        card = with_own_mean(card, seen.vectors)
    assert pairs_of(associate(seen, card, 0.02).clusters) < 0.001 * pairs_of(np.zeros(len(found.people)))


@pytest.mark.parametrize("people", [15, 40])
def test_a_uniform_is_told_from_clothes(people):
    for alike in (True, False):
        seen = visits(0, people=people, alike=alike).sightings
        assert in_uniform(held_out(), seen.vectors, seen.cameras, seen.impostors) == alike


@settings(max_examples=20)
@given(st.integers(0, 4), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_larger_promise_never_puts_fewer_together(seed, one, other):
    low, high = (associated(seed, promise, people=40)[1] for promise in sorted((one, other)))
    assert all(len(np.unique(high.clusters[low.clusters == number])) == 1 for number in np.unique(low.clusters))
    assert low.expected.pairs <= high.expected.pairs


@settings(max_examples=10)
@given(st.integers(0, 4), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(seed, random):
    found, told = associated(seed, people=40, blur=0.6)
    sightings = found.sightings
    order = np.array(random.sample(range(len(found.people)), len(found.people)))
    place = np.argsort(order)
    moved = Sightings(
        sightings.vectors[order],
        sightings.cameras[order],
        [place[sightings.apart[row]] for row in order],
        impostors=place[sightings.impostors],
    )
    again = associate(moved, held_out(), 0.02).clusters[place]
    both = len(np.unique(np.stack([again, told.clusters]), axis=1).T)
    assert both == len(np.unique(again)) == len(np.unique(told.clusters))


def test_the_same_sightings_are_told_apart_in_the_same_way():
    found, told = associated(1)
    again = associate(found.sightings, held_out(), 0.02)
    np.testing.assert_array_equal(again.clusters, told.clusters)
    np.testing.assert_array_equal(again.chances, told.chances)
    assert again.expected == told.expected


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_and_one(count):
    told = associate(Sightings(np.ones((count, DIM)), np.zeros(count, np.int64), [NOBODY] * count), held_out(), 0.02)
    assert told.clusters.tolist() == [0] * count
    assert told.threshold is None
    assert told.expected == Expected(pairs=0, wrong=0, mixed=0, split=0, compared=0, false_matches=0)


def test_one_camera():
    _, told = associated(2, cameras=1)
    assert told.curves["cross"].counted.sum() == 0
    assert pairs_of(told.clusters) > 0


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_no_rate_is_surer_than_three_in_so_many(pairs, wrong, false):
    expected = Expected(pairs, wrong * pairs, 0, 0, compared=pairs, false_matches=false * pairs)
    for (share, low, high), rate in ((expected.wrong_share, wrong), (expected.false_match_rate, false)):
        assert share == pytest.approx(rate if pairs else 0)
        assert 0 <= low <= share <= high <= 1
        assert high >= min(1, 3 / pairs if pairs else 1)


def test_what_a_person_said_moves_the_probability_of_pairs():
    found, told = associated(0)
    at_even = np.argsort(np.abs(told.likeness.of(pairs := np.stack(np.triu_indices(80, 1), 1))))[:15]
    for same in (True, False):
        reviewed = [(int(a), int(b), same) for a, b in pairs[at_even]]
        after = associate(replace(found.sightings, reviewed=reviewed), held_out(), 0.02)
        moved = np.concatenate(
            [after.curves[kind].probability - told.curves[kind].probability for kind in after.curves]
        )
        assert (moved >= -1e-9).all() if same else (moved <= 1e-9).all()
        assert np.abs(moved).max() > 0.05


@given(SEEDS)
@settings(max_examples=10)
def test_all_rows_regrouped_at_the_threshold_are_as_they_were(seed):
    found, told = associated(seed % 5, people=40)
    rows = np.arange(len(found.people))
    again = regroup(told.likeness, rows, found.sightings.apart, (), told.threshold)
    np.testing.assert_array_equal(again, told.clusters)
