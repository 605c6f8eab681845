"""Runs made by hand: real footage files, boxes whose every value is known."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hand_made import EVEN, NASTY, NOON, UNEVEN, WALKS, FakeRun, Walk, write_footage


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Camera gate: two files at an even rate, five seconds apart; camera hall: one file at a variable rate."""
    folder = tmp_path_factory.mktemp("footage")
    base = Fraction(1, 1000)
    return {
        "gate": [write_footage(folder / "g1.mp4", EVEN[:30], base), write_footage(folder / "g2.mp4", EVEN[:20], base)],
        "hall": [write_footage(folder / "h1.mkv", UNEVEN, base)],
    }


@pytest.fixture
def run(tmp_path: Path, footage: dict[str, list[Path]]) -> FakeRun:
    """Two cameras with known clocks, two people, one of them in both cameras."""
    return FakeRun(tmp_path / "run", footage, {"gate": NOON, "hall": NOON + timedelta(seconds=20)}, WALKS)


@pytest.fixture
def clockless(tmp_path: Path, footage: dict[str, list[Path]]) -> FakeRun:
    """The same run where nobody knows when camera hall was filmed."""
    return FakeRun(tmp_path / "run", footage, {"gate": NOON, "hall": None}, WALKS)


@pytest.fixture
def empty(tmp_path: Path, footage: dict[str, list[Path]]) -> FakeRun:
    """The same footage, and nobody was found in it."""
    return FakeRun(tmp_path / "run", footage, {"gate": NOON, "hall": NOON}, [])


@pytest.fixture
def nasty(tmp_path: Path, footage: dict[str, list[Path]]) -> FakeRun:
    """A run whose camera and notes hold markup, quotes, commas and what file names must not hold."""
    return FakeRun(
        tmp_path / "run", {NASTY: footage["gate"]}, {NASTY: NOON}, [Walk(NASTY, 1, "P0001", 0, 9)], ["<b>bold</b>"]
    )
