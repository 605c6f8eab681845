"""What a score means: the curve between what the card knows and what the run shows."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity.calibration import CEILING, Known, fit, histogram
from vidreid.identity.card import BULK, CENTRES, EDGES, Card

NOBODY = np.zeros(0)
KINDS = st.sampled_from(["same", "cross"])


def falling(rate):
    """Strangers who become so many times rarer, on a log scale, with every unit of score; 1 in the bulk."""
    shape = np.exp(-rate * CENTRES)
    return shape / shape[BULK].sum()


def card(rate=2.5, genuine=(2.0, 0.8)):
    null = {"with": falling(rate), "without": falling(rate)}
    return Card(
        "made up", np.zeros(4), 0.08, np.array([0.4, 0.3]), null, dict.fromkeys(("same", "cross"), genuine), 0, 9
    )


def normal(mean, deviation):
    shape = np.exp(-0.5 * ((CENTRES - mean) / deviation) ** 2)
    return shape / shape.sum()


@st.composite
def runs(draw):
    """Counts of any shape, with the sightings and pairs that they may have come from."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sightings = draw(st.integers(0, 500))
    counts = rng.poisson(draw(st.sampled_from([0.0, 0.5, 30.0])) * rng.exponential(size=len(CENTRES))).astype(float)
    return counts, sightings, counts.sum() + draw(st.integers(0, 100_000))


@st.composite
def knowledge(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = [draw(st.integers(0, 40)) for _ in range(2)]
    impostors, reviewed = (rng.normal(-1, 2, size) for size in sizes)
    return Known(impostors, reviewed, rng.random(len(reviewed)) < 0.5, (rng.normal(), draw(st.integers(0, 40))))


@given(runs(), knowledge(), KINDS)
def test_a_curve_never_falls_and_is_never_certain(run, known, kind):
    curve = fit(*run, card(), kind, known)
    assert (np.diff(curve.probability) >= -1e-12).all()
    assert (curve.probability >= 1 - CEILING - 1e-12).all()
    assert (curve.probability <= CEILING + 1e-12).all()
    assert (curve.at(np.array([-1e9, 1e9])) == curve.probability[[0, -1]]).all()
    if np.isfinite(curve.even) and curve.probability[0] < 0.5:
        assert curve.at(curve.even) == pytest.approx(0.5)
        assert curve.above(0.0) == pytest.approx(0.5)
    else:
        assert (curve.probability < 0.5).all() or (curve.probability >= 0.5).all()


@given(st.floats(0.5, 3), st.floats(0.5, 1.2), st.integers(50, 400))
def test_a_silent_run_says_what_the_card_says(mean, deviation, sightings):
    curve = fit(np.zeros(len(CENTRES)), sightings, sightings**2, card(genuine=(mean, deviation)), "cross")
    np.testing.assert_allclose(curve.genuine / curve.genuine.sum(), normal(mean, deviation), atol=1e-6)
    np.testing.assert_allclose(curve.strangers / curve.strangers[BULK].sum(), falling(2.5), rtol=1e-6)


@pytest.mark.parametrize(("mean", "deviation"), [(2.0, 0.8), (1.5, 0.7), (2.8, 1.0)])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_known_mixture_is_found_again(mean, deviation, share):
    """Strangers as on the card, people as far from it as another site may be, and as many as the run has."""
    sightings, bulk = 3000, 40_000
    strangers, genuine = bulk * falling(2.5), share * sightings * normal(mean, deviation)
    counts = np.random.default_rng(0).poisson(strangers + genuine).astype(float)
    curve = fit(counts, sightings, sightings**2, card(), "cross")
    assert curve.genuine.sum() == pytest.approx(genuine.sum(), rel=0.1)
    seen = strangers + genuine > 20
    truth = (genuine / (strangers + genuine))[seen & (CENTRES > -1)]
    np.testing.assert_allclose(curve.probability[seen & (CENTRES > -1)], truth, atol=0.08)


def test_where_strangers_are_everywhere_nobody_is_likelier_than_not():
    curve = fit(np.zeros(len(CENTRES)), 4, 10_000, card(rate=0.1), "cross")
    assert curve.even == np.inf
    assert curve.above(np.array([0.0, 3.0])) == pytest.approx(curve.probability[-1])
    assert (curve.probability < 0.5).all()


def mixed_run():
    return 2000 * falling(2.5) + 100 * normal(2.0, 0.8), 300, 50_000


@given(st.floats(-0.5, 3.0))
def test_certain_strangers_who_look_alike_make_likeness_mean_less_and_more_of_them_less_still(score):
    curves = [
        fit(
            *mixed_run(),
            card(),
            "same",
            Known(np.concatenate([np.full(count, score), np.full(100, -1.5)]), NOBODY, NOBODY > 0),
        )
        for count in (0, 5, 20, 80)
    ]
    said = [float(curve.at(score)) for curve in curves]
    assert said == sorted(said, reverse=True)
    assert said[0] > said[-1]


@given(st.integers(1, 200), st.booleans(), st.floats(-0.5, 1.5))
def test_reviewed_pairs_move_the_curve_towards_what_was_said_in_proportion_to_their_number(count, same, score):
    before = fit(*mixed_run(), card(), "cross")
    one, many = (
        fit(*mixed_run(), card(), "cross", Known(NOBODY, np.full(number, score), np.full(number, same)))
        for number in (1, 1 + count)
    )
    away = [abs(float(same) - float(curve.at(score))) for curve in (before, one, many)]
    assert away == sorted(away, reverse=True)
    assert away[0] > away[2]
    assert (np.diff(many.probability) >= -1e-12).all()


def test_what_a_person_said_as_foretold_changes_little():
    before = fit(*mixed_run(), card(), "cross")
    said = np.full(100, before.even)
    after = fit(*mixed_run(), card(), "cross", Known(NOBODY, said, np.arange(100) % 2 == 0))
    np.testing.assert_allclose(after.probability, before.probability, atol=1e-6)


def test_tracklets_that_are_like_themselves_let_people_be_more_alike():
    silent = np.zeros(len(CENTRES)), 100, 1000
    few, many = (fit(*silent, card(), "cross", Known(NOBODY, NOBODY, NOBODY > 0, (1.0, number))) for number in (5, 500))
    mean = [
        float(curve.genuine @ CENTRES / curve.genuine.sum()) for curve in (fit(*silent, card(), "cross"), few, many)
    ]
    assert mean == sorted(mean)
    assert mean[2] - mean[0] > 0.5


@given(st.lists(st.floats(-20, 20), max_size=50))
def test_every_score_from_the_first_bin_on_is_counted_once(values):
    counts = histogram(np.array(values))
    assert counts.sum() == sum(value >= EDGES[0] for value in values)
    for number, (low, high) in enumerate(pairwise(EDGES[:-1])):
        assert counts[number] == sum(low <= value < high for value in values)
