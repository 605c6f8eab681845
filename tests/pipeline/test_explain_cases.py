"""Why two sightings are, or are not, one person."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from vidreid.errors import InputError, UsageError
from vidreid.pipeline.calibrated import calibration_of
from vidreid.pipeline.cases import as_dict
from vidreid.pipeline.explain import explain
from vidreid.pipeline.results import Run
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part, write_part


@pytest.fixture(scope="module")
def run(finished: Path) -> Run:
    return Run(finished)


@pytest.fixture
def changed(finished: Path, tmp_path: Path):
    """``changed(table, function of its rows)``: a copy of the finished run with another table."""
    copy = Path(shutil.copytree(finished, tmp_path / "run"))

    def change(name, function) -> Run:
        path, kind = RunFolder(copy).match(name), getattr(schema, name.upper())
        header = read_header(path)
        rows = function(read_part(path, kind).to_pylist())
        write_part(path, pa.Table.from_pylist(rows, kind), kind, header)
        return Run(copy)

    return change


@pytest.fixture
def crowd(changed) -> Run:
    """The same, but the first three people are taken for one, by looks alone."""
    changed("evidence", lambda rows: [])
    first = {"P0001", "P0002", "P0003"}
    return changed(
        "tracklets", lambda rows: [{**row, "identity": "P0001"} if row["identity"] in first else row for row in rows]
    )


def people_of(run: Run) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in run.tracklets().to_pylist():
        if row["identity"]:
            found.setdefault(row["identity"], []).append(row["tracklet"])
    return found


def largest(run: Run) -> tuple[str, list[str]]:
    return max(people_of(run).items(), key=lambda person: len(person[1]))


def together(run: Run) -> tuple[str, str]:
    """Two sightings that one camera saw at once."""
    rows = [row for row in run.tracklets().to_pylist() if row["identity"]]
    return next(
        (one["tracklet"], other["tracklet"])
        for one in rows
        for other in rows
        if one["camera"] == other["camera"] and one["first"] < other["first"] < one["last"]
    )


def vector(run: Run, tracklet: str):
    """Mean of a tracklet's looks by quality without what its camera gives to all, of length 1: from the parts."""
    row = next(row for row in run.tracklets().to_pylist() if row["tracklet"] == tracklet)
    total = 0.0
    for piece in row["pieces"]:
        part = RunFolder(run.path).embed(row["camera"], f"{piece['segment']:05d}")
        for look in read_part(part, schema.VECTORS).to_pylist():
            inside = look["last"] >= piece["first"] and look["first"] <= piece["last"]
            if look["track"] == piece["track"] and inside:
                total = total + max(look["quality"], 1e-3) * np.array(look["vector"])
    frame = calibration_of(run).frame
    total = total / np.linalg.norm(total) - frame.means[frame.cameras.index(row["camera"])]
    return total / np.linalg.norm(total)


def likeness(run: Run, one: str, other: str) -> float:
    """How far above even odds a pair lies: its cosine less what both have in common with others, by the scale."""
    found = calibration_of(run)
    levels = {row["tracklet"]: row["levels"] for row in read_part(vectors(run), schema.INDEX).to_pylist()}
    one_camera, other_camera = (found.frame.cameras.index(name.partition("/")[0]) for name in (one, other))
    shared = (levels[one][other_camera] + levels[other][one_camera]) / 2
    even = found.curves["same" if one_camera == other_camera else "cross"].even
    return (vector(run, one) @ vector(run, other) - shared) / found.frame.scale - even


def vectors(run: Run) -> Path:
    return RunFolder(run.path).match("vectors")


def test_likeness_is_that_of_the_looks_against_strangers(run):
    names = [row["tracklet"] for row in run.tracklets().to_pylist() if row["identity"]]
    for one, other in zip(names, names[3:], strict=False):
        assert explain(run, [one, other]).link.likeness == pytest.approx(likeness(run, one, other), abs=0.05)


def test_likeness_and_chance_are_those_that_match_wrote(run):
    rows = run.evidence().to_pylist()
    assert rows
    for row in rows:
        link = explain(run, [row["first"], row["second"]]).link
        assert link.likeness == pytest.approx(row["similarity"], abs=0.01)
        assert link.chance.value == pytest.approx(row["probability"], abs=0.01)
        assert link.reason == row["reason"]
        assert link.chance.low < link.chance.value < link.chance.high


