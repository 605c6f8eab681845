"""A detector's training from beginning to end: in its folder, by the command, on a bare machine, on two devices."""

import csv
import json
import os
import shlex
import socket
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from drawn_scenes import write_scenes

from vidreid.cli.evaluate import detection
from vidreid.cli.pack import pack
from vidreid.errors import InputError, MissingError, StoppedError, UsageError
from vidreid.networks.weights.ultralytics import look
from vidreid.training.detector import Setup, open_data, set_up
from vidreid.training.place import Place
from vidreid.training.session import dry_run, train
from vidreid.training.session import set_up as set_up_any
from vidreid.training.trained import open_detector


@pytest.fixture
def setup(detector_yaml, scenes):
    """``setup("schedule.steps=6")`` is what is to be trained."""

    def make(*changes: str, **other) -> Setup:
        return set_up(str(detector_yaml), [f"yolo={scenes}"], (), changes, **other)

    return make


@pytest.fixture
def words(detector_yaml, scenes) -> list:
    """A recipe and data, as the command line names them."""
    return ["train", detector_yaml, "--data", f"yolo={scenes}"]


def quietly(setup: Setup, output: Path) -> list:
    return list(train(setup, output, place=Place(), say=lambda line: None))


def said(setup: Setup, output: Path) -> list[str]:
    """Lines for the user before the first step."""
    lines: list[str] = []
    list(train(setup, output, place=Place(), say=lines.append))
    return lines


def state(weights: Path) -> dict[str, torch.Tensor]:
    return open_detector(weights)[0].state_dict()


# In its folder


def test_it_leaves_a_detector_that_says_how_it_is_built(setup, tmp_path):
    (word,) = quietly(setup(), tmp_path / "out")
    assert (word.step, set(word.losses)) == (3, {"scores", "boxes"})
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "checkpoint.pt",
        "curves.svg",
        "log.csv",
        "weights.safetensors",
    ]
    for name in ("weights.safetensors", "checkpoint.pt"):
        network, recipe = open_detector(tmp_path / "out" / name)
        assert recipe == setup().recipe
        assert not network.training
        assert look(network, torch.zeros(1, 3, 64, 64)).logits.shape == (1, 84)
    with (tmp_path / "out/log.csv").open() as log:
        assert [row["step"] for row in csv.DictReader(log)] == ["3"]


def test_with_a_teacher_it_goes_on_exactly_and_with_no_other(setup, teacher_files, tmp_path):
    def taught(teacher=teacher_files[0]):
        return setup("losses.features=1", "schedule.steps=4", teacher=str(teacher))

    quietly(taught(), tmp_path / "whole")
    training = taught().prepare(Place(), lambda line: None, fresh=True)
    list(training.run(lambda: training.step >= 2))
    (tmp_path / "half").mkdir()
    training.save(tmp_path / "half/checkpoint.pt")
    with pytest.raises(InputError, match="trained with another teacher"):
        quietly(taught(teacher_files[1]), tmp_path / "half")
    quietly(taught(), tmp_path / "half")
    whole, half = (state(tmp_path / name / "weights.safetensors") for name in ("whole", "half"))
    assert all(torch.equal(value, half[name]) for name, value in whole.items())


def test_another_recipe_or_other_pictures_are_refused_with_a_way_out(setup, detector_yaml, tmp_path):
    quietly(setup(), tmp_path / "out")
    with pytest.raises(InputError, match=r"trained by a recipe with another data\.pictures") as error:
        quietly(setup("data.pictures=3"), tmp_path / "out")
    assert error.value.message.startswith(str(tmp_path / "out"))
    assert "another --output" in error.value.hint
    other = write_scenes(tmp_path / "other")
    (other / "shop/labels/0.txt").write_text("0 .5 .5 .2 .6\n")
    with pytest.raises(InputError, match="trained on other pictures"):
        quietly(set_up(str(detector_yaml), [f"yolo={other}"]), tmp_path / "out")


def test_without_a_teacher_pictures_without_labels_are_left_out_and_said(setup, tmp_path):
    assert said(setup(), tmp_path / "alone") == [
        "scenes: 2 pictures without labels left out, for want of a teacher",
        "8 pictures, 11 labelled people",
    ]


def test_with_a_teacher_they_are_learnt_from_and_so_are_strangers(setup, teacher_file, detector_yaml, scenes, tmp_path):
    assert said(setup(teacher=str(teacher_file)), tmp_path / "taught") == ["10 pictures, 11 labelled people"]
    data = [f"yolo={scenes}"]
    strangers = set_up(str(detector_yaml), data, data, teacher=str(teacher_file))
    assert said(strangers, tmp_path / "strangers") == ["20 pictures, 11 labelled people"]


