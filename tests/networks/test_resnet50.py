"""ResNet-50 and its weights of elsewhere."""

from pathlib import Path

import pytest
import torch
from goldens import seeded, seeded_clips
from torch import Tensor

from vidreid.errors import InputError
from vidreid.networks.backbones import Backbone
from vidreid.networks.backbones.resnet50 import InflatedBottleneck, Settings, build, load_torchvision
from vidreid.networks.modules.temporal import run
from vidreid.networks.weights.safetensors import read_safetensors

PICTURES = (2, 3, 64, 32)


def torchvision_state(backbone: Backbone) -> dict[str, Tensor]:
    """The backbone's weights under torchvision's names, with its classifier."""
    stem = {"stem.0": "conv1", "stem.1": "bn1"}
    state = {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    for name, value in backbone.state_dict().items():
        part, number, rest = name.split(".", 2)
        first = stem[f"{part}.{number}"] if part == "stem" else f"layer{int(number) + 1}"
        state[f"{first}.{rest}"] = value.clone()
    return state


@pytest.fixture(scope="module")
def full() -> Backbone:
    return seeded(build(Settings())).eval()


def test_last_stride_sets_the_size_of_the_last_maps() -> None:
    with torch.device("meta"):
        kept, halved = (build(Settings(last_stride=stride))(torch.empty(1, 3, 256, 128)) for stride in (1, 2))
    assert (tuple(kept.shape), tuple(halved.shape)) == ((1, 2048, 16, 8), (1, 2048, 8, 4))


def test_stage_widths_are_stated() -> None:
    with torch.device("meta"):
        backbone = build(Settings())
        maps = backbone.stem(torch.empty(1, 3, 64, 32))
        for stage, width in zip(backbone.stages, backbone.widths, strict=True):
            maps = stage(maps)
            assert maps.shape[1] == width


def test_full_torchvision_state_loads(full: Backbone) -> None:
    backbone = build(Settings()).eval()
    load_torchvision(backbone, torchvision_state(full))
    with torch.no_grad():
        assert torch.equal(backbone(seeded_clips(PICTURES)), full(seeded_clips(PICTURES)))


def test_state_without_stage_4_leaves_it_alone(full: Backbone) -> None:
    backbone = build(Settings())
    before = {name: value.clone() for name, value in backbone.stages[3].state_dict().items()}
    state = torchvision_state(full)
    load_torchvision(backbone, {name: value for name, value in state.items() if not name.startswith("layer4")})
    assert all(torch.equal(value, before[name]) for name, value in backbone.stages[3].state_dict().items())
    assert torch.equal(backbone.stem[0].weight, full.stem[0].weight)
    assert torch.equal(backbone.stages[2][5].conv3.weight, full.stages[2][5].conv3.weight)


def test_inflated_network_answers_as_the_flat_one_did(full: Backbone) -> None:
    inflated = build(Settings(inflate=True)).eval()
    load_torchvision(inflated, torchvision_state(full))
    with torch.no_grad():
        maps = inflated.stem(seeded_clips((4, 3, 64, 32)))
        for stage in inflated.stages:
            maps = run(stage, maps, 4)
        expected = full(seeded_clips((4, 3, 64, 32)))
    torch.testing.assert_close(maps, expected, rtol=0, atol=1e-4 * expected.max().item())


def test_inflated_blocks_see_other_frames() -> None:
    block = seeded(InflatedBottleneck(64, 64)).eval()
    maps = seeded_clips((4, 64, 8, 4))
    assert not torch.allclose(block(maps), block(maps, 2))
    torch.testing.assert_close(block(maps, 2)[2:], block(maps[2:], 2))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("layer1.0.conv1.weight", None, "1 missing, 0 unknown, such as stages.0.0.conv1.weight"),
        ("layer4.2.bn3.bias", None, "1 missing, 0 unknown, such as stages.3.2.bn3.bias"),
        ("layer5.0.conv1.weight", torch.zeros(1), "0 missing, 1 unknown"),
        ("conv1.weight", torch.zeros(64, 3, 3, 3), r"stem.0.weight is \(64, 3, 3, 3\), not \(64, 3, 7, 7\)"),
    ],
)
def test_state_of_another_network_is_refused(full: Backbone, name: str, value: Tensor | None, says: str) -> None:
    state = torchvision_state(full) | {name: value}
    with pytest.raises(InputError, match=says):
        load_torchvision(build(Settings()), {name: value for name, value in state.items() if value is not None})


def test_imagenet_stages_load(shared: Path) -> None:
    backbone = build(Settings())
    file = shared / "weights" / "backbone" / "resnet50_imagenet_stem_layer1-3_fp16.safetensors"
    state = read_safetensors(file)
    load_torchvision(backbone, state)
    torch.testing.assert_close(backbone.stem[0].weight, state["conv1.weight"].float())
    torch.testing.assert_close(backbone.stages[2][5].bn3.running_var, state["layer3.5.bn3.running_var"])
