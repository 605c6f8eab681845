"""A training from beginning to end in its folder: stopped, gone on with, on several devices, and when things fail."""

import csv
import hashlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from tiny_irs import DIM, SIZE, constant, embedder, ops, save

from vidreid.errors import InputError, MissingError, StoppedError, StorageError, UsageError
from vidreid.training.datasets import Dataset, Split
from vidreid.training.loop import Training
from vidreid.training.material import gather
from vidreid.training.place import Place
from vidreid.training.recipe import Recipe
from vidreid.training.reid import Setup, open_data
from vidreid.training.session import dry_run, train
from vidreid.training.start import begin
from vidreid.training.steps import DivergedError
from vidreid.training.trained import open_network


@pytest.fixture
def setup(tiny, people):
    """``setup("schedule.steps=6")`` is what is to be trained."""
    return lambda *changes, **other: Setup(tiny(*changes), [people], **other)


def quietly(setup: Setup, output: Path, **options) -> list:
    """Train to the end; what was told every ten steps."""
    return list(train(setup, output, place=Place(), say=lambda line: None, **options))


def rows(output: Path) -> list[dict[str, str]]:
    """The log but for the speed, which no seed repeats."""
    with (output / "log.csv").open(newline="") as file:
        return [
            {key: value for key, value in row.items() if key != "pictures_per_second"} for row in csv.DictReader(file)
        ]


def weights(output: Path) -> bytes:
    return (output / "weights.safetensors").read_bytes()


@pytest.fixture
def taught(setup, own_home: Path, tmp_path: Path):
    """``taught()`` learns from strangers and a teacher, too, as the shipped recipe does."""
    spec = {"size": list(SIZE), "color": "bgr", "scale": 255.0, "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]}
    models = {}
    for name, build in (("teacher", embedder), ("another", lambda seen: ops.add(embedder(seen), constant(1, DIM)))):
        weights = save(tmp_path / f"{name}.xml", build).with_suffix(".bin")
        files = {weights.name: hashlib.sha256(weights.read_bytes()).hexdigest()}
        models[name] = {"kind": "embedder", "family": "reid", "files": files, "dim": DIM, "input": spec}
    (own_home / "models.yaml").write_text(yaml.safe_dump({"models": models}))

    def make(teacher: str = "teacher") -> Setup:
        begun = setup("data.strangers=4", "losses.relations=1", teacher=str(tmp_path / f"{teacher}.xml"))
        return replace(begun, strangers=begun.labelled)

    return make


def stop_at(setup: Setup, output: Path, step: int) -> StoppedError:
    """Train until the user types Ctrl-C, which is heard when ``step`` is told."""

    def watch() -> None:
        for told in train(setup, output, place=Place(), say=lambda line: None):
            if told.step == step:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(StoppedError) as stopped:
        watch()
    return stopped.value


def test_a_training_leaves_network_checkpoint_log_and_curves(setup, tmp_path: Path) -> None:
    told = quietly(setup(), tmp_path / "out")
    assert [word.step for word in told] == [10, 20]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "checkpoint.pt",
        "curves.svg",
        "log.csv",
        "weights.safetensors",
    ]
    assert [row["step"] for row in rows(tmp_path / "out")] == ["10", "20"]
    network, recipe = open_network(tmp_path / "out" / "weights.safetensors")
    assert recipe == setup().recipe
    assert network(torch.zeros(1, 2, 3, 32, 16)).shape == (1, 8)


def test_ctrl_c_ends_the_step_and_the_same_command_goes_on_exactly(setup, tmp_path: Path) -> None:
    quietly(setup(), tmp_path / "whole")
    error = stop_at(setup(), tmp_path / "stopped", step=10)
    assert error.exit_status == 130
    assert "stopped after step 10" in error.message
    assert error.hint == "the same command goes on"
    assert not (tmp_path / "stopped" / "weights.safetensors").exists()
    quietly(setup(), tmp_path / "stopped")
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")
    assert rows(tmp_path / "stopped") == rows(tmp_path / "whole")


def test_with_strangers_and_a_teacher_it_goes_on_exactly_and_with_no_others(taught, tmp_path: Path) -> None:
    quietly(taught(), tmp_path / "whole")
    stop_at(taught(), tmp_path / "stopped", step=10)
    (people,) = taught().labelled
    fewer = replace(people, splits=(Split(people.splits[0].train[1:]),))
    with pytest.raises(InputError, match="trained on other pictures or another split"):
        quietly(replace(taught(), strangers=[fewer]), tmp_path / "stopped")
    with pytest.raises(InputError, match="trained with another teacher"):
        quietly(taught("another"), tmp_path / "stopped")
    quietly(taught(), tmp_path / "stopped")
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")
    assert rows(tmp_path / "stopped") == rows(tmp_path / "whole")


