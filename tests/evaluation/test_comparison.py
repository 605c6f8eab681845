"""Comparisons: paired differences, intervals over people, seeds, and what cannot be compared."""

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.evaluation.comparison import as_csv, as_latex, as_text, compare
from vidreid.evaluation.significance import bootstrap_mean

PROTOCOL = {"tracklets": False, "ap": "rectangle", "distance": "cosine", "frames": "all"}


def result(first, ap, *, identity=None, split=None, **other):
    """A result as `evaluate retrieval --json` prints it."""
    count = len(first)
    queries = {
        "split": split or [1] * count,
        "query": [f"q{number}" for number in range(count)],
        "identity": identity or list(range(count)),
        "first": list(first),
        "ap": list(ap),
    }
    return {"dataset": "shop", "protocol": PROTOCOL, "gallery": 50, "per_query": queries} | other


@pytest.fixture
def files(tmp_path):
    """``files(a=[result, ...], b=[...])`` writes them: paths by system."""

    def write(**systems):
        paths = {
            name: [tmp_path / f"{name}{seed}.json" for seed in range(len(found))] for name, found in systems.items()
        }
        for name, found in systems.items():
            for path, one in zip(paths[name], found, strict=True):
                path.write_text(json.dumps(one))
        return paths

    return write


# Intervals


@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(-1, 1), st.floats(0.1, 2)), min_size=1, max_size=30),
)
def test_the_estimate_is_the_weighted_mean_within_the_interval_of_the_people(rows):
    people, values, weights = (np.array(column) for column in zip(*rows, strict=True))
    found = bootstrap_mean(values, weights, people)
    means = [np.average(values[people == who], weights=weights[people == who]) for who in set(people.tolist())]
    assert found.value == pytest.approx(np.average(values, weights=weights))
    assert min(means) - 1e-9 <= found.low <= found.high <= max(means) + 1e-9
    assert bootstrap_mean(values, weights, people) == found


def test_the_interval_of_many_people_is_that_of_the_central_limit():
    values = np.random.default_rng(5).normal(0.3, 1, 900)
    found = bootstrap_mean(values, np.ones(900), np.arange(900))
    half = 1.96 * values.std() / 30
    assert found.low == pytest.approx(values.mean() - half, abs=0.005)
    assert found.high == pytest.approx(values.mean() + half, abs=0.005)


def test_whole_people_are_drawn():
    """Ten equal queries of each of 40 people say no more than one of each."""
    values = np.random.default_rng(6).normal(size=40)
    once = bootstrap_mean(values, np.ones(40), np.arange(40))
    ten = bootstrap_mean(values.repeat(10), np.ones(400), np.arange(40).repeat(10))
    assert (ten.low, ten.high) == pytest.approx((once.low, once.high))


# Comparisons


def test_differences_are_those_of_the_systems_scores(files):
    base = result([1, 2, 7, 0], [1.0, 0.5, 0.2, 0.0])
    better = result([1, 1, 3, 0], [1.0, 0.9, 0.5, 0.0])
    one, two = compare(files(base=[base], better=[better]))
    assert (one.system, two.system) == ("base", "better")
    assert one.cells["rank1"].mean == pytest.approx(1 / 3)
    assert two.cells["rank1"].mean == pytest.approx(2 / 3)
    assert two.cells["rank1"].difference.value == pytest.approx(1 / 3)
    assert two.cells["rank5"].difference.value == pytest.approx(1 / 3)
    assert two.cells["mAP"].difference.value == pytest.approx((0.4 + 0.3) / 3)
    assert one.cells["mAP"].difference is None
    assert one.cells["mAP"].spread is None


def test_splits_count_alike_however_many_queries_they_have(files):
    split = [1, 1, 1, 2]
    base, other = result([2] * 4, [0.5] * 4, split=split), result([2, 2, 2, 1], [0.5, 0.5, 0.5, 0.9], split=split)
    _, line = compare(files(base=[base], other=[other]))
    assert line.cells["rank1"].mean == pytest.approx(0.5)
    assert line.cells["mAP"].difference.value == pytest.approx(0.2)


def test_seeds_are_averaged_and_their_spread_is_shown(files):
    seeds = [result([1, 2], [1.0, 0.4]), result([1, 1], [1.0, 0.8])]
    _, line = compare(files(base=[result([1, 2], [1.0, 0.4])], other=seeds))
    cell = line.cells["mAP"]
    assert line.seeds == 2
    assert cell.mean == pytest.approx(0.8)
    assert cell.spread == pytest.approx(np.std([0.7, 0.9], ddof=1))
    assert cell.difference.value == pytest.approx(0.1)


