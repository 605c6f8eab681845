"""Recipes of detectors: what they say, and what they cannot mean."""

from dataclasses import asdict

import pytest
import yaml

from vidreid.errors import InputError
from vidreid.training.detector.recipe import Set, detector_recipe, read_detector_recipe
from vidreid.training.recipe import differences, kind_of, names, read_recipe, read_values


def test_the_recipe_that_ships_is_of_a_detector():
    assert names("detector") == ["detector-yolo26n"]
    recipe = read_detector_recipe("detector-yolo26n")
    assert recipe.about
    assert recipe.architecture == "yolo26n"
    assert {name for name, one in recipe.data.sets.items() if one.weight == 0} == set()
    assert all(0 <= one.complete <= 1 for one in recipe.data.sets.values())
    assert recipe.schedule.warmup + recipe.schedule.cooldown < recipe.schedule.steps


def test_a_key_can_be_changed(recipe):
    changed = recipe("data.sets.shop.weight=3", "data.sizes=[64,96]", "losses.features=2")
    assert changed.data.sets == {"shop": Set(weight=3)}
    assert changed.data.sizes == (64, 96)
    assert changed.losses.features == 2


def test_what_a_recipe_says_reads_as_that_recipe(recipe):
    """As a checkpoint holds it."""
    one = recipe("data.sets.shop.complete=0.5")
    assert detector_recipe(yaml.safe_load(yaml.safe_dump(_plain(asdict(one)))), "checkpoint.pt") == one


def _plain(value):
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return list(map(_plain, value)) if isinstance(value, tuple) else value


def test_recipes_differ_in_what_would_be_another_training(recipe):
    found = differences(recipe(), recipe("data.sets.shop.weight=2", "average=0.5"))
    assert set(found) == {"data.sets.shop.weight", "data.sets.shop.complete", "average"}
    assert differences(recipe(), recipe("schedule.steps=7", "optimizer.rate=1", "start=some.pt", "about=else")) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("data.sizes=[100]", r"sizes: \[100\]"),
        ("data.sizes=[32]", r"sizes: \[32\]"),
        ("data.sizes=[]", r"sizes: \[\]"),
        ("data.pictures=0", "pictures: 0"),
        ("data.sets.shop.weight=-1", "weight: -1"),
        ("data.sets.shop.complete=2", "complete: 2"),
        ("losses.boxes=-1", "boxes: -1"),
        ("average=2", "average: 2"),
        ("augmentation.fish=1", "unknown key 'fish'"),
        ("augmentation.zoom=[2,1]", r"zoom: \[2.0, 1.0\]"),
        ("network=afa", "unknown key 'network'"),
        ("kind=embedder", "the recipe of an embedder"),
    ],
)
def test_what_cannot_be_meant_is_told_by_its_key(recipe, change, said):
    with pytest.raises(InputError, match=said):
        recipe(change)


def test_embedders_and_detectors_are_not_taken_for_each_other():
    assert kind_of(read_values("slim-afa")) == "embedder"
    with pytest.raises(InputError, match="the recipe of an embedder"):
        read_detector_recipe("slim-afa")
    with pytest.raises(InputError, match="the recipe of a detector"):
        read_recipe("detector-yolo26n")
