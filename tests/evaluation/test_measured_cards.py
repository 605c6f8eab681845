"""A card measured on made-up people: what it says of them, and that others of the kind come out as it promises."""

import numpy as np
import pytest

from vidreid.evaluation.cards import Labelled, measure_card
from vidreid.evaluation.grouping import score_grouping
from vidreid.identity.association import Sightings, associate
from vidreid.identity.card import BULK, CENTRES, read_card

DIM, CLOTHES = 64, 6


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def crowd(people, *, seed, cameras=2, most=2, noise=0.55, name="crowd"):
    """People in clothes of few kinds, each seen up to ``most`` times by each camera, each of its own light."""
    rng = np.random.default_rng(seed)
    clothes = np.zeros((people, DIM))
    clothes[:, :CLOTHES] = rng.normal(size=(people, CLOTHES))
    looks = unit(0.8 * unit(clothes) + 0.6 * unit(rng.normal(size=(people, DIM))))
    light = 0.5 * unit(rng.normal(size=(cameras, DIM)))
    person, camera = np.nonzero(np.ones((people, cameras)))
    visits = rng.integers(0, most + 1, len(person))
    person, camera = np.repeat(person, visits), np.repeat(camera, visits)

    def seen(rows):
        return unit(looks[person[rows]] + light[camera[rows]] + noise * unit(rng.normal(size=(len(rows), DIM))))

    rows = np.arange(len(person))
    halves = np.stack([seen(rows), seen(rows)], 1)
    return Labelled(name, seen(rows).astype(np.float32), person, camera, halves.astype(np.float32))


@pytest.fixture(scope="module")
def card():
    return measure_card("made", [crowd(100, seed=1, name="one"), crowd(100, seed=2, name="two")])


def test_a_card_says_of_whom_it_was_made(card):
    assert (card.name, card.made_from) == ("made", ("one", "two"))
    assert card.people == sum(len(np.unique(crowd(100, seed=seed).identities)) for seed in (1, 2))


def test_people_are_more_alike_than_strangers(card):
    for shape in card.null.values():
        typical = (shape * CENTRES).sum() / shape.sum()
        assert card.genuine["cross"][0] > typical + 1
        assert shape[BULK].sum() == pytest.approx(1)


def test_the_mean_is_that_of_the_sets_each_counting_alike():
    few, many = crowd(70, seed=1), crowd(100, seed=2)
    mean = (few.vectors.mean(0) + many.vectors.mean(0)) / 2
    np.testing.assert_allclose(measure_card("made", [few, many]).mean, mean, atol=1e-6)


def test_halves_are_compared_without_what_all_pictures_share():
    one = crowd(70, seed=1)
    mean = one.vectors.mean(0)
    likeness = [np.dot(a - mean, b - mean) / np.linalg.norm(a - mean) / np.linalg.norm(b - mean) for a, b in one.halves]
    assert measure_card("made", [one]).halves == pytest.approx(np.mean(likeness), abs=1e-5)


def test_a_set_of_short_tracklets_has_no_say_on_halves():
    long, short = crowd(70, seed=1), crowd(70, seed=1)
    short = Labelled("short", short.vectors, short.identities, short.cameras, np.zeros((0, 2, DIM), np.float32))
    assert measure_card("made", [long, short]).halves == measure_card("made", [long]).halves


def test_where_nobody_is_seen_twice_by_a_camera_two_cameras_stand_for_one():
    card = measure_card("made", [crowd(150, seed=1, most=1)])
    assert card.genuine["same"] == card.genuine["cross"]


def test_a_card_is_read_as_it_was_written(card):
    again = read_card(card.as_dict())
    assert again.as_dict() == card.as_dict()
    np.testing.assert_allclose(again.mean, card.mean, rtol=0.01)


@pytest.mark.parametrize(("noise", "promise"), [(0.7, 0.05), (0.85, 0.05), (0.85, 0.1), (0.85, 0.2), (1.0, 0.2)])
def test_what_comes_out_is_within_a_factor_of_two_of_what_was_expected(noise, promise):
    """Of others of the kind that the card was measured on, the more alike the people are, the fewer are found."""
    card = measure_card("made", [crowd(300, seed=seed, noise=noise) for seed in (1, 2)])
    others = crowd(800, seed=3, noise=noise)
    nobody = [np.zeros(0, np.int64)] * len(others.vectors)
    found = associate(Sightings(others.vectors, others.cameras, nobody), card, promise)
    scores = score_grouping(found.clusters, others.identities + 1, others.cameras)
    expected, low, high = found.expected.wrong_share
    assert found.expected.wrong >= 30
    assert found.expected.pairs == scores.pairs
    assert expected <= promise
    assert low <= scores.wrong_share.value <= high


def test_where_people_look_all_alike_nobody_is_put_together():
    """The noise of a picture is as large as what tells people apart."""
    card = measure_card("made", [crowd(300, seed=seed, noise=1.2) for seed in (1, 2)])
    others = crowd(300, seed=3, noise=1.2)
    nobody = [np.zeros(0, np.int64)] * len(others.vectors)
    found = associate(Sightings(others.vectors, others.cameras, nobody), card, 0.02)
    assert found.threshold is None
    assert found.expected.split > 50
