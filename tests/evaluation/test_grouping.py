"""Scores of a grouping of tracklets, on groupings small enough to score by hand, and against slow references."""

import json
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.evaluation.grouping import score_grouping


def scored(clusters, people, cameras=None):
    cameras = range(len(clusters)) if cameras is None else cameras
    return score_grouping(*(np.array(list(labels), np.int64) for labels in (clusters, people, cameras)))


@pytest.mark.parametrize(
    ("story", "clusters", "people", "expected"),
    [
        ("perfect", [7, 7, 3, 3], [1, 1, 2, 2], {"pair_f1": 1, "b3_f1": 1, "purity": 1, "completeness": 1, "mixed": 0}),
        (
            "everybody alone: nothing is put together, so nothing of it is right or wrong",
            [0, 1, 2, 3],
            [1, 1, 2, 2],
            {"pairs": 0, "pair_precision": None, "pair_recall": 0, "pair_f1": 0, "b3_f1": 2 / 3, "split": 2},
        ),
        (
            "all in one",
            [0, 0, 0, 0],
            [1, 1, 2, 2],
            {
                "pair_precision": 1 / 3,
                "pair_recall": 1,
                "wrong_pairs": 4,
                "b3_precision": 0.5,
                "purity": 0.5,
                "mixed": 1,
            },
        ),
        (
            "one of three strays to somebody else",
            [0, 0, 1, 1],
            [1, 1, 1, 2],
            {
                "pair_precision": 0.5,
                "pair_recall": 1 / 3,
                "b3_precision": 0.75,
                "b3_recall": 2 / 3,
                "completeness": 0.75,
            }
            | {"purity": 0.75, "mixed": 1, "split": 1, "wrong_pairs": 1, "people": 2, "identities": 2},
        ),
        ("two distractors put together are wrong", [0, 0], [0, 0], {"wrong_pairs": 1, "people": 0, "distractors": 2}),
        ("a distractor alone is right", [0, 0, 1], [5, 5, 0], {"pair_f1": 1, "purity": 1, "completeness": 1}),
        ("junk does not count", [0, 0, 0], [4, 4, -1], {"items": 2, "pairs": 1, "wrong_pairs": 0, "purity": 1}),
        ("one tracklet", [0], [1], {"pair_precision": None, "pair_recall": None, "pair_f1": None, "b3_f1": 1}),
    ],
)
def test_stories(story, clusters, people, expected):
    found = scored(clusters, people).as_dict()
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_pairs_of_one_camera_do_not_count_across_cameras():
    found = scored([0, 0, 0, 1], [1, 1, 2, 2], cameras=[1, 1, 2, 2])
    assert (found.pairs, found.pair_precision) == (3, pytest.approx(1 / 3))
    assert (found.cross_pair_precision, found.cross_pair_recall) == (0.0, None)


def test_one_camera_has_no_pairs_across_cameras():
    found = scored([0, 0, 1], [1, 1, 2], cameras=[4, 4, 4])
    assert found.pair_precision == 1
    assert (found.cross_pair_precision, found.cross_pair_recall) == (None, None)


def test_no_wrong_pair_leaves_what_few_identities_cannot_rule_out():
    ten, hundred = (scored(np.repeat(range(count), 2), np.repeat(range(1, count + 1), 2)) for count in (10, 100))
    assert ten.wrong_share.value == hundred.wrong_share.value == 0
    assert ten.wrong_share.high == pytest.approx(1 - 0.025 ** (1 / 10))
    assert hundred.wrong_share.high < 0.04


def test_the_interval_is_wider_when_wrong_pairs_stand_in_one_identity():
    """Twelve wrong pairs: in one identity of eight, or each in its own."""
    clusters, people = [*np.repeat(range(60), 2)], [*np.repeat(range(1, 61), 2)]
    one = scored([*clusters, *[99] * 8], [*people, *[70] * 6, *[71] * 2])
    many = scored([*clusters, *np.repeat(range(60, 72), 2)], [*people, *range(100, 124)])
    assert one.wrong_pairs == many.wrong_pairs == 12
    assert one.wrong_share.high - one.wrong_share.low > many.wrong_share.high - many.wrong_share.low


