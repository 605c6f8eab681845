"""The loop: what a step does, and that a stopped training goes on exactly."""

import copy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from vidreid.errors import InputError
from vidreid.training.checkpoint import read_state, write_checkpoint
from vidreid.training.datasets import Dataset, Split
from vidreid.training.loop import Training
from vidreid.training.material import gather
from vidreid.training.place import Place
from vidreid.training.schedule import rate
from vidreid.training.start import begin
from vidreid.training.steps import DivergedError


@pytest.fixture
def begun(tiny, people):
    """``begun("schedule.steps=6")`` is a training that has not taken a step."""

    def make(*changes: str, seed: int = 0, **other: str) -> Training:
        recipe = tiny(*changes)
        material = gather([people], [], recipe.data, place=Place(), seed=seed)
        return Training(begin(recipe, seed=seed), recipe, material, place=Place(), seed=seed, **other)

    return make


def after(training: Training, steps: int) -> list:
    """What the training says until it has taken so many steps."""
    return list(training.run(lambda: training.step >= steps))


def weights(training: Training) -> list[torch.Tensor]:
    return [*training.trained.state_dict().values(), *training.averaged.state_dict().values()]


def equal(some: Training, other: Training) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(some), weights(other), strict=True))


def test_a_training_learns_whom_it_sees(begun) -> None:
    told = list(begun("schedule.steps=60", "optimizer.rate=3e-2").run())
    assert [word.step for word in told] == [10, 20, 30, 40, 50, 60]
    assert told[-1].losses["classification"] < 0.6 * told[0].losses["classification"]


def test_a_seed_repeats_a_training_and_another_does_not(begun) -> None:
    first, again, other = begun(), begun(), begun(seed=1)
    for training in (first, again, other):
        after(training, 3)
    assert equal(first, again)
    assert not equal(first, other)


def test_a_stopped_training_goes_on_exactly(begun, tmp_path: Path) -> None:
    """Six steps in one go, and three, a stop and three, in the middle of what is said every ten steps."""
    whole, first, second = (begun("schedule.steps=6") for _ in range(3))
    (told,) = after(whole, 6)
    assert after(first, 3) == []
    first.save(tmp_path / "checkpoint.pt")
    after(first, 5)  # what comes after the checkpoint is lost
    second.resume(tmp_path / "checkpoint.pt")
    assert second.step == 3
    (said,) = after(second, 6)
    assert equal(whole, second)
    assert (said.step, said.losses, said.rate) == (told.step, told.losses, told.rate)


def test_the_average_moves_with_the_weights(begun) -> None:
    training = begun("average=0.9")
    before = copy.deepcopy(training.averaged.state_dict())
    after(training, 1)
    name = "backbone.stem.0.weight"
    keep = 1 / 10  # of the first step: little of the random start
    expected = keep * before[name] + (1 - keep) * training.network.state_dict()[name]
    torch.testing.assert_close(training.averaged.state_dict()[name], expected)
    assert training.result is training.averaged
    assert begun("average=0").result.training


def test_the_rate_follows_the_schedule(begun) -> None:
    training = begun("schedule={steps: 30, warmup: 5, milestones: [20], cooldown: 4}", "optimizer.rate=0.5")
    told = list(training.run())
    assert [word.rate for word in told] == pytest.approx([0.5, 0.5, 0.5 * 0.1 * 0.25])
    schedule = training.recipe.schedule
    assert [rate(step, schedule) for step in (0, 4, 5, 19, 20, 29)] == pytest.approx([0.2, 1, 1, 1, 0.1, 0.025])
    cosine = replace(schedule, shape="cosine", warmup=0, milestones=(), cooldown=0)
    shares = [rate(step, cosine) for step in range(31)]
    assert (shares[0], shares[15], shares[30]) == pytest.approx((1, 0.5, 0), abs=1e-9)
    assert all(low >= high for low, high in pairwise(shares))


def test_a_clipped_gradient_changes_the_weights_less(begun) -> None:
    free, clipped = begun("optimizer.rate=1"), begun("optimizer={rate: 1, clip: 1e-9}")
    start = [value.clone() for value in free.network.parameters()]
    moved = []
    for training in (free, clipped):
        after(training, 1)
        ends = training.network.parameters()
        moved.append(sum(float((a - b).detach().norm()) for a, b in zip(ends, start, strict=True)))
    assert moved[1] < moved[0]