def test_two_sightings_of_one_person_are_held_by_a_chain_that_is_at_least_as_strong(crowd):
    name, members = largest(crowd)
    assert len(members) >= 3
    chains = []
    for other in members[1:]:
        case = explain(crowd, [members[0], other])
        chains.append(len(case.chain))
        assert case.same is True
        assert case.first.identity == name
        assert case.chain[0].first == members[0]
        assert case.chain[-1].second == other
        assert all(one.second == next_.first for one, next_ in zip(case.chain, case.chain[1:], strict=False))
        assert min(link.likeness for link in case.chain) >= case.link.likeness - 1e-6
        assert not case.barriers
    assert max(chains) > 1


def test_the_chance_is_that_of_the_kind_of_pair(changed):
    run = changed("evidence", lambda rows: [])
    path = run.path / "match" / "calibration.json"
    found = json.loads(path.read_text())
    for kind, chance in (("same", 0.25), ("cross", 0.75)):
        found["curves"][kind]["probability"] = [chance] * len(found["curves"][kind]["likeness"])
    path.write_text(json.dumps(found))
    names = [row["tracklet"] for row in run.tracklets().to_pylist() if row["identity"]]
    for one, other in pairwise(names):
        one_camera = one.partition("/")[0] == other.partition("/")[0]
        assert explain(run, [one, other]).link.chance.value == pytest.approx(0.25 if one_camera else 0.75)


def test_travel_times_of_the_cameras_file_keep_apart(changed):
    run = changed("evidence", lambda rows: [])
    one, other = (
        next(row for row in run.tracklets().to_pylist() if row["identity"] and row["camera"] == camera)
        for camera in run.cameras[:2]
    )
    names = [one["tracklet"], other["tracklet"]]
    assert "travel time" not in {barrier.reason for barrier in explain(run, names).barriers}
    run_file = run.path / "run.json"
    found = json.loads(run_file.read_text())
    run_file.write_text(json.dumps({**found, "travel": [[*run.cameras[:2], 3600.0]]}))
    alone = changed("tracklets", lambda rows: [{**row, "identity": None} for row in rows])
    (barrier,) = explain(alone, names).barriers
    assert (barrier.first, barrier.second, barrier.reason) == (*names, "travel time")


def test_who_is_together_in_one_camera_is_two_people(run):
    one, other = together(run)
    case = explain(run, [one, other])
    assert case.same is False
    barrier = next(each for each in case.barriers if (each.first, each.second) == (one, other))
    assert barrier.reason == "together in one camera"
    assert barrier.start == max(case.first.start, case.second.start)
    assert barrier.end == min(case.first.end, case.second.end)
    assert barrier.start_s < barrier.end_s


def test_a_barrier_may_stand_between_other_sightings_of_the_two_people(run):
    people = people_of(run)
    for mine, theirs in ((a, b) for a in people for b in people if a < b):
        for case in (explain(run, [one, other]) for one in people[mine] for other in people[theirs]):
            for barrier in case.barriers:
                assert {barrier.first, barrier.second} & set(people[mine])
                assert {barrier.first, barrier.second} & set(people[theirs])


def test_mean_likeness_to_the_other_person_leaves_the_sighting_itself_out(crowd):
    _, members = largest(crowd)
    case = explain(crowd, members[:2])
    likenesses = [likeness(crowd, members[0], other) for other in members[1:]]
    assert case.to_other[0] == pytest.approx(np.mean(likenesses), abs=0.05)


def test_a_sighting_says_what_holds_it_and_who_comes_next(run):
    name, members = largest(run)
    case = explain(run, [members[0]])
    row = next(row for row in run.tracklets().to_pylist() if row["tracklet"] == members[0])
    assert case.sighting.identity == name
    assert {link.second for link in case.held} == set(members[1:])
    assert [link.likeness for link in case.held] == sorted((link.likeness for link in case.held), reverse=True)
    assert case.likeness == row["similarity"]
    assert case.nearest.identity == row["nearest"]
    assert case.nearest.likeness == pytest.approx(row["nearest_similarity"], abs=0.01)
    assert case.sighting.quality == pytest.approx(pc.max(run.crops([members[0]])["quality"]).as_py())


