"""Recipes: YAML to settings, bases, changes on the command line, and every recipe that ships."""

import dataclasses
from itertools import groupby
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from vidreid.errors import InputError, UsageError
from vidreid.networks.backbones import resnet50
from vidreid.training.datasets import Dataset
from vidreid.training.loop import Training
from vidreid.training.material import gather
from vidreid.training.place import Place
from vidreid.training.recipe import Optimizer, Part, Recipe, Schedule, build_network, differences, names, read_recipe
from vidreid.training.sections import section
from vidreid.training.start import begin


def write(folder: Path, **texts: str) -> str:
    """Files of these names; the path of the first."""
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return str(folder / f"{next(iter(texts))}.yaml")


# Reading


def test_what_a_yaml_leaves_out_is_the_default(tmp_path: Path) -> None:
    recipe = read_recipe(write(tmp_path, own="schedule: {steps: 7}"))
    assert recipe == Recipe(schedule=Schedule(steps=7))


def test_a_base_stands_for_its_keys_but_not_for_what_it_says_of_itself(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        own="base: below\ndata: {frames: 6}\nnetwork: {options: {sigma: 0.5}}",
        below="about: Else.\nsource: {system: F3}\ndata: {people: 3}\nnetwork: {name: afa, options: {tsb: [1]}}",
    )
    recipe = read_recipe(path)
    assert (recipe.data.people, recipe.data.frames) == (3, 6)
    assert recipe.network == Part("afa", {"tsb": [1], "sigma": 0.5})
    assert (recipe.about, recipe.source.system) == ("", "")


def test_another_network_takes_no_options_of_the_bases_network(tmp_path: Path) -> None:
    path = write(tmp_path, own="base: below\nnetwork: {name: qan}", below="network: {name: afa, options: {sigma: 0.5}}")
    assert read_recipe(path).network == Part("qan")


def test_another_optimizer_keeps_rate_and_decay(tmp_path: Path) -> None:
    recipe = read_recipe(write(tmp_path, own="optimizer: {rate: 0.5, decay: 0.25}"), ["optimizer.name=adamw"])
    assert recipe.optimizer == Optimizer("adamw", rate=0.5, decay=0.25)


def test_changes_are_keys_with_dots(tmp_path: Path) -> None:
    path = write(tmp_path, own="backbone: slim")
    changes = ["schedule.steps=4500", "optimizer.rate=1e-4", "losses.margin=0.4", "data.size=[64,32]", "start="]
    recipe = read_recipe(path, [*changes, "backbone.options.signed=false"])
    assert (recipe.schedule.steps, recipe.optimizer.rate, recipe.losses.margin) == (4500, 1e-4, 0.4)
    assert (recipe.data.size, recipe.start) == ((64, 32), "")
    assert recipe.backbone == Part("slim", {"signed": False})
    assert read_recipe(path, ["losses.margin=0.4", "losses.margin=null"]).losses.margin is None


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("shedule: {steps: 3}", "own.yaml: unknown key 'shedule'", "did you mean 'schedule'?"),
        ("schedule: {stepz: 3}", "own.yaml: schedule: unknown key 'stepz'", "did you mean 'steps'?"),
        ("schedule: {qqq: 3}", "own.yaml: schedule: unknown key 'qqq'", "known: steps, shape"),
        ("schedule: {steps: many}", "own.yaml: schedule: steps: 'many' is of the wrong kind", "give a whole number"),
        ("schedule: {steps: true}", "own.yaml: schedule: steps: True is of the wrong kind", "give a whole number"),
        ("schedule: 3", "own.yaml: schedule: 3 is of the wrong kind", "give a mapping of keys"),
        ("average: much", "own.yaml: average: 'much' is of the wrong kind", "give a number"),
        ("classifier_bias: 1", "own.yaml: classifier_bias: 1 is of the wrong kind", "give true or false"),
        ("data: {size: 64}", "own.yaml: data: size: 64 is of the wrong kind", "give a list"),
        ("data: {size: [64]}", "own.yaml: data: size: 1 values", "give 2"),
        ("precision: int8", "own.yaml: precision: 'int8'", "one of: bf16, fp32"),
        ("network: {options: 3, name: afa}", "own.yaml: network: options: 3 is of the wrong kind", "give a mapping"),
        ("network: {options: {sigma: 1}}", "own.yaml: network: name is missing", "give name"),
        ("data: {frames: 0}", "own.yaml: data: frames: 0", "give at least 1"),
        ("data: {people: 0}", "own.yaml: data: people: 0", "give at least 1"),
        ("data: {strangers: -1}", "own.yaml: data: strangers: -1", "give at least 0"),
        ("data: {size: [0, 0]}", "own.yaml: data: size: 0", "give at least 1"),
        ("data: {people: 1, clips: 1}", "own.yaml: data: a batch of one clip", "raise data.people or data.clips"),
        ("optimizer: {rate: -1}", "own.yaml: optimizer: rate: -1", "give at least 0"),
        ("optimizer: {rate: .nan}", "own.yaml: optimizer: rate: nan", "give at least 0"),
        ("losses: {classification: 0}", "own.yaml: losses: nothing is learnt", "give one of classification, triplet"),
        ("losses: {smoothing: 2}", "own.yaml: losses: smoothing: 2", "give 0 to 1"),
        ("losses: {margin: -1}", "own.yaml: losses: margin: -1", "give at least 0"),
        ("schedule: {steps: 0}", "own.yaml: schedule: steps: 0", "give at least 1"),
        ("schedule: {milestones: [3, -3]}", "own.yaml: schedule: milestones: -3", "give at least 0"),
        ("average: 1.5", "own.yaml: average: 1.5", "give 0 to 1"),
        ("- 1", "own.yaml: not a mapping of keys", "see a recipe"),
        ("a: [", "own.yaml: while parsing", "give a YAML file"),
        ("base: own", "own.yaml: its bases go round in a circle", "take out one base:"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        read_recipe(write(tmp_path, own=text))
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("change", ["schedule.steps", "data.size=[1"])
def test_a_change_that_sets_nothing_is_wrong_use(tmp_path: Path, change: str) -> None:
    with pytest.raises(UsageError):
        read_recipe(write(tmp_path, own="{}"), [change])


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="no recipe 'tclnet/tclnt'") as caught:
        read_recipe("tclnet/tclnt")
    assert caught.value.hint == "did you mean tclnet/tclnet?"


