"""The figures of TCLNet's tables 2, 3a and 4b that can be met, to the last multiply-add and parameter.

Four frames of 256 x 128 in the paper's counting: convolutions and matrix products, one unit for each number that
batch normalisation writes. What of the paper's figures cannot be met, and why, is in docs/reproduction.md.
"""

import pytest
import torch

from vidreid.networks import tclnet
from vidreid.networks.backbones import resnet50
from vidreid.networks.modules.complexity import Complexity, complexity
from vidreid.networks.tclnet import Settings


def counted(settings: Settings, *, inflate: bool = False, frames: int = 4) -> Complexity:
    with torch.device("meta"):
        network = tclnet.build(resnet50.build(resnet50.Settings(inflate=inflate)), settings)
    return complexity(network, (1, frames, 3, 256, 128))


@pytest.mark.parametrize(
    ("settings", "multiply_adds", "parameters"),
    [
        pytest.param(Settings(learners=1, tsb=()), 16_246_243_328, 23_508_032, id="base"),
        pytest.param(Settings(tsb=(), erase="none"), 16_246_243_328, 27_970_624, id="tse-wo-seo"),
        pytest.param(Settings(tsb=()), 16_250_699_776, 30_067_776, id="tse"),
        pytest.param(Settings(tsb=(), learners=4), 16_253_321_216, 38_992_960, id="tse-4-learners"),
        pytest.param(Settings(learners=1), 16_254_631_936, 23_509_056, id="tsb"),
        pytest.param(Settings(tsb=(1,)), 16_267_476_992, 30_068_288, id="tclnet-stage1"),
        pytest.param(Settings(), 16_259_088_384, 30_068_800, id="tclnet"),
        pytest.param(Settings(tsb=(3,)), 16_254_894_080, 30_069_824, id="tclnet-stage3"),
        pytest.param(Settings(tsb=(2, 3)), 16_263_282_688, 30_070_848, id="tclnet-stage23"),
        pytest.param(Settings(learners=1, tsb=(), non_local=(2,)), 21_614_952_448, 25_605_184, id="non-local"),
        pytest.param(Settings(tsb=(), non_local=(2,)), 21_619_408_896, 32_164_928, id="tse-non-local"),
    ],
)
def test_system_costs_what_the_paper_says(settings: Settings, multiply_adds: int, parameters: int) -> None:
    assert counted(settings) == Complexity(multiply_adds, parameters)


def test_three_learners_cost_what_the_paper_says_for_two_segments() -> None:
    assert counted(Settings(tsb=(), learners=3), frames=6) == Complexity(24_378_540_032, 34_530_368)


def test_3d_costs_the_papers_multiply_adds() -> None:
    assert counted(Settings(learners=1, tsb=()), inflate=True) == Complexity(22_755_803_136, 32_166_976)


def test_counting_leaves_the_network_as_it_was() -> None:
    network = tclnet.build(resnet50.build(resnet50.Settings()), Settings())
    complexity(network)
    assert network.training
    assert {value.device.type for value in network.parameters()} == {"cpu"}


def test_neck_is_not_counted() -> None:
    assert counted(Settings(neck="none")) == counted(Settings())
