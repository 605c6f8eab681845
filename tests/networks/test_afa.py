"""Adversarial feature augmentation against the equations of Chen et al. (2020), written as loops."""

import numpy as np
import pytest
import torch
from goldens import golden, seeded, seeded_clips
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vidreid.errors import InputError
from vidreid.networks import afa, average
from vidreid.networks.afa import Settings, vary
from vidreid.networks.backbones import slim

SHAPE = (2, 3, 3, 16, 8)
TINY = slim.Settings(widths=(8, 16), blocks=(1, 2), instance=())
SCOPES = {"batch": 1, "clip": 4, "frame": 12}  # numbers drawn for 4 clips of 3 frames
FRAMES = arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=5), elements=st.floats(-9, 9, width=32))


def network(**options):
    return seeded(afa.build(slim.build(TINY), Settings(**options)))


def disentangled(frames):
    """Equations 2 and 3: X_C (B, d), X_D (B, T, d)."""
    clips, length, width = frames.shape
    coherent, motion = np.zeros((clips, width)), np.zeros(frames.shape)
    for clip in range(clips):
        for t in range(length):
            coherent[clip] += frames[clip, t] / length
        for t in range(length):
            motion[clip, t] = frames[clip, t] - coherent[clip]
    return coherent, motion


def drawn(clips, length, sigma, scope, seed):
    """Equation 5: delta of each frame, from torch's generator."""
    torch.manual_seed(seed)
    numbers = torch.randn({"batch": 1, "clip": clips, "frame": clips * length}[scope])
    deltas = np.zeros((clips, length))
    for clip in range(clips):
        for t in range(length):
            which = {"batch": 0, "clip": clip, "frame": clip * length + t}[scope]
            deltas[clip, t] = 1 + sigma * numbers[which].item()
    return deltas


def augmented(frames, deltas, highlight):
    """Equation 4, and the reverse of section 4.3."""
    coherent, motion = disentangled(frames)
    answer = np.zeros(frames.shape)
    for clip, t in np.ndindex(deltas.shape):
        delta = deltas[clip, t]
        if highlight == "coherence":
            answer[clip, t] = coherent[clip] + delta * motion[clip, t]
        else:
            answer[clip, t] = delta * coherent[clip] + motion[clip, t]
    return answer


