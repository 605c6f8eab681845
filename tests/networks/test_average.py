"""The baseline: a backbone and the mean over frames."""

import pytest
import torch
from goldens import golden, seeded, seeded_clips

from vidreid.networks import average
from vidreid.networks.average import Settings
from vidreid.networks.backbones import pool, slim

SHAPE = (2, 3, 3, 16, 8)
TINY = slim.Settings(widths=(8, 16), blocks=(1, 2), instance=())


def network(**options):
    return seeded(average.build(slim.build(TINY), Settings(**options)))


@pytest.mark.parametrize("kind", ["mean", "max", "both"])
def test_a_clip_s_vector_is_the_mean_of_its_frames_vectors(kind):
    net, clips = network(pool=kind).eval(), seeded_clips(SHAPE)
    features = net.features(clips)
    for i, clip in enumerate(clips):
        vectors = [pool(net.backbone(picture[None]), kind)[0] for picture in clip]
        torch.testing.assert_close(features.frames[0][i], torch.stack(vectors))
        torch.testing.assert_close(features.vectors[0][i], sum(vectors) / len(vectors))
    assert features.varied == ()


def test_the_embedding_is_taken_before_or_after_the_neck():
    clips = seeded_clips(SHAPE)
    raw, normed = network(feature="raw").eval(), network(feature="bn").eval()
    vector = raw.features(clips).vectors[0]
    torch.testing.assert_close(raw(clips), vector)
    torch.testing.assert_close(normed(clips), normed.necks[0](vector))


def test_a_picture_is_a_clip_of_one_frame():
    net, clips = network().eval(), seeded_clips(SHAPE)
    torch.testing.assert_close(net(clips[:, :1]), net(clips[:, [0, 0, 0]]))


def test_the_order_of_frames_does_not_matter():
    net, clips = network().eval(), seeded_clips(SHAPE)
    torch.testing.assert_close(net(clips), net(clips.flip(1)))


def test_vectors_are_in_single_precision_under_mixed_precision():
    with torch.autocast("cpu", torch.bfloat16):
        assert network().features(seeded_clips(SHAPE)).frames[0].dtype == torch.float32


@pytest.mark.parametrize("kind", ["mean", "both"])
def test_a_mean_of_half_precision_maps_is_not_rounded_to_theirs(kind):
    maps = seeded_clips((2, 5, 16, 8)).bfloat16()
    torch.testing.assert_close(pool(maps, kind), pool(maps.float(), kind), rtol=1e-6, atol=1e-6)


def test_every_parameter_of_the_backbone_learns():
    net = network().train()
    net(seeded_clips(SHAPE)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in net.backbone.parameters())


def test_inference_is_a_static_graph():
    net, clips = network().eval(), seeded_clips(SHAPE)
    graph = torch.export.export(net, (torch.zeros_like(clips),)).module()
    torch.testing.assert_close(graph(clips), net(clips), rtol=1e-4, atol=1e-5)


def test_golden():
    golden("average", network(), SHAPE)
