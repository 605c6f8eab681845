"""The pictures of a training, and the batches drawn from them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_scenes import write_scenes

from vidreid.errors import InputError
from vidreid.training.detector.augmentation import Augmentation
from vidreid.training.detector.material import Material, gather
from vidreid.training.detector.recipe import Data, Set
from vidreid.training.detector.sources import Picture, Source, yolo

DATA = Data(pictures=4, sizes=(64,), natural=96)
PLAIN = Augmentation(flip=0, zoom=(1, 1), turn=0, aim=0)


def flat(name: str, shade: int, count: int = 2, boxes=(), **options) -> Source:
    """Pictures of one shade."""
    labels = None if boxes is None else np.array(boxes, np.float32).reshape(-1, 4)
    pictures = tuple(Picture(name, f"{number}", labels) for number in range(count))
    return Source(name, pictures, lambda key: np.full((72, 96, 3), shade, np.uint8), **options)


def shades(material: Material, data: Data, steps: int = 20) -> list[int]:
    """The shade of every picture drawn, in its middle, in tens."""
    batches = [material.batch(data, PLAIN, (0, step, 0)).clean for step in range(steps)]
    return torch.cat(batches)[:, 0, 32, 32].float().div(10).round().mul(10).int().tolist()


@pytest.fixture
def material(scenes: Path) -> Material:
    return gather([yolo.open_source(scenes, "train")], DATA, PLAIN)


def same(one, other) -> bool:
    return torch.equal(one.clean, other.clean) and torch.equal(one.degraded, other.degraded)


def test_a_batch_is_views_for_the_teacher_and_for_the_learner_with_labels(material):
    batch = material.batch(DATA, Augmentation(noise=1), (0, 0, 0))
    for views in (batch.clean, batch.degraded):
        assert (views.shape, views.dtype) == ((4, 3, 64, 64), torch.uint8)
    assert not torch.equal(batch.clean, batch.degraded)
    assert len(batch.truths) == 4
    for truth in filter(None, batch.truths):
        assert truth.boxes.shape == (len(truth.cut), 4)
        assert (truth.boxes.dtype, truth.cut.dtype) == (torch.float32, torch.bool)


def test_where_nothing_is_made_worse_both_see_the_same(material):
    batch = material.batch(DATA, Augmentation(), (0, 0, 0))
    assert torch.equal(batch.clean, batch.degraded)


def test_a_batch_is_a_function_of_its_seed(material):
    rich = Augmentation(paste=0.5, fisheye=0.5, jpeg=0.5, noise=0.5)
    batches = [material.batch(DATA, rich, seed) for seed in ((0, 5, 0), (0, 5, 0), (0, 6, 0), (1, 5, 0), (0, 5, 1))]
    assert same(batches[0], batches[1])
    assert not any(same(batches[0], other) for other in batches[2:])


def test_sizes_are_drawn_from_those_of_the_recipe(material):
    sizes = [material.batch(Data(1, (64, 96), 96), PLAIN, (step,)).clean.shape[-1] for step in range(20)]
    assert set(sizes) == {64, 96}


def test_sets_are_drawn_by_their_weight_a_picture():
    data = Data(8, (64,), 96, {"dark": Set(weight=3), "never": Set(weight=0)})
    material = gather([flat("dark", 50, 1), flat("light", 200, 3), flat("never", 120, 5)], data, PLAIN)
    found = shades(material, data, 50)
    assert set(found) == {50, 200}
    assert found.count(50) / len(found) == pytest.approx(3 / 6, abs=0.08)


def test_nobody_of_a_set_that_is_never_drawn_is_pasted_elsewhere():
    person = [(0.4, 0.1, 0.6, 0.9)]
    data = Data(4, (64,), 96, {"never": Set(weight=0)})
    material = gather([flat("never", 250, boxes=person), flat("dark", 50)], data, PLAIN)
    assert material.people == []
    batch = material.batch(data, Augmentation(paste=1), (0,))
    assert batch.clean.max() < 130


def test_labels_say_how_complete_they_are():
    data = Data(8, (64,), 96, {"some": Set(complete=0.3)})
    sources = [flat("some", 50), flat("all", 100), flat("part", 150, partial=True), flat("none", 200, boxes=None)]
    material = gather(sources, data, PLAIN)
    wanted = {50: 0.3, 100: 1.0, 150: 0.0, 200: None}
    for step in range(10):
        batch = material.batch(data, PLAIN, (step,))
        for shade, truth in zip(batch.clean[:, 0, 32, 32].tolist(), batch.truths, strict=True):
            assert (truth and truth.complete) == wanted[shade]


def test_whoever_is_pasted_onto_an_unlabelled_picture_is_its_only_label():
    person = [(0.4, 0.1, 0.6, 0.9)]
    data = Data(4, (64,), 96)
    material = gather([flat("people", 250, 1, person), flat("none", 50, 3, boxes=None)], data, PLAIN)
    truths = []
    for step in range(20):
        batch = material.batch(data, Augmentation(zoom=(1, 1), turn=0, paste=1), (step,))
        dark = batch.clean[:, 0, 0, 0] < 100
        truths += [truth for truth, is_dark in zip(batch.truths, dark.tolist(), strict=True) if is_dark]
    assert any(truths)
    assert all(truth is None or (truth.complete == 0.0 and len(truth.boxes)) for truth in truths)


def test_only_whole_upright_people_whom_nobody_hides_are_pasted():
    def boxes(*people):
        return [tuple(value / side for value, side in zip(box, (96, 72, 96, 72), strict=True)) for box in people]

    cases = {
        "whole": ([(10, 5, 30, 60)], [0]),
        "small": ([(10, 5, 20, 40)], []),
        "wide": ([(10, 5, 60, 60)], []),
        "hidden": ([(10, 5, 30, 60), (20, 5, 40, 60)], []),
        "two": ([(10, 5, 30, 60), (50, 5, 70, 60)], [0, 1]),
    }
    for name, (found, wanted) in cases.items():
        assert [person for _, person in gather([flat(name, 50, 1, boxes(*found))], DATA, PLAIN).people] == wanted, name
    partly = Data(4, (64,), 96, {"whole": Set(complete=0.2)})
    assert gather([flat("whole", 50, 1, boxes(*cases["whole"][0]))], partly, PLAIN).people == []


def test_large_pictures_are_kept_as_large_as_views_show_them_with_their_boxes():
    """What a view enlarges beyond its pixels is blurred."""
    image = np.full((1000, 2000, 3), 100, np.uint8)
    source = Source("large", (Picture("large", "a", np.array([[0.25, 0, 0.5, 1]], np.float32)),), lambda key: image)
    for zoom, longest in ((1.7, 1088), (0.5, 320), (1.2345, 791), (9, 2000)):
        (kept,) = gather([source], Data(natural=640), Augmentation(zoom=(0.4, zoom))).pictures
        np.testing.assert_allclose(kept.boxes, [[longest / 4, 0, longest / 2, round(longest / 2)]])


def test_colours_stay_in_their_order():
    source = Source("red", (Picture("red", "a", None),), lambda key: np.full((72, 96, 3), (200, 40, 60), np.uint8))
    batch = gather([source], DATA, PLAIN).batch(DATA, PLAIN, (0,))
    np.testing.assert_allclose(batch.clean[0, :, 32, 32], (200, 40, 60), atol=4)


def test_the_labels_are_where_the_people_are(material):
    """Red clothes on grey: within whole boxes, and nowhere else."""
    for step in range(10):
        batch = material.batch(DATA, Augmentation(turn=0), (step,))
        for image, truth in zip(batch.clean, batch.truths, strict=True):
            if truth is None:
                continue
            red = (image[0].int() - image[1]) > 80
            inside = torch.zeros_like(red)
            for x1, y1, x2, y2 in truth.boxes.round().int().tolist():
                inside[max(0, y1 - 1) : y2 + 1, max(0, x1 - 1) : x2 + 1] = True
                assert red[y1:y2, x1:x2].float().mean() > 0.7
            assert not (red & ~inside).any()


# What goes wrong


def test_a_broken_picture_is_skipped_and_named(tmp_path):
    root = write_scenes(tmp_path / "scenes")
    (root / "shop/images/1.png").write_bytes(b"\x89PNG, and then no more")
    (root / "empty/images/0.png").unlink()
    material = gather([yolo.open_source(root, "train")], DATA, PLAIN)
    assert material.skipped == ["scenes: shop/images/1.png", "scenes: empty/images/0.png"]
    assert len(material.pictures) == 8


@pytest.mark.parametrize("sources", [[], [flat("none", 0, 0)], [flat("never", 0)]], ids=["none", "empty", "never"])
def test_without_pictures_nothing_is_learnt(sources):
    with pytest.raises(InputError, match="no pictures to learn from"):
        gather(sources, Data(sets={"never": Set(weight=0)}), PLAIN)


def digest(boxes=(), *, key="a", name="one", size=(72, 96), shade=100) -> str:
    labels = None if boxes is None else np.array(boxes, np.float32).reshape(-1, 4)
    source = Source("all", (Picture(name, key, labels),), lambda key: np.full((*size, 3), shade, np.uint8))
    return gather([source], DATA, PLAIN).digest


def test_the_digest_tells_other_pictures_and_other_labels():
    """A picture that nobody labelled is not one that shows nobody."""
    one = [(0, 0, 1, 1)]
    found = [digest(one), digest([(0, 0, 1, 0.5)]), digest(one * 2), digest([]), digest(None)]
    found += [digest(one, key="b"), digest(one, name="other"), digest(one, size=(72, 90))]
    assert len(set(found)) == len(found)
    assert digest(one) == digest(one)


def test_the_digest_is_the_same_where_decoders_round_otherwise():
    """A checkpoint goes on on another machine."""
    assert digest(shade=100) == digest(shade=101)


# What the user should know


def test_sets_that_only_the_recipe_or_only_the_data_have_are_said():
    data = Data(4, (64,), 96, {"shop": Set(), "shpo": Set(weight=2), "yard": Set()})
    sources = [flat("shop", 50), flat("people", 100), flat("part", 150, partial=True)]
    assert gather(sources, data, PLAIN).notes == [
        "set people: not in the recipe, weight 1, any labels taken as complete",
        "set part: not in the recipe, weight 1, any labels taken as partial",
        "not among the data, but in the recipe: set shpo, yard",
    ]


def test_where_a_recipe_names_all_sets_or_none_nothing_is_said():
    for sets in ({"shop": Set()}, {}):
        assert gather([flat("shop", 50)], Data(4, (64,), 96, sets), PLAIN).notes == []
