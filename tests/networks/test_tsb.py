"""Temporal saliency boosting: equation 6 and its residual."""

import numpy as np
import pytest
import torch
from goldens import seeded
from hypothesis import given
from hypothesis import strategies as st
from references import recalled

from vidreid.networks.modules.tsb import TSB, recall

FRAMES = 3
clips = st.integers(0, 2**32 - 1).map(
    lambda seed: torch.randn((2 * FRAMES, 5, 3, 2), generator=torch.Generator().manual_seed(seed))
)


@given(clips, st.sampled_from([0.5, 5.0, 20.0]))
def test_recall_is_equation_6(maps: torch.Tensor, tau: float) -> None:
    ours = recall(maps, maps, FRAMES, tau).unflatten(0, (2, FRAMES)).numpy()
    for clip, answers in zip(maps.double().unflatten(0, (2, FRAMES)).numpy(), ours, strict=True):
        for frame in range(FRAMES):
            np.testing.assert_allclose(answers[frame], recalled(clip, frame, tau), rtol=1e-3, atol=1e-5)


def test_output_is_normalised_answer_spread_over_the_query() -> None:
    block = seeded(TSB(5)).eval()
    maps = torch.randn(FRAMES, 5, 3, 2, generator=torch.Generator().manual_seed(1))
    norm = {name: value.double().numpy() for name, value in block.norm.state_dict().items()}
    output = block(maps, FRAMES).detach().numpy()
    for frame in range(FRAMES):
        answer = recalled(maps.double().numpy(), frame, 5.0)
        scaled = (answer - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-5) * norm["weight"] + norm["bias"]
        for i in range(3):
            for j in range(2):
                np.testing.assert_allclose(output[frame, :, i, j], maps[frame, :, i, j].numpy() + scaled, atol=1e-5)


def test_normalising_before_or_after_spreading_is_equal_in_training_too() -> None:
    block = TSB(5)
    torch.nn.init.ones_(block.norm.weight)
    maps = torch.randn(FRAMES, 5, 3, 2, generator=torch.Generator().manual_seed(2))
    spread = recall(maps, maps, FRAMES, 5.0)[:, :, None, None].expand(-1, -1, 3, 2)
    torch.testing.assert_close(block(maps, FRAMES), maps + torch.nn.BatchNorm2d(5)(spread))


def test_a_new_block_changes_nothing_and_learns() -> None:
    block = TSB(5)
    maps = torch.randn(4, 5, 3, 2)
    output = block(maps, 4)
    assert torch.equal(output, maps)
    (output * torch.randn_like(output)).sum().backward()
    assert block.norm.weight.grad.abs().min() > 0


@given(clips)
def test_own_frame_is_no_memory(maps: torch.Tensor) -> None:
    """With all other frames alike, the answer is within their descriptors, whatever the query's own hold."""
    maps[1:FRAMES] = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).view(1, 5, 1, 1)
    maps[0] *= 1000
    torch.testing.assert_close(recall(maps, maps, FRAMES, 5.0)[0], torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))


@given(clips, st.permutations(range(FRAMES)))
def test_order_of_frames_does_not_matter(maps: torch.Tensor, order: list[int]) -> None:
    shuffled = maps.unflatten(0, (2, FRAMES))[:, order].flatten(0, 1)
    expected = recall(maps, maps, FRAMES, 5.0).unflatten(0, (2, FRAMES))[:, order].flatten(0, 1)
    torch.testing.assert_close(recall(shuffled, shuffled, FRAMES, 5.0), expected)


@given(clips)
def test_clips_of_a_batch_do_not_see_each_other(maps: torch.Tensor) -> None:
    both, alone = recall(maps, maps, FRAMES, 5.0), recall(maps[FRAMES:], maps[FRAMES:], FRAMES, 5.0)
    torch.testing.assert_close(both[FRAMES:], alone)


@pytest.mark.parametrize("training", [True, False])
def test_a_clip_of_one_frame_stays_as_it_is(training: bool) -> None:
    maps = torch.randn(2, 5, 3, 2)
    assert torch.equal(seeded(TSB(5)).train(training)(maps), maps)
