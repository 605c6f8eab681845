import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.detection.oracle import Oracle
from vidreid.errors import InputError
from vidreid.types import Frame

IMAGE = np.zeros((270, 480, 3), np.uint8)
FRAMES = 4000


def frame(index, camera="north"):
    return Frame(camera, index, 0, index, index / 25, IMAGE)


def mot(path, height, visibility):
    """One person in every frame, another far away from the first."""
    rows = (f"{i},{p},{x},60,{height * 0.4},{height},1,1,{visibility}" for i in range(1, FRAMES + 1) for p, x in
            ((1, 100), (2, 350)))  # fmt: skip
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def clear(tmp_path_factory):
    return mot(tmp_path_factory.mktemp("gt") / "north.txt", 120, 1.0)


def answers(oracle, indices):
    return {seen.index: found for seen, found in oracle.detect(map(frame, indices))}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, FRAMES + 10), unique=True, max_size=20))
def test_the_answer_for_a_frame_does_not_depend_on_what_was_asked_before(clear, indices):
    oracle = Oracle({"north": clear}, seed=4)
    together = answers(oracle, indices)

    for index in sorted(indices):
        alone = answers(oracle, [index])[index]
        np.testing.assert_array_equal(together[index].boxes, alone.boxes)
        np.testing.assert_array_equal(together[index].scores, alone.scores)


def test_two_oracles_of_one_seed_agree(clear):
    first, second = (answers(Oracle({"north": clear}, seed=4), [11])[11] for _ in range(2))

    np.testing.assert_array_equal(first.boxes, second.boxes)


def test_seed_and_camera_change_the_answer(clear):
    oracle = Oracle({"north": clear, "hall": clear}, seed=0)
    boxes = [next(iter(oracle.detect([frame(7, camera)])))[1].boxes for camera in ("north", "hall")]
    boxes.append(answers(Oracle({"north": clear}, seed=1), [7])[7].boxes)

    assert len({box.tobytes() for box in boxes}) == 3


def matched(found, height=120):
    """How many of the two people are found, and what of the answer is nobody."""
    near = [np.abs(found.boxes[:, 0] - x) + np.abs(found.boxes[:, 1] - 60) < height * 0.3 for x in (100, 350)]
    return sum(bool(hits.any()) for hits in near), len(found) - sum(int(hits.sum()) for hits in near)


def test_people_in_plain_view_are_found_as_often_as_promised(clear):
    counts = np.array([matched(found) for found in answers(Oracle({"north": clear}), range(FRAMES)).values()])

    assert counts[:, 0].mean() / 2 == pytest.approx(0.98, abs=0.01)
    assert counts[:, 1].mean() == pytest.approx(0.01, abs=0.006)


@pytest.mark.parametrize(("height", "visibility"), [(120, 0.3), (18, 1.0)])
def test_the_hidden_and_the_small_are_missed_half_of_the_time(tmp_path, height, visibility):
    oracle = Oracle({"north": mot(tmp_path / "gt.txt", height, visibility)})

    found = [len(seen) for seen in answers(oracle, range(FRAMES)).values()]

    assert np.mean(found) / 2 == pytest.approx(0.49, abs=0.03)


def test_scores_grow_with_visibility_and_size(tmp_path):
    def score(height, visibility):
        oracle = Oracle({"north": mot(tmp_path / "gt.txt", height, visibility)})
        return np.mean(np.concatenate([found.scores for found in answers(oracle, range(500)).values()]))

    assert score(120, 1.0) > score(120, 0.5) > score(30, 0.5)


def test_boxes_are_a_few_percent_off_and_stay_in_the_picture(clear):
    found = np.concatenate([seen.boxes for seen in answers(Oracle({"north": clear}), range(FRAMES)).values()])
    first = found[np.abs(found[:, 0] - 100) < 15]

    assert (found >= 0).all()
    assert (found <= (480, 270, 480, 270)).all()
    assert (first[:, 0] - 100).std() == pytest.approx(0.025 * 48, rel=0.1)
    assert (first[:, 3] - 180).std() == pytest.approx(0.025 * 120, rel=0.1)


def test_a_camera_without_truth_is_an_input_error(clear):
    with pytest.raises(InputError, match="yard"):
        next(iter(Oracle({"north": clear}).detect([frame(0, "yard")])))


def test_a_file_that_is_no_truth_is_an_input_error(tmp_path):
    (tmp_path / "gt.txt").write_text("1,2,3\n")

    with pytest.raises(InputError, match="3 columns"):
        Oracle({"north": tmp_path / "gt.txt"})


def test_an_empty_truth_finds_almost_nobody(tmp_path):
    (tmp_path / "gt.txt").write_text("")

    found = answers(Oracle({"north": tmp_path / "gt.txt"}), range(200))

    assert sum(map(len, found.values())) < 10
