"""What tests of decisions ask of a small run: who is who in it, and sightings to decide about."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from vidreid.pipeline.results import Run
from vidreid.store.journal import Journal

TABLES = ("tracklets", "identities", "evidence")


def tracklets(run):
    """The tracklets of a run by name."""
    return {row["tracklet"]: row for row in Run(run).tracklets().to_pylist()}


def people(run):
    """The person of each tracklet that has one."""
    return {name: row["identity"] for name, row in tracklets(run).items() if row["identity"]}


def sightings(run, person):
    return [name for name, identity in people(run).items() if identity == person]


def tables(run):
    return [getattr(Run(run), table)() for table in TABLES]


def journal(run):
    return Journal(run / "journal.sqlite")


def together(a, b):
    return a["camera"] == b["camera"] and a["first"] <= b["last"] and b["first"] <= a["last"]


def of_two_people(run):
    """Two sightings of two people who are never in one camera at a time, so that they might be one."""
    rows = tracklets(run)
    members = {
        person: [row for row in rows.values() if row["identity"] == person] for person in set(people(run).values())
    }
    for one, other in combinations(sorted(members), 2):
        if not any(together(a, b) for a in members[one] for b in members[other]):
            return members[one][0]["tracklet"], members[other][0]["tracklet"]
    return pytest.fail("the small world has no two such people")


def of_one_person(run):
    """Two sightings of one person."""
    person, _ = Counter(people(run).values()).most_common(1)[0]
    return sightings(run, person)[:2]


def in_one_camera(run):
    """Two sightings that are in one camera at the same time."""
    rows = tracklets(run).values()
    return next((a["tracklet"], b["tracklet"]) for a, b in combinations(rows, 2) if together(a, b))


def check_untouched(before, after, *touched):
    """Everybody else has the same name and the same sightings."""
    for person in set(before.values()) - set(touched):
        assert {name for name, one in before.items() if one == person} == {
            name for name, one in after.items() if one == person
        }
