"""The cards that ship, and what a network without one gets."""

import numpy as np
import pytest

from vidreid.embedding.colours import SPEC
from vidreid.engines.registry import read_registry, shipped
from vidreid.errors import InputError
from vidreid.identity.card import CENTRES
from vidreid.pipeline import cards
from vidreid.pipeline.cards import card_files, card_of, stranger
from vidreid.resources import carried

SHIPPED = [name for name, entry in shipped().items() if entry.kind == "embedder"]
CARDS = sorted(file.stem for file in (carried("configs") / "calibration").glob("*.json"))


def weights_of(name):
    """The SHA-256 of a network's files, as the registry states them."""
    return {SPEC.identity} if name == SPEC.identity else set(read_registry().models[name].files.values())


def dim_of(name):
    return SPEC.dim if name == SPEC.identity else read_registry().models[name].dim


@pytest.mark.parametrize("name", [*SHIPPED, SPEC.identity, "person-reidentification-retail-0277"])
def test_what_ships_and_what_is_taken_first_was_measured(name):
    assert any(card_of(name, dim_of(name), network).people >= 50 for network in weights_of(name))


@pytest.mark.parametrize("name", [*SHIPPED, *CARDS])
def test_a_card_says_what_it_was_made_from(name):
    card = card_of(name, dim_of(name))
    assert card.name == name
    assert card.made_from
    assert 0 < card.halves < 1
    assert min(mean for mean, _ in card.genuine.values()) > -1  # above the bulk of strangers
    assert min(deviation for _, deviation in card.genuine.values()) > 0


@pytest.mark.parametrize("name", [*SHIPPED, *CARDS])
def test_strangers_become_rarer_the_more_they_are_alike(name):
    for shape in card_of(name, dim_of(name)).null.values():
        assert (np.diff(shape[CENTRES > 0]) < 0).all()


def test_other_weights_under_a_name_have_no_card():
    assert card_of(SHIPPED[0], 256, "0" * 64).people == 0


def test_a_network_that_nobody_measured_is_a_stranger():
    assert card_of("own", 7).as_dict() == stranger("own", 7).as_dict()
    assert card_of("own", 7).mean.shape == (7,)


def test_vectors_of_another_length_are_not_of_that_network():
    with pytest.raises(InputError, match="vectors of 7 numbers are not those of slim-afa, which has 256") as refused:
        card_of("slim-afa", 7)
    assert "embedder" in refused.value.hint


def test_a_run_in_which_nobody_was_seen_has_a_card():
    assert card_of("slim-afa", 0).people > 0


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_a_damaged_card_is_named(tmp_path, monkeypatch, content):
    file = tmp_path / "calibration.json"
    file.write_bytes(content)
    monkeypatch.setattr(cards, "card_files", lambda name: (file, *card_files(name)))
    with pytest.raises(InputError, match=r"calibration\.json: damaged"):
        card_of("slim-afa", 256)