def test_steps_after_the_last_checkpoint_are_taken_again_and_logged_once(setup, tmp_path: Path) -> None:
    """As when the power fails: the checkpoint is older than the log, whose last row is cut off."""
    output = tmp_path / "out"
    stop_at(setup("schedule.steps=40"), output, step=10)
    kept = (output / "checkpoint.pt").read_bytes()
    stop_at(setup("schedule.steps=40"), output, step=30)
    (output / "checkpoint.pt").write_bytes(kept)
    with (output / "log.csv").open("a") as log:
        log.write("40,0.0")
    quietly(setup("schedule.steps=40"), output)
    assert [row["step"] for row in rows(output)] == ["10", "20", "30", "40"]


def test_checkpoints_are_written_as_often_as_asked_for(setup, tmp_path: Path) -> None:
    training = train(setup(), tmp_path, place=Place(), every=0.0, say=lambda line: None)
    next(training)
    training.close()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 10


def test_the_schedule_may_be_changed_on_the_way(setup, tmp_path: Path) -> None:
    """As when a long training is cooled down early."""
    stop_at(setup("schedule.steps=1000"), tmp_path, step=10)
    told = quietly(setup("schedule.steps=20", "schedule.cooldown=10"), tmp_path)
    assert [word.step for word in told] == [20]
    assert told[0].rate == pytest.approx(1e-2 / 10)


def test_a_finished_training_stays_as_it_is(setup, tmp_path: Path) -> None:
    quietly(setup(), tmp_path)
    before = weights(tmp_path)
    assert quietly(setup(), tmp_path) == []
    assert weights(tmp_path) == before


def test_terms_notes_and_broken_pictures_are_said(setup, people, tmp_path: Path) -> None:
    def read(key: str) -> bytes:
        return b"" if key == "p1_c1_0.png" else people.read(key)

    told: list[str] = []
    spoken = replace(people, read=read, terms="research only", notes=("3 left out",))
    list(train(replace(setup(), labelled=[spoken]), tmp_path, place=Place(), say=told.append))
    assert told == [
        "people: research only",
        "people: 3 left out",
        "47 pictures, 6 people",
        "skipped, cannot be decoded: people: p1_c1_0.png",
    ]


def test_a_dry_run_says_speed_memory_and_hours_and_keeps_nothing(setup, tmp_path: Path) -> None:
    trial = dry_run(setup("schedule.steps=3600"), place=Place(), say=lambda line: None)
    pictures = 3 * 2 * 2
    assert trial.hours == pytest.approx(pictures / trial.pictures_per_second)
    assert trial.memory > 10**7
    assert list(tmp_path.iterdir()) == []


# What goes wrong


@pytest.mark.parametrize("log", ["", "step,rate,pictur"])
def test_a_log_without_a_whole_header_begins_anew(setup, tmp_path: Path, log: str) -> None:
    """As when the disk was full at the first row."""
    stop_at(setup(), tmp_path, step=10)
    (tmp_path / "log.csv").write_text(log)
    quietly(setup(), tmp_path)
    assert [row["step"] for row in rows(tmp_path)] == ["20"]


