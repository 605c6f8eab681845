"""Vectors of tracklets from embedders and files; pictures that cannot be read."""

from dataclasses import replace

import numpy as np
import pytest
from crowds import write_crowd

from vidreid.embedding.colours import Colours
from vidreid.errors import InputError, MissingError
from vidreid.evaluation.features import read_features
from vidreid.training.datasets import Protocol, Split
from vidreid.training.embeddings import embed, from_embedder, from_file, picture, save_vectors, spread
from vidreid.training.retrieval import open_dataset, score_dataset, scored_tracklets
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