@pytest.mark.parametrize("highlight", ["coherence", "motion"])
@pytest.mark.parametrize("scope", SCOPES)
@given(frames=FRAMES, sigma=st.floats(0, 1), seed=st.integers(0, 999))
def test_augmented_frames_against_the_equations(scope, highlight, frames, sigma, seed):
    deltas = drawn(*frames.shape[:2], sigma, scope, seed)
    ours = torch.from_numpy(frames)
    torch.manual_seed(seed)
    varied = vary(ours, ours.mean(1), sigma, scope, highlight)
    np.testing.assert_allclose(varied, augmented(frames.astype(float), deltas, highlight), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scope", SCOPES)
@given(sigma=st.floats(0.01, 1), seed=st.integers(0, 999))
def test_a_coefficient_is_drawn_once_a_scope(scope, sigma, seed):
    torch.manual_seed(seed)
    frames = torch.randn(4, 3, 5, dtype=torch.float64)
    coherent = frames.mean(1)
    varied = vary(frames, coherent, sigma, scope)
    deltas = ((varied - coherent[:, None]) / (frames - coherent[:, None])).numpy()
    np.testing.assert_allclose(deltas, deltas[..., :1].repeat(5, axis=2), err_msg="one number for all channels")
    assert len(np.unique(deltas[..., 0].round(9))) == SCOPES[scope]


def test_coefficients_are_normal_around_one():
    frames = torch.tensor([[[0.0], [2.0]]]).expand(20_000, 2, 1)
    deltas = (vary(frames, frames.mean(1), 0.25, "frame") - 1).flatten() * torch.tensor([-1.0, 1.0]).repeat(20_000)
    assert deltas.mean().item() == pytest.approx(1, abs=0.01)
    assert deltas.std().item() == pytest.approx(0.25, rel=0.02)


@given(FRAMES)
def test_without_deviation_nothing_is_augmented(frames):
    ours = torch.from_numpy(frames)
    for highlight in ("coherence", "motion"):
        torch.testing.assert_close(vary(ours, ours.mean(1), 0.0, "batch", highlight), ours, rtol=1e-5, atol=1e-5)


def test_frames_are_a_coherent_part_and_motions_that_cancel():
    features = network().eval().features(seeded_clips(SHAPE))
    coherent, motion = disentangled(features.frames[0].detach().double().numpy())
    np.testing.assert_allclose(features.vectors[0].detach(), coherent, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(motion.sum(1), 0, atol=1e-9)


def test_augmentation_keeps_the_coherent_part():
    features = network(sigma=0.5).train().features(seeded_clips(SHAPE))
    assert not torch.allclose(features.varied[0], features.frames[0])
    torch.testing.assert_close(features.varied[0].mean(1), features.vectors[0])


@pytest.mark.parametrize("highlight", ["coherence", "motion"])
def test_gradients_flow_through_both_parts(highlight):
    frames = torch.randn(2, 3, 4, requires_grad=True)
    coherent = frames.mean(1)
    coherent.retain_grad()
    vary(frames, coherent, 0.5, "frame", highlight).square().sum().backward()
    assert frames.grad.abs().min() > 0
    assert coherent.grad.abs().min() > 0


def test_delta_scales_the_gradient_of_the_motion_alone():
    torch.manual_seed(5)
    delta = 1 + 0.5 * torch.randn(1).item()
    frames = torch.zeros(1, 2, 1, requires_grad=True)
    torch.manual_seed(5)
    vary(frames, frames.mean(1), 0.5)[0, 0, 0].backward()
    # X'^0 = (x0 + x1) / 2 + delta (x0 - x1) / 2
    np.testing.assert_allclose(frames.grad.flatten(), [(1 + delta) / 2, (1 - delta) / 2], rtol=1e-6)


def test_inference_is_the_plain_network():
    clips = seeded_clips(SHAPE)
    plain = seeded(average.build(slim.build(TINY), average.Settings(feature="raw"))).eval()
    for sigma in (0.0, 10.0):
        net = network(sigma=sigma).eval()
        assert net.state_dict().keys() == plain.state_dict().keys()
        assert net.features(clips).varied == ()
        assert torch.equal(net(clips), plain(clips))


def test_the_neck_is_used_where_asked_for():
    net, clips = network(feature="bn").eval(), seeded_clips(SHAPE)
    torch.testing.assert_close(net(clips), net.necks[0](net.features(clips).vectors[0]))


def test_boosting_lets_frames_see_each_other_and_starts_without_effect():
    clips = seeded_clips(SHAPE)
    fresh = afa.build(slim.build(TINY), Settings(tsb=(1,))).eval()
    torch.testing.assert_close(fresh(clips[:, :1]), fresh(clips[:, [0, 0, 0]]))
    alone = torch.cat([fresh.features(clips[:, [t]]).frames[0] for t in range(3)], 1)
    torch.testing.assert_close(fresh.features(clips).frames[0], alone)
    trained = network(tsb=(1,)).eval()
    alone = torch.cat([trained.features(clips[:, [t]]).frames[0] for t in range(3)], 1)
    assert not torch.allclose(trained.features(clips).frames[0], alone)


@pytest.mark.parametrize("stage", [0, 3])
def test_boosting_after_a_stage_that_is_not_there_is_refused(stage):
    with pytest.raises(InputError, match="of 2"):
        network(tsb=(stage,))


def test_inference_is_a_static_graph():
    net, clips = network(tsb=(1,)).eval(), seeded_clips(SHAPE)
    graph = torch.export.export(net, (torch.zeros_like(clips),)).module()
    torch.testing.assert_close(graph(clips), net(clips), rtol=1e-4, atol=1e-5)


def test_golden():
    golden("afa", network(), SHAPE)