def test_frames_that_a_network_cannot_cut_are_refused() -> None:
    with pytest.raises(InputError, match="5 frames a clip: tclnet needs a multiple of 2"):
        build_network(read_recipe("light/tclnet", ["data.frames=5"]))


@given(rate=st.floats(1e-9, 1e3), steps=st.integers(1, 10**9), milestones=st.lists(st.integers(1, 100)))
def test_a_recipe_survives_as_plain_values(rate: float, steps: int, milestones: list[int]) -> None:
    values = {"optimizer": {"rate": rate}, "schedule": {"steps": steps, "milestones": milestones}, "network": "afa"}
    recipe = section(Recipe, values, "here")
    plain = dataclasses.asdict(recipe)
    plain["schedule"]["milestones"] = list(plain["schedule"]["milestones"])
    plain["data"]["size"] = list(plain["data"]["size"])
    plain["augmentation"]["erase_area"] = list(plain["augmentation"]["erase_area"])
    assert section(Recipe, plain, "there") == recipe


def test_words_start_schedule_rate_and_clip_alone_may_be_changed_in_the_middle_of_a_training(tmp_path: Path) -> None:
    path = write(tmp_path, own="network: {name: qan, options: {sigma: null}}")
    free = ["about=Else.", "source.figures.mars.mAP=80", "start=imagenet", "schedule={steps: 3, milestones: [1]}"]
    assert differences(read_recipe(path), read_recipe(path, [*free, "optimizer={rate: 1, clip: 2}"])) == []
    bound = ["network.options={pool: both}", "data.size=[64,32]", "optimizer.decay=1", "precision=fp32"]
    found = differences(read_recipe(path), read_recipe(path, bound))
    assert sorted(found) == ["data.size", "network.options.pool", "optimizer.decay", "precision"]
    assert differences(read_recipe(path), section(Recipe, {"network": "qan"}, "")) == ["network.options.sigma"]


# What ships


def test_every_row_of_both_papers_has_a_recipe() -> None:
    systems = {read_recipe(name).source.system for name in names("embedder")}
    assert systems >= {f"T{n}" for n in range(1, 23)} | {f"F{n}" for n in range(1, 17)}


@pytest.mark.parametrize("name", names("embedder"))
def test_every_recipe_says_what_it_is_and_builds(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.about.endswith(".")
    assert all(0 < value <= 100 for figures in recipe.source.figures.values() for value in figures.values())
    assert all(step < recipe.schedule.steps for step in recipe.schedule.milestones)
    with torch.device("meta"):
        network = build_network(recipe)
    assert recipe.data.frames % network.multiple == 0


def small(name: str) -> Recipe:
    """A recipe at a size that takes a second, without the words: many rows are the same training."""
    frames = read_recipe(name).data.frames
    changes = ["about=", "source={}", "start=", "data.size=[96,32]", "data.people=2", "data.clips=2"]
    changes += ["schedule.steps=2", "schedule.warmup=0", "schedule.cooldown=0", "schedule.milestones=[]"]
    return read_recipe(name, [*changes, f"data.frames={2 if frames > 6 else frames}"])


def kinds() -> list[list[str]]:
    """Recipes' names, those that are one training at small size together."""
    ordered = sorted(names("embedder"), key=lambda name: repr(small(name)))
    return [list(group) for _, group in groupby(ordered, key=lambda name: repr(small(name)))]


def greys(views: torch.Tensor) -> torch.Tensor:
    """A teacher: a picture in small, in greys."""
    return functional.adaptive_avg_pool2d(views.mean(1), 16).flatten(1)


@pytest.mark.parametrize("alike", kinds(), ids=lambda alike: alike[0])
def test_every_recipe_learns(alike: list[str], people: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps, ResNet-50 at an eighth of its width."""
    monkeypatch.setattr(resnet50, "WIDTHS", (32, 64, 128, 256))
    recipe = small(alike[0])
    material = gather([people], [people] if recipe.data.strangers else [], recipe.data, place=Place(), seed=0)
    teacher = greys if recipe.losses.teacher else None
    training = Training(begin(recipe), recipe, material, place=Place(), teacher=teacher)
    # The convolution that sees the pictures.
    first = next(value for value in training.network.parameters() if value.ndim > 3 and value.shape[1] == 3)
    before = first.clone()
    (told,) = training.run()
    assert told.step == 2
    wanted = ("classification", "triplet", "coherence", "teacher", "relations")
    assert set(told.losses) == {name for name in wanted if getattr(recipe.losses, name)}
    assert not torch.equal(first, before)  # the whole way back
