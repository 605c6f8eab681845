"""Vectors of tracklets from embedders and files; pictures that cannot be read."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from crowds import write_crowd

from vidreid.embedding.colours import Colours
from vidreid.embedding.network import parts
from vidreid.errors import InputError, MissingError
from vidreid.evaluation.features import read_features
from vidreid.networks import MEAN, STD, VideoNetwork, average, tclnet
from vidreid.networks.backbones import slim
from vidreid.training.datasets import Dataset, Protocol, Split, Tracklet
from vidreid.training.embeddings import from_embedder, from_file, save_vectors
from vidreid.training.pictures import decode
from vidreid.training.retrieval import open_dataset, score_dataset, scored_tracklets, spread
from vidreid.training.scoring import AHEAD, BATCH, embed, embed_tracklets, picture
from vidreid.types import Crop


def crowd(folder, **layout):
    data = open_dataset(str(write_crowd(folder, **layout)), None)
    return data, scored_tracklets(data)


def silent(line):
    raise AssertionError(line)


def alone(data, key):
    """The vector of one picture by itself."""
    image = picture(data, key)
    box = np.array([0, 0, image.shape[1], image.shape[0]], np.float32)
    return Colours().embed([[Crop(image, box, 1.0)]])[0]


def test_a_tracklets_vector_is_the_mean_of_its_pictures(tmp_path):
    data, tracklets = crowd(tmp_path, pictures=3)
    found = embed(Colours(), data, tracklets, 0, silent)
    for tracklet, vector in zip(tracklets, found, strict=True):
        mean = np.mean([alone(data, key) for key in tracklet.pictures], axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)


def test_only_so_many_frames_are_taken(tmp_path):
    data, tracklets = crowd(tmp_path, pictures=3)
    found = embed(Colours(), data, tracklets[:1], 1, silent)
    np.testing.assert_allclose(found[0], alone(data, tracklets[0].pictures[0]), atol=1e-6)


@pytest.mark.parametrize(("frames", "places"), [(0, "abcde"), (1, "a"), (2, "ac"), (5, "abcde"), (9, "abcde")])
def test_frames_are_spread_over_the_tracklet(frames, places):
    assert "".join(spread("abcde", frames)) == places


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_broken_picture_is_left_out_and_named(tmp_path, content):
    data, tracklets = crowd(tmp_path, pictures=2)
    broken, other = tracklets[0].pictures
    (tmp_path / broken).unlink() if content is None else (tmp_path / broken).write_bytes(content)
    said = []
    found = embed(Colours(), data, tracklets, 0, said.append)
    assert said == [f"{broken}: cannot be read, left out"]
    np.testing.assert_allclose(found[0], alone(data, other), atol=1e-6)


def test_a_tracklet_of_broken_pictures_alone_is_nobody(tmp_path):
    data, tracklets = crowd(tmp_path)
    for number in (0, 3):
        (tmp_path / tracklets[number].pictures[0]).write_bytes(b"no picture")
    said = []
    found = embed(Colours(), data, tracklets, 0, said.append)
    assert np.flatnonzero(np.isnan(found).all(1)).tolist() == [0, 3]
    assert len(said) == 2


def test_a_box_says_where_the_person_is(tmp_path):
    data, tracklets = crowd(tmp_path)
    key = tracklets[0].pictures[0]
    boxed = replace(data, boxes={key: (0.25, 0.2, 0.75, 0.6)})
    image = picture(data, key)
    cut = Crop(image, np.array([8, 12.8, 24, 38.4], np.float32), 1.0)
    np.testing.assert_array_equal(embed(Colours(), boxed, tracklets[:1], 0, silent), Colours().embed([[cut]]))


# A network in torch

SIZE = (32, 16)


def small(module=average, **options):
    torch.manual_seed(0)
    backbone = slim.build(slim.Settings(widths=(4, 6, 8), blocks=(1, 1, 2)))
    return module.build(backbone, module.Settings(**options)).eval()


def by_hand(network, data, keys, clip):
    """The mean of the embeddings of one clip after the other, of pictures that show the person alone."""
    mean, std = (torch.tensor(colour).view(3, 1, 1) for colour in (MEAN, STD))
    found = []
    for some in parts(keys, clip):
        frames = torch.from_numpy(np.stack([decode(data.read(key), SIZE) for key in some])).float() / 255
        with torch.no_grad():
            found.append(network(((frames - mean) / std)[None])[0].numpy())
    return np.mean(found, 0)


@pytest.mark.parametrize("network", [small(), small(tclnet, tsb=(1,), block_height=1)], ids=["frames", "clips"])
@pytest.mark.parametrize("frames", [0, 3])
def test_a_network_s_vector_is_the_mean_over_its_clips(tmp_path, network, frames):
    data, tracklets = crowd(tmp_path, pictures=7)
    tracklets = [replace(one, pictures=one.pictures[:count]) for one, count in zip(tracklets, (7, 1, 5), strict=False)]
    for key in (tracklets[0].pictures[4], *tracklets[1].pictures):
        (tmp_path / key).write_bytes(b"no picture")
    found = embed_tracklets(network, data, tracklets, SIZE, clip=4, frames=frames)
    assert np.isnan(found[1]).all()
    for tracklet, vector in zip(tracklets[::2], found[::2], strict=True):
        keys = [key for key in spread(tracklet.pictures, frames) if picture(data, key) is not None]
        expected = by_hand(network, data, keys, 1 if network.framewise else 4)
        np.testing.assert_allclose(vector, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_a_network_sees_the_person_in_the_box(tmp_path):
    data, tracklets = crowd(tmp_path)
    key = tracklets[0].pictures[0]
    image = picture(data, key)
    boxed = replace(data, boxes={key: (0.25, 0.125, 0.75, 0.625)})
    found = embed_tracklets(small(), boxed, tracklets[:1], SIZE, clip=1)
    (tmp_path / key).write_bytes(cv2.imencode(".png", image[8:40, 8:24, ::-1])[1].tobytes())
    np.testing.assert_array_equal(found, embed_tracklets(small(), data, tracklets[:1], SIZE, clip=1))
    assert not np.allclose(found, embed_tracklets(small(), boxed, tracklets[:1], SIZE, clip=1), atol=1e-3)


class Counted(VideoNetwork):
    """Pictures to their mean colour, counting them."""

    def __init__(self):
        super().__init__(3, neck=False)
        self.none = torch.nn.Parameter(torch.zeros(()))
        self.seen = [0]

    def forward(self, clips):
        self.seen.append(self.seen[-1] + clips.shape[0] * clips.shape[1])
        return clips.mean((1, 3, 4))


class CountedColours(Colours):
    def __init__(self):
        super().__init__()
        self.seen = [0]

    def embed(self, clips):
        self.seen.append(self.seen[-1] + sum(map(len, clips)))
        return super().embed(clips)


@pytest.mark.parametrize("kind", [Counted, CountedColours])
def test_long_tracklets_are_never_in_memory_whole(kind):
    encoded = cv2.imencode(".png", np.full((8, 4, 3), 9, np.uint8))[1].tobytes()
    counter, waiting, read = kind(), [], []

    def count(key):
        read.append(key)
        waiting.append(len(read) - counter.seen[-1])
        return encoded

    tracklets = [Tracklet(tuple(f"{number}/{frame}" for frame in range(152)), number, 1) for number in range(3)]
    data = Dataset("long", (), count)
    if kind is Counted:
        embed_tracklets(counter, data, tracklets, (8, 4), clip=4, say=silent)
    else:
        embed(counter, data, tracklets, 0, silent)
    assert sorted(read) == sorted(key for tracklet in tracklets for key in tracklet.pictures)
    assert counter.seen[-1] == 456
    assert max(waiting) <= AHEAD + BATCH


def test_saved_vectors_score_as_they_did(tmp_path):
    data, tracklets = crowd(tmp_path, sequences=2, pictures=2)
    source = from_embedder("colours")
    found = source.vectors(data, tracklets, Protocol(), silent)
    file = tmp_path / "kept.npz"
    save_vectors(file, tracklets, found, Protocol(), source.branches)
    kept = from_file(file)
    again = kept.vectors(data, tracklets, Protocol(), silent)
    assert (source.system, kept.system) == ("colours", "kept")
    results = [score_dataset(data, tracklets, one, Protocol()).as_dict() for one in (found, again)]
    assert results[0] == results[1]


def test_vectors_that_are_not_there_are_not_saved(tmp_path):
    data, tracklets = crowd(tmp_path)
    found = np.ones((len(tracklets), 2), np.float32)
    found[1] = np.nan
    save_vectors(tmp_path / "kept.npz", tracklets, found, Protocol(), 1)
    paths, _ = read_features(tmp_path / "kept.npz")
    assert paths == [item.pictures[0] for number, item in enumerate(tracklets) if number != 1]
    with pytest.raises(InputError, match="no features of 1 of"):
        from_file(tmp_path / "kept.npz").vectors(data, tracklets, Protocol(), silent)


def test_saved_euclidean_vectors_keep_their_length(tmp_path):
    _, tracklets = crowd(tmp_path)
    found = np.arange(2 * len(tracklets), dtype=np.float32).reshape(-1, 2)
    save_vectors(tmp_path / "kept.npz", tracklets, found, Protocol(distance="euclidean"), 2)
    assert np.array_equal(read_features(tmp_path / "kept.npz")[1], found)


def test_an_embedder_that_is_not_there_says_where_to_put_it():
    with pytest.raises(MissingError, match="person-reidentification-retail-0277 is not on this machine"):
        from_embedder("person-reidentification-retail-0277")
    with pytest.raises(MissingError, match="no embedder 'nobody'"):
        from_embedder("nobody")


@pytest.mark.shared
@pytest.mark.slow
def test_a_registered_network_tells_people_of_market_apart(shared, own_home):
    """A hundred tracklets of people that it never saw: a small gallery, so nearly everybody is found."""
    weights = shared / "weights" / "reid" / "person-reidentification-retail-0277" / "FP16"
    (own_home / "models").mkdir()
    (own_home / "models" / "person-reidentification-retail-0277").symlink_to(weights)
    data = open_dataset(str(shared / "data" / "reid" / "market_test_tracklets.csv.gz"), None)
    some = scored_tracklets(data)[:100]
    small = replace(data, splits=(Split((), tuple(some), tuple(some)),))
    source = from_embedder("person-reidentification-retail-0277")
    vectors = source.vectors(small, some, Protocol(frames=1), silent)
    scores = score_dataset(small, some, vectors, Protocol()).summary()
    assert source.system == "person-reidentification-retail-0277"
    assert scores["rank1"] > 0.9
    assert scores["mAP"] > 0.9
