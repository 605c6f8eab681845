"""Recipes of engines: what they may say, and those that the package carries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.engines.recipe import Bound, EngineRecipe, read_recipe, recipe_names
from vidreid.engines.registry import read_registry
from vidreid.errors import InputError
from vidreid.training.recipe import names


def written(folder, text):
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_package_carries_the_networks_of_the_papers_and_those_that_ship():
    assert recipe_names() == ["afa", "detector-yolo26n", "slim-afa", "tclnet", "tclnet-authors", "yolo26n"]


@pytest.mark.parametrize("name", recipe_names())
def test_every_carried_recipe_names_a_network_that_there_is_and_how_to_get_its_weights(name):
    found, recipe = read_recipe(name)
    registered = read_registry().models
    assert found == name
    assert recipe.network in {*registered, *names()}
    assert recipe.get or recipe.network in registered


def test_a_recipe_of_ones_own_goes_by_its_path(tmp_path):
    path = written(
        tmp_path, "network: tclnet/tclnet\nprecision: fp16\nislands: [Softmax]\nbounds: {fp16: {cosine: 0.99}}"
    )
    name, recipe = read_recipe(path)
    assert (name, recipe.precision, recipe.islands, recipe.bound.cosine) == ("mine", "fp16", ["Softmax"], 0.99)


def test_a_precision_without_a_bound_of_its_own_has_the_default():
    assert EngineRecipe(network="x", bounds={"int8": {"cosine": 0.5}}).bound == Bound()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("network: x\nbatch: [0, 1, 2]", "batch"),
        ("network: x\nbatch: [4, 2, 8]", "must not fall"),
        ("network: x\nsizes: [[64, 32], [64, 32]]", "given twice"),
        ("network: x\nprecision: fp8", "precision"),
        ("network: x\nprecison: fp16", "unknown key 'precison'"),
        ("precision: fp16", "network"),
        ("[]: {", "not readable as YAML"),
    ],
)
def test_what_a_recipe_cannot_mean_is_one_line_with_its_file(tmp_path, text, said):
    with pytest.raises(InputError, match=r"mine\.yaml") as error:
        read_recipe(written(tmp_path, text))
    assert said in error.value.message
    assert "\n" not in error.value.message
    assert error.value.hint


def test_an_unknown_recipe_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="no engine recipe 'tclne'") as error:
        read_recipe("tclne")
    assert "'tclnet'" in error.value.hint


@given(st.data())
def test_the_digest_changes_with_whatever_a_recipe_says(data):
    recipe = EngineRecipe(network="x")
    changes = {
        "network": "y",
        "frames": 8,
        "batch": (1, 1, 1),
        "precision": "fp32",
        "islands": ["*norm*"],
        "sizes": [(8, 8)],
    }
    key = data.draw(st.sampled_from(sorted(changes)))
    assert recipe.digest == EngineRecipe(network="x").digest
    assert recipe.model_copy(update={key: changes[key]}).digest != recipe.digest
