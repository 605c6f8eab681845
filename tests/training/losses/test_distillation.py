"""Distillation losses against loops over pictures."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidreid.training.losses.distillation import cosine_distance, relation_divergence


def cosine(a, b):
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


def relations(vectors, row, temperature):
    powers = [math.exp(cosine(vectors[row], other) / temperature) for j, other in enumerate(vectors) if j != row]
    return [power / sum(powers) for power in powers]


def slow_divergence(vectors, teacher, temperature):
    total = 0.0
    for row in range(len(vectors)):
        student, target = relations(vectors, row, temperature), relations(teacher, row, temperature)
        total += sum(p * math.log(p / q) for p, q in zip(target, student, strict=True))
    return total / len(vectors)


def pictures(count, student, teacher, seed):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, student)), random.normal(size=(count, teacher))


def test_cosine_distance_is_a_mean_over_pictures():
    vectors, teacher = pictures(5, 4, 4, 0)
    expected = sum(1 - cosine(a, b) for a, b in zip(vectors, teacher, strict=True)) / 5
    assert cosine_distance(torch.tensor(vectors), torch.tensor(teacher)).item() == pytest.approx(expected, rel=1e-5)


def test_cosine_distance_does_not_see_lengths():
    vectors = torch.randn(4, 3)
    assert cosine_distance(vectors, 7 * vectors).item() == pytest.approx(0, abs=1e-6)
    assert cosine_distance(vectors, -vectors).item() == pytest.approx(2, abs=1e-6)


@given(count=st.integers(2, 6), seed=st.integers(0, 99), temperature=st.sampled_from([0.07, 0.5]))
def test_divergence_of_similarities_to_the_others(count, seed, temperature):
    vectors, teacher = pictures(count, 3, 5, seed)
    ours = relation_divergence(torch.tensor(vectors), torch.tensor(teacher), temperature)
    assert ours.item() == pytest.approx(slow_divergence(vectors, teacher, temperature), rel=1e-3, abs=1e-5)


def test_a_student_that_is_the_teacher_turned_round_agrees_with_it():
    teacher = torch.randn(6, 4)
    turn, _ = torch.linalg.qr(torch.randn(4, 4))
    assert relation_divergence(teacher @ turn, teacher).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("loss", [cosine_distance, relation_divergence])
def test_only_the_student_learns(loss):
    vectors, teacher = torch.randn(5, 4, requires_grad=True), torch.randn(5, 4, requires_grad=True)
    loss(vectors, teacher).backward()
    assert vectors.grad.abs().sum() > 0
    assert teacher.grad is None


@pytest.mark.parametrize("loss", [cosine_distance, relation_divergence])
def test_a_step_down_the_gradient_comes_nearer(loss):
    vectors, teacher = torch.randn(8, 4, requires_grad=True), torch.randn(8, 4)
    before = loss(vectors, teacher)
    before.backward()
    assert loss(vectors.detach() - 1e-3 * vectors.grad, teacher) < before
