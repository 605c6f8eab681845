"""What a likeness means, as a plot and in words."""

from pathlib import Path

import cv2
import pytest
from calibrations import calibration, curve, write
from hand_made import FakeRun

from vidreid.errors import InputError, UsageError
from vidreid.evaluation.reliability import Bin, Check
from vidreid.pipeline.calibrated import Calibrated, Chance, calibration_of
from vidreid.views.calibration import lines, write_calibration

CHECK = Check(
    sightings=26,
    people=5,
    promised=0.02,
    achieved=Chance(0.0, 0.0, 0.04),
    pairs=73,
    wrong=0,
    bins={
        "same": [Bin(0.0, 0.01, 20, 0.004, -1.2, Chance(0.0, 0.0, 0.1))],
        "cross": [Bin(0.99, 1.0, 17, 0.995, 2.9, Chance(1.0, 0.8, 1.0))],
    },
)


@pytest.fixture
def found(run: FakeRun) -> Calibrated:
    write(run.path)
    return calibration_of(run)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
@pytest.mark.parametrize("check", [None, CHECK])
def test_equal_calibrations_give_equal_bytes(found: Calibrated, tmp_path: Path, kind: str, check: Check | None) -> None:
    first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    write_calibration(first, found, check)
    write_calibration(second, found, check)
    assert first.read_bytes() == second.read_bytes()
    if kind == "png":
        assert cv2.imread(str(first)).shape[:2] == (1050, 2100)


def test_labelled_pairs_are_drawn_over_the_curve(found: Calibrated, tmp_path: Path) -> None:
    write_calibration(tmp_path / "a.svg", found)
    write_calibration(tmp_path / "b.svg", found, CHECK)
    assert (tmp_path / "a.svg").read_bytes() != (tmp_path / "b.svg").read_bytes()


def test_a_file_of_another_kind_is_wrong_use(found: Calibrated, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a kind of picture"):
        write_calibration(tmp_path / "a.jpeg", found)


def test_without_a_certain_pair_there_is_still_a_plot(run: FakeRun, tmp_path: Path) -> None:
    write(run.path, curves={"same": curve(4.0, pairs=0.0), "cross": curve(3.0, pairs=0.0)}, threshold=None)
    write_calibration(tmp_path / "a.png", calibration_of(run))
    assert cv2.imread(str(tmp_path / "a.png")) is not None


def test_pairs_of_two_cameras_are_left_out_where_there_is_one(run: FakeRun, tmp_path: Path) -> None:
    write(run.path, frame={**calibration()["frame"], "cameras": ["gate"]})
    found = calibration_of(run)
    write_calibration(tmp_path / "a.png", found)
    assert cv2.imread(str(tmp_path / "a.png")).shape[:2] == (1050, 1200)
    assert "in two cameras" not in "\n".join(lines(found))


def test_the_words_hold_the_promise_and_what_it_rests_on(found: Calibrated) -> None:
    text = "\n".join(lines(found))
    assert "promised             2 % of the pairs put together are wrong" in text
    assert "put together         groups whose mean likeness is 0.4 above even odds or more" in text
    assert "expected             1.6 % (0.8 to 3.2 %) of 240 pairs are wrong" in text
    assert "expected mixed       1.4 (0.7 to 2.8) people here are two" in text
    assert "expected split       under 1 people are here as two" in text
    assert "false-match rate     under 0.00093 a comparison of two people" in text
    assert "made from            the card of slim-afa, of 199 held-out people" in text
    assert "144 pairs together in one camera" in text
    assert "40 pairs of halves" in text
    assert "3 pairs decided by a person" in text
    assert "note: 240 pairs put together cannot show" in text


def test_where_nothing_could_be_put_together_nothing_is_expected_of_it(run: FakeRun) -> None:
    write(run.path, threshold=None)
    text = "\n".join(lines(calibration_of(run)))
    assert "put together         nobody: no pair is sure enough" in text
    assert "expected" not in text
    assert "at even odds         50 % (33 to 67 %)             50 % (33 to 67 %)\n" in text


def test_a_card_of_nobody_is_called_so(run: FakeRun) -> None:
    write(run.path, sources={"card": "mine", "people": 0, "impostors": 0, "genuine": 0, "reviewed": 0})
    assert "the card of mine, of no people: nobody measured this network" in "\n".join(lines(calibration_of(run)))


def test_both_curves_are_told_at_rising_likenesses_and_where_people_are_put_together(found: Calibrated) -> None:
    text = lines(found)
    head = next(place for place, line in enumerate(text) if line.startswith("likeness"))
    rows = text[head + 1 : text.index("", head)]
    assert text[head].split("  ")[-1].strip() == "one person, in two cameras"
    for column, kind in ((21, "same"), (51, "cross")):
        values = [float(row[column:].lstrip("<> ").split()[0]) for row in rows]
        assert values == sorted(values), kind
    (mark,) = (row for row in rows if row.endswith("<- put together from here on"))
    assert mark.startswith("0.4 above even odds  83 % (71 to 91 %)             77 % (62 to 87 %)")


def test_the_words_of_a_check_set_promise_beside_truth(found: Calibrated) -> None:
    text = "\n".join(lines(found, CHECK))
    assert "checked on 26 labelled sightings of 5 people" in text
    assert "achieved             < 4 % of 73 pairs are wrong (0)" in text
    assert "promised             2 %: the labels do not contradict it" in text
    assert "one person, in one camera, in truth       pairs\n0 to 1 %             < 10 %" in text
    assert "one person, in two cameras, in truth      pairs\n99 to 100 %          > 80 %" in text


@pytest.mark.parametrize(
    ("achieved", "words"),
    [(Chance(0.1, 0.05, 0.2), "more are wrong"), (Chance(0.01, 0.001, 0.019), "fewer are wrong")],
)
def test_a_broken_promise_is_called_so(found: Calibrated, achieved: Chance, words: str) -> None:
    check = Check(26, 5, 0.02, achieved, 73, 7, {})
    assert f"promised             2 %: {words}" in "\n".join(lines(found, check))


def test_a_calibration_comes_back_as_it_was_written(run: FakeRun) -> None:
    write(run.path)
    read, written = calibration_of(run).as_dict(), calibration()
    assert read["expected"].pop("pairs") == [240, 240, 240]
    assert written["expected"].pop("pairs") == 240
    assert written.pop("frame")
    assert read == written


def test_what_an_older_program_matched_has_no_known_meaning(run: FakeRun) -> None:
    with pytest.raises(InputError, match="an older program matched it") as raised:
        calibration_of(run)
    assert raised.value.hint == f"vidreid match {run.path}"
