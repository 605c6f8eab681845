"""A data set's vectors to its scores: splits, labels, names, and what is said of every query."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from vidreid.errors import InputError, UsageError
from vidreid.training.datasets import Dataset, Protocol, Split, Tracklet
from vidreid.training.retrieval import (
    chosen_splits,
    open_dataset,
    per_query,
    score_dataset,
    scored_tracklets,
    worst_queries,
)


def tracklet(name, identity, camera, count=1):
    return Tracklet(tuple(f"{name}/{number}.jpg" for number in range(count)), identity, camera)


A1, A2, B1, B2, JUNK = (
    tracklet("a1", 1, 1),
    tracklet("a2", 1, 2),
    tracklet("b1", 2, 1),
    tracklet("b2", 2, 2),
    tracklet("junk", -1, 2),
)
PLACES = {A1: 0.0, A2: 0.2, B1: 1.0, B2: 0.1, JUNK: 0.0}  # on a circle, in radians


def dataset(*splits, **other):
    return Dataset("shop", splits, lambda key: b"", **other)


ONE = dataset(Split((), (A1, B1), (A1, B1, A2, B2, JUNK)))


def vectors(tracklets):
    return np.array([[np.cos(PLACES[item]), np.sin(PLACES[item])] for item in tracklets], np.float32)


def scored(data, **options):
    items = scored_tracklets(data, options.get("split"))
    return score_dataset(data, items, vectors(items), replace(data.protocol, **options.pop("protocol", {})), **options)


def test_every_tracklet_is_embedded_once_though_queries_are_in_the_gallery():
    assert scored_tracklets(ONE) == [A1, B1, A2, B2, JUNK]


def test_scores_and_counts():
    # A1's person is second behind B2; B1's first is A2, then B2.
    found = scored(ONE).summary()
    assert (found["rank1"], found["rank5"], found["mAP"]) == (0.0, 1.0, 0.5)
    assert (found["queries"], found["queries_without_match"], found["gallery"]) == (2, 0, 5)


def test_scores_of_several_splits_are_averaged_and_one_can_be_chosen():
    easy = Split((), (A1,), (A2, B1))
    both = dataset(easy, Split((), (A1,), (A2, B2)))
    assert scored(both).summary()["rank1"] == 0.5
    assert scored(both).summary()["splits"] == 2
    assert scored(both, split=1).summary()["rank1"] == 1.0
    assert scored(both, split=2).as_dict()["per_query"]["split"] == [2]
    assert scored_tracklets(both, 1) == [A1, A2, B1]


def test_the_protocol_decides_and_is_told():
    told = scored(ONE, protocol={"frames": 4, "distance": "euclidean", "ap": "trapezoid"}, rerank=True).protocol
    assert told == {
        "tracklets": False,
        "ap": "trapezoid",
        "distance": "euclidean",
        "frames": 4,
        "rerank": True,
    }
    assert scored(ONE).protocol["frames"] == "all"


def test_the_distance_matters():
    far = replace(ONE, splits=(Split((), (A1,), (A2, B1)),))
    items = scored_tracklets(far)
    stretched = np.array([[1, 0], [9, 0.1], [1.5, 0.9]], np.float32)
    ranks = [
        score_dataset(far, items, stretched, Protocol(distance=distance)).summary()["rank1"]
        for distance in ("cosine", "euclidean")
    ]
    assert ranks == [1.0, 0.0]


def test_branches_are_compared_one_by_one():
    far = replace(ONE, splits=(Split((), (A1,), (A2, B1)),))
    items = scored_tracklets(far)
    # The first half, ten times as long, speaks for B1; the second, as loud by itself, for A2.
    halves = np.array([[10, 0, 1, 0], [10, 2, 1, 0], [10, 0, 0, 1]], np.float32)
    ranks = [score_dataset(far, items, halves, Protocol(), branches=b).summary()["rank1"] for b in (1, 2)]
    assert ranks == [0.0, 1.0]


def test_a_tracklet_without_a_readable_picture_is_in_nobodys_gallery():
    items = scored_tracklets(ONE)
    found = vectors(items)
    found[items.index(B2)] = np.nan
    result = score_dataset(ONE, items, found, ONE.protocol).as_dict()
    assert result["gallery"] == 4
    assert result["queries_without_match"] == 1
    assert result["rank1"] == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_gives_no_numbers_is_one_line(value):
    items = scored_tracklets(ONE)
    broken = vectors(items)
    broken[0, 0] = value
    with pytest.raises(InputError, match="1 of 5 hold numbers that are not finite"):
        score_dataset(ONE, items, broken, ONE.protocol)
    with pytest.raises(InputError, match="not one embedding"):
        score_dataset(ONE, items, np.full_like(broken, np.nan), ONE.protocol)


def test_sets_without_queries_or_matches_or_that_split_are_refused():
    with pytest.raises(InputError, match="no queries or no gallery"):
        chosen_splits(dataset(Split((A1,))))
    with pytest.raises(InputError, match="no split 3") as refused:
        chosen_splits(ONE, 3)
    assert refused.value.hint == "it has 1 to 1"
    with pytest.raises(InputError, match="no query of split 1 has a match"):
        scored(dataset(Split((), (A1,), (B1, B2))))
    with pytest.raises(InputError, match=r"two tracklets begin with a1/0\.jpg"):
        scored_tracklets(dataset(Split((), (A1,), (tracklet("a1", 1, 2, 3), B2))))


def test_results_are_plain_json_with_every_query():
    result = json.loads(json.dumps(scored(ONE).as_dict()))
    assert result["per_query"] == {
        "split": [1, 1],
        "query": ["a1/0.jpg", "b1/0.jpg"],
        "identity": [1, 2],
        "first": [2, 2],
        "ap": [0.5, 0.5],
    }
    assert len(result["cmc"]) == 50


def test_every_query_is_a_row_with_its_nearest_right_and_wrong_entry():
    head, first, second = per_query(scored(ONE))
    assert dict(zip(head, first, strict=True)) == {
        "split": 1,
        "query": "a1/0.jpg",
        "identity": 1,
        "camera": 1,
        "first": 2,
        "ap": 0.5,
        "best_right": "a2/0.jpg",
        "best_wrong": "b2/0.jpg",
    }
    assert second[-2:] == ("b2/0.jpg", "a2/0.jpg")
    (_, alone) = per_query(scored(dataset(Split((), (A1,), (A2,)))))
    assert alone[-2:] == ("a2/0.jpg", "")


def test_the_worst_queries_come_first_with_what_they_found():
    both = dataset(Split((), (A1,), (A2, B1)), Split((), (B1,), (A2, B2, A1)))
    worst, best = worst_queries(scored(both), 5)
    assert (worst.query, worst.first, worst.ap) == ("b1/0.jpg", 2, 0.5)
    assert worst.entries == (("a2/0.jpg", False), ("b2/0.jpg", True), ("a1/0.jpg", False))
    assert best.query == "a1/0.jpg"
    assert worst_queries(scored(both), 1, depth=1)[0].entries == (("a2/0.jpg", False), ("b2/0.jpg", True))


def test_a_layout_needs_its_folder_and_an_unknown_one_names_the_known(tmp_path):
    with pytest.raises(UsageError, match="market1501: where is it") as refused:
        open_dataset("market1501", None)
    assert "mars" in refused.value.hint
    with pytest.raises(UsageError, match="no 'market'"):
        open_dataset("market", tmp_path)
    with pytest.raises(UsageError, match="of which layout") as refused:
        open_dataset(str(tmp_path), None)
    assert refused.value.hint.startswith(f"--dataset LAYOUT --data {tmp_path}")


def test_scores_need_numpy_alone():
    """The machines that train have neither the table nor the engine libraries."""
    program = "import sys, vidreid.training.retrieval, vidreid.evaluation.features; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"torch", "cv2", "pydantic", "click", "scipy", "rich", "av", "openvino", "pyarrow", "pandas"}
    assert not heavy & set(done.stdout.split())