def test_broken_pictures_are_said(detector_yaml, tmp_path):
    root = write_scenes(tmp_path / "scenes", unlabelled=0)
    (root / "shop/images/0.png").write_bytes(b"")
    lines = said(set_up(str(detector_yaml), [str(root)]), tmp_path / "out")
    assert lines[-1] == "skipped, cannot be decoded: scenes: shop/images/0.png"


def test_it_begins_with_weights_where_the_recipe_says_so_and_only_then(setup, tmp_path):
    quietly(setup(), tmp_path / "first")
    weights = tmp_path / "first/weights.safetensors"
    lines = said(setup(f"start={weights}", "optimizer.rate=0", "average=0"), tmp_path / "second")
    assert lines[0] == "begins with weights.safetensors"
    first, second = state(weights), state(tmp_path / "second/weights.safetensors")
    assert torch.equal(first["model.0.conv.weight"], second["model.0.conv.weight"])
    weights.unlink()  # a training that goes on has it no more
    assert quietly(setup(f"start={weights}", "optimizer.rate=0", "average=0"), tmp_path / "second") == []
    with pytest.raises(InputError, match=r"weights\.safetensors"):
        quietly(setup(f"start={weights}"), tmp_path / "third")


def test_a_dry_run_says_speed_and_hours_and_keeps_nothing(setup, tmp_path, monkeypatch):
    monkeypatch.setattr("vidreid.training.session.TRIAL", (1, 3))
    trial = dry_run(setup("schedule.steps=3600"), place=Place(), say=lambda line: None)
    assert trial.hours == pytest.approx(2 / trial.pictures_per_second)
    assert list(tmp_path.iterdir()) == []


def test_a_stop_is_told(setup, tmp_path):
    with pytest.raises(StoppedError, match="stopped after step"):
        # Somebody else's vote, as a process of several hears it.
        list(train(setup(), tmp_path, place=_Stopping(), say=lambda line: None))
    assert (tmp_path / "checkpoint.pt").is_file()
    assert not (tmp_path / "weights.safetensors").exists()


class _Stopping(Place):
    def agreed(self, wish: bool) -> bool:
        return True


# What the words mean


