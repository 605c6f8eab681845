"""Classification of clips frame by frame, against the sums of the AFA paper written out."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch.nn.functional import cross_entropy

from vidreid.training.losses.classification import log_probabilities, negative_log_likelihood

SCORES = st.floats(-20, 20, width=32)


def softmax(scores):
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    return [power / sum(powers) for power in powers]


def averaged_probabilities(logits):
    """Equations 7 and 8."""
    clips, length, classes = logits.shape
    answer = np.zeros((clips, classes))
    for clip in range(clips):
        for frame in logits[clip]:
            answer[clip] += np.array(softmax([float(score) for score in frame])) / length
    return answer


@given(arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=5), elements=SCORES))
def test_probabilities_are_averaged_over_frames(logits):
    ours = log_probabilities(torch.from_numpy(logits)).exp().numpy()
    np.testing.assert_allclose(ours, averaged_probabilities(logits), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours.sum(1), 1, rtol=1e-4)


def test_the_mean_of_probabilities_is_not_the_softmax_of_mean_logits():
    logits = torch.tensor([[[8.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
    assert log_probabilities(logits)[0, 1] > log_probabilities(logits.mean(1))[0, 1] + 0.5


def test_clips_classified_as_a_whole_are_one_frame():
    logits = torch.randn(4, 7)
    torch.testing.assert_close(log_probabilities(logits), log_probabilities(logits[:, None]))


def test_frames_of_certain_and_impossible_classes_stay_finite():
    logits = torch.tensor([[[1e4, 0.0], [0.0, 0.0]], [[-1e4, 0.0], [-1e4, 0.0]]], requires_grad=True)
    loss = negative_log_likelihood(log_probabilities(logits), torch.tensor([1, 0]))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


def test_half_precision_logits_are_summed_in_single_precision():
    assert log_probabilities(torch.randn(2, 3, 4).bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_loss_against_the_sum_over_clips_and_classes(smoothing):
    logs = log_probabilities(torch.randn(5, 3, 4))
    labels = torch.tensor([0, 3, 3, 1, 2])
    total = 0.0
    for row, label in zip(logs.tolist(), labels.tolist(), strict=True):
        for k, log_probability in enumerate(row):
            target = (1 - smoothing) * (k == label) + smoothing / len(row)
            total -= target * log_probability / len(labels)
    assert negative_log_likelihood(logs, labels, smoothing).item() == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_frame_is_the_field_s_cross_entropy(smoothing):
    logits, labels = torch.randn(6, 5), torch.arange(6) % 5
    ours = negative_log_likelihood(log_probabilities(logits), labels, smoothing)
    torch.testing.assert_close(ours, cross_entropy(logits, labels, label_smoothing=smoothing))


def test_a_better_answer_costs_less():
    labels = torch.tensor([2])
    sure, unsure = torch.tensor([[0.0, 0.0, 5.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    assert (
        0
        < negative_log_likelihood(log_probabilities(sure), labels)
        < (negative_log_likelihood(log_probabilities(unsure), labels))
    )