def test_the_log_of_a_training_that_left_no_checkpoint_is_not_gone_on_with(setup, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,rate,pictures_per_second,other\n10,1,1,1\n")
    quietly(setup(), tmp_path)
    assert [list(row) for row in rows(tmp_path)] == [["step", "rate", "classification", "triplet", "coherence"]] * 2


@pytest.mark.parametrize(
    ("changes", "teacher", "error"),
    [(["start=gone.pt"], "", InputError), (["losses.relations=1"], "nobody", MissingError)],
)
def test_weights_that_are_missing_are_told_before_a_picture_is_decoded(
    setup, people, tmp_path: Path, changes: list[str], teacher: str, error: type[Exception]
) -> None:
    decoded: list[str] = []
    watched = replace(people, read=lambda key: decoded.append(key) or people.read(key))
    with pytest.raises(error):
        quietly(replace(setup(*changes, teacher=teacher), labelled=[watched]), tmp_path)
    assert decoded == []


def test_a_negative_seed_is_wrong_use(setup) -> None:
    with pytest.raises(UsageError, match="seed -1"):
        setup(seed=-1)


def test_only_a_checkpoint_that_is_there_is_said_to_be_kept(setup, tmp_path: Path) -> None:
    advice = "lower optimizer.rate or raise schedule.warmup (--set)"
    with pytest.raises(DivergedError) as early:
        quietly(setup("optimizer.rate=1e30"), tmp_path)
    assert early.value.hint == advice
    stop_at(setup(), tmp_path, step=10)
    with pytest.raises(DivergedError) as late:
        quietly(setup("optimizer.rate=1e30"), tmp_path)
    assert late.value.hint == f"{advice}; {tmp_path / 'checkpoint.pt'} of before is kept"


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(setup, tmp_path: Path) -> None:
    stop_at(setup(), tmp_path, step=10)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(DivergedError, match="after step 10 the training has come apart"):
        quietly(setup("optimizer.rate=1e30"), tmp_path, every=0.0)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_full_disk_keeps_the_last_checkpoint_and_says_how_to_go_on(setup, tmp_path: Path, full_disk) -> None:
    stop_at(setup(), tmp_path, step=10)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with full_disk(2048), pytest.raises(StorageError, match="cannot be written") as caught:
        quietly(setup(), tmp_path)
    assert caught.value.hint == "free some space: the same command goes on"
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_checkpoint_that_cannot_go_on_names_its_folder_and_what_to_do(setup, tmp_path: Path) -> None:
    stop_at(setup(), tmp_path, step=10)
    with pytest.raises(InputError, match=r"checkpoint.pt: trained by a recipe with another network.name") as other:
        quietly(setup("network=qan"), tmp_path)
    assert other.value.message.startswith(str(tmp_path))
    assert "another --output" in other.value.hint
    (tmp_path / "checkpoint.pt").write_bytes((tmp_path / "checkpoint.pt").read_bytes()[:-200])
    with pytest.raises(InputError, match="truncated or damaged") as damaged:
        quietly(setup(), tmp_path)
    assert damaged.value.message.startswith(str(tmp_path))


def test_a_file_in_the_place_of_the_folder_is_told(setup, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="out: file exists"):
        quietly(setup(), tmp_path / "out")


def test_a_recipe_and_a_teacher_belong_together(setup, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the recipe learns from a teacher"):
        quietly(setup("losses.relations=1"), tmp_path)
    with pytest.raises(UsageError, match="the recipe learns from no teacher"):
        quietly(setup(teacher="colours"), tmp_path)


def test_data_are_a_layout_and_a_root_or_a_csv(people_csv: Path) -> None:
    for word in (str(people_csv), f"csv={people_csv}", f"csv={people_csv.parent}"):
        assert open_data(word).name == "people"
    assert open_data(str(people_csv.parent), "csv").name == "people"  # what the recipe trains on
    with pytest.raises(UsageError, match="of which layout") as caught:
        open_data(str(people_csv.parent))
    assert "market1501" in caught.value.hint


# Several processes

WORKER = """
import sys
from pathlib import Path

import torch

from vidreid.training.loop import Training
from vidreid.training.material import gather
from vidreid.training.place import joined
from vidreid.training.recipe import read_recipe
from vidreid.training.reid import Setup, open_data
from vidreid.training.session import train
from vidreid.training.start import begin

torch.set_num_threads(1)
config, data, output = sys.argv[1:]
with joined("cpu") as place:
    recipe, people = read_recipe(config, ["schedule.steps=4", "data.people=2"]), open_data(data)
    training = Training(begin(recipe), recipe, gather([people], [], recipe.data, place=place, seed=0), place=place)
    list(training.run(lambda: training.step == 1))
    first = {name: value.grad.clone() for name, value in training.trained.named_parameters()}
    list(training.run())
    torch.save({"first": first, "last": training.trained.state_dict()}, Path(output).with_name(f"rank{place.rank}.pt"))
    list(train(Setup(recipe, [people]), Path(output), place=place))
"""


def launched(words: list, ranks: int) -> list[str]:
    """What each of so many processes said, which know of each other what torchrun tells them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    world = {**os.environ, "WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            words,
            env={**world, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(ranks)
    ]
    answers = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0] * ranks, answers
    return [out for out, _ in answers]


def gradients(recipe: Recipe, people: Dataset, rank: int) -> dict[str, torch.Tensor]:
    """What one of two processes finds in the first step, on its own share of the people, before they average."""
    material = gather([people], [], recipe.data, place=Place(rank=rank, ranks=2), seed=0)
    training = Training(begin(recipe), recipe, material, place=Place(rank=rank))
    list(training.run(lambda: training.step == 1))
    return {name: value.grad for name, value in training.trained.named_parameters()}


def test_two_processes_average_their_gradients(tiny, tiny_yaml: Path, people_csv: Path, people, tmp_path: Path) -> None:
    """So that they end with equal weights; one of them writes and speaks."""
    output = tmp_path / "out"
    words = [sys.executable, "-c", WORKER, tiny_yaml, people_csv, output]
    assert launched(words, ranks=2) == ["48 pictures, 6 people\n", ""]
    some, other = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    one, two = (gradients(tiny("schedule.steps=4", "data.people=2"), people, rank) for rank in (0, 1))
    assert not all(torch.equal(one[name], two[name]) for name in one)
    for name, found in some["first"].items():
        torch.testing.assert_close(found, (one[name] + two[name]) / 2, rtol=1e-4, atol=1e-6)
        assert torch.equal(some["last"][name], other["last"][name])
    assert [row["step"] for row in rows(output)] == ["4"]


def test_of_two_processes_one_says_what_a_dry_run_found(tiny_yaml: Path, people_csv: Path) -> None:
    words = [sys.executable, "-m", "vidreid.training", tiny_yaml, "--data", people_csv, "--dry-run"]
    first, second = launched(words, ranks=2)
    assert "h for the whole schedule" in first
    assert second == ""
