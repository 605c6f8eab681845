"""Why two sightings are one person or two, in words and as a picture."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import pytest

from vidreid.errors import UsageError
from vidreid.pipeline.calibrated import Chance
from vidreid.pipeline.cases import Barrier, Link, Neighbour, PairCase, PersonCase, Sighting, SightingCase
from vidreid.pipeline.explain import explain
from vidreid.pipeline.results import Run
from vidreid.views.explanation import lines
from vidreid.views.side_by_side import WIDTH, write_picture

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SURE, UNSURE = Chance(0.97, 0.93, 0.99), Chance(0.6, 0.3, 0.8)


def sighting(tracklet: str, identity: str | None, second: float = 0.0, **changed) -> Sighting:
    times = {"start": NOON + timedelta(seconds=second), "end": NOON + timedelta(seconds=second + 9)}
    plain = Sighting(
        tracklet, tracklet.partition("/")[0], identity, **times, start_s=second, end_s=second + 9, height=134.0,
        best=7, quality=0.8, remarks=(),
    )  # fmt: skip
    return replace(plain, **changed)


HALL, YARD, GATE = (
    sighting("hall/000003", "P0001"),
    sighting("yard/000005", "P0001", 60),
    sighting("gate/000001", "P0001"),
)
ONE = PairCase(
    first=HALL,
    second=YARD,
    same=True,
    link=Link("hall/000003", "yard/000005", 1.31, SURE, "appearance"),
    threshold=0.4,
    to_other=(1.2, 0.68),
    chain=(
        Link("hall/000003", "gate/000001", 1.83, SURE, "appearance"),
        Link("gate/000001", "yard/000005", -0.41, UNSURE, "decision 3"),
    ),
    barriers=(),
)
TWO = replace(ONE, second=replace(YARD, identity="P0002"), same=False, chain=())
MEETING = Barrier(
    "hall/000003", "hall/000009", "together in one camera", NOON, NOON + timedelta(seconds=4), 0.0, 4.0
)  # fmt: skip


def text_of(case) -> str:
    return "\n".join(lines(case, "runs/site"))


def test_one_person_and_the_chain_that_holds_it():
    assert text_of(ONE).splitlines() == [
        "hall/000003 and yard/000005 are taken for one person, P0001",
        "  hall/000003  2026-03-01 12:00:00 to 12:00:09 UTC, 134 px tall",
        "  yard/000005  2026-03-01 12:01:00 to 12:01:09 UTC, 134 px tall",
        "likeness: 1.3 above even odds, 97 % (93 to 99 %) one person by looks: likely",
        "put together in this run: groups whose mean likeness is 0.4 above even odds or more",
        "mean likeness of hall/000003 to the others of P0001: 1.2 above even odds",
        "mean likeness of yard/000005 to the others of P0001: 0.7 above even odds",
        "held together by:",
        "  hall/000003 and gate/000001  1.8 above even odds, 97 % (93 to 99 %) one person by looks: likely",
        "  gate/000001 and yard/000005  0.4 below even odds, 60 % (30 to 80 %) one person by looks: unsure; decision 3",
        "what would change it: fewer wrong pairs allowed (vidreid match runs/site --wrong-pairs SHARE), "
        "or your decision: vidreid decide runs/site --different hall/000003 yard/000005",
        "Even odds: as likely one person as two people.",
        "A match is a lead, not proof.",
    ]


def test_two_people_by_looks_alone():
    text = text_of(TWO)
    assert "are taken for two people, P0001 and P0002" in text
    assert "mean likeness of hall/000003 to P0002: 1.2 above even odds" in text
    assert "change it: more wrong pairs allowed (vidreid match runs/site --wrong-pairs SHARE), or your decision" in text
    assert "vidreid decide runs/site --same hall/000003 yard/000005" in text


def test_what_looks_more_like_two_people_only_a_decision_puts_together():
    text = text_of(replace(TWO, to_other=(0.3, -0.2)))
    assert "what would change it: your decision: vidreid decide runs/site --same" in text


def test_what_decisions_hold_together_no_other_promise_takes_apart():
    text = text_of(replace(ONE, chain=ONE.chain[1:]))
    assert "what would change it: your decision: vidreid decide runs/site --different" in text


@pytest.mark.parametrize(
    ("barrier", "between", "change"),
    [
        (
            MEETING,
            "hall/000003 and hall/000009 are together in hall, 2026-03-01 12:00:00 to 12:00:04 UTC",
            "vidreid decide runs/site --split hall/000003 TIME",
        ),
        (
            Barrier("hall/000003", "yard/000005", "travel time"),
            "hall/000003 and yard/000005: travel time",
            "other clocks",
        ),
        (
            Barrier("hall/000003", "yard/000005", "decision 12"),
            "hall/000003 and yard/000005: decision 12",
            "vidreid decide runs/site --undo 12",
        ),
    ],
)
def test_what_stands_between_two_people_and_what_would_take_it_away(barrier, between, change):
    text = text_of(replace(TWO, barriers=(barrier,)))
    assert f"cannot be one person:\n  {between}" in text
    assert change in text.splitlines()[-3]


def test_nobody_in_particular_is_not_decided():
    case = replace(ONE, second=replace(YARD, identity=None), same=None, link=None, chain=(), to_other=(None, 0.68))
    text = text_of(case)
    assert "undecided, for yard/000005 is nobody in particular" in text
    assert "likeness: unknown, for one of them has no picture" in text


def test_where_nothing_was_put_together_it_says_so():
    text = text_of(replace(TWO, threshold=None))
    assert "nobody was put together in this run: no pair is sure enough" in text


def test_a_weak_sighting_says_so_and_who_is_next():
    near = Neighbour("P0002", -0.44, Link("hall/000003", "yard/000009", 0.1, UNSURE, "appearance"), (MEETING,))
    weak = replace(HALL, height=23.0, remarks=("23 px tall: weak", "seen for 0.5 s: short"))
    text = text_of(SightingCase(weak, 0.4, 0.7, ONE.chain[:1], near))
    assert "UTC, 23 px tall: weak, seen for 0.5 s: short" in text
    assert "best picture: frame 7, quality 0.80 of 1" in text
    assert "nearest other person:\n  P0002, mean likeness 0.4 below even odds" in text
    assert "are together in hall" in text
    assert "more: vidreid explain runs/site hall/000003 yard/000009" in text


def test_a_person_names_its_weakest_link_and_whom_it_is_not():
    near = Neighbour("P0002", -0.44, Link("hall/000003", "yard/000009", 0.1, UNSURE, "appearance"), ())
    text = text_of(PersonCase("P0001", 0.4, (HALL, YARD, GATE), ONE.chain[::-1], (near,)))
    assert "P0001: 3 sightings in 3 cameras" in text
    assert "weakest link: gate/000001 and yard/000005, 0.4 below even odds" in text
    assert "kept apart by looks alone" in text


def test_an_unknown_clock_counts_from_the_start():
    text = text_of(replace(ONE, first=replace(HALL, start=None, end=None)))
    assert "hall/000003  +00:00:00 to +00:00:09, 134 px tall" in text


@pytest.fixture(scope="module")
def run(finished: Path) -> Run:
    return Run(finished)


def test_the_picture_shows_both_sightings_and_is_the_same_every_time(run, tmp_path):
    names = run.tracklets()["tracklet"].to_pylist()
    case = explain(run, [names[0], names[-1]])
    for name in ("a.png", "b.png"):
        write_picture(run, case, tmp_path / name)
    image = cv2.imread(str(tmp_path / "a.png"))
    assert image.shape[1] == WIDTH
    assert image.std() > 20
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_sighting_without_pictures_has_a_picture_too(run, tmp_path):
    names = run.tracklets()["tracklet"].to_pylist()
    case = explain(run, [names[0], names[-1]])
    bare = replace(case, link=None, second=replace(case.second, tracklet=names[0]), threshold=None)
    write_picture(run, bare, tmp_path / "a.png")
    assert cv2.imread(str(tmp_path / "a.png")).shape[1] == WIDTH


def test_a_picture_is_of_two_sightings_and_a_png(run, tmp_path):
    names = run.tracklets()["tracklet"].to_pylist()
    with pytest.raises(UsageError, match="compares two sightings"):
        write_picture(run, explain(run, names[:1]), tmp_path / "a.png")
    with pytest.raises(UsageError, match="not a PNG"):
        write_picture(run, explain(run, [names[0], names[-1]]), tmp_path / "a.jpg")
