"""The coherence constraint against loops over clips and frames."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vidreid.training.losses.coherence import residual_norm

RESIDUALS = arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=4), elements=st.floats(-10, 10, width=32))


@given(RESIDUALS)
def test_norm_is_the_mean_length_over_clips_and_frames(residuals):
    lengths = [math.sqrt(sum(float(x) ** 2 for x in frame)) for clip in residuals for frame in clip]
    ours = residual_norm(torch.from_numpy(residuals), "norm")
    assert ours.item() == pytest.approx(sum(lengths) / len(lengths), rel=1e-5, abs=1e-6)


@given(RESIDUALS)
def test_mse_is_the_mean_of_squares(residuals):
    squares = [float(x) ** 2 for x in residuals.ravel()]
    ours = residual_norm(torch.from_numpy(residuals), "mse")
    assert ours.item() == pytest.approx(sum(squares) / len(squares), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("kind", ["norm", "mse"])
def test_frames_without_motion_cost_nothing_and_have_a_finite_gradient(kind):
    residuals = torch.zeros(2, 3, 4, requires_grad=True)
    loss = residual_norm(residuals, kind)
    loss.backward()
    assert loss.item() == 0
    assert (residuals.grad == 0).all()


def test_the_norm_pulls_every_moving_frame_with_the_same_force():
    residuals = torch.tensor([[[3.0, 4.0], [0.03, 0.04]]], requires_grad=True)
    residual_norm(residuals, "norm").backward()
    torch.testing.assert_close(residuals.grad, torch.tensor([[[0.3, 0.4], [0.3, 0.4]]]))
