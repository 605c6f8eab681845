"""The loss of a batch, against the sums that the recipes' words stand for."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks import Features, VideoNetwork
from vidreid.training.objective import Classifiers, objective
from vidreid.training.recipe import Losses

LABELS = torch.tensor([0, 0, 1, 1, 2, 2])
STRANGERS = 3
WIDTH = 5


def network(branches: int = 1, *, after_neck: bool = False) -> VideoNetwork:
    """A network whose necks do something: half of it, plus the branch's number."""
    made = VideoNetwork(WIDTH, branches)
    made.after_neck = after_neck
    made.necks = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(branches))
    for number, layer in enumerate(made.necks):
        layer.weight.data = 0.5 * torch.eye(WIDTH)
        layer.bias.data = torch.full((WIDTH,), float(number))
    return made


def features(branches: int = 1, *, varied: bool = False) -> Features:
    drawn = torch.Generator().manual_seed(0)
    frames = torch.randn(len(LABELS) + STRANGERS, 4, WIDTH, generator=drawn)
    vectors = tuple(frames.mean(1) + branch for branch in range(branches))
    each = tuple(frames + branch for branch in range(branches))
    return Features(vectors, each, tuple(1.1 * one for one in each) if varied else ())


def classifiers(made: VideoNetwork) -> Classifiers:
    found = Classifiers(made, 3, bias=True)
    torch.manual_seed(1)
    for layer in found.branches:
        nn.init.normal_(layer.weight)
        nn.init.normal_(layer.bias)
    return found


def losses_of(made: VideoNetwork, seen: Features, losses: Losses, teacher: Tensor | None = None):
    found = objective(made, classifiers(made), seen, LABELS, teacher, losses)
    return {name: value.item() for name, value in found.items()}


def neck(vector: Tensor, branch: int = 0) -> Tensor:
    return 0.5 * vector + branch


def surprise(layer: nn.Linear, views: list[Tensor], label: int) -> float:
    """-log of the mean probability of the label over some views of one clip."""
    chances = [torch.softmax(layer.weight @ view + layer.bias, 0)[label] for view in views]
    return -math.log(sum(chance.item() for chance in chances) / len(chances))


def test_classification_adds_the_branches_up_and_sees_labelled_clips_only() -> None:
    made, seen = network(2), features(2)
    layers = classifiers(made).branches
    expected = sum(
        sum(surprise(layers[b], [neck(seen.vectors[b][clip], b)], int(LABELS[clip])) for clip in range(6)) / 6
        for b in range(2)
    )
    found = losses_of(made, seen, Losses(classification=0.5))
    assert found == {"classification": pytest.approx(0.5 * expected, rel=1e-4)}


@pytest.mark.parametrize("branches", [1, 2])
def test_varied_frames_are_classified_one_by_one_and_their_probabilities_averaged(branches: int) -> None:
    made, seen = network(branches), features(branches, varied=True)
    expected = 0.0
    for b, layer in enumerate(classifiers(made).branches):
        frames = [[neck(seen.varied[b][clip, t], b) for t in range(4)] for clip in range(6)]
        expected += sum(surprise(layer, frames[clip], int(LABELS[clip])) for clip in range(6)) / 6
    assert losses_of(made, seen, Losses()) == {"classification": pytest.approx(expected, rel=1e-4)}


@pytest.mark.parametrize("on", ["vectors", "neck"])
def test_the_triplet_loss_is_on_vectors_before_or_after_the_neck(on: str) -> None:
    made, seen = network(), features()
    points = [neck(vector) if on == "neck" else vector for vector in seen.vectors[0][:6]]
    total = 0.0
    for a in range(6):
        apart = [float((points[a] - points[b]).norm()) for b in range(6)]
        positive = max(apart[b] for b in range(6) if LABELS[b] == LABELS[a] and a != b)
        negative = min(apart[b] for b in range(6) if LABELS[b] != LABELS[a])
        total += math.log1p(math.exp(positive - negative))
    found = losses_of(made, seen, Losses(classification=0, triplet=2.0, triplet_on=on))
    assert found == {"triplet": pytest.approx(2 * total / 6, rel=1e-4)}


@pytest.mark.parametrize("branches", [1, 2])
def test_coherence_is_the_mean_length_of_what_differs_from_the_clip_added_over_branches(branches: int) -> None:
    made, seen = network(branches), features(branches)
    lengths = [
        float((frames[clip, t] - vectors[clip]).norm())
        for frames, vectors in zip(seen.frames, seen.vectors, strict=True)
        for clip in range(6)
        for t in range(4)
    ]
    found = losses_of(made, seen, Losses(classification=0, coherence=0.1))
    assert found == {"coherence": pytest.approx(0.1 * sum(lengths) / 24, rel=1e-4)}


def test_a_network_without_frames_cannot_be_coherent() -> None:
    with pytest.raises(InputError, match="no vectors of frames"):
        losses_of(network(), replace(features(), frames=()), Losses(coherence=0.1))


def cosine(a: Tensor, b: Tensor) -> float:
    return float(a @ b / (a.norm() * b.norm()))


@pytest.mark.parametrize(("after_neck", "varied"), [(False, False), (False, True), (True, True), (True, False)])
def test_the_teacher_is_followed_frame_by_frame_by_strangers_too(after_neck: bool, varied: bool) -> None:
    """By the vectors that the network will be used with."""
    made, seen = network(after_neck=after_neck), features(varied=varied)
    teacher = torch.randn(9, 4, WIDTH, generator=torch.Generator().manual_seed(2))
    own = neck(seen.varied[0] if varied else seen.frames[0]) if after_neck else seen.frames[0]
    expected = sum(1 - cosine(own[clip, t], teacher[clip, t]) for clip in range(9) for t in range(4)) / 36
    found = losses_of(made, seen, Losses(classification=0, teacher=3.0), teacher)
    assert found == {"teacher": pytest.approx(3 * expected, rel=1e-4)}


def test_networks_of_several_branches_follow_the_teachers_mean_by_all_of_them() -> None:
    made, seen = network(2), features(2)
    teacher = torch.randn(9, 4, 2 * WIDTH, generator=torch.Generator().manual_seed(2))
    own = torch.cat(seen.vectors, 1)
    expected = sum(1 - cosine(own[clip], teacher[clip].mean(0)) for clip in range(9)) / 9
    found = losses_of(made, seen, Losses(classification=0, teacher=1.0), teacher)
    assert found == {"teacher": pytest.approx(expected, rel=1e-4)}


def test_relations_need_no_equal_width_and_vectors_do() -> None:
    made, seen = network(), features()
    teacher = torch.randn(9, 4, 12)
    assert losses_of(made, seen, Losses(classification=0, relations=1.0), teacher)["relations"] > 0
    with pytest.raises(InputError, match="vectors of 5 numbers, the teacher's have 12"):
        losses_of(made, seen, Losses(classification=0, teacher=1.0), teacher)