def test_nothing_but_junk_is_nothing_to_judge():
    found = scored([0, 1], [-1, -1])
    assert (found.items, found.pairs, found.identities) == (0, 0, 0)
    assert (found.purity, found.b3_f1, found.pair_f1, found.wrong_share) == (None, None, None, None)


def test_scores_go_into_json_with_null_where_there_is_nothing_to_judge():
    found = json.loads(json.dumps(scored([0, 1], [1, 1]).as_dict()))
    assert found["pair_precision"] is None
    assert found["wrong_share_95"] is None


LABELLED = st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5), st.integers(0, 2)), min_size=1, max_size=14)


def some_known(items):
    return any(who != -1 for _, who, _ in items)


def by_the_book(items):
    """Every score from its definition, item by item and pair by pair."""
    items = [
        (cluster, who or f"stranger {row}", camera) for row, (cluster, who, camera) in enumerate(items) if who != -1
    ]
    pairs = list(combinations(items, 2))
    across = [(a, b) for a, b in pairs if a[2] != b[2]]

    def shares(some):
        put = [(a, b) for a, b in some if a[0] == b[0]]
        one = [(a, b) for a, b in some if a[1] == b[1]]
        hits = len([1 for a, b in put if a[1] == b[1]])
        return (hits / len(put) if put else None), (hits / len(one) if one else None), len(put) - hits

    def mean(numbers):
        return sum(numbers) / len(items)

    clusters = {c: [i for i in items if i[0] == c] for c, _, _ in items}
    people = {p: [i for i in items if i[1] == p] for _, p, _ in items}
    precision = mean([len([1 for j in clusters[i[0]] if j[1] == i[1]]) / len(clusters[i[0]]) for i in items])
    recall = mean([len([1 for j in people[i[1]] if j[0] == i[0]]) / len(people[i[1]]) for i in items])
    pair, cross = shares(pairs), shares(across)
    return {
        "pair_precision": pair[0],
        "pair_recall": pair[1],
        "wrong_pairs": pair[2],
        "cross_pair_precision": cross[0],
        "cross_pair_recall": cross[1],
        "b3_precision": precision,
        "b3_recall": recall,
        "b3_f1": 2 * precision * recall / (precision + recall),
        "purity": mean([max(sum(j[1] == p for j in members) for p in people) for members in clusters.values()]),
        "completeness": mean([max(sum(j[0] == c for j in members) for c in clusters) for members in people.values()]),
        "mixed": sum(len({j[1] for j in members}) > 1 for members in clusters.values()),
        "split": sum(len({j[0] for j in members}) > 1 for members in people.values()),
    }


@given(LABELLED.filter(some_known))
def test_scores_are_those_of_their_definitions(items):
    found = scored(*zip(*items, strict=True)).as_dict()
    expected = by_the_book(items)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@given(LABELLED.filter(some_known), st.permutations(range(6)))
def test_names_of_identities_do_not_matter(items, names):
    clusters, people, cameras = zip(*items, strict=True)
    renamed = scored([100 + names[cluster] for cluster in clusters], people, cameras)
    first, second = scored(clusters, people, cameras).as_dict(), renamed.as_dict()
    first.pop("wrong_share_95"), second.pop("wrong_share_95")  # drawn in the order of names
    assert first == pytest.approx(second)


@given(LABELLED.filter(lambda items: all(who > 0 for _, who, _ in items)))
def test_exchanging_truth_and_answer_exchanges_precision_and_recall(items):
    clusters, people, cameras = (np.array(labels) for labels in zip(*items, strict=True))
    there, back = scored(clusters, people, cameras), scored(people, clusters + 1, cameras)
    assert (there.b3_precision, there.pair_precision, there.purity) == pytest.approx(
        (back.b3_recall, back.pair_recall, back.completeness)
    )
