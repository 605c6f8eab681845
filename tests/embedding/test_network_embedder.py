"""Clips of crops to vectors with a compiled network."""

from dataclasses import replace

import av
import numpy as np
import pytest
from tiny_networks import conv

from vidreid.embedding.network import NetworkEmbedder, person
from vidreid.engines.registry import describe, read_registry
from vidreid.engines.runtimes import openvino
from vidreid.engines.weights import FileModel
from vidreid.types import Crop, InputSpec

SIZE = (32, 16)


def crop(seed, height=40, width=24, box=None):
    """A crop of noise around a colour, with a margin of a few pixels."""
    rng = np.random.default_rng(seed)
    image = np.clip(rng.integers(0, 256, 3) + rng.normal(0, 20, (height, width, 3)), 0, 255).astype(np.uint8)
    return Crop(image, np.array(box or [3, 4, width - 2, height - 3], np.float32), 0.5)


def test_the_person_is_cut_out_to_whole_pixels():
    image = np.arange(20 * 10 * 3, dtype=np.uint8).reshape(20, 10, 3)
    cut = person(Crop(image, np.array([2.4, 3.6, 7.2, 12.0], np.float32), 1.0), (9, 6))
    np.testing.assert_array_equal(cut, image[3:12, 2:8])


def test_of_a_larger_person_every_pixel_counts():
    rows, columns = SIZE
    image = np.random.default_rng(0).integers(0, 256, (2 * rows, 3 * columns, 3)).astype(np.uint8)
    found = person(Crop(image, np.array([0, 0, 3 * columns, 2 * rows], np.float32), 1.0), SIZE)
    means = image.reshape(rows, 2, columns, 3, 3).mean((1, 3))
    np.testing.assert_allclose(found, means, atol=0.51)


def test_a_smaller_person_grows_without_new_colours():
    image = np.random.default_rng(0).integers(100, 150, (SIZE[0] // 2, SIZE[1] // 2, 3)).astype(np.uint8)
    found = person(Crop(image, np.array([0, 0, SIZE[1] // 2, SIZE[0] // 2], np.float32), 1.0), SIZE)
    assert found.shape == (*SIZE, 3)
    assert (found.min(), found.max()) == (image.min(), image.max())


@pytest.mark.parametrize(
    "box", [[30, 50, 31, 52], [-5, -5, 0, 0], [23.5, 39.5, 24, 40], [5, 5, 5, 5], [-9, -9, 99, 99]]
)
def test_any_box_gives_a_picture(box):
    assert person(crop(0, box=box), SIZE).shape == (*SIZE, 3)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    model = conv(tmp_path_factory.mktemp("embedder") / "tiny.onnx", InputSpec(SIZE, scale=255.0))
    engine = openvino.load(model, streams=2)
    yield NetworkEmbedder(engine, model.spec)
    engine.close()


def test_the_best_crop_stands_for_its_clip(embedder):
    faint, good, late = crop(1), replace(crop(2), quality=0.9), replace(crop(3), quality=0.9)
    alone = embedder.embed([[good]])
    np.testing.assert_array_equal(embedder.embed([[faint, good]]), alone)
    np.testing.assert_array_equal(embedder.embed([[good, late, faint]]), alone)  # the earliest of equals


def test_vectors_are_of_the_stated_size_and_of_length_one(embedder):
    vectors = embedder.embed([[crop(1)], [crop(2), crop(3)], [crop(4)] * 5])
    assert vectors.shape == (3, embedder.spec.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_clip_does_not_depend_on_the_other_clips(embedder):
    clips = [[crop(seed), crop(seed + 1)] for seed in range(10)]
    together = embedder.embed(clips)
    for clip, vector in zip(clips, together, strict=True):
        np.testing.assert_array_equal(embedder.embed([clip])[0], vector)


def sightings(scene, frames):
    """Crops of the people of a labelled scene in each of ``frames``, by person."""
    labels = np.loadtxt(scene / "gt/vtest.txt", delimiter=",")
    crops = {}
    with av.open(str(scene / "vtest.avi")) as footage:
        for number, frame in enumerate(footage.decode(video=0), start=1):
            if number > max(frames):
                break
            if number in frames:
                for row in labels[labels[:, 0] == number]:
                    box = np.array([*row[2:4], *(row[2:4] + row[4:6])], np.float32)
                    crops.setdefault(int(row[1]), []).append(Crop(frame.to_ndarray(format="rgb24"), box, 1.0, number))
    return crops


@pytest.mark.shared
def test_a_real_network_knows_people_again(shared):
    path = shared / "weights/reid/person-reidentification-retail-0277/FP16/person-reidentification-retail-0277.xml"
    model = FileModel(describe(path, read_registry()), path)
    scene = shared / "data/footage/pets_s2l1"
    early, late = sightings(scene, {60, 64, 68}), sightings(scene, {90, 94, 98})
    people = [person for person in early if len(early[person]) == len(late.get(person, [])) == 3]
    assert len(people) >= 4
    engine = openvino.load(model, streams=2)
    embedder = NetworkEmbedder(engine, model.spec)
    likeness = embedder.embed([early[p] for p in people]) @ embedder.embed([late[p] for p in people]).T
    engine.close()
    same, others = np.diag(likeness), likeness[~np.eye(len(people), dtype=bool)]
    assert (likeness.argmax(1) == np.arange(len(people))).mean() >= 0.8
    assert np.median(same) > model.spec.threshold > np.median(others)
