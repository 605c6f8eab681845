"""Clips: the original stream of each sighting, beside an annotated copy, and what each was cut from."""

import csv
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import pytest
from films import Film
from hand_made import EVEN, NOON, FakeRun, Walk, write_footage

from vidreid.errors import InputError
from vidreid.views.drawing import colour_of
from vidreid.views.export import clips
from vidreid.views.selection import Selection


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "clips.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]


def count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """60 frames at 25 a second, a key frame every 12, frames stored in another order than they are shown in."""
    return Film("gate.mkv", options={"bf": "2"}, base=Fraction(1, 1000), pts=tuple(range(0, 2400, 40))).write(tmp_path)


def run_of(film: Path, *walks: Walk, start: datetime | None = NOON) -> FakeRun:
    return FakeRun(film.parent, {"gate": [film]}, {"gate": start}, walks)


def test_names_tell_camera_person_and_time(film: Path, tmp_path: Path) -> None:
    paths = clips.write(run_of(film, Walk("gate", 1, "P0007", 30, 40)), tmp_path / "out", Selection())
    seen = NOON + timedelta(seconds=1.2)
    name = f"gate_P0007_{seen:%Y-%m-%dT%H-%M-%S}+00-00"
    assert [path.name for path in paths] == [f"{name}.mkv", f"{name}_annotated.mp4", "clips.csv"]


def test_without_a_clock_the_name_tells_the_time_since_the_start(film: Path, tmp_path: Path) -> None:
    run = run_of(film, Walk("gate", 117, None, 30, 40), start=None)
    assert clips.write(run, tmp_path / "out", Selection())[0].name == "gate_000117_+00-00-01.mkv"


def test_a_clip_is_the_stream_itself_from_the_key_frame_before(film: Path, tmp_path: Path) -> None:
    clip, annotated, _ = clips.write(run_of(film, Walk("gate", 1, "P0001", 30, 40)), tmp_path / "out", Selection())
    found, whole = packets(clip), packets(film)
    begin = next(place for place in range(len(whole)) if whole[place : place + len(found)] == found)
    with av.open(str(film)) as container:
        assert [packet.is_keyframe for packet in container.demux(video=0)][begin]
    (row,) = rows_of(tmp_path / "out")
    assert {"clip": clip.name, "annotated": annotated.name, "source": "gate.mkv"}.items() <= row.items()
    assert (row["first_frame"], row["seen_from"], row["seen_to"]) == ("24", "30", "40")
    assert (row["first_pts"], row["last_pts"], row["time_base"]) == ("960", "1600", "1/1000")
    assert count(annotated) == 41 - 24


def test_the_person_is_drawn_on_the_copy_only(tmp_path: Path) -> None:
    source = write_footage(tmp_path / "g.mp4", EVEN, Fraction(1, 1000), (320, 240))
    walk = Walk("gate", 30, "P0007", 20, 40)
    run = FakeRun(tmp_path, {"gate": [source]}, {"gate": None}, [walk])
    clip, annotated, _ = clips.write(run, tmp_path / "out", Selection())
    first = int(rows_of(tmp_path / "out")[0]["first_frame"])
    x1, _, _, y2 = (round(value) for value in walk.box(25))
    edge = []
    for path in (clip, annotated):
        with av.open(str(path)) as container:
            image = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][25 - first]
            edge.append(abs(image[y2 - 8 : y2 - 3, x1].mean(0) - colour_of("P0007")).max())
    assert edge[1] < 60 < edge[0]


def test_clips_of_one_person_that_overlap_are_one(film: Path, tmp_path: Path) -> None:
    near = [Walk("gate", 1, "P0001", 14, 20), Walk("gate", 2, "P0001", 22, 30), Walk("gate", 3, "P0001", 27, 33)]
    other, later = Walk("gate", 4, "P0002", 15, 25), Walk("gate", 5, "P0001", 50, 55)
    clips.write(run_of(film, *near, other, later), tmp_path / "out", Selection())
    found = [
        (row["identity"], row["tracklets"], row["first_frame"], row["seen_to"]) for row in rows_of(tmp_path / "out")
    ]
    assert found == [
        ("P0001", "gate/000001 gate/000002 gate/000003", "12", "33"),
        ("P0002", "gate/000004", "12", "25"),
        ("P0001", "gate/000005", "48", "55"),
    ]


def test_two_clips_of_one_second_have_two_names(tmp_path: Path) -> None:
    film = Film("gate.mp4", key_every=1).write(tmp_path)
    walks = [Walk("gate", 1, "P0001", 2, 4), Walk("gate", 2, "P0001", 8, 9)]
    paths = clips.write(run_of(film, *walks), tmp_path / "out", Selection())
    assert len({path.name for path in paths}) == len(paths) == 5
    assert all(path.is_file() for path in paths)


def test_where_a_file_ends_the_next_clip_begins(run: FakeRun, tmp_path: Path) -> None:
    clips.write(run, tmp_path / "out", Selection(identities=("P0002",)))
    found = [(row["source"], row["seen_from"], row["seen_to"]) for row in rows_of(tmp_path / "out")]
    assert found == [("g1.mp4", "5", "29"), ("g2.mp4", "30", "45")]


def test_only_what_is_selected_is_cut(run: FakeRun, tmp_path: Path) -> None:
    clips.write(run, tmp_path / "out", Selection(cameras=("gate",), identities=("P0001",), start=0.4, end=0.6))
    assert [(row["seen_from"], row["seen_to"]) for row in rows_of(tmp_path / "out")] == [("10", "14")]


def test_footage_is_never_changed(run: FakeRun, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for camera in run.cameras for path in run.footage(camera)}
    clips.write(run, tmp_path / "out", Selection())
    assert {path: path.read_bytes() for path in before} == before


def test_missing_footage_is_named_with_what_to_do(film: Path, tmp_path: Path) -> None:
    run = run_of(film, Walk("gate", 1, "P0001", 30, 40))
    film.unlink()
    with pytest.raises(InputError, match=r"gate: gate\.mkv is missing") as error:
        clips.write(run, tmp_path / "out", Selection())
    assert "--footage" in error.value.hint
