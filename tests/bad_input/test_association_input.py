"""Who is who where the footage says little, or what is said of it is wrong: never a guess, never a surprise."""

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from films import Film, write_truth
from sightings import World, camera, people, shift

import vidreid as package
from vidreid.footage.cameras import Site
from vidreid.pipeline.grouping import UNIFORM
from vidreid.store import schema
from vidreid.store.parts import Header, read_header, read_part, write_part

NETWORKS = ("--detector", "oracle", "--embedder", "colours")


def put_together(world, grouped):
    """How many pairs are one person, and how many of them wrongly."""
    found = people(grouped)
    pairs = [pair for pair in combinations(found, 2) if found[pair[0]] == found[pair[1]]]
    return len(pairs), sum(world.person[one] != world.person[other] for one, other in pairs)


# Little to go by


@pytest.mark.parametrize("walks", [True, False])
def test_one_camera_that_saw_one_person_or_nobody(say, tmp_path, walks):
    Film("a.mp4").write(tmp_path)
    write_truth(tmp_path, "a", people=walks)
    run = tmp_path / "run"
    answer = say("run", f"a={tmp_path}/a.mp4", "--output", run, *NETWORKS)
    assert answer.status == 0, answer.err
    opened = package.open_run(run)
    assert opened.tracklets()["identity"].to_pylist() == ["P0001"] * walks
    assert len(opened.evidence()) == 0
    answer = say("calibrate", run)
    assert answer.status == 0, answer.err


def test_one_sighting_can_be_explained_searched_and_decided_upon(say, tmp_path):
    Film("a.mp4").write(tmp_path)
    write_truth(tmp_path, "a")
    run, one = tmp_path / "run", "a/000001"
    assert say("run", f"a={tmp_path}/a.mp4", "--output", run, *NETWORKS).status == 0
    assert say("explain", run, one).status == 0
    assert say("search", run, "--tracklet", one).status == 0
    assert say("decide", run, "--discard", one).status == 0
    assert package.open_run(run).tracklets()["identity"].to_pylist() == [None]


def test_in_one_camera_who_returns_is_known_again():
    world = World(camera("a"))
    shift(world, 600.0, visits=("a", "a"))
    grouped = world.group()
    assert put_together(world, grouped) == (20, 0)


def test_without_any_overlap_people_are_told_apart_all_the_same():
    """Nobody is ever seen beside another, nor in two cameras at once; no clock is known."""
    world = World(camera("a", known=False), camera("b", known=False))
    for person in range(12):
        for place, name in enumerate(("a", "b")):
            start = 120.0 * person + 60.0 * place
            world.add(person, name, start, start + 20)
    grouped = world.group()
    assert len(grouped.impostors) == 0
    pairs, wrong = put_together(world, grouped)
    assert pairs >= 10
    assert wrong == 0


@pytest.mark.parametrize("count", [5, 20])
@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5])
def test_of_people_in_one_uniform_hardly_anybody_is_put_together_and_it_says_so(count, noise):
    world = World(*map(camera, "abc"), alike=1.0, noise=noise)
    shift(world, 200.0, count=count)
    grouped = world.group()
    assert UNIFORM in grouped.notes
    pairs, _ = put_together(world, grouped)
    assert pairs <= count / 10


@pytest.mark.parametrize("measured", [True, False])
def test_people_in_one_uniform_whose_faces_show_are_told_apart(measured):
    world = World(*map(camera, "abc"), alike=0.8)
    shift(world, 200.0)
    grouped = world.group(measured=measured)
    assert (UNIFORM in grouped.notes) == measured
    assert put_together(world, grouped) == (60, 0)


def test_in_ordinary_clothes_nobody_speaks_of_uniforms():
    world = World(*map(camera, "abc"))
    shift(world, 200.0)
    assert UNIFORM not in world.group().notes


# What is wrong


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_a_clock_that_is_wrong_by_an_hour_is_reported_and_forbids_nothing(ahead):
    """By the stated least time between the cameras, nobody could have come from one to the other."""
    world = World(camera("a", hours=3), camera("b", hours=3, ahead=ahead))
    rng = np.random.default_rng(1)
    for person in range(30):
        start = rng.uniform(0, 9000)
        world.add(person, "a", start, start + 15)
        world.add(person, "b", start + rng.uniform(40, 70), start + 90)
    grouped = world.group(site=Site(travel=(("a", "b", 20.0),)))
    first, second = ("a", "b") if ahead > 0 else ("b", "a")
    (note,) = [line for line in grouped.notes if "seems to be" in line]
    assert note.startswith(f"{second} seems to be ")
    assert f" ahead of {first}, " in note
    assert note.endswith("; no limit between them is used")
    assert put_together(world, grouped) == (30, 0)


def test_decisions_that_contradict_the_footage_are_left_out_and_named():
    world = World(camera("a"))
    one, other = world.add(1, "a", 0, 20), world.add(2, "a", 10, 30)
    grouped = world.group(world.say(1, "same", one, other))
    found = people(grouped)
    assert found[one] != found[other]
    assert grouped.notes == [f"decision 1 is left out: {one} and {other} are together in camera a"]


def test_decisions_that_contradict_each_other_are_refused_and_named(say, run):
    assert say("decide", run, "--same", "a/000001", "b/000001").status == 0
    before = (run / "journal.sqlite").read_bytes()
    answer = say("decide", run, "--different", "b/000001", "a/000001")
    assert answer.status == 3
    error, hint = answer.err.splitlines()[-2:]
    assert error.startswith("error: different b/000001 a/000001: decision 1 says that ")
    assert hint == f"hint: undo what it contradicts: vidreid decide {run} --undo 1"
    assert (run / "journal.sqlite").read_bytes() == before
    assert package.open_run(run).tracklets()["identity"].to_pylist() == ["P0001", "P0001"]


@pytest.fixture
def mixed(run):
    """A run whose vectors of camera b are of another network."""
    part = run / "embed" / "b" / "00000.parquet"
    header = read_header(part)
    other = {"name": "osnet", "network": "cd34"}
    rows = read_part(part, schema.VECTORS).to_pylist()
    table = pa.Table.from_pylist([row | {"vector": row["vector"][:8]} for row in rows], schema.VECTORS)
    write_part(part, table, schema.VECTORS, Header({**header.inputs, "embedder": other}, header.made_by, header.facts))
    return run


def test_vectors_of_another_network_are_named_and_made_anew(say, mixed, done):
    assert "stale" in say("status", mixed).out
    answer = say("match", mixed)
    assert answer.status == 0
    assert "embed: 1 of 2 segments are done again (embedder.name osnet -> colours-3" in answer.err
    for table in ("tracklets", "identities", "evidence"):
        assert getattr(package.open_run(mixed), table)() == getattr(package.open_run(done), table)()


def test_vectors_of_another_network_are_never_compared(say, mixed):
    """A decision matches what is there, without footage and networks."""
    assert say("decide", mixed, "--discard", "a/000001").status == 0
    found = package.open_run(mixed).tracklets().to_pylist()
    assert [row["tracklet"] for row in found] == ["a/000001"]
