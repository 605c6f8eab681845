"""An engine beside torch: cosines branch by branch, erased rows, boxes; what is too far; whether two rank alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from vidreid.engines.card import Measured
from vidreid.engines.recipe import Bound
from vidreid.engines.verify import compare, rank_agreement, refusal
from vidreid.errors import InputError
from vidreid.types import InputSpec, ModelSpec

EMBEDDER = ModelSpec("net", "embedder", "reid", "tiny", InputSpec((8, 8)), frames=4, dim=6, branches=2)
DETECTOR = ModelSpec("det", "detector", "yolo", "tiny", InputSpec((64, 64)))


def vectors(count=5, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)


def embedded(expected, found, rows=None):
    wanted, given = {"embedding": expected}, {"embedding": found}
    if rows:
        wanted["rows"], given["rows"] = rows
    return compare([wanted], [given], EMBEDDER)


# Vectors


def test_an_engine_that_says_what_torch_says_has_cosine_one_and_no_error():
    found = embedded(vectors(), vectors())
    assert found.cosine == [(pytest.approx(1), pytest.approx(1))] * 2
    assert found.error == (0, 0)
    assert (found.inputs, found.rows, found.agreeing, found.differing) == (5, None, None, None)


def test_cosines_are_those_of_each_branch_alone():
    turned = vectors()
    turned[:, 3:] *= -1
    assert embedded(vectors(), turned).cosine == [(pytest.approx(1), pytest.approx(1)), (pytest.approx(-1),) * 2]


@given(st.integers(1, 9), st.integers(0, 99), st.floats(0, 1))
def test_cosines_and_errors_are_those_of_the_formula(count, seed, noise):
    torch, engine = vectors(count, seed), vectors(count, seed) + noise * vectors(count, seed + 1)
    found = embedded(torch, engine)
    for branch, part in enumerate((slice(0, 3), slice(3, 6))):
        pairs = zip(torch[:, part], engine[:, part], strict=True)
        cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]
        assert found.cosine[branch] == pytest.approx((min(cosines), np.mean(cosines)), abs=1e-5)
    assert found.error == pytest.approx((np.abs(torch - engine).max(), np.abs(torch - engine).mean()), abs=1e-6)


def test_sizes_of_pictures_count_together():
    both = compare(
        [{"embedding": vectors(3)}, {"embedding": vectors(2)}],
        [{"embedding": vectors(3)}, {"embedding": -vectors(2)}],
        EMBEDDER,
    )
    assert both.inputs == 5
    assert both.cosine[0] == pytest.approx((-1, (3 - 2) / 5))


# Erased rows: which block is erased is a choice, and a clip where it fell otherwise is another clip from there on


def test_a_later_branch_counts_over_the_clips_that_lost_the_same_rows():
    torch, engine = vectors(4), vectors(4)
    engine[3, 3:] *= -1  # the second learner of the last clip saw something else
    rows = np.zeros((4, 2, 1), np.int64)
    other = rows.copy()
    other[3, 1] = 7
    found = embedded(torch, engine, rows=(rows, other))
    assert found.rows == 7 / 8
    assert found.agreeing == [4, 3]
    assert found.cosine == [(pytest.approx(1),) * 2] * 2
    assert found.differing == (pytest.approx(-1),) * 2
    assert found.error[0] == 0


def test_the_first_branch_counts_whatever_was_erased():
    torch, engine = vectors(4), vectors(4)
    engine[3, :3] *= -1
    rows = np.zeros((4, 2, 1), np.int64)
    other = rows.copy()
    other[3, 1] = 7
    assert embedded(torch, engine, rows=(rows, other)).cosine[0][0] == pytest.approx(-1)


def test_a_third_learner_sees_what_the_second_left():
    spec = ModelSpec("net", "embedder", "reid", "tiny", InputSpec((8, 8)), frames=3, dim=6, branches=3)
    rows = np.zeros((2, 1, 2), np.int64)
    second, third = rows.copy(), rows.copy()
    second[0, 0, 0], third[0, 0, 1] = 5, 5
    torch = {"embedding": vectors(2), "rows": rows}
    assert compare([torch], [{**torch, "rows": second}], spec).agreeing == [2, 1, 1]
    assert compare([torch], [{**torch, "rows": third}], spec).agreeing == [2, 2, 1]


def test_where_no_clip_agrees_a_branch_is_measured_over_all_and_refused():
    rows = np.zeros((4, 1, 1), np.int64)
    found = embedded(vectors(4), vectors(4), rows=(rows, rows + 1))
    assert (found.rows, found.agreeing) == (0, [4, 0])
    assert found.cosine[1] == (pytest.approx(1),) * 2
    assert refusal(found, Bound(rows=0), "embedder") == "no clip of branch 2 was seen as torch saw it"


# What is no answer


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "net: the engine's output embedding is missing"),
        ({"embedding": vectors(4)}, "embedding is of shape (4, 6), torch's is (5, 6)"),
        ({"embedding": np.where(np.eye(5, 6) > 0, np.nan, 1)}, "embedding holds no numbers for 5 of 5 golden inputs"),
    ],
)
def test_what_is_no_answer_is_an_error_that_names_the_output(given, words):
    with pytest.raises(InputError) as raised:
        compare([{"embedding": vectors()}], [given], EMBEDDER)
    assert words in raised.value.message


# Boxes

ROWS = np.array(
    [[10, 10, 20, 40, 0.9, 0], [30, 10, 40, 40, 0.5, 0], [5, 5, 9, 9, 0.1, 0], [0, 0, 9, 9, 0.9, 2]], np.float32
)


def detected(expected, found):
    return compare([{"boxes": expected[None]}], [{"boxes": found[None]}], DETECTOR)


def test_the_same_boxes_in_another_order_are_all_found():
    found = detected(ROWS, ROWS[::-1])
    assert (found.found, found.iou, found.score, found.error) == (1, 1, 0, (0, 0))
    assert found.cosine is None


def test_a_lost_box_and_an_invented_one_are_both_missing():
    lost = ROWS.copy()
    lost[1, 4] = 0
    assert detected(ROWS, lost).found == 1 / 2
    assert detected(lost, ROWS).found == 1 / 2


def test_a_box_that_moved_far_is_not_found_again_and_one_that_moved_a_little_is():
    moved = ROWS.copy()
    moved[0, [0, 2]] += 5  # IoU 1/3
    moved[1, [1, 3]] += 1  # IoU 29/31
    found = detected(ROWS, moved)
    assert found.found == 1 / 3  # of torch's two and the engine's own
    assert found.iou == pytest.approx(29 / 31)
    assert found.error == (pytest.approx(1), pytest.approx(0.5))


def test_a_score_that_falls_a_little_below_the_line_loses_nobody():
    fainter = ROWS.copy()
    fainter[1, 4] = 0.25
    found = detected(ROWS, fainter)
    assert found.found == 1
    assert found.score == pytest.approx(0.125)


def test_two_boxes_of_torch_are_not_found_in_one():
    twice = ROWS[[0, 0]]
    once = twice.copy()
    once[1, 4] = 0
    assert detected(twice, once).found == 1 / 2


def test_other_things_than_persons_are_nobody_s_concern():
    other = ROWS.copy()
    other[3, :4] += 30
    assert detected(ROWS, other).found == 1


def test_boxes_before_suppression_are_read_too():
    raw = np.zeros((4 + 80, 50), np.float32)
    raw[:4, 7], raw[4, 7], raw[6, 9] = (15, 25, 10, 30), 0.9, 0.9
    shifted = raw.copy()
    shifted[0, 7] += 1
    found = detected(raw, shifted)
    assert found.found == 1
    assert found.iou == pytest.approx(9 / 11)


def test_pictures_without_persons_say_nothing():
    empty = detected(np.zeros((0, 6), np.float32), np.zeros((0, 6), np.float32))
    assert empty == Measured(inputs=1)
    assert refusal(empty, Bound(), "detector") is None


def test_boxes_where_torch_saw_none_are_refused():
    assert detected(np.zeros((4, 6), np.float32), ROWS).found == 0


# Too far


def test_an_engine_within_its_bound_is_not_refused():
    assert refusal(embedded(vectors(), vectors()), Bound(), "embedder") is None
    assert refusal(detected(ROWS, ROWS), Bound(), "detector") is None


def test_a_refusal_says_what_was_measured_and_what_is_asked_for():
    far = Measured(inputs=4, cosine=[(0.9995, 1), (0.98765, 1)], rows=0.75, agreeing=[4, 3])
    assert refusal(far, Bound(), "embedder") == (
        "75.0% of the erased rows are torch's, the bound is 90%; "
        "least cosine of branch 2 is 0.98765, the bound is 0.999"
    )
    lost = Measured(inputs=4, found=0.5, iou=0.9, score=0.25)
    assert refusal(lost, Bound(), "detector") == (
        "50.0% of the sure boxes are torch's, the bound is 90%; their scores differ by 0.250, the bound is 0.1"
    )


# Ranks


def test_an_engine_ranks_as_itself():
    found = rank_agreement(vectors(30), 3 * vectors(30), 2)
    assert (found.clips, found.first, found.ten, found.spearman) == (30, 1, 1, 1)


@given(st.integers(3, 20), st.integers(0, 99))
def test_rank_agreement_is_that_of_the_definition(count, seed):
    torch, engine = vectors(count, seed), vectors(count, seed) + vectors(count, seed + 1)
    found = rank_agreement(torch, engine)
    first, ten, rho = [], [], []
    for query in range(count):
        others = [k for k in range(count) if k != query]
        near = [[-(v[query] @ v[k]) / np.linalg.norm(v[k]) for k in others] for v in (torch, engine)]
        orders = [list(np.argsort(one)) for one in near]
        first.append(orders[0][0] == orders[1][0])
        ten.append(len(set(orders[0][:10]) & set(orders[1][:10])) / min(10, count - 1))
        rho.append(1.0 if count == 2 else spearmanr(*near).statistic)
    assert (found.first, found.ten) == pytest.approx((np.mean(first), np.mean(ten)))
    assert found.spearman == pytest.approx(np.mean(rho))


def test_each_branch_weighs_the_same_in_ranks():
    louder = vectors(20)
    louder[:, 3:] *= 100
    assert rank_agreement(vectors(20), louder, 2).spearman == pytest.approx(1)
    assert rank_agreement(vectors(20), louder, 1).spearman < 0.99


def test_two_clips_cannot_be_ranked():
    with pytest.raises(InputError, match="2 clips: too few to rank"):
        rank_agreement(vectors(2), vectors(2))
