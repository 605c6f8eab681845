import json
from hashlib import sha256
from itertools import combinations

import av
import numpy as np
import pytest
import yaml

from vidreid.errors import UsageError
from vidreid.world import write_world

CAMERAS = ("north", "hall", "yard")


def labels(folder, camera):
    """MOT rows (n, 9) of a camera."""
    return np.loadtxt(folder / "gt" / f"{camera}.txt", delimiter=",", ndmin=2)


def seconds(folder, camera):
    """Presentation time of each frame, and which are key frames."""
    with av.open(str(folder / f"{camera}.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    return np.array([float(p.pts * p.time_base) for p in packets]), np.array([p.is_keyframe for p in packets])


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    def world(name, seed):
        write_world(tmp_path / name, seed=seed, seconds=3, cameras=2, people=3, size=(128, 96), fps=(4, 3))
        return tree(tmp_path / name)

    first, again, other = world("a", 1), world("b", 1), world("c", 2)

    assert first == again
    assert all(first[name] != other[name] for name in ("north.mp4", "hall.mp4", "gt/north.txt", "truth.json"))


def test_the_listing_names_each_camera_its_file_and_its_start(site):
    listing = yaml.safe_load((site / "cameras.yaml").read_text())

    assert tuple(listing["cameras"]) == CAMERAS
    for name, camera in listing["cameras"].items():
        assert camera["files"] == [f"{name}.mp4"]
    starts = [camera["start"] for camera in listing["cameras"].values()]
    assert len(set(starts)) == 3
    assert (max(starts) - min(starts)).total_seconds() < 10


def test_the_truth_states_what_was_written(site):
    truth = json.loads((site / "truth.json").read_text())

    assert truth["seed"] == 3
    assert len(set(truth["people"].values())) == 4
    for name, facts in truth["cameras"].items():
        times, _ = seconds(site, name)
        assert facts["frames"] == len(times)
        assert facts["sha256"] == sha256((site / f"{name}.mp4").read_bytes()).hexdigest()
        assert facts["size"] == [480, 270]


@pytest.mark.parametrize(("camera", "fps"), [("north", 25), ("hall", 15), ("yard", 12.5)])
def test_frames_come_at_the_camera_s_rate_with_a_key_frame_every_two_seconds(site, camera, fps):
    times, keys = seconds(site, camera)

    assert len(times) == 20 * fps
    assert times[0] == 0
    assert np.median(np.diff(times)) == pytest.approx(1 / fps, rel=0.1)
    assert np.diff(times[keys]).max() < 2.2


def test_the_hall_s_frames_are_unsteady_and_in_order(site):
    steps = np.diff(seconds(site, "hall")[0])

    assert steps.min() > 0
    assert steps.std() > 0.1 * steps.mean()


@pytest.mark.parametrize("camera", CAMERAS)
def test_labels_are_mot_rows_inside_the_picture(site, camera):
    rows = labels(site, camera)
    frame, person, x, y, w, h, confidence, kind, visibility = rows.T

    assert np.all(np.diff(frame) >= 0)
    assert frame.min() >= 1
    assert frame.max() <= len(seconds(site, camera)[0])
    assert len(np.unique(rows[:, :2], axis=0)) == len(rows)
    assert set(person) <= {1, 2, 3, 4}
    assert np.all((x >= 0) & (y >= 0) & (x + w <= 480) & (y + h <= 270) & (w > 0) & (h >= 8))
    assert np.all((confidence == 1) & (kind == 1) & (visibility >= 0.1) & (visibility <= 1))


def test_people_walk_from_camera_to_camera(site):
    where = {person: {name for name in CAMERAS if person in labels(site, name)[:, 1]} for person in range(1, 5)}

    assert sum(len(cameras) >= 2 for cameras in where.values()) >= 2


def test_nobody_is_in_two_cameras_at_the_same_true_time(site):
    listing = yaml.safe_load((site / "cameras.yaml").read_text())["cameras"]

    def spans(person):
        """Per camera, the true times at which the person is seen."""
        for name in CAMERAS:
            rows = labels(site, name)
            frames = rows[rows[:, 1] == person, 0].astype(int) - 1
            yield listing[name]["start"].timestamp() + seconds(site, name)[0][frames]

    for person in range(1, 5):
        for one, other in combinations(list(spans(person)), 2):
            if len(one) and len(other):
                assert np.abs(one[:, None] - other[None]).min() > 1


def test_a_person_s_size_changes_smoothly(site):
    rows = labels(site, "north")
    for person in np.unique(rows[:, 1]):
        own = rows[(rows[:, 1] == person) & (rows[:, 8] > 0.98)]
        steps = np.diff(own[:, [0, 5]], axis=0)
        assert np.abs(steps[steps[:, 0] == 1, 1]).max() <= 6


def test_long_footage_is_filled_to_the_end(tmp_path):
    told = []
    write_world(
        tmp_path,
        seconds=3600,
        cameras=2,
        people=6,
        size=(96, 64),
        fps=(0.02, 0.02),
        advance=lambda camera, frames: told.append((camera, frames)),
    )

    assert told == [(name, 1) for name in CAMERAS[:2] for _ in range(72)]
    late = [frame for name in CAMERAS[:2] for frame in labels(tmp_path, name)[:, 0] if frame > 48]
    assert len(late) > 5
    assert seconds(tmp_path, "north")[0][-1] == pytest.approx(3550)


def test_no_people_no_rows(tmp_path):
    write_world(tmp_path, seconds=1, cameras=1, people=0, size=(64, 64), fps=(2,))

    assert (tmp_path / "gt" / "north.txt").read_text() == ""


@pytest.mark.parametrize(
    "wrong",
    [{"cameras": 0}, {"cameras": 4}, {"fps": (25,)}, {"fps": (25, 0, 25)}, {"size": (481, 270)}, {"seconds": 0}],
)
def test_impossible_worlds_are_refused_with_the_way_out(tmp_path, wrong):
    with pytest.raises(UsageError) as caught:
        write_world(tmp_path, **wrong)

    assert next(iter(wrong)) in caught.value.message
    assert caught.value.hint