def test_only_a_clear_difference_of_a_point_is_more_than_noise(files):
    people = 200
    base = result([1] * people, [0.50] * people)
    tiny = result([1] * people, [0.505] * people)
    clear = result([1] * people, [0.52] * people)
    mixed = result([1] * people, [0.0 if number % 2 else 0.98 + 0.06 for number in range(people)])
    cells = [line.cells["mAP"] for line in compare(files(base=[base], tiny=[tiny], clear=[clear], mixed=[mixed]))]
    assert [cell.certain for cell in cells] == [False, False, True, False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": "yard"}, "data sets shop and yard"),
        ({"protocol": PROTOCOL | {"ap": "trapezoid"}}, "ap rectangle and trapezoid"),
        ({"protocol": PROTOCOL | {"tracklets": True}}, "tracklets False and True"),
        ({"protocol": PROTOCOL | {"rerank": True}}, "rerank None and True"),
        ({"gallery": 51}, "gallery sizes 50 and 51"),
        ({"per_query": result([1], [1.0])["per_query"]}, "different queries, 2 and 1"),
        ({"per_query": result([1, 0], [1.0, 0.0])["per_query"]}, "different queries, 2 and 2"),
    ],
)
def test_results_of_different_tasks_are_refused_in_one_line(files, change, message):
    one = result([1, 2], [1.0, 0.5])
    with pytest.raises(InputError, match=message) as refused:
        compare(files(base=[one], other=[one | change]))
    assert "\n" not in refused.value.message


def test_systems_may_differ_in_their_distance(files):
    one = result([1, 2], [1.0, 0.5])
    compare(files(base=[one], other=[one | {"protocol": PROTOCOL | {"distance": "euclidean"}}]))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", json.dumps(result([1], [1.0]) | {"per_query": {}}), json.dumps(result([0], [0.0]))],
)
def test_a_file_that_is_no_result_is_refused_in_one_line(tmp_path, content):
    file = tmp_path / "a.json"
    file.write_text(content)
    with pytest.raises(InputError, match=r"a\.json: no retrieval result") as refused:
        compare({"a": [file], "b": [file]})
    assert "\n" not in refused.value.message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.json"):
        compare({"a": [tmp_path / "none.json"]})


def test_columns_of_different_lengths_are_refused(files):
    torn = result([1, 2], [1.0, 0.5])
    torn["per_query"]["ap"] = [1.0]
    with pytest.raises(InputError, match="columns of different lengths"):
        compare(files(torn=[torn]))


# Tables


@pytest.fixture
def lines(files):
    seeds = [result([1, 2], [1.0, 0.4]), result([1, 1], [1.0, 0.8])]
    return compare(files(base=[result([1, 2], [1.0, 0.4])], **{"R_50 & tse": seeds}))


def test_csv_holds_every_number(lines):
    rows = list(csv.DictReader(io.StringIO(as_csv(lines))))
    assert len(rows) == 8
    (row,) = [row for row in rows if row["system"] == "R_50 & tse" and row["metric"] == "mAP"]
    cell = lines[1].cells["mAP"]
    wanted = [2, cell.mean, cell.spread, cell.difference.value, cell.difference.low, cell.difference.high]
    names = ["seeds", "mean", "spread", "difference", "low", "high"]
    assert [float(row[name]) for name in names] == pytest.approx(wanted, abs=1e-6)
    assert rows[0]["difference"] == rows[0]["spread"] == ""


def test_latex_is_a_table_with_what_latex_cannot_read_escaped(lines):
    text = as_latex(lines)
    assert r"R\_50 \& tse & " in text
    assert r"$80.0 \pm 14.1$" in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {row.count(" & ") for row in rows} == {4}
    assert text.count(r"\begin") == text.count(r"\end") == 1


def test_the_text_shows_scores_and_below_them_the_difference(lines):
    head, base, other, change, *_ = as_text(lines)
    assert head.split() == ["system", "seeds", "rank-1", "rank-5", "rank-10", "mAP"]
    assert base.split() == ["base", "1", "50.0", "100.0", "100.0", "70.0"]
    assert "80.0 ± 14.1" in other
    assert change.strip().startswith("+25.0 [+0.0, +50.0]")
