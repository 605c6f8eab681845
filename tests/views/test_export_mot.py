"""MOT text equals the run's boxes."""

from pathlib import Path

import numpy as np
import pytest
from hand_made import NOBODY, NOON, FakeRun, Walk

from vidreid.errors import InputError
from vidreid.views.export import mot
from vidreid.views.selection import Selection

PERSON = {"gate/000001": 1, "gate/000002": 2, "hall/000001": 1, "gate/000003": 3, "hall/000002": 4}


def read(path: Path) -> np.ndarray:
    return np.loadtxt(path, delimiter=",", ndmin=2)


@pytest.mark.parametrize(
    ("ids", "numbers"),
    [("identity", PERSON), ("track", {name: int(name[-6:]) for name in PERSON})],
)
def test_rows_are_the_boxes(run: FakeRun, tmp_path: Path, ids: str, numbers: dict[str, int]) -> None:
    paths = mot.write(run, tmp_path, Selection(ids=ids))
    assert [path.name for path in paths] == ["gate.txt", "hall.txt"]
    for path, camera in zip(paths, run.cameras, strict=True):
        rows, boxes = read(path), run.boxes(camera).to_pylist()
        assert rows[:, 0].tolist() == [box["frame"] + 1 for box in boxes]
        assert rows[:, 1].tolist() == [numbers[box["tracklet"]] for box in boxes]
        wanted = [[b["x1"], b["y1"], b["x2"] - b["x1"], b["y2"] - b["y1"]] for b in boxes]
        np.testing.assert_allclose(rows[:, 2:6], wanted, atol=0.006)
        scores = [1 if b["score"] is None else b["score"] for b in boxes]
        np.testing.assert_allclose(rows[:, 6], scores, atol=1e-4)
        assert (rows[:, 7:] == -1).all()
        assert rows.shape[1] == 10


def test_a_number_means_the_same_in_every_selection(run: FakeRun, tmp_path: Path) -> None:
    (path,) = mot.write(run, tmp_path, Selection(cameras=("hall",)))
    assert set(read(path)[:, 1]) == {1, 4}


def test_nobody_is_an_empty_file(empty: FakeRun, tmp_path: Path) -> None:
    assert [path.read_bytes() for path in mot.write(empty, tmp_path, Selection())] == [b"", b""]


def test_a_person_without_a_number_is_an_error(footage: dict[str, list[Path]], tmp_path: Path) -> None:
    run = FakeRun(tmp_path, footage, {"gate": NOON, "hall": NOON}, [Walk("gate", 1, NOBODY, 0, 9)])
    with pytest.raises(InputError, match="is no person's name"):
        mot.write(run, tmp_path / "out", Selection())
