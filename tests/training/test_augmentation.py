"""Augmentation: nothing where nothing is asked for, the same for all frames of a clip, and each formula."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vidreid.training.augmentation import Augmentation, augment
from vidreid.training.degradation import blur, erase, low_resolution, recompress

NOTHING = Augmentation(flip=0.0)
EVERYTHING = Augmentation(0.5, 0.2, 0.0, 1.0, 0.3, 1.0, 1.0, 0.0, 1.0, 1.0, erase_with="mixed")


def pictures(*shape: int, seed: int = 0) -> Tensor:
    """Random pictures of any shape that ends in 3, H, W, in 0..1; smooth, as photographs are."""
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.avg_pool2d(noise.flatten(0, -4), 5, 1, 2).view(shape)


def clips(count: int = 4, frames: int = 3, seed: int = 0) -> Tensor:
    return (pictures(count, frames, 3, 32, 16, seed=seed) * 255).to(torch.uint8)


def whole(made: Tensor) -> Tensor:
    return torch.tensor([0.0, 0, 1, 1]).expand(*made.shape[:2], 4)


def changed(made: Tensor, augmentation: Augmentation, seed: int = 0, boxes: Tensor | None = None) -> Tensor:
    boxes = whole(made) if boxes is None else boxes
    return augment(made, boxes, augmentation, torch.Generator().manual_seed(seed))


def still(count: int = 4, frames: int = 3) -> Tensor:
    """Clips whose frames are all alike."""
    return clips(count, 1).expand(-1, frames, -1, -1, -1)


# Whole clips


def test_nothing_asked_for_changes_nothing() -> None:
    torch.testing.assert_close(changed(clips(), NOTHING), clips().float() / 255, rtol=0, atol=1e-5)


@given(seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_all_frames_of_a_clip_change_alike(seed: int) -> None:
    made = changed(still(), EVERYTHING, seed)
    torch.testing.assert_close(made, made[:, :1].expand_as(made), rtol=0, atol=1e-5)
    assert made.min() >= 0
    assert made.max() <= 1


def test_a_seed_repeats_itself_and_another_does_not() -> None:
    first, again, other = (changed(clips(), EVERYTHING, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_frame_jitter_and_noise_are_each_frames_own() -> None:
    for augmentation in (Augmentation(flip=0, frame_jitter=0.2), Augmentation(flip=0, noise=1.0)):
        made = changed(still(), augmentation)
        assert not torch.allclose(made[:, 0], made[:, 1], atol=1e-3)


def test_a_mirrored_clip_is_mirrored_from_left_to_right() -> None:
    made = changed(clips(), Augmentation(flip=1.0))
    torch.testing.assert_close(made, clips().float().flip(-1) / 255, rtol=0, atol=1e-5)
    half = changed(clips(40, 1), Augmentation(flip=0.5))
    kept = sum(torch.allclose(a, b.float() / 255, atol=1e-5) for a, b in zip(half, clips(40, 1), strict=True))
    assert 8 <= kept <= 32


# Boxes


def test_a_box_is_cut_out_and_scaled_to_the_size_of_the_picture() -> None:
    made = torch.zeros(1, 1, 3, 32, 16, dtype=torch.uint8)
    made[..., 8:24, 4:12] = 200  # the person
    made[..., 8:16, 4:12] = 100  # the person's upper half
    box = torch.tensor([[[0.25, 0.25, 0.75, 0.75]]])
    found = changed(made, NOTHING, boxes=box)[0, 0] * 255
    assert found[:, 2:14, 1:-1].allclose(torch.tensor(100.0), atol=1)
    assert found[:, 18:30, 1:-1].allclose(torch.tensor(200.0), atol=1)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30)
def test_jitter_moves_each_side_by_no_more_than_its_share(seed: int) -> None:
    """The pictures' values are their positions, so that what is seen says where it was taken from."""
    across = torch.linspace(0.5, 15.5, 16).expand(32, 16) * 10
    down = torch.linspace(0.5, 31.5, 32)[:, None].expand(32, 16) * 5
    made = torch.stack([across, down, across]).to(torch.uint8)[None, None]
    box = torch.tensor([[[0.3, 0.3, 0.7, 0.7]]])
    found = changed(made, Augmentation(flip=0.0, jitter=0.5), seed, box)[0, 0] * 255
    for values, cells, scale in ((found[0, 16], 16, 10), (found[1, :, 8], 32, 5)):
        step = (values[-1] - values[0]) / (len(values) - 1)
        first = (values[0] - step / 2) / scale / cells
        last = (values[-1] + step / 2) / scale / cells
        assert 0.3 - 0.5 * 0.4 - 0.03 <= first <= 0.3 + 0.5 * 0.4 + 0.03
        assert 0.7 - 0.5 * 0.4 - 0.03 <= last <= 0.7 + 0.5 * 0.4 + 0.03


