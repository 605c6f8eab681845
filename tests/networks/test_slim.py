"""Slim: its size, its shape, and its blocks against plain arithmetic."""

import pytest
import torch
from goldens import golden, seeded, seeded_clips
from torch import nn

from vidreid.networks.backbones.slim import Block, HalfInstance, Settings, build


def normalised(values, layer):
    """What batch normalisation makes of ``values`` with its running statistics."""
    shape = (1, -1, 1, 1)
    mean, variance = layer.running_mean.view(shape), layer.running_var.view(shape)
    return (values - mean) / (variance + layer.eps).sqrt() * layer.weight.view(shape) + layer.bias.view(shape)


def test_exact_size():
    assert sum(parameter.numel() for parameter in build(Settings()).parameters()) == 2_778_016


def test_a_crop_costs_less_than_half_a_billion_multiply_adds():
    """The issue allows the network that ships 1 GMAC a crop."""
    counts = []
    network = build(Settings()).to("meta").eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda one, _, out: counts.append(out.numel() * one.weight[0].numel()))
    network(torch.zeros(1, 3, 128, 64, device="meta"))
    assert 0.4e9 < sum(counts) < 0.5e9


def test_stages_have_the_sizes_that_erasing_and_boosting_expect():
    network = build(Settings()).to("meta").eval()
    maps = network.stem(torch.zeros(1, 3, 128, 64, device="meta"))
    shapes = []
    for stage in network.stages:
        maps = stage(maps)
        shapes.append(tuple(maps.shape[1:]))
    assert shapes == [(32, 64, 32), (64, 32, 16), (128, 16, 8), (256, 16, 8)]
    assert [len(stage) for stage in network.stages] == [1, 2, 2, 2]


def test_a_block_is_two_convolutions_and_the_way_around_them():
    block = seeded(Block(4, 6, 2, instance=False)).eval()
    maps = seeded_clips((2, 4, 8, 6))
    inner = torch.relu(normalised(block.conv1(maps), block.norm1))
    around = normalised(block.around[0](maps), block.around[1])
    total = normalised(block.conv2(inner), block.norm2) + around
    torch.testing.assert_close(block(maps), torch.relu(total))
    block.signed = True
    torch.testing.assert_close(block(maps), total)


def test_a_block_of_equal_width_and_no_stride_goes_around_untouched():
    assert len(Block(6, 6, 1, instance=False).around) == 0


def test_half_of_the_channels_are_normalised_picture_by_picture():
    norm = seeded(HalfInstance(4)).eval()
    maps = seeded_clips((2, 4, 5, 3))
    answer = norm(maps)
    for picture, found in zip(maps, answer, strict=True):
        for channel in range(2):
            values = picture[channel]
            plain = (values - values.mean()) / (values.var(unbiased=False) + norm.instance.eps).sqrt()
            expected = plain * norm.instance.weight[channel] + norm.instance.bias[channel]
            torch.testing.assert_close(found[channel], expected)
    torch.testing.assert_close(answer[:, 2:], normalised(maps[:, 2:], norm.batch))


def test_instance_normalisation_stands_in_the_stages_named():
    network = build(Settings(instance=(2, 3)))
    found = [any(isinstance(layer, HalfInstance) for layer in stage.modules()) for stage in network.stages]
    assert found == [False, True, True, False]


def test_only_the_last_block_is_signed():
    maps = build(Settings()).train()(seeded_clips((2, 3, 32, 16)))
    assert maps.min() < 0 < maps.max()
    assert build(Settings(signed=False)).train()(seeded_clips((2, 3, 32, 16))).min() == 0


def test_every_parameter_learns():
    network = seeded(build(Settings())).train()
    network(seeded_clips((2, 3, 64, 32))).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_inference_is_a_static_graph():
    network, pictures = seeded(build(Settings())).eval(), seeded_clips((1, 3, 64, 32))
    graph = torch.export.export(network, (torch.zeros_like(pictures),)).module()
    torch.testing.assert_close(graph(pictures), network(pictures), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
def test_golden(signed):
    golden(f"slim-{'signed' if signed else 'unsigned'}", build(Settings(signed=signed)), (1, 3, 64, 32))
