"""Clips of T crops to vectors with a compiled network of our own: ONNX of `vidreid.networks.weights.onnx`."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_network_embedder import crop

from vidreid.embedding.network import NetworkEmbedder, parts, person
from vidreid.embedding.pooling import normalize
from vidreid.engines.runtimes import openvino
from vidreid.engines.weights import FileModel
from vidreid.networks import MEAN, STD, average
from vidreid.networks.backbones import slim
from vidreid.networks.weights.onnx import Normalised, export_onnx
from vidreid.types import InputSpec, ModelSpec

SIZE = (32, 16)
FRAMES = 4
A, B, C, D, E, F = (crop(seed, height=30 + 4 * seed) for seed in range(6))


@pytest.fixture(scope="module")
def network():
    """Random weights; running means that do not belong to them make frames of different length."""
    torch.manual_seed(5)
    return average.build(slim.build(slim.Settings((4, 6, 8, 10), (1, 1, 1, 2))), average.Settings()).eval()


@pytest.fixture(scope="module")
def model(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "tiny.onnx"
    export_onnx(network, path, FRAMES, SIZE)
    spec = ModelSpec("tiny", "embedder", "reid", "tiny", InputSpec(SIZE), frames=FRAMES, dim=10)
    return FileModel(spec, path)


@pytest.fixture(scope="module")
def engine(model):
    opened = openvino.load(model, streams=2)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def embedder(engine, model):
    return NetworkEmbedder(engine, model.spec)


def by_torch(network, crops):
    """The network's own answer to one clip of T crops, of length 1."""
    clips = torch.from_numpy(np.stack([person(one, SIZE) for one in crops]))[None]
    with torch.inference_mode():
        return normalize(Normalised(network, MEAN, STD)(clips).numpy())[0]


# Some processors compute with eight bits of mantissa: 0.4 % a number, of numbers up to 1.
NEAR = {"atol": 0.01, "rtol": 0}


def test_an_engine_of_clips_takes_clips(engine):
    assert dict(engine.inputs) == {"images": (1, FRAMES, *SIZE, 3)}


def test_a_clip_is_what_torch_says_of_it(network, embedder):
    for clip in ([A, B, C, D], [D, C, B, A], [E, E, F, A]):
        np.testing.assert_allclose(embedder.embed([clip])[0], by_torch(network, clip), **NEAR)


def test_clips_differ(embedder):
    """So that the tests here say something."""
    one, other = embedder.embed([[A, B, C, D], [E, F, E, F]])
    assert np.abs(one - other).max() > 5 * NEAR["atol"]


@pytest.mark.parametrize(("short", "filled"), [([A], [A, A, A, A]), ([A, B], [A, B, A, B]), ([A, B, C], [A, B, C, A])])
def test_a_short_clip_is_filled_with_its_own_crops_in_order(embedder, short, filled):
    np.testing.assert_array_equal(embedder.embed([short]), embedder.embed([filled]))


def test_a_long_clip_is_the_mean_of_its_parts(embedder):
    whole, first, second = embedder.embed([[A, B, C, D, E, F], [A, B, C, D], [E, F, E, F]])
    np.testing.assert_allclose(whole, normalize((first + second)[None])[0], atol=1e-6)


def test_each_branch_of_a_clips_vector_weighs_the_same(engine, model):
    halves = NetworkEmbedder(engine, replace(model.spec, branches=2))
    vector = halves.embed([[A, B, C, D, E]])[0]
    np.testing.assert_allclose(np.linalg.norm(vector.reshape(2, -1), axis=1), 0.5**0.5, atol=1e-6)


def test_a_clip_does_not_depend_on_the_other_clips(embedder):
    clips = [[A, B], [C, D, E], [F], [A, B, C, D, E]]
    for clip, vector in zip(clips, embedder.embed(clips), strict=True):
        np.testing.assert_array_equal(embedder.embed([clip])[0], vector)


def test_one_file_serves_clips_of_any_length_also_of_one_crop(model, network):
    engine = openvino.load(replace(model, spec=replace(model.spec, frames=1)), streams=1)
    best = replace(B, quality=0.9)
    found = NetworkEmbedder(engine, replace(model.spec, frames=1)).embed([[A, best, C]])[0]
    engine.close()
    np.testing.assert_allclose(found, by_torch(network, [best]), **NEAR)


@pytest.mark.parametrize("length", range(1, 10))
def test_parts_hold_every_crop_in_order_and_nothing_else(length):
    clip = list(range(length))
    cut = parts(clip, FRAMES)
    assert [len(part) for part in cut] == [FRAMES] * -(-length // FRAMES)
    assert [crop for part in cut for crop in part][:length] == clip
    assert sorted({crop for part in cut for crop in part}) == clip
