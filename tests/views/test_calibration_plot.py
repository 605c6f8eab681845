"""What a likeness means, as a plot and in words."""

from pathlib import Path

import cv2
import pytest
from calibrations import calibration, write
from hand_made import FakeRun

from vidreid.errors import InputError, UsageError
from vidreid.evaluation.reliability import Bin, Check
from vidreid.pipeline.calibrated import Calibrated, Chance, calibration_of, read_calibration
from vidreid.views.calibration import lines, rate, write_calibration

CHECK = Check(
    sightings=26,
    people=5,
    promised=0.02,
    achieved=Chance(0.0, 0.0, 0.04),
    pairs=73,
    wrong=0,
    bins=(Bin(0.0, 0.01, 20, 0.004, 0.2, Chance(0.0, 0.0, 0.1)), Bin(0.99, 1.0, 17, 0.995, 0.9, Chance(1.0, 0.8, 1.0))),
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
        assert cv2.imread(str(first)).shape[:2] == (1050, 1200)


def test_labelled_pairs_are_drawn_over_the_curve(found: Calibrated, tmp_path: Path) -> None:
    write_calibration(tmp_path / "a.svg", found)
    write_calibration(tmp_path / "b.svg", found, CHECK)
    assert (tmp_path / "a.svg").read_bytes() != (tmp_path / "b.svg").read_bytes()


def test_a_file_of_another_kind_is_wrong_use(found: Calibrated, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a kind of picture"):
        write_calibration(tmp_path / "a.jpeg", found)


def test_without_a_certain_pair_there_is_still_a_plot(run: FakeRun, tmp_path: Path) -> None:
    write(run.path, histograms={"edges": [0, 0.5, 1], "pairs": [0, 0], "impostors": [0, 0], "genuine": [0, 0]})
    write_calibration(tmp_path / "a.png", calibration_of(run))
    assert cv2.imread(str(tmp_path / "a.png")) is not None


def test_the_words_hold_the_promise_and_what_it_rests_on(found: Calibrated) -> None:
    text = "\n".join(lines(found))
    assert "threshold            0.520: sightings this alike are put together" in text
    assert "promised             2 % of the pairs put together are wrong" in text
    assert "expected             1.6 % (0.4 to 5 %) of 240 pairs" in text
    assert "expected mixed       under 1 (0 to 2) people here are two" in text
    assert "false-match rate     under 0.00093 a comparison of two people" in text
    assert "made from            slim-afa" in text
    assert "144 pairs together in one camera" in text
    assert "3 pairs decided by a person" in text
    assert "note: few certain genuine pairs: the card weighs most" in text


def test_the_curve_is_told_where_it_rises_and_at_the_threshold(found: Calibrated) -> None:
    rows = [line for line in lines(found) if line.endswith(")") and line[:8].strip().replace(".", "").isdigit()]
    values = [float(line.split()[0]) for line in rows]
    assert values == sorted(values)
    assert values[0] > -0.2
    assert values[-1] < 1
    assert any(line.startswith("    0.52") and line.endswith("<- threshold") for line in lines(found))


def test_the_words_of_a_check_set_promise_beside_truth(found: Calibrated) -> None:
    text = "\n".join(lines(found, CHECK))
    assert "checked on 26 labelled sightings of 5 people" in text
    assert "achieved             < 4 % of 73 pairs are wrong (0)" in text
    assert "promised             2 %: the labels do not contradict it" in text
    assert "0 to 1 %      < 10 %" in text
    assert "99 to 100 %   > 80 %" in text


@pytest.mark.parametrize(
    ("achieved", "words"),
    [(Chance(0.1, 0.05, 0.2), "more are wrong"), (Chance(0.01, 0.001, 0.019), "fewer are wrong")],
)
def test_a_broken_promise_is_called_so(found: Calibrated, achieved: Chance, words: str) -> None:
    check = Check(26, 5, 0.02, achieved, 73, 7, ())
    assert f"promised             2 %: {words}" in "\n".join(lines(found, check))


def test_nothing_seen_in_n_is_under_3_in_n() -> None:
    assert rate(Chance(0.0, 0.0, 3 / 3000)) == "under 0.001"
    assert rate(Chance(2e-4, 1e-4, 4e-4)) == "0.0002 (0.0001 to 0.0004)"


def test_a_calibration_comes_back_as_it_was_written(run: FakeRun) -> None:
    write(run.path)
    read, written = calibration_of(run).as_dict(), calibration()
    assert read["expected"].pop("pairs") == [240, 240, 240]
    assert written["expected"].pop("pairs") == 240
    assert read == written


def test_without_a_card_a_likeness_has_no_meaning(run: FakeRun) -> None:
    assert read_calibration(run) is None
    with pytest.raises(InputError, match="its network has no card"):
        calibration_of(run)
    write(run.path, curve={"likeness": [], "probability": [], "low": [], "high": []})
    assert read_calibration(run) is None
