"""The losses of a detector: their formulas, and which way they push."""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from vidreid.training.detector.losses import LEAST, box_loss, feature_loss, giou, score_loss


def tensor(*rows, **options) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32, **options)


# Scores


def test_a_place_that_is_right_costs_nothing():
    assert score_loss(tensor(20.0, -20.0), tensor(1.0, 0.0)) == pytest.approx(0, abs=1e-7)


def test_one_undecided_place_costs_what_the_formula_says():
    """The logarithm of 2, over one target, or over one where there is less."""
    assert score_loss(tensor(0.0), tensor(1.0)) == pytest.approx(math.log(2))
    assert score_loss(tensor(0.0), tensor(0.0)) == pytest.approx(math.log(2))


@given(st.lists(st.tuples(st.floats(-8, 8), st.floats(0, 1)), min_size=1, max_size=12))
def test_it_is_the_sum_of_the_formula_over_the_sum_of_targets(places):
    total = 0.0
    for logit, wanted in places:
        score = 1 / (1 + math.exp(-logit))
        total -= wanted * math.log(score) + (1 - wanted) * math.log(1 - score)
    expected = total / max(1.0, sum(wanted for _, wanted in places))
    logits, scores = tensor(*places).unbind(1)
    assert float(score_loss(logits, scores)) == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(("logit", "wanted", "sign"), [(0.0, 0.9, -1), (0.0, 0.1, 1), (0.0, 0.5, 0), (4.0, 1.0, -1)])
def test_a_score_is_pushed_towards_its_target(logit, wanted, sign):
    logits = tensor(logit, requires_grad=True)
    score_loss(logits, tensor(wanted)).backward()
    assert torch.sign(logits.grad).item() == sign


def test_the_more_a_place_is_wrong_the_more_it_is_pushed():
    """By just its error, so that a score ends where it is right as often as it says."""
    logits = tensor(-1.0, 0.0, 2.0, requires_grad=True)
    score_loss(logits, tensor(0.0, 0.0, 0.0)).backward()
    torch.testing.assert_close(logits.grad, logits.detach().sigmoid())


# Boxes

sides = st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(1, 50), st.floats(1, 50))
boxes = sides.map(lambda side: (side[0], side[1], side[0] + side[2], side[1] + side[3]))


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (0, 0, 4, 2), 0.5),  # their hull is the larger one
        ((0, 0, 1, 1), (2, 0, 3, 1), -1 / 3),  # a third of the hull is neither's
        ((0, 0, 2, 2), (1, 1, 3, 3), 1 / 7 - 2 / 9),
    ],
)
def test_giou_of_plain_boxes(one, other, wanted):
    assert giou(tensor(one), tensor(other)).item() == pytest.approx(wanted, abs=1e-6)


@given(st.lists(st.tuples(boxes, boxes), min_size=1, max_size=6))
def test_giou_is_the_formula_pair_by_pair(pairs):
    wanted = []
    for a, b in pairs:
        wide, tall = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        inner = max(0.0, wide) * max(0.0, tall)
        union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inner
        hull = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
        wanted.append(inner / union - (hull - union) / hull)
    one, other = (tensor(*(pair[number] for pair in pairs)) for number in (0, 1))
    torch.testing.assert_close(giou(one, other), tensor(*wanted), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(giou(one, other), giou(other, one))


def test_a_box_that_is_right_costs_nothing():
    box = tensor((3, 4, 20, 50))
    assert box_loss(box, box, tensor(1.0)) == pytest.approx(0, abs=1e-6)


def test_boxes_count_by_their_target_score():
    """Two places, one right and one wrong: the mean weighs them."""
    wanted = tensor((0, 0, 10, 20), (0, 0, 10, 20))
    found = tensor((0, 0, 10, 20), (5, 0, 15, 20))
    alone = box_loss(found[1:], wanted[1:], tensor(1.0))
    # 1 - GIoU of a half-way shift, and the edges' mean distance: half a side, twice of four, less a half of beta.
    assert alone == pytest.approx(1 - 1 / 3 + (0.5 - 0.05) * 2 / 4)
    assert box_loss(found, wanted, tensor(0.75, 0.25)) == pytest.approx(alone / 4)


def test_a_place_of_hardly_anybody_has_no_box():
    wanted, found = tensor((0, 0, 10, 20)).repeat(2, 1), tensor((0, 0, 10, 20), (40, 40, 50, 50))
    assert box_loss(found, wanted, tensor(1.0, LEAST * 0.9)) == pytest.approx(0, abs=1e-6)
    assert box_loss(found, wanted, tensor(1.0, LEAST)) > 0.01


def test_without_boxes_the_loss_is_zero_and_has_a_gradient():
    found = torch.rand(2, 5, 4, requires_grad=True)
    loss = box_loss(found, torch.rand(2, 5, 4), torch.zeros(2, 5))
    loss.backward()
    assert loss == 0
    assert torch.equal(found.grad, torch.zeros(2, 5, 4))


@given(boxes, boxes)
def test_a_step_against_the_gradient_brings_a_box_nearer(found, wanted):
    """Also where the two do not touch."""
    # Where two edges are one the loss has a corner.
    assume(all(abs(a - b) > 0.1 for a in found for b in wanted))
    start = tensor(found, requires_grad=True)
    loss = box_loss(start, tensor(wanted), tensor(1.0))
    loss.backward()
    assert start.grad.norm() > 0
    step = (start - 1e-3 * start.grad / start.grad.norm()).detach()
    assert box_loss(step, tensor(wanted), tensor(1.0)) < loss


# Features


def test_features_that_are_the_teachers_cost_nothing():
    maps = [torch.rand(2, 3, 4, 4), torch.rand(2, 5, 2, 2)]
    assert feature_loss(maps, maps) == 0


@pytest.mark.parametrize(("off", "costs"), [(0.5, 0.125), (1, 0.5), (3, 2.5)])
def test_they_are_measured_by_what_varies_in_a_channel(off, costs):
    """Off by so many standard deviations in every channel, however large that is."""
    wanted = torch.randn(4, 3, 8, 8) * torch.tensor([1.0, 10.0, 100.0]).view(3, 1, 1)
    deviation = wanted.var((0, 2, 3), keepdim=True).sqrt()
    assert feature_loss([wanted + off * deviation], [wanted]) == pytest.approx(costs, rel=1e-2)
    assert feature_loss([wanted + off * deviation, wanted], [wanted, wanted]) == pytest.approx(costs / 2, rel=1e-2)


def test_a_wild_value_is_pulled_back_as_much_as_one_that_is_just_off():
    wanted = torch.randn(1, 1, 4, 4)
    found = (wanted + torch.linspace(2, 1e4, 16).view(1, 1, 4, 4)).requires_grad_()
    feature_loss([found], [wanted]).backward()
    pull = 1 / (16 * (wanted.var() + 1e-3).sqrt())
    torch.testing.assert_close(found.grad, pull.expand_as(found.grad))
