"""Pictures that engines are compared and calibrated on."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.pipeline.samples import calibration_images, evenly, golden_images
from vidreid.types import InputSpec, ModelSpec

DETECTOR = ModelSpec("finder", "detector", "yolo", "x", InputSpec((96, 128)))
EMBEDDER = ModelSpec("looker", "embedder", "reid", "x", InputSpec((64, 32)))
CLIPS = ModelSpec("watcher", "embedder", "reid", "x", InputSpec((64, 32)), frames=4)


def save(path, colour, size=(40, 20)):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), colour[::-1], np.uint8))


@given(st.integers(1, 50), st.integers(1, 50))
def test_what_is_chosen_reaches_from_the_first_to_the_last(items, count):
    chosen = evenly(range(items), count)
    assert len(chosen) == min(items, count)
    assert chosen == sorted(set(chosen))
    assert chosen[0] == 0
    assert count == 1 or chosen[-1] == items - 1


@pytest.mark.parametrize(
    ("spec", "shape"), [(DETECTOR, (4, 96, 128, 3)), (EMBEDDER, (16, 64, 32, 3)), (CLIPS, (16, 4, 64, 32, 3))]
)
def test_golden_pictures_are_different_always_the_same_and_as_the_network_takes_them(spec, shape):
    images = golden_images(spec, spec.input.size)
    assert (images.dtype, images.shape) == (np.uint8, shape)
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)
    np.testing.assert_array_equal(golden_images(spec, spec.input.size), images)


def test_a_clip_is_of_one_person_in_order_of_time():
    """Whose clothes change less from one picture to the next than from one clip to another."""
    means = golden_images(CLIPS, (64, 32)).mean((2, 3))
    within = np.abs(np.diff(means, axis=1)).mean()
    between = np.abs(means[:, None] - means[None]).mean()
    assert within < between / 2


def test_without_pictures_of_the_user_it_is_calibrated_on_other_people_of_the_world():
    images, words = calibration_images(CLIPS, None)
    assert images.shape[1:] == (4, 64, 32, 3)
    assert len(images) > 100
    assert words == f"{len(images)} clips of the synthetic world"
    golden = {one.tobytes() for one in golden_images(CLIPS, (64, 32))}
    assert not golden & {one.tobytes() for one in images}


def test_pictures_of_a_folder_that_are_neighbours_make_a_clip(tmp_path):
    for person, colour in (("anna", (200, 0, 0)), ("bert", (0, 0, 200))):
        for number in range(6):
            save(tmp_path / person / f"{number:03d}.png", [level + 5 * number for level in colour])
    images, words = calibration_images(CLIPS, tmp_path)
    assert words == f"4 clips of {tmp_path.name}"
    reds, blues = images[..., 0, 0, 0].astype(int), images[..., 0, 0, 2].astype(int)
    # A last clip that is short is filled with its own pictures again.
    assert reds.tolist() == [[200, 205, 210, 215], [220, 225] * 2, [0, 5, 10, 15], [20, 25] * 2]
    assert blues[0].tolist() == [0, 5, 10, 15]


def test_scenes_of_a_folder_are_framed_as_runs_frame_them(tmp_path):
    save(tmp_path / "wide.jpg", (0, 250, 0), size=(40, 160))
    images, words = calibration_images(DETECTOR, tmp_path)
    assert (images.shape, words) == ((1, 96, 128, 3), f"1 picture of {tmp_path.name}")
    assert images[0, 0, 64].tolist() == [114] * 3
    assert abs(int(images[0, 48, 64, 1]) - 250) < 4


def test_a_video_and_a_folder_of_videos_show_scenes(site):
    one, _ = calibration_images(DETECTOR, site / "hall.mp4")
    several, _ = calibration_images(DETECTOR, site)
    assert len(one) == len(several) == 64
    assert len(np.unique(one.reshape(64, -1), axis=0)) == 64
    assert not (one == several).all()


def test_a_run_shows_its_crops_and_its_footage(finished):
    people, _ = calibration_images(CLIPS, finished)
    assert people.shape[1:] == (4, 64, 32, 3)
    assert len(people) >= 3
    scenes, _ = calibration_images(DETECTOR, finished)
    assert scenes.shape == (64, 96, 128, 3)


@pytest.mark.parametrize("spec", [DETECTOR, EMBEDDER])
def test_a_place_without_pictures_is_named(spec, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(InputError, match="no pictures") as refused:
        calibration_images(spec, tmp_path)
    assert refused.value.hint.startswith("give a folder")


def test_footage_is_no_picture_of_a_person(site):
    with pytest.raises(InputError, match="no pictures of persons") as refused:
        calibration_images(EMBEDDER, site / "hall.mp4")
    assert "vidreid run" in refused.value.hint


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_broken_picture_is_named(content, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.jpg: not a picture, or damaged"):
        calibration_images(DETECTOR, tmp_path)
