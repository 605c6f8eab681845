"""What is known of a network, written down and read again."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity.card import BULK, CENTRES, EDGES, Card, read_card

SHARES = st.floats(0, 1)


@st.composite
def cards(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Card(
        name=draw(st.text(max_size=8)),
        mean=rng.normal(size=draw(st.integers(1, 20))).astype(np.float32),
        scale=draw(st.floats(0.01, 1)),
        strangers=rng.random(2).astype(np.float32),
        null={kind: rng.exponential(size=len(CENTRES)) for kind in ("with", "without")},
        genuine={kind: (draw(st.floats(-3, 3)), draw(st.floats(0.1, 3))) for kind in ("same", "cross")},
        halves=draw(SHARES),
        people=draw(st.integers(0, 10_000)),
        made_from=tuple(draw(st.lists(st.text(max_size=8), max_size=3))),
    )


@given(cards())
def test_a_card_says_the_same_when_it_is_read_again(card):
    written = json.dumps(card.as_dict())
    found = read_card(json.loads(written))
    assert json.dumps(found.as_dict()) == written
    assert (found.name, found.people, found.made_from) == (card.name, card.people, card.made_from)
    np.testing.assert_allclose(found.mean, card.mean, rtol=5e-3)
    np.testing.assert_allclose(found.strangers, card.strangers, atol=1e-4)
    np.testing.assert_allclose([found.scale, found.halves], [card.scale, card.halves], atol=1e-4)
    for kind in ("with", "without"):
        np.testing.assert_allclose(found.null[kind], card.null[kind], rtol=5e-3)
    for kind in ("same", "cross"):
        np.testing.assert_allclose(found.genuine[kind], card.genuine[kind], atol=1e-3)


def test_the_bulk_lies_below_the_rest():
    assert np.array_equal(np.flatnonzero(BULK), np.arange(BULK.sum()))
    assert EDGES[BULK.sum()] == -1.0
