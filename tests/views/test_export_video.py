"""Annotated video: the source's frames at the source's times, with the people drawn on."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hand_made import EVEN, NOON, UNEVEN, FakeRun, Walk, write_footage

from vidreid.errors import InputError
from vidreid.views.drawing import colour_of
from vidreid.views.export import video
from vidreid.views.selection import Selection


def times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [frame.pts * stream.time_base for frame in container.decode(stream)]


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_variable_rate_is_kept_to_the_tick(run: FakeRun, tmp_path: Path) -> None:
    (path,) = video.write(run, tmp_path, Selection(cameras=("hall",)))
    assert path.name == "hall.mp4"
    assert times(path) == times(run.footage("hall")[0]) == [Fraction(tick, 1000) for tick in UNEVEN]


def test_a_second_file_follows_on(run: FakeRun, tmp_path: Path) -> None:
    (path,) = video.write(run, tmp_path, Selection(cameras=("gate",)))
    assert times(path) == [Fraction(tick, 1000) for tick in EVEN]


def test_only_selected_times_are_written_from_zero_on(run: FakeRun, tmp_path: Path) -> None:
    (path,) = video.write(run, tmp_path, Selection(cameras=("hall",), start=0.3, end=1.52))
    assert times(path) == [Fraction(tick - 300, 1000) for tick in UNEVEN if 300 <= tick < 1520]


def test_times_outside_the_footage_write_no_file(run: FakeRun, tmp_path: Path) -> None:
    assert video.write(run, tmp_path, Selection(start=1000.0)) == []


def test_a_person_is_outlined_where_the_box_is(tmp_path: Path) -> None:
    footage = {"gate": [write_footage(tmp_path / "g.mp4", EVEN, Fraction(1, 1000), (320, 240))]}
    walk = Walk("gate", 30, "P0007", 0, 40)
    run = FakeRun(tmp_path, footage, {"gate": None}, [walk])
    (path,) = video.write(run, tmp_path, Selection())
    colour = np.array(colour_of("P0007"))
    drawn, bare = pictures(path)[20], pictures(path)[45]
    x1, _, _, y2 = (round(v) for v in walk.box(20))
    assert np.abs(drawn[y2 - 8 : y2 - 3, x1].mean(0) - colour).max() < 60
    assert np.abs(bare[y2 - 8 : y2 - 3, x1].mean(0) - colour).max() > 60


def test_odd_sides_are_padded(tmp_path: Path) -> None:
    wide = np.zeros((33, 47, 3), np.uint8)
    wide[:, -1] = 200
    fitted = video._fitted(wide, 48, 34)
    assert fitted.shape == (34, 48, 3)
    assert (fitted[:33, :47] == wide).all()
    assert (fitted[:, -1] == 200).all()


def test_a_file_of_another_size_is_scaled(tmp_path: Path) -> None:
    base = Fraction(1, 1000)
    files = [
        write_footage(tmp_path / "a.mp4", EVEN[:5], base),
        write_footage(tmp_path / "b.mp4", EVEN[:5], base, (64, 48)),
    ]
    run = FakeRun(tmp_path, {"gate": files}, {"gate": None}, [])
    (path,) = video.write(run, tmp_path / "out", Selection())
    assert {picture.shape for picture in pictures(path)} == {(64, 96, 3)}
    assert len(pictures(path)) == 10


def test_a_jump_back_in_time_goes_on_one_frame_later(tmp_path: Path) -> None:
    source = write_footage(tmp_path / "a.mkv", EVEN[:10], Fraction(1, 1000))
    run = FakeRun(tmp_path, {"gate": [source]}, {"gate": None}, [])
    frames = list(video._annotated(run, "gate", Selection()))
    ticks = [tick for tick, _ in video._timed(iter(frames + frames[:3]), run.files("gate"), Fraction(1, 1000))]
    assert ticks == [40 * k for k in range(13)]


def test_missing_footage_is_named(tmp_path: Path) -> None:
    source = write_footage(tmp_path / "a.mp4", EVEN[:10], Fraction(1, 1000))
    run = FakeRun(tmp_path, {"gate": [source]}, {"gate": NOON}, [])
    source.unlink()
    with pytest.raises(InputError, match=r"gate: a\.mp4 is missing"):
        video.write(run, tmp_path / "out", Selection())