@pytest.mark.parametrize(("precision", "kind"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_convolutions_are_computed_as_precisely_as_the_recipe_says(begun, precision: str, kind: torch.dtype) -> None:
    training = begun(f"precision={precision}")
    seen: list[torch.dtype] = []
    training.network.backbone.stem[0].register_forward_hook(lambda layer, given, found: seen.append(found.dtype))
    after(training, 1)
    assert set(seen) == {kind}


# What goes wrong


def test_a_loss_that_is_no_number_stops_the_training(begun) -> None:
    with pytest.raises(DivergedError, match="after step 0 the training has come apart: classification nan") as caught:
        after(begun("optimizer.rate=1e30"), 10)
    assert caught.value.hint == "lower optimizer.rate or raise schedule.warmup (--set)"


def test_weights_that_are_no_numbers_are_not_saved(begun, tmp_path: Path) -> None:
    training = begun()
    training.save(tmp_path / "checkpoint.pt")
    with torch.no_grad():
        next(training.network.parameters()).fill_(float("nan"))
    with pytest.raises(DivergedError):
        training.save(tmp_path / "checkpoint.pt")
    assert read_state(tmp_path / "checkpoint.pt")["step"] == 0


def test_a_checkpoint_of_other_people_is_refused(begun, tiny, tmp_path: Path) -> None:
    from drawn_people import write_people

    from vidreid.training.datasets.csv import open_dataset

    begun().save(tmp_path / "checkpoint.pt")
    recipe = tiny()
    fewer = open_dataset(write_people(tmp_path / "fewer", people=4), tracklets=True)
    material = gather([fewer], [], recipe.data, place=Place(), seed=0)
    other = Training(begin(recipe), recipe, material, place=Place())
    with pytest.raises(InputError, match=r"checkpoint.pt: trained on 6 people, this data has 4"):
        other.resume(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("network.name=qan", "network.name, network.options.feature, network.options.metric"),
        ("losses.triplet=0", "losses.triplet"),
        ("optimizer.decay=0.1", "optimizer.decay"),
        ("optimizer.name=adamw", "optimizer.name"),
        ("data.frames=4", "data.frames"),
        ("classifier_bias=false", "classifier_bias"),
        ("average=0", "average"),
    ],
)
def test_a_checkpoint_of_another_recipe_is_refused_and_the_keys_are_named(
    begun, tmp_path: Path, change: str, key: str
) -> None:
    begun().save(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError) as caught:
        begun(change).resume(tmp_path / "checkpoint.pt")
    assert caught.value.message == f"checkpoint.pt: trained by a recipe with another {key}"


def test_rate_clip_and_schedule_may_be_changed_on_the_way(begun, tmp_path: Path) -> None:
    first, second = begun(), begun("optimizer.rate=0.5", "optimizer.clip=1", "schedule={steps: 10, shape: cosine}")
    after(first, 5)
    first.save(tmp_path / "checkpoint.pt")
    second.resume(tmp_path / "checkpoint.pt")
    (told,) = second.run()
    assert told.rate == pytest.approx(0.5 * rate(9, second.recipe.schedule))


@pytest.mark.parametrize(
    ("written", "message"),
    [({"teacher": "colours"}, "with another teacher"), ({"ranks": 2}, "by a number of processes of 2, not 1")],
)
def test_a_checkpoint_of_another_teacher_or_of_more_processes_is_refused(
    begun, tmp_path: Path, written: dict, message: str
) -> None:
    path = tmp_path / "checkpoint.pt"
    training = begun(teacher_name="tiny")
    training.save(path)
    write_checkpoint(path, {**read_state(path), **written})
    with pytest.raises(InputError, match=message):
        training.resume(path)


@pytest.mark.parametrize("other", [{"seed": 1}, {"left_out": 1}])
def test_a_checkpoint_of_another_seed_or_of_other_pictures_of_as_many_people_is_refused(
    people: Dataset, tiny, tmp_path: Path, other: dict[str, int]
) -> None:
    recipe = tiny()

    def training(seed: int = 0, left_out: int = 0) -> Training:
        some = replace(people, splits=(Split(people.splits[0].train[left_out:]),))
        material = gather([some], [], recipe.data, place=Place(), seed=seed)
        return Training(begin(recipe), recipe, material, place=Place(), seed=seed)

    training().save(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="trained with seed 0" if "seed" in other else "on other pictures or another"):
        training(**other).resume(tmp_path / "checkpoint.pt")


def test_a_checkpoint_of_a_detector_is_told(begun, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    begun().save(path)
    write_checkpoint(path, {**read_state(path), "recipe": '{"kind": "detector"}'})
    with pytest.raises(InputError, match=r"checkpoint.pt: of another kind of network, detector and not embedder"):
        begun().resume(path)
