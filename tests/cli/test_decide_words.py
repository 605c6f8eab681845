"""`decide`: what is kept of a person's word, how it is shown, and what is refused before anything is written."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import pytest
from deciding import in_one_camera, journal, of_two_people, people, tables, tracklets

from vidreid.cli.decide import change
from vidreid.pipeline.results import Run


def test_what_is_only_written_down_says_what_comes_next(decide, run):
    before = tables(run)
    answer = decide("--same", *of_two_people(run), "--no-match", "--note", "same bag")
    assert f"next: vidreid match {run}" in answer.out
    assert tables(run) == before
    (decision,) = journal(run).active()
    assert (decision.kind, decision.note, len(decision.subjects)) == ("same", "same bag", 2)
    hashes = {file.sha256 for camera in Run(run).cameras for file in Run(run).files(camera)}
    assert all(anchor.file in hashes and 2 <= len(subject) <= 5 for subject in decision.subjects for anchor in subject)


def test_a_file_says_the_same_as_the_options(decide, run, tmp_path):
    a, b = of_two_people(run)
    (tmp_path / "decisions.csv").write_text(f"# by eye\nsame, {a},{b}\n\ndiscard,{free(run, a, b)}\n")
    decide("--file", tmp_path / "decisions.csv", "--no-match")
    by_file = [(entry.kind, entry.subjects) for entry in journal(run).active()]
    (run / "journal.sqlite").unlink()
    decide("--same", a, b, "--discard", free(run, a, b), "--no-match")
    assert [(entry.kind, entry.subjects) for entry in journal(run).active()] == by_file


def free(run, *taken):
    return next(name for name in tracklets(run) if name not in taken)


def test_the_list_names_sightings_as_they_are_called_now(decide, run):
    assert "nobody has decided anything yet" in decide("--list").out
    a, b = of_two_people(run)
    decide("--same", a, b, "--no-match", "--note", "same bag")
    decide("--discard", free(run, a, b), "--no-match")
    decide("--undo", 2, "--no-match")
    first, second, third = decide("--list").out.splitlines()
    assert first.split()[0] == "1"
    assert first.endswith(f"same {a}, {b}  # same bag")
    assert second.endswith(f"discard {free(run, a, b)}  (undone by 3)")
    assert third.endswith("undo 2")
    found = json.loads(decide("--list", "--json").out)
    assert [entry["number"] for entry in found] == [1, 2, 3]
    assert found[0]["sightings"] == [[a], [b]]
    assert (found[0]["undone_by"], found[1]["undone_by"], found[2]["undoes"]) == (None, 3, 2)


def test_the_answer_may_be_json(decide, run):
    found = json.loads(decide("--same", *of_two_people(run), "--no-match", "--json").out)
    assert found == {"decisions": [1], "undone": [], "changes": [], "covers": None}
    assert json.loads(decide("--undo", "last", "--no-match", "--json").out)["undone"] == [1]


def moments(row):
    """Ways to say the middle of a tracklet."""
    start, end = row["start"], row["end"]
    middle, seconds = start + (end - start) / 2, (row["start_s"] + row["end_s"]) / 2
    return {
        "time": middle.isoformat(),
        "time without zone": middle.replace(tzinfo=None).isoformat(sep=" "),
        "time of day": middle.time().isoformat(),
        "seconds": f"+{seconds:.6f}",
        "elapsed": f"+00:00:{seconds:09.6f}",
    }


def test_a_time_may_be_said_in_many_ways(decide, run):
    row = max(tracklets(run).values(), key=lambda row: row["boxes"])
    for text in moments(row).values():
        decide("--split", row["tracklet"], text, "--no-match")
        decide("--undo", "last", "--no-match")
    splits = [entry for entry in journal(run).history() if hasattr(entry, "kind")]
    assert len(splits) == len(moments(row))
    assert len({(split.at, split.subjects) for split in splits}) == 1


def refused(say, run, *words):
    """The error of a call that must not write anything."""
    before = journal(run).history()
    answer = say("decide", run, *words)
    assert answer.status in {2, 3}
    assert journal(run).history() == before
    error, hint = answer.err.splitlines()[-2:]
    assert hint.startswith("hint: ")
    return error


def test_contradictions_are_named_and_nothing_of_the_call_is_kept(say, decide, run):
    a, b = of_two_people(run)
    x, y = in_one_camera(run)
    assert f"same {x} {y}: " in refused(say, run, "--same", a, b, "--same", x, y)
    assert "are together in camera" in refused(say, run, "--same", x, y)
    decide("--different", a, b, "--no-match")
    assert "decision 1 says that" in refused(say, run, "--same", b, a)
    hint = say("decide", run, "--same", b, a).err.splitlines()[-1]
    assert hint == f"hint: undo what it contradicts: vidreid decide {run} --undo 1"
    decide("--undo", 1, "--same", a, b, "--no-match")
    assert f"decision 3 says that {min(a, b)} and" in refused(say, run, "--different", *sorted((a, b)))
    assert "decision 3 says who" in refused(say, run, "--discard", a)
    assert f"same {x} {y}" in refused(say, run, "--discard", x, "--same", x, y)


def test_decisions_of_one_call_that_contradict_each_other_are_refused(say, run):
    a, b = of_two_people(run)
    assert "decision 1 says that" in refused(say, run, "--same", a, b, "--different", a, b)


def test_a_split_outside_of_a_sighting_says_when_it_was_seen(say, run):
    row = next(iter(tracklets(run).values()))
    for moment in (f"+{row['start_s']}", f"+{row['end_s'] + 0.01}", "+9:00:00", "2020-01-01T00:00:00Z", "03:00:00"):
        error = refused(say, run, "--split", row["tracklet"], moment)
        assert f"{row['tracklet']}: not seen before and after" in error


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "no decision given"),
        (("--same", "hall/999999", "yard/000001"), "neither a sighting nor a person 'hall/999999'"),
        (("--discard", "P9999"), "neither a sighting nor a person 'P9999'"),
        (("--same", "hall/000001", "hall/000001"), "one name twice"),
        (("--split", "hall/000001", "noon"), "'noon' is no time"),
        (("--split", "hall/000001", "25:00"), "'25:00' is no time"),
        (("--undo", "7"), "there is no decision 7"),
        (("--undo", "last"), "no decision holds that could be undone"),
        (("--undo", "all"), "--undo all: neither a number nor last"),
    ],
)
def test_what_means_nothing_is_one_line_with_a_hint(say, run, words, error):
    assert error in refused(say, run, *words)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("same,a\n", "line 1: same,a: not what follows same"),
        ("# words\nalike,a,b\n", "line 2: 'alike' is none of same, different, discard, split"),
        ("split,a\n", "line 1: split,a: not what follows split"),
        ("split,a,noon\n", "line 1: 'noon' is no time"),
        (b"\xff\xfe", "not readable as CSV"),
    ],
)
def test_a_file_that_cannot_be_read_names_its_line(say, run, tmp_path, text, error):
    (tmp_path / "d.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert error in refused(say, run, "--file", tmp_path / "d.csv")
    assert "not readable" in refused(say, run, "--file", tmp_path / "none.csv")


def test_a_person_of_several_sightings_is_not_split_and_not_set_against_another(say, run):
    counts = Counter(people(run).values())
    one, other = [person for person, count in counts.most_common(2) if count > 1]
    assert "a person of" in refused(say, run, "--split", one, "+5")
    assert "are kept apart already" in refused(say, run, "--different", one, other)


def test_split_and_something_else_of_one_sighting_are_two_calls(say, run):
    row = max(tracklets(run).values(), key=lambda row: row["boxes"])
    moment = moments(row)["seconds"]
    error = refused(say, run, "--split", row["tracklet"], moment, "--discard", row["tracklet"])
    assert f"discard {row['tracklet']}: split in the same call" in error


def test_a_run_that_is_not_matched_or_none_is_named(say, run, tmp_path):
    shutil.rmtree(run / "match")
    assert "not matched yet" in refused(say, run, "--discard", "hall/000001")
    assert "not a run folder" in say("decide", tmp_path, "--list").err


def test_a_damaged_journal_stops_and_is_left_alone(say, decide, run):
    decide("--discard", free(run), "--no-match")
    whole = (run / "journal.sqlite").read_bytes()
    (run / "journal.sqlite").write_bytes(whole[:3000])
    answer = say("decide", run, "--discard", free(run))
    assert answer.status == 3
    assert "journal.sqlite: damaged" in answer.err
    assert (run / "journal.sqlite").read_bytes() == whole[:3000]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (["P0004", "P0009"], {"P0004": 7}, "P0004 and P0009 are one: P0004 (7 sightings)"),
        (["P0004"], {"P0004": 5, "P0031": 1}, "P0004 is 2: P0004 (5 sightings), P0031 (1 sighting)"),
        (
            ["P0004", "P0009"],
            {"P0004": 1, "P0009": 2},
            "P0004 and P0009 are now: P0004 (1 sighting), P0009 (2 sightings)",
        ),
        (["P0004"], {"P0004": 3}, "P0004 is now P0004 (3 sightings)"),
        (["P0004"], {}, "P0004 is gone"),
        ([], {"P0031": 1}, "new: P0031 (1 sighting)"),
    ],
)
def test_a_change_is_one_line(before, after, line):
    assert change(before, after) == line
