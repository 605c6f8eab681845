"""Quality-aware weighting of frames, alone and under AFA, against loops."""

import math

import numpy as np
import pytest
import torch
from goldens import golden, seeded, seeded_clips

from vidreid.networks import qan
from vidreid.networks.backbones import slim
from vidreid.networks.qan import Settings

SHAPE = (2, 3, 3, 16, 8)
TINY = slim.Settings(widths=(8, 16), blocks=(1, 2), instance=())


def network(**options):
    return seeded(qan.build(slim.build(TINY), Settings(**options)))


def weighted(frames, weight, bias):
    """X_C = sum q X / sum q, q = sigmoid(w X + b)."""
    answer = []
    for clip in frames:
        qualities = [1 / (1 + math.exp(-(float(weight @ frame) + bias))) for frame in clip]
        answer.append(sum(quality * frame for quality, frame in zip(qualities, clip, strict=True)) / sum(qualities))
    return np.array(answer)


def test_a_clip_s_vector_is_the_mean_weighted_by_quality():
    net = network().eval()
    features = net.features(seeded_clips(SHAPE))
    expected = weighted(
        features.frames[0].detach().double().numpy(),
        net.quality.weight[0].detach().double().numpy(),
        net.quality.bias.item(),
    )
    np.testing.assert_allclose(features.vectors[0].detach(), expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(features.vectors[0], features.frames[0].mean(1))


@pytest.mark.parametrize("bias", [-1e4, -90.0, 0.0, 1e4])
def test_frames_judged_alike_count_alike_however_bad(bias):
    net = network().eval()
    torch.nn.init.zeros_(net.quality.weight)
    torch.nn.init.constant_(net.quality.bias, bias)
    features = net.features(seeded_clips(SHAPE))
    torch.testing.assert_close(features.vectors[0], features.frames[0].mean(1))


def test_a_frame_of_no_quality_is_left_out():
    net = network().eval()
    clips = seeded_clips(SHAPE)
    frames = net.features(clips[:1, :2]).frames[0].detach()
    axis = frames[0, 0] - frames[0, 1]
    middle = (frames[0, 0] + frames[0, 1]) / 2
    with torch.no_grad():
        axis *= 100 / (axis @ axis)  # w X + b is 50 for the first frame, -50 for the second
        net.quality.weight.copy_(axis[None])
        net.quality.bias.copy_(-(axis @ middle)[None])
    torch.testing.assert_close(net.features(clips[:1, :2]).vectors[0][0], frames[0, 0], rtol=1e-4, atol=1e-5)


def test_quality_learns_from_the_clip_s_vector():
    net = network().train()
    net(seeded_clips(SHAPE)).square().sum().backward()
    assert net.quality.weight.grad.abs().sum() > 0
    assert all(parameter.grad.abs().sum() > 0 for parameter in net.backbone.parameters())


def test_plain_qan_augments_nothing():
    assert network().train().features(seeded_clips(SHAPE)).varied == ()


def test_afa_on_top_scales_what_differs_from_the_weighted_mean():
    net = network(sigma=0.5).train()
    clips = seeded_clips(SHAPE)
    torch.manual_seed(11)
    features = net.features(clips)
    torch.manual_seed(11)
    delta = 1 + 0.5 * torch.randn(1, 1, 1)
    coherent = features.vectors[0][:, None]
    motion = features.frames[0] - coherent
    torch.testing.assert_close(features.varied[0], coherent + delta * motion)
    assert motion.sum(1).abs().max() > 1e-3, "weighted motions do not cancel"


@pytest.mark.parametrize("sigma", [0.0, 3.0])
def test_afa_on_top_changes_nothing_at_inference(sigma):
    clips = seeded_clips(SHAPE)
    assert torch.equal(network(sigma=sigma).eval()(clips), network().eval()(clips))


def test_inference_is_a_static_graph():
    net, clips = network(sigma=0.025).eval(), seeded_clips(SHAPE)
    graph = torch.export.export(net, (torch.zeros_like(clips),)).module()
    torch.testing.assert_close(graph(clips), net(clips), rtol=1e-4, atol=1e-5)


def test_golden():
    golden("qan", network(), SHAPE)
