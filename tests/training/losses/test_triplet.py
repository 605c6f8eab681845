"""The batch-hard triplet loss against three nested loops."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vidreid.training.losses.triplet import batch_hard, distances

KINDS = ["euclidean", "squared-euclidean", "cosine"]


def distance(a, b, kind):
    if kind == "cosine":
        return -float(a @ b) / (math.sqrt(a @ a) * math.sqrt(b @ b))
    square = sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    return square if kind == "squared-euclidean" else math.sqrt(square)


def slow_batch_hard(vectors, labels, margin, kind):
    losses = []
    for i, anchor in enumerate(vectors):
        positives, negatives = [], []
        for j, other in enumerate(vectors):
            if labels[j] != labels[i]:
                negatives.append(distance(anchor, other, kind))
            elif i != j:
                positives.append(distance(anchor, other, kind))
        if positives and negatives:
            excess = max(positives) - min(negatives)
            losses.append(math.log1p(math.exp(excess)) if margin is None else max(0.0, excess + margin))
    return sum(losses) / len(losses) if losses else 0.0


@st.composite
def batches(draw):
    size = draw(st.integers(1, 7))
    numbers = st.floats(-4, 4, width=32)
    vectors = draw(arrays(np.float32, (size, 3), elements=numbers)) + np.float32(5)  # no vector of length zero
    return vectors, draw(arrays(np.int64, size, elements=st.integers(0, 2)))


@pytest.mark.parametrize("kind", KINDS)
@given(batch=batches())
def test_distances_of_all_pairs(kind, batch):
    vectors, _ = batch
    expected = [[distance(a, b, kind) for b in vectors.astype(float)] for a in vectors.astype(float)]
    np.testing.assert_allclose(distances(torch.from_numpy(vectors), kind), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@given(batch=batches(), margin=st.sampled_from([None, 0.3, 1.0]))
def test_hardest_positive_against_hardest_negative(kind, batch, margin):
    vectors, labels = batch
    ours = batch_hard(torch.from_numpy(vectors), torch.from_numpy(labels), margin=margin, distance=kind)
    expected = slow_batch_hard(vectors.astype(float), labels, margin, kind)
    assert ours.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_equation_10_by_hand():
    vectors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.2]])
    labels = torch.tensor([0, 0, 1])
    loss = batch_hard(vectors, labels, margin=0.5, distance="squared-euclidean")
    assert loss.item() == pytest.approx(((1 - 1.44 + 0.5) + 0) / 2)  # the third has no positive


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0]], ids=["one person", "all different", "alone"])
def test_without_a_triplet_the_loss_is_zero_and_so_is_its_gradient(labels):
    vectors = torch.randn(len(labels), 4, requires_grad=True)
    loss = batch_hard(vectors, torch.tensor(labels), margin=None, distance="euclidean")
    loss.backward()
    assert loss.item() == 0
    assert (vectors.grad == 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("margin", [None, 0.4])
def test_equal_vectors_have_a_finite_gradient(kind, margin):
    vectors = torch.ones(4, 3, requires_grad=True)
    batch_hard(vectors, torch.tensor([0, 0, 1, 1]), margin=margin, distance=kind).backward()
    assert vectors.grad.isfinite().all()


def test_a_step_down_the_gradient_separates_two_people():
    vectors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.6, 0.4], [0.6, -0.5]], requires_grad=True)
    labels = torch.tensor([0, 0, 1, 1])
    before = batch_hard(vectors, labels, margin=None, distance="euclidean")
    before.backward()
    after = batch_hard(vectors.detach() - 0.05 * vectors.grad, labels, margin=None, distance="euclidean")
    assert after < before


def test_near_neighbours_are_told_apart_in_mixed_precision():
    vectors = 100 + torch.tensor([[0.0, 0.0], [0.01, 0.0], [0.0, 0.02]])
    with torch.autocast("cpu", torch.bfloat16):
        between = distances(vectors, "euclidean")
    assert between.dtype == torch.float32
    torch.testing.assert_close(between[0, 1:], torch.tensor([0.01, 0.02]), rtol=1e-2, atol=0)
