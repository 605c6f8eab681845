"""What every tracker of configs/trackers promises, whatever library it is from."""

import socket

import numpy as np
import pytest
import yaml
from walkers import CONFIGS, DIM, Walker, follow, ids, scene

from vidreid import plugins
from vidreid.errors import InputError

TWO = (Walker(x=5, y=10, speed=20), Walker(x=140, y=70, speed=-15))
OTHER_TWO = (Walker(x=20, y=60, speed=10), Walker(x=100, y=5, speed=0))
TIMES = np.arange(30) / 10


class Config:
    """A tracker as its YAML asks for it."""

    def __init__(self, name):
        table = yaml.safe_load(CONFIGS[name].read_text())
        self.plugin = plugins.load("tracking", table["library"])
        self.name, self.options = table["name"], table["options"]

    def make(self):
        return self.plugin.make(self.name, self.options, rate=10.0, dim=DIM)


@pytest.fixture(params=sorted(CONFIGS))
def config(request):
    return Config(request.param)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whoever looks up a host or opens a connection fails the test."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("a tracker went to the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def same(first, second):
    return all(
        np.array_equal(getattr(a, field), getattr(b, field))
        for a, b in zip(first, second, strict=True)
        for field in ("boxes", "ids", "rows")
    )


def test_a_yaml_is_valid(config):
    config.plugin.check(config.name, config.options)


def test_each_of_two_people_keeps_one_id(config):
    steps = scene(TWO, TIMES)
    settled = follow(config.make(), steps)[10:]
    assert all(len(answer.ids) == 2 for answer in settled)
    assert len({tuple(answer.ids[np.argsort(answer.rows)]) for answer in settled}) == 1


def test_rows_name_the_detection_that_a_box_is(config):
    steps = scene(TWO, TIMES)
    answers = follow(config.make(), steps)
    assert any(len(answer.ids) for answer in answers)
    for (detections, _), answer in zip(steps, answers, strict=True):
        assert len(set(answer.ids.tolist())) == len(set(answer.rows.tolist())) == len(answer.ids)
        assert np.array_equal(answer.boxes, detections.boxes[answer.rows])


def test_who_is_not_detected_is_not_reported(config):
    steps = scene(TWO, TIMES, hidden=(1.45, 1.95))
    answers = follow(config.make(), steps)
    assert [len(answer.ids) for answer, time in zip(answers, TIMES, strict=True) if 1.45 < time < 1.95] == [0] * 5


def test_two_trackers_in_turn_answer_as_each_alone(config):
    steps, other_steps = scene(TWO, TIMES), scene(OTHER_TWO, TIMES)
    alone, other_alone = follow(config.make(), steps), follow(config.make(), other_steps)
    first, second = config.make(), config.make()
    in_turn = [(first.update(*a), second.update(*b)) for a, b in zip(steps, other_steps, strict=True)]
    assert same(alone, [a for a, _ in in_turn])
    assert same(other_alone, [b for _, b in in_turn])


def test_frames_without_anybody_are_answered(config):
    assert ids(follow(config.make(), scene((), TIMES))) == []


def test_one_person_who_comes_late_is_followed(config):
    answers = follow(config.make(), scene((Walker(x=30, y=30, speed=12, first=1.0),), TIMES))
    assert len(ids(answers)) == 1


def test_repeated_time_stamps_are_survived(config):
    assert len(ids(follow(config.make(), scene(TWO, np.repeat(TIMES, 2))))) == 2


def test_nothing_reaches_the_terminal(config, capfd):
    follow(config.make(), scene(TWO, TIMES[:5]))
    assert capfd.readouterr() == ("", "")


def test_one_who_compares_appearance_asks_for_vectors(config):
    if not config.plugin.needs_vectors(config.name, config.options):
        config.plugin.make(config.name, config.options, rate=10.0, dim=None)
        return
    with pytest.raises(InputError, match="appearance"):
        config.plugin.make(config.name, config.options, rate=10.0, dim=None)
