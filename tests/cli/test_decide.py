"""`decide`: a person's word holds in this match and all later ones, and moves nobody else."""

from __future__ import annotations

from deciding import (
    check_untouched,
    journal,
    of_one_person,
    of_two_people,
    people,
    sightings,
    tables,
    together,
    tracklets,
)

from vidreid.pipeline.results import Run


def test_same_makes_two_people_one_and_changes_nobody_else(decide, run):
    a, b = of_two_people(run)
    before = people(run)
    answer = decide("--same", a, b)
    after = people(run)
    assert after[a] == after[b]
    check_untouched(before, after, before[a], before[b])
    kept, gone = sorted((before[a], before[b]), key=lambda person: -len([p for p in before.values() if p == person]))
    if len([p for p in before.values() if p == kept]) > len([p for p in before.values() if p == gone]):
        assert after[a] == kept
    assert "decision 1: same" in answer.out
    assert any(before[a] in line and before[b] in line for line in answer.out.splitlines())
    assert (run / "people.html").is_file()


def test_same_of_people_joins_all_their_sightings(decide, run):
    a, b = of_two_people(run)
    one, other = people(run)[a], people(run)[b]
    both = {*sightings(run, one), *sightings(run, other)}
    answer = decide("--same", one, other)
    joined = people(run)[a]
    assert set(sightings(run, joined)) == both
    first, second = sorted((one, other))
    assert f"{first} and {second} are one: {joined} ({len(both)} sightings)" in answer.out


def test_different_separates_and_changes_nobody_else(decide, run):
    a, b = of_one_person(run)
    before = people(run)
    answer = decide("--different", a, b)
    after = people(run)
    assert after[a] != after[b]
    check_untouched(before, after, before[a])
    assert before[a] in after.values()
    assert f"{before[a]} is 2: " in answer.out


def test_a_sighting_that_is_not_of_a_person_leaves_that_person(decide, run):
    a, _ = of_one_person(run)
    person = people(run)[a]
    rest = set(sightings(run, person)) - {a}
    decide("--different", a, person)
    after = people(run)
    assert all(after[a] != after[other] for other in rest)


def test_discard_takes_sightings_out_of_everybody(decide, run):
    a, _ = of_one_person(run)
    before = people(run)
    decide("--discard", a)
    assert a in tracklets(run)
    assert a not in people(run)
    check_untouched(before, people(run), before[a])


def test_discard_of_a_person_discards_every_sighting(decide, run):
    person = people(run)[of_one_person(run)[0]]
    gone = sightings(run, person)
    answer = decide("--discard", person)
    assert not set(gone) & set(people(run))
    assert f"{person} is gone" in answer.out


def test_split_makes_two_sightings_of_one_and_two_people(decide, run):
    before = tracklets(run)
    a = max(before.values(), key=lambda row: row["end_s"] - row["start_s"])
    name, middle = a["tracklet"], (a["start_s"] + a["end_s"]) / 2
    decide("--split", name, f"+{middle:.3f}")
    after = tracklets(run)
    (new,) = set(after) - set(before)
    assert new == max(one for one in after if one.startswith(f"{a['camera']}/"))
    assert after[name]["first"] == a["first"]
    assert after[new]["last"] == a["last"]
    assert after[name]["last"] < after[new]["first"]
    assert after[name]["end_s"] < middle - 0.001 <= after[new]["start_s"] + 0.001
    assert after[name]["boxes"] + after[new]["boxes"] == a["boxes"]
    assert after[name]["identity"] != after[new]["identity"]
    untouched = [other for other, row in before.items() if row["identity"] != a["identity"]]
    for column in ("identity", "first", "last", "boxes", "pieces"):
        assert [after[other][column] for other in untouched] == [before[other][column] for other in untouched]


def test_an_undo_restores_the_very_same_tables(decide, run):
    before = tables(run)
    a, b = of_two_people(run)
    others = [row for row in tracklets(run).values() if row["tracklet"] not in (a, b)]
    shortest, *_, longest = sorted(others, key=lambda row: row["boxes"])
    middle = (longest["start_s"] + longest["end_s"]) / 2
    decide("--same", a, b, "--discard", shortest["tracklet"], "--no-match")
    decide("--split", longest["tracklet"], f"+{middle}")
    assert tables(run) != before
    decide("--undo", "last", "--undo", 2, "--no-match")
    decide("--undo", "last")
    assert journal(run).active() == []
    assert tables(run) == before


def test_decisions_survive_another_tracker(say, decide, run):
    a, b = of_two_people(run)
    rows = tracklets(run)
    decide("--same", a, b)
    assert say("run", run, "--tracker", "ocsort").status == 0
    again = tracklets(run)
    here = {name: carrier(rows[name], again) for name in (a, b)}
    assert all(here.values())
    assert again[here[a]]["identity"] == again[here[b]]["identity"]


def carrier(row, tracklets):
    """The tracklet of another run that has most of the time of one, by the height of its boxes."""
    near = [one for one in tracklets.values() if together(one, row) and abs(one["height"] / row["height"] - 1) < 0.2]
    best = max(near, key=lambda one: min(one["last"], row["last"]) - max(one["first"], row["first"]), default=None)
    return best and best["tracklet"]


def test_decisions_are_an_input_of_match(say, decide, run):
    assert "match   done" in say("status", run).out
    decide("--same", *of_two_people(run), "--no-match")
    assert "match   stale: decisions" in say("status", run).out
    a, b = (anchor[0] for anchor in journal(run).active()[0].subjects)
    assert say("match", run).status == 0
    assert "match   done" in say("status", run).out
    assert a.camera in Run(run).cameras
    assert b.camera in Run(run).cameras
