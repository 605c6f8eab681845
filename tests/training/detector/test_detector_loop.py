"""The loop of a detector: what a step does, and that a stopped training goes on exactly."""

import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from vidreid.errors import InputError
from vidreid.training.checkpoint import read_state, write_checkpoint
from vidreid.training.detector.loop import DetectorTraining
from vidreid.training.detector.material import Material, gather
from vidreid.training.detector.sources import yolo
from vidreid.training.place import Place
from vidreid.training.steps import DivergedError

KEYS = {
    *("format", "network", "averaged", "adapters", "optimizer", "step", "since_word"),
    *("recipe", "data", "seed", "teacher", "ranks"),
}


@pytest.fixture
def begun(recipe, detector, scenes) -> Callable[..., DetectorTraining]:
    """``begun("schedule.steps=6")`` is a training that has not taken a step; with ``taught`` it has a teacher."""

    def make(*changes: str, seed: int = 0, taught: bool = False, **other: object) -> DetectorTraining:
        wanted = recipe(*changes)
        material = gather([yolo.open_source(scenes, "train")], wanted.data, wanted.augmentation)
        teacher = detector(99).eval() if taught else None
        given = {"teacher": teacher, "teacher_name": "T" if taught else ""} | other
        return DetectorTraining(detector(seed), wanted, material, place=Place(), seed=seed, **given)

    return make


def after(training: DetectorTraining, steps: int) -> list:
    """What the training says until it has taken so many steps."""
    return list(training.run(lambda: training.step >= steps))


def weights(training: DetectorTraining) -> list[torch.Tensor]:
    return [*training.trained.state_dict().values(), *training.averaged.state_dict().values()]


def equal(some: DetectorTraining, other: DetectorTraining) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(some), weights(other), strict=True))


@pytest.mark.parametrize("taught", [False, True], ids=["alone", "taught"])
def test_it_learns_one_batch_by_heart(begun, monkeypatch, taught: bool) -> None:
    once = Material.batch
    monkeypatch.setattr(Material, "batch", lambda self, data, wanted, seed: once(self, data, wanted, (0, 0, 0)))
    features = ["losses.features=1"] if taught else []
    told = after(begun("schedule.steps=30", "optimizer.rate=3e-3", *features, taught=taught), 30)
    assert set(told[0].losses) == ({"scores", "boxes", "features"} if taught else {"scores", "boxes"})
    first, *_, last = (sum(word.losses.values()) for word in told)
    assert last < 0.8 * first


def test_a_seed_repeats_a_training_and_another_does_not(begun) -> None:
    first, again, other = begun(), begun(), begun(seed=1)
    for training in (first, again, other):
        after(training, 2)
    assert equal(first, again)
    assert not equal(first, other)


@pytest.mark.parametrize("taught", [False, True], ids=["alone", "taught"])
def test_a_stopped_training_goes_on_exactly(begun, tmp_path, taught: bool) -> None:
    """Four steps in one go, and two, a stop and two, in the middle of what is said every ten steps."""
    whole, first, second = (begun("schedule.steps=4", "losses.features=1", taught=taught) for _ in range(3))
    (told,) = after(whole, 4)
    assert after(first, 2) == []
    first.save(tmp_path / "checkpoint.pt")
    after(first, 3)  # what comes after the checkpoint is lost
    second.resume(tmp_path / "checkpoint.pt")
    assert second.step == 2
    (said,) = after(second, 4)
    assert equal(whole, second)
    assert (said.step, said.losses, said.rate) == (told.step, told.losses, told.rate)


def test_a_checkpoint_holds_what_trainings_on_the_way_rely_on(begun, tmp_path) -> None:
    """A training of weeks goes on from it with later versions of this program."""
    begun(taught=True).save(tmp_path / "checkpoint.pt")
    assert set(read_state(tmp_path / "checkpoint.pt")) == KEYS


def test_the_teacher_sees_the_view_before_it_is_made_worse_and_does_not_learn(begun) -> None:
    training = begun("augmentation.noise=1", "augmentation.dark=1", taught=True)
    seen: dict[str, torch.Tensor] = {}
    training.teacher.model[0].register_forward_hook(lambda layer, given, found: seen.update(teacher=given[0]))
    training.network.model[0].register_forward_hook(lambda layer, given, found: seen.update(learner=given[0]))
    before = copy.deepcopy(training.teacher.state_dict())
    batch = training.batch(0)
    after(training, 1)
    assert torch.equal(seen["teacher"], batch.clean.float() / 255)
    assert torch.equal(seen["learner"], batch.degraded.float() / 255)
    assert all(torch.equal(before[name], value) for name, value in training.teacher.state_dict().items())


def test_a_teachers_features_fade_with_the_schedule(begun) -> None:
    """In the last step but none they count no more."""
    changes = ["losses={scores: 0, boxes: 0, features: 1}", "optimizer={name: adamw, rate: 1e-3, decay: 0, clip: 0}"]
    early, late = (begun(*changes, "schedule.steps=1000000", "average=0", taught=True) for _ in range(2))
    late.step = 999_999
    norms = []
    for training in (early, late):
        next_step = training.step + 1
        after(training, next_step)
        norms.append(sum(float(value.grad.norm()) for value in training.network.parameters() if value.grad is not None))
    assert norms[1] < 1e-4 * norms[0]