def test_a_recipe_says_what_is_trained(detector_yaml, scenes, people_csv, tiny_yaml):
    assert isinstance(set_up_any(str(detector_yaml), [str(scenes)]), Setup)
    assert not isinstance(set_up_any(str(tiny_yaml), [str(people_csv)]), Setup)


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"changes": ["losses.features=1"]}, UsageError, "the recipe learns from a teacher's features"),
        ({"strangers": ["yolo=."]}, UsageError, "nobody says who is in pictures without labels"),
        ({"split": 2}, UsageError, "a detector has neither --backbone-weights nor --split"),
        ({"backbone_weights": Path("some.pt")}, UsageError, "a detector has neither"),
        ({"seed": -1}, UsageError, "seed -1"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_words_that_mean_nothing_are_told_before_a_picture_is_read(detector_yaml, scenes, given, kind, said):
    with pytest.raises(kind, match=said):
        set_up(str(detector_yaml), [f"yolo={scenes}"], **given)


@pytest.mark.parametrize(
    ("teacher", "kind", "said"),
    [("gone.pt", InputError, r"gone\.pt: no such file"), ("nobody", MissingError, "no detector 'nobody'")],
)
def test_a_teacher_that_is_missing_is_told_before_a_picture_is_decoded(setup, tmp_path, teacher, kind, said):
    def read(key):
        raise AssertionError("decoded")

    begun = setup(teacher=teacher)
    watched = replace(begun, sources=[replace(source, read=read) for source in begun.sources])
    with pytest.raises(kind, match=said):
        quietly(watched, tmp_path / "out")


def test_a_folder_that_holds_one_tar_is_a_yolo_layout(scenes, tmp_path):
    (tmp_path / "README.md").write_text("As it was fetched.")
    with tarfile.open(tmp_path / "people.tar", "w") as archive:
        archive.add(scenes, "people")
    assert len(open_data(str(tmp_path), "train").pictures) == len(open_data(str(scenes), "train").pictures)


# By the command


def test_the_command_trains_it(say, words, tmp_path):
    answer = say(*words, "--output", tmp_path / "out")
    assert answer.status == 0, answer.err
    assert answer.out.splitlines()[0] == f"{tmp_path / 'out/weights.safetensors'} is the network"
    left_out, pictures, step = answer.err.splitlines()
    assert left_out.endswith("for want of a teacher")
    assert pictures == "8 pictures, 11 labelled people"
    assert step.startswith("step 3 of 3: scores ")
    found = json.loads(say(*words, "--output", tmp_path / "out", "--set", "schedule.steps=4", "--json").out)
    assert (found["steps"], set(found["losses"])) == (4, {"scores", "boxes"})


def test_the_commands_that_it_says_come_next_can_be_typed(setup, tmp_path):
    """Parsed, not run: nothing that they want is missing."""
    lines = setup().after(tmp_path / "weights.safetensors").removeprefix("next: ").splitlines()
    (_, first, *packed), (_, second, third, *evaluated) = map(shlex.split, lines)
    assert (first, second, third) == ("pack", "evaluate", "detection")
    output = pack.make_context(first, packed).params["output"]
    assert detection.make_context(third, evaluated).params["detectors"] == (str(output),)


def test_the_command_trains_it_with_a_registered_teacher(say, words, teacher_file, tmp_path):
    words = [*words, "--output", tmp_path / "out", "--set", "losses.features=1"]
    answer = say(*words, "--teacher", teacher_file)
    assert answer.status == 0, answer.err
    assert ", features " in answer.err


@pytest.mark.parametrize(
    ("more", "status", "error", "hint"),
    [
        (["--set", "losses.features=1"], 2, "the recipe learns from a teacher's features", "--teacher yolo26n, or"),
        (["--strangers", "footage=."], 2, "nobody says who is in pictures without labels", "--teacher yolo26n"),
        (["--split", "2"], 2, "a detector has neither --backbone-weights nor --split", "leave them out"),
        (["--data", "coco=."], 2, "no layout 'coco'", "layouts: footage, world, yolo"),
        (["--data", "yolo=nowhere"], 3, "nowhere: no such file or folder", "check the path"),
        (["--set", "data.size=[64]"], 3, "red.yaml: data: unknown key 'size'", "did you mean 'sizes'?"),
    ],
    ids=lambda words: "-".join(words[:2]) if isinstance(words, list) else "",
)
def test_what_goes_wrong_is_two_lines(say, words, tmp_path, more, status, error, hint):
    answer = say(*words, "--output", tmp_path / "out", *more)
    first, second = answer.err.splitlines()
    assert (answer.status, first) == (status, f"error: {error}")
    assert second.startswith(f"hint: {hint}")
    assert not (tmp_path / "out").exists()


# On a bare machine, and on several devices

BARE = """
import sys

MISSING = {"pydantic", "click", "scipy", "rich", "av", "onnx", "openvino", "platformdirs", "pyarrow", "pandas"}
MISSING |= {"matplotlib", "torchvision", "boxmot", *sys.argv.pop(1).split()}

class Bare:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in MISSING:
            return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Bare(finder) for finder in sys.meta_path]
import runpy
sys.argv[0] = "vidreid.training"
runpy.run_module("vidreid.training", run_name="__main__")
"""


def on_a_bare_machine(lacks: str, *words: object) -> subprocess.CompletedProcess[str]:
    """With torch, NumPy, OpenCV and PyYAML, and what ultralytics needs besides; it ``lacks`` some more."""
    return subprocess.run(
        [sys.executable, "-c", BARE, lacks, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )


def test_a_machine_with_ultralytics_besides_trains_on_labelled_pictures(detector_yaml, scenes, tmp_path):
    words = (detector_yaml, "--data", f"yolo={scenes}", "--output", tmp_path / "out")
    found = on_a_bare_machine("", *words)
    assert found.returncode == 0, found.stderr
    _, pictures, step, curves = found.stdout.splitlines()
    assert pictures == "8 pictures, 11 labelled people"
    assert step.startswith("step 3 of 3: scores ")
    assert curves == "no curves.svg: Matplotlib is not installed"
    assert state(tmp_path / "out/weights.safetensors")


def test_what_a_bare_machine_lacks_is_told(detector_yaml, scenes, teacher_file, tmp_path):
    words = (detector_yaml, "--data", f"yolo={scenes}", "--output", tmp_path / "out")
    found = on_a_bare_machine("ultralytics", *words)
    assert (found.returncode, found.stderr.splitlines()[-1]) == (5, "hint: pip install ultralytics")
    for teacher in (teacher_file, "yolo26n"):
        found = on_a_bare_machine("", *words, "--teacher", teacher)
        assert (found.returncode, found.stderr.splitlines()[-1]) == (5, "hint: pip install pydantic platformdirs")


def test_two_processes_learn_as_one(detector_yaml, scenes, tmp_path):
    """They average their gradients, and one of them speaks and writes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    world = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "vidreid.training", detector_yaml, "--data", scenes, "--output", tmp_path / "out"]
    processes = [
        subprocess.Popen(
            [*map(str, words), "--set", "data.pictures=1"],
            env={**world, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    answers = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert [len(out.splitlines()) for out, _ in answers] == [3, 0]
    assert state(tmp_path / "out/weights.safetensors")
    alone = set_up(str(detector_yaml), [str(scenes)], (), ["data.pictures=1"])
    with pytest.raises(InputError, match="trained by a number of processes of 2, not 1"):
        quietly(alone, tmp_path / "out")
