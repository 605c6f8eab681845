"""OSNet: its published size, its shape, and its blocks against the paper's formulas."""

import pytest
import torch
from goldens import golden, seeded, seeded_clips
from torch import nn

from vidreid.networks.backbones.osnet import Block, Gate, Settings, build

# Zhou et al. 2019, tables 2 and 7: width, parameters and multiply-adds in millions, as printed, at 256 x 128.
PUBLISHED = [(1.0, "2.2", "978.9"), (0.75, "1.3", "571.8"), (0.5, "0.6", "272.9"), (0.25, "0.2", "82.3")]
HEAD = 512


def multiply_adds(network, size):
    """Of all convolutions, for one picture."""
    counts = []

    def count(layer, _, output):
        counts.append(output.numel() * layer.weight[0].numel())

    hooks = [layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    network.to("meta").eval()(torch.zeros(1, 3, *size, device="meta"))
    for hook in hooks:
        hook.remove()
    return sum(counts)


@pytest.mark.parametrize(("width", "parameters", "operations"), PUBLISHED)
def test_published_size_with_the_paper_s_head(width, parameters, operations):
    network = build(Settings(width=width))
    channels = network.widths[-1]
    own = sum(parameter.numel() for parameter in network.parameters())
    head = channels * HEAD + HEAD + 2 * HEAD  # fully connected with bias, batch normalisation
    assert f"{(own + head) / 1e6:.1f}" == parameters
    assert f"{(multiply_adds(network, (256, 128)) + channels * HEAD) / 1e6:.1f}" == operations


@pytest.mark.parametrize("instance", ["none", "ibn", "ain"])
def test_exact_size_without_the_head(instance):
    network = build(Settings(width=0.25, instance=instance))
    # IBN adds a scale and a shift to the 64 channels of each of its two blocks; AIN takes their place.
    extra = 2 * 2 * 64 if instance == "ibn" else 0
    assert sum(parameter.numel() for parameter in network.parameters()) == 134_792 + extra
    assert multiply_adds(network, (256, 128)) == 82_249_344


def test_stages_have_the_sizes_that_erasing_and_boosting_expect():
    network = build(Settings(width=0.25)).to("meta").eval()
    maps = network.stem(torch.zeros(1, 3, 256, 128, device="meta"))
    shapes = []
    for stage in network.stages:
        maps = stage(maps)
        shapes.append(tuple(maps.shape[1:]))
    assert shapes == [(64, 32, 16), (96, 16, 8), (128, 16, 8)]
    assert network.widths == (64, 96, 128)
    assert len(network.stages[-1]) == 2


def test_a_block_is_its_streams_gated_and_summed_around_the_input():
    block = seeded(Block(8, 64, "none")).eval()
    maps = seeded_clips((2, 8, 6, 4))
    reduced = block.reduce(maps)
    total = 0
    for depth, stream in enumerate(block.streams, 1):
        assert len(stream) == depth
        scale = stream(reduced)
        first, _, second, _ = block.gate.share
        hidden = torch.relu(first.weight[:, :, 0, 0] @ scale.mean((2, 3)).T + first.bias[:, None])
        share = torch.sigmoid(second.weight[:, :, 0, 0] @ hidden + second.bias[:, None]).T
        total = total + scale * share[:, :, None, None]
    expected = torch.relu(block.norm(block.expand(total)) + block.around(maps))
    torch.testing.assert_close(block(maps), expected)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_stream_sees_two_positions_more_a_layer(depth):
    stream = seeded(Block(32, 64, "none").streams[depth - 1]).eval()
    maps = seeded_clips((1, 16, 11, 11)).requires_grad_()
    stream(maps)[0, :, 5, 5].sum().backward()
    rows, columns = maps.grad[0].abs().sum(0).nonzero().T
    for seen in (rows, columns):
        assert (seen.min(), seen.max()) == (5 - depth, 5 + depth)


def instance_norms(network):
    return [name for name, layer in network.named_modules() if isinstance(layer, nn.InstanceNorm2d)]


def test_instance_normalisation_stands_where_the_papers_put_it():
    assert instance_norms(build(Settings(width=0.25))) == []
    assert instance_norms(build(Settings(width=0.25, instance="ibn"))) == [
        "stem.1", "stages.0.0.sum_norm", "stages.0.1.sum_norm"
    ]  # fmt: skip
    assert instance_norms(build(Settings(width=0.25, instance="ain"))) == [
        "stem.1", "stages.0.0.norm", "stages.0.1.norm", "stages.1.1.norm", "stages.2.0.norm"
    ]  # fmt: skip


@pytest.mark.parametrize("instance", ["none", "ibn", "ain"])
def test_every_parameter_learns(instance):
    network = seeded(build(Settings(width=0.25, instance=instance))).train()
    for layer in network.modules():
        if isinstance(layer, Gate):  # its one hidden unit may be off for every picture
            nn.init.ones_(layer.share[0].bias)
    network(seeded_clips((2, 3, 64, 32))).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_inference_is_a_static_graph():
    network, pictures = seeded(build(Settings(width=0.25, instance="ain"))).eval(), seeded_clips((1, 3, 64, 32))
    graph = torch.export.export(network, (torch.zeros_like(pictures),)).module()
    torch.testing.assert_close(graph(pictures), network(pictures), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("instance", ["none", "ibn", "ain"])
def test_golden(instance):
    golden(f"osnet-{instance}", build(Settings(width=0.25, instance=instance)), (1, 3, 64, 32))


def test_the_stem_sees_colour_shifts_only_without_instance_normalisation():
    pictures = seeded_clips((1, 3, 64, 32))
    brighter = 1.5 * pictures + 0.3
    inside = (slice(None), slice(None), slice(3, -3), slice(3, -3))  # the padding is not shifted
    for instance, blind in (("none", False), ("ain", True)):
        stem = seeded(build(Settings(width=0.25, instance=instance))).eval().stem
        assert torch.allclose(stem(pictures)[inside], stem(brighter)[inside], atol=0.2) == blind