# Erasing


def holes(made: Tensor, before: Tensor) -> Tensor:
    """Where a clip was changed, (B, T, H, W)."""
    return ((made - before).abs() > 1e-4).any(2)


@pytest.mark.parametrize("seed", range(5))
def test_the_hole_is_one_box_the_same_in_all_frames_and_as_large_as_said(seed: int) -> None:
    before = clips(6).float() / 255
    found = holes(changed(clips(6), Augmentation(flip=0.0, erase=1.0), seed), before)
    assert torch.equal(found, found[:, :1].expand_as(found))
    for hole in found[:, 0]:
        rows, columns = hole.any(1), hole.any(0)
        assert hole.sum() == rows.sum() * columns.sum()  # a full rectangle
        assert 0.01 <= hole.float().mean() <= 0.45


@given(seed=st.integers(0, 10_000), size=st.sampled_from([(64, 32), (48, 48), (32, 64)]))
@settings(max_examples=10)
def test_a_hole_is_in_pixels_as_high_as_wide_or_up_to_three_times(seed: int, size: tuple[int, int]) -> None:
    made = torch.full((60, 1, 3, *size), 255, dtype=torch.uint8)
    found = holes(changed(made, Augmentation(flip=0.0, erase=1.0), seed), made / 255)[:, 0]
    ratios, areas = [], []
    for hole in found:
        height, width = int(hole.any(1).sum()), int(hole.any(0).sum())
        assert (height - 1) / (width + 1) < 1 / 0.3  # sides are cut at whole pixels
        assert (height + 1) / (width - 1) > 0.3
        ratios.append(height / width)
        areas.append(height * width / hole.numel())
    assert min(ratios) < 0.75
    assert max(ratios) > 1.33
    # Shapes that do not fit are not drawn, so that no area is lost.
    assert max(areas) > 0.3


def test_an_inconsistent_hole_is_each_frames_own() -> None:
    found = holes(changed(clips(), Augmentation(flip=0.0, erase=1.0, consistent=False)), clips().float() / 255)
    assert not torch.equal(found, found[:, :1].expand_as(found))


def test_a_mean_hole_is_of_imagenets_mean_colour() -> None:
    made = changed(clips(), Augmentation(flip=0.0, erase=1.0))
    inside = made.movedim(2, -1)[holes(made, clips().float() / 255)]
    torch.testing.assert_close(inside, torch.tensor([0.485, 0.456, 0.406]).expand_as(inside))


def test_a_mixed_hole_is_of_one_colour_or_of_another_clips_same_frame() -> None:
    before = clips(8).float() / 255
    made = changed(clips(8), Augmentation(flip=0.0, erase=1.0, erase_with="mixed"))
    kinds = set()
    for clip, (view, hole) in enumerate(zip(made, holes(made, before), strict=True)):
        inside = view.movedim(1, -1)[hole]
        other = before[(clip - 4) % 8].movedim(1, -1)[hole]
        kinds.add("colour" if torch.allclose(inside, inside[:1]) else "clip")
        assert torch.allclose(inside, inside[:1]) or torch.allclose(inside, other, atol=1e-5)
    assert kinds == {"colour", "clip"}


def test_erasing_covers_what_a_loop_covers() -> None:
    made, boxes = pictures(3, 3, 8, 6), torch.tensor([[0.1, 0.2, 0.6, 0.9], [0, 0, 1, 1], [0.5, 0.5, 0.6, 0.6]])
    found = erase(made, boxes, torch.tensor([True, False, True]), torch.full((1, 3, 1, 1), 0.5))
    expected = made.clone()
    for picture in (0, 2):
        left, top, right, bottom = boxes[picture].tolist()
        for row in range(8):
            for column in range(6):
                if top <= (row + 0.5) / 8 < bottom and left <= (column + 0.5) / 6 < right:
                    expected[picture, :, row, column] = 0.5
    assert torch.equal(found, expected)


