"""The comparison modules of TCLNet's tables: DropBlock, non-local blocks, 3-D convolution."""

import numpy as np
import pytest
import torch
from goldens import seeded
from hypothesis import given
from hypothesis import strategies as st
from references import softmax

from vidreid.networks.modules.dropblock import DropBlock
from vidreid.networks.modules.non_local import NonLocal
from vidreid.networks.modules.temporal import run
from vidreid.networks.modules.temporal_conv import TemporalConv, centred


def maps(count: int, size: tuple[int, int] = (4, 2), channels: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.randn((count, channels, *size), generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 2**31), st.sampled_from([1, 3, 5]))
def test_dropblock_zeroes_whole_squares_alike_in_all_channels(seed: int, size: int) -> None:
    torch.manual_seed(seed)
    dropped = DropBlock(0.2, size)(torch.ones(2, 3, 9, 7))
    assert (dropped == dropped[:, :1]).all()
    for gone in (dropped[:, 0] == 0).numpy():
        squares = np.zeros_like(gone)
        for top in range(9 - size + 1):
            for left in range(7 - size + 1):
                if gone[top : top + size, left : left + size].all():
                    squares[top : top + size, left : left + size] = True
        np.testing.assert_array_equal(gone, squares)


def test_dropblock_takes_about_its_share_and_keeps_the_sum() -> None:
    torch.manual_seed(0)
    dropped = DropBlock(0.1, 3)(torch.ones(2000, 1, 16, 8))
    assert (dropped == 0).float().mean().item() == pytest.approx(0.1, abs=0.01)  # squares overlap now and then
    assert dropped.sum().item() == pytest.approx(dropped.numel(), rel=1e-5)


def test_dropblock_rests_outside_training() -> None:
    block = DropBlock(0.5)
    assert not torch.equal(block(maps(2)), maps(2))
    assert torch.equal(block.eval()(maps(2)), maps(2))


@pytest.mark.parametrize(("frames", "size"), [(4, (4, 2)), (3, (5, 3)), (1, (4, 2))])
def test_non_local_is_attention_over_pooled_positions_of_the_clip(frames: int, size: tuple[int, int]) -> None:
    block = seeded(NonLocal(6))
    clip = maps(frames, size)
    ours = block(clip, frames).detach().double().numpy()
    weight = {name: value.double().numpy()[:, :, 0, 0] for name, value in block.state_dict().items()}
    volume = clip.double().numpy()
    keys = _halved(np.einsum("dc,tchw->tdhw", weight["key.weight"], volume))
    values = _halved(np.einsum("dc,tchw->tdhw", weight["value.weight"], volume))
    for t in range(frames):
        for i in range(size[0]):
            for j in range(size[1]):
                query = weight["query.weight"] @ volume[t, :, i, j]
                shares = softmax([float(query @ key) for key in keys])
                answer = sum(share * value for share, value in zip(shares, values, strict=True))
                expected = volume[t, :, i, j] + weight["out.weight"] @ answer
                np.testing.assert_allclose(ours[t, :, i, j], expected, atol=1e-4)


def _halved(volume: np.ndarray) -> list[np.ndarray]:
    """The maxima of (T, c, H, W) over cells of 2 x 2 x 2, smaller ones at the far edges."""
    return [
        volume[t : t + 2, :, i : i + 2, j : j + 2].max((0, 2, 3))
        for t in range(0, volume.shape[0], 2)
        for i in range(0, volume.shape[2], 2)
        for j in range(0, volume.shape[3], 2)
    ]


def test_a_new_non_local_block_changes_nothing() -> None:
    assert torch.equal(NonLocal(6)(maps(4), 4), maps(4))


def test_non_local_clips_of_a_batch_do_not_see_each_other() -> None:
    block = seeded(NonLocal(6))
    torch.testing.assert_close(block(maps(8), 4)[4:], block(maps(8)[4:], 4))


@given(st.integers(1, 5), st.integers(1, 3))
def test_temporal_convolution_sums_over_the_frames_beside(frames: int, clips: int) -> None:
    conv = seeded(TemporalConv(6, 3))
    weight = conv.conv.weight.detach().double().numpy()[:, :, :, 0]
    batch = maps(clips * frames)
    ours = conv(batch, frames).detach().unflatten(0, (clips, frames)).numpy()
    for clip, answer in zip(batch.double().unflatten(0, (clips, frames)).numpy(), ours, strict=True):
        for t in range(frames):
            beside = [(tap, t + tap - 1) for tap in range(3) if 0 <= t + tap - 1 < frames]
            expected = sum(np.tensordot(weight[:, :, tap], clip[time], 1) for tap, time in beside)
            np.testing.assert_allclose(answer[t], expected, atol=1e-4)


def test_temporal_convolution_starts_at_its_centre() -> None:
    conv = TemporalConv(6, 3)
    single = conv.conv.weight[:, :, 1:2]
    torch.testing.assert_close(conv(maps(8), 4), torch.nn.functional.conv2d(maps(8), single))
    assert torch.equal(centred(single), conv.conv.weight)


def test_run_tells_temporal_blocks_alone_how_many_frames_a_clip_has() -> None:
    conv, relu = seeded(TemporalConv(6, 6)), torch.nn.ReLU()
    assert torch.equal(run([relu, conv], maps(8), 4), conv(relu(maps(8)), 4))