def test_losses_are_told_as_they_are_weighed(begun) -> None:
    """Their sum is what is learnt."""
    said = []
    for losses in ("{scores: 1, boxes: 1, features: 1}", "{scores: 2, boxes: 0.5, features: 4}"):
        (word,) = after(begun(f"losses={losses}", "schedule.steps=1", taught=True), 1)
        said.append(word.losses)
    once, weighed = said
    wanted = {"scores": 2 * once["scores"], "boxes": 0.5 * once["boxes"], "features": 4 * once["features"]}
    assert weighed == pytest.approx(wanted, rel=1e-4)


def test_the_average_moves_with_the_weights(begun) -> None:
    training = begun("average=0.9")
    name = "model.0.conv.weight"
    before = training.averaged.state_dict()[name].clone()
    after(training, 1)
    expected = 0.1 * before + 0.9 * training.network.state_dict()[name]  # the first step keeps little of the start
    torch.testing.assert_close(training.averaged.state_dict()[name], expected)
    assert training.result is training.averaged
    plain = begun("average=0")
    assert plain.result is plain.network


def test_kernels_decay_and_biases_and_norms_do_not(begun) -> None:
    decayed, free = begun("optimizer.decay=0.5").optimizer.param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.5, 0.0)
    assert {value.ndim > 1 for value in decayed["params"]} == {True}
    assert {value.ndim > 1 for value in free["params"]} == {False}


@pytest.mark.parametrize(("precision", "kind"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_convolutions_are_computed_as_precisely_as_the_recipe_says(begun, precision: str, kind: torch.dtype) -> None:
    training = begun(f"precision={precision}")
    seen: list[torch.dtype] = []
    training.network.model[0].conv.register_forward_hook(lambda layer, given, found: seen.append(found.dtype))
    after(training, 1)
    assert set(seen) == {kind}


def test_views_without_people_and_without_labels_are_learnt_from(begun) -> None:
    training = begun(taught=True)
    nobody = [one for one in training.material.pictures if one.boxes is None or not len(one.boxes)]
    training.material = replace(training.material, pictures=nobody)
    (word,) = after(training, 3)
    assert set(word.losses) == {"scores", "boxes", "features"}


# What goes wrong


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ("data.natural=128", {}, "another data.natural"),
        ("augmentation.jpeg=0.1", {}, "another augmentation.jpeg"),
        ("losses.boxes=2", {}, "another losses.boxes"),
        ("about=other", {"seed": 1}, "trained with seed 0"),
        ("about=other", {"taught": True}, "trained with another teacher"),
    ],
)
def test_another_training_is_not_gone_on_with(begun, tmp_path, change, options, said) -> None:
    begun().save(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=said):
        begun(change, **options).resume(tmp_path / "checkpoint.pt")


def test_other_pictures_are_not_gone_on_with(begun, tmp_path) -> None:
    begun().save(tmp_path / "checkpoint.pt")
    training = begun()
    other = replace(training.material, digest="0" * 64)
    moved = DetectorTraining(training.network, training.recipe, other, place=Place())
    with pytest.raises(InputError, match="trained on other pictures"):
        moved.resume(tmp_path / "checkpoint.pt")


def test_the_schedule_may_be_another(begun, tmp_path) -> None:
    begun().save(tmp_path / "checkpoint.pt")
    longer = begun("schedule.steps=50", "optimizer.rate=1e-4", "about=Longer.")
    longer.resume(tmp_path / "checkpoint.pt")
    assert longer.step == 0


def test_a_checkpoint_of_an_embedder_is_told(begun, tmp_path) -> None:
    write_checkpoint(tmp_path / "checkpoint.pt", {"step": 3, "classifiers": {}, "averaged": {}, "recipe": "{}"})
    with pytest.raises(InputError, match="of another kind of network, embedder and not detector"):
        begun().resume(tmp_path / "checkpoint.pt")


def test_a_teacher_with_other_layers_is_told_before_the_first_step(begun) -> None:
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    foreign = DetectionModel("yolo26n-p6.yaml", verbose=False).eval()
    with pytest.raises(InputError, match="the teacher's layers or places are others"):
        begun(taught=True, teacher=foreign)


def test_nothing_of_embedders_is_imported_for_it() -> None:
    code = "import sys, vidreid.training.detector.loop; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {f"vidreid.training.{name}" for name in ("loop", "reid", "objective", "teacher")} & {
        *done.stdout.split()
    }


def test_weights_that_are_no_numbers_are_not_kept(begun, tmp_path) -> None:
    training = begun()
    with torch.no_grad():
        next(training.network.parameters()).fill_(float("nan"))
    with pytest.raises(DivergedError, match="weights nan"):
        training.save(tmp_path / "checkpoint.pt")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DivergedError, match="after step 0 the training has come apart"):
        after(training, 3)