def test_a_person_is_held_by_the_fewest_pairs_that_reach_everybody_weakest_first(crowd):
    name, members = largest(crowd)
    case = explain(crowd, [name])
    assert {sighting.tracklet for sighting in case.sightings} == set(members)
    assert len(case.links) == len(members) - 1
    assert [link.likeness for link in case.links] == sorted(link.likeness for link in case.links)
    assert name not in {near.identity for near in case.neighbours}


def test_a_decision_is_the_reason_and_outweighs_looks(changed):
    people = people_of(changed("evidence", lambda rows: rows))
    pair = people["P0001"][0], people["P0002"][0]
    decided = dict(zip(("first", "second"), pair, strict=True), kind="apart", reason="decision 3")
    run = changed("evidence", lambda rows: [*rows, {**decided, "similarity": 1.5, "probability": 0.9}])
    case = explain(run, pair)
    assert [barrier.reason for barrier in case.barriers] == ["decision 3"]
    assert case.link.reason == "decision 3"


def test_what_weakens_a_sighting_is_said(changed):
    run = changed("tracklets", lambda rows: [{**row, "height": 23.4, "end_s": row["start_s"] + 0.5} for row in rows])
    remarks = explain(run, [largest(run)[1][0]]).sighting.remarks
    assert "23 px tall: weak" in remarks
    assert "seen for 0.5 s: short" in remarks


def test_who_is_nobody_is_neither_one_person_nor_two(changed):
    def forget(rows):
        return [{**row, "identity": None, "nearest": None} if row is rows[0] else row for row in rows]

    run = changed("tracklets", forget)
    names = [row["tracklet"] for row in run.tracklets().to_pylist()]
    assert explain(run, names[:2]).same is None
    assert explain(run, names[:1]).sighting.identity is None
    assert explain(run, names[:1]).nearest is None


def test_one_sighting_alone_has_nobody_to_compare_with(changed):
    changed("evidence", lambda rows: [])
    run = changed("tracklets", lambda rows: [{**rows[0], "nearest": None, "similarity": None}])
    name, identity = (run.tracklets()[column].to_pylist()[0] for column in ("tracklet", "identity"))
    assert explain(run, [name]).held == ()
    case = explain(run, [identity])
    assert case.links == ()
    assert case.neighbours == ()


def test_what_an_older_program_matched_is_to_be_matched_again(changed):
    run = changed("evidence", lambda rows: rows)
    (run.path / "match" / "calibration.json").unlink()
    with pytest.raises(InputError, match="an older program matched it") as raised:
        explain(run, largest(run)[1][:2])
    assert raised.value.hint == f"vidreid match {run.path}"


def test_every_case_is_plain_json(run):
    name, members = largest(run)
    for names in ([name], members[:1], members[:2]):
        found = json.loads(json.dumps(as_dict(explain(run, names))))
        assert found["kind"] in {"person", "sighting", "pair"}
    assert found["first"]["start"].endswith("Z")


@pytest.mark.parametrize(
    ("names", "error", "hint"),
    [
        (["hall/00001"], "no sighting or person 'hall/00001'", "did you mean hall/000001"),
        (["P0001", "P0002"], "P0001 and P0002: neither one name nor two sightings", "TRACKLET TRACKLET"),
        (["hall/000001", "hall/000001"], "neither one name nor two sightings", "TRACKLET"),
    ],
)
def test_other_names_are_wrong_use(run, names, error, hint):
    with pytest.raises(UsageError) as raised:
        explain(run, names)
    assert error in raised.value.message
    assert hint in raised.value.hint


def test_a_run_that_is_not_matched_says_what_to_do(changed):
    run = changed("evidence", lambda rows: rows)
    (run.path / "match" / "tracklets.parquet").unlink()
    with pytest.raises(InputError, match="not matched yet") as raised:
        explain(run, ["hall/000001"])
    assert raised.value.hint == f"vidreid match {run.path}"


def test_a_damaged_calibration_is_named(changed):
    run = changed("evidence", lambda rows: rows)
    (run.path / "match" / "calibration.json").write_text('{"threshold": 0.5}')
    with pytest.raises(InputError, match=r"calibration\.json: damaged"):
        explain(run, ["P0001"])