# Degradations, against slow or foreign references


def test_blur_is_the_gaussian_of_a_loop() -> None:
    made, sigma = pictures(1, 3, 9, 7)[0], 1.3
    weights = [math.exp(-0.5 * (place / sigma) ** 2) for place in range(-3, 4)]
    total = sum(weights)
    expected = np.zeros((3, 9, 7))
    for channel, row, column in np.ndindex(3, 9, 7):
        for dy in range(-3, 4):
            for dx in range(-3, 4):
                y, x = min(max(row + dy, 0), 8), min(max(column + dx, 0), 6)
                share = weights[dy + 3] * weights[dx + 3] / total**2
                expected[channel, row, column] += share * float(made[channel, y, x])
    found = blur(made[None], torch.tensor([sigma]))[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_blur_of_no_width_changes_nothing() -> None:
    torch.testing.assert_close(blur(pictures(2, 3, 9, 7), torch.zeros(2)), pictures(2, 3, 9, 7))


def test_low_resolution_by_two_is_what_opencv_makes_of_it() -> None:
    made = pictures(1, 3, 32, 16)
    found = low_resolution(made, torch.tensor([2.0]))[0].permute(1, 2, 0).numpy()
    # Halving by torch's antialiased bilinear filter is a window of 1 3 3 1, away from the border.
    taps = np.array([1, 3, 3, 1]) / 8
    picture = np.pad(made[0].permute(1, 2, 0).numpy(), ((1, 1), (1, 1), (0, 0)), mode="edge")
    small = np.zeros((16, 8, 3), np.float32)
    for row, column in np.ndindex(16, 8):
        window = picture[2 * row : 2 * row + 4, 2 * column : 2 * column + 4]
        small[row, column] = np.einsum("i,j,ijc->c", taps, taps, window)
    expected = cv2.resize(small, (16, 32), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found[4:-4, 4:-4], expected[4:-4, 4:-4], atol=1e-5)


def test_low_resolution_of_factor_one_changes_nothing() -> None:
    assert torch.equal(low_resolution(pictures(2, 3, 16, 8), torch.ones(2)), pictures(2, 3, 16, 8))


def slow_jpeg(picture: np.ndarray, scale: float) -> np.ndarray:
    """ITU-T T.81 on (H, W, 3) in 0..255: blocks of 8, DCT, rounding by scaled tables; no subsampling."""
    from vidreid.training.degradation import _CHROMA, _LUMA

    red, green, blue = picture.transpose(2, 0, 1)
    planes = [
        0.299 * red + 0.587 * green + 0.114 * blue,
        -0.168736 * red - 0.331264 * green + 0.5 * blue + 128,
        0.5 * red - 0.418688 * green - 0.081312 * blue + 128,
    ]
    for plane, table in zip(planes, (_LUMA, _CHROMA, _CHROMA), strict=True):
        step = scale * table.numpy()
        for row in range(0, plane.shape[0], 8):
            for column in range(0, plane.shape[1], 8):
                block = np.ascontiguousarray(plane[row : row + 8, column : column + 8] - 128)
                plane[row : row + 8, column : column + 8] = cv2.idct(np.round(cv2.dct(block) / step) * step) + 128
    luma, cb, cr = planes[0], planes[1] - 128, planes[2] - 128
    return np.stack([luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb], 2)


@pytest.mark.parametrize("strength", [0.2, 0.5, 1.0])
def test_recompression_is_jpeg_of_a_loop(strength: float) -> None:
    made = pictures(1, 3, 24, 16)
    found = recompress(made, torch.tensor([strength]))[0].permute(1, 2, 0).numpy() * 255
    expected = slow_jpeg(made[0].permute(1, 2, 0).double().numpy() * 255, strength * 3.3)
    close = np.isclose(found, expected, atol=0.2)  # a value may lie between two steps
    assert close.mean() > 0.9


def test_recompression_of_no_strength_and_of_any_size() -> None:
    made = pictures(2, 3, 13, 10)
    found = recompress(made, torch.tensor([0.0, 1.0]))
    assert torch.equal(found[0], made[0])
    assert found.shape == made.shape
    assert 0 < (found[1] - made[1]).abs().mean() < 0.1
