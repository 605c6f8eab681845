"""`vidreid train`: parse, call, print."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest
import torch
from crowds import PEOPLE, draw

RECIPE = """
about: Learns three people.
backbone: {name: slim, options: {widths: [4, 8], blocks: [1, 2], instance: []}}
data: {size: [32, 16], frames: 2, people: 3, clips: 2}
losses: {classification: 1.0, triplet: 0.5}
optimizer: {rate: 1.0e-2}
schedule: {steps: 12}
precision: fp32
"""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Several threads are no faster with so little to do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    torch.set_num_threads(before)


@pytest.fixture
def words(tmp_path: Path) -> list:
    """A recipe and data, as the command line names them."""
    rows = []
    for person, clothes in PEOPLE.items():
        for camera in (1, 2):
            name = f"p{person}_c{camera}.png"
            cv2.imwrite(str(tmp_path / name), draw(*clothes, seed=len(rows))[:, :, ::-1])
            rows.append((name, person, camera, 1, "train"))
    with (tmp_path / "people.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "identity", "camera", "sequence", "split"), *rows])
    (tmp_path / "own.yaml").write_text(RECIPE)
    return ["train", tmp_path / "own.yaml", "--data", tmp_path / "people.csv"]


def test_list_shows_every_recipe_and_what_it_is_about(say):
    answer = say("train", "--list")
    assert answer.status == 0
    lines = answer.out.splitlines()
    assert any(line.startswith("tclnet/tclnet ") and "TSE" in line for line in lines)
    recipes = json.loads(say("train", "--list", "--json").out)
    assert len(recipes) == len(lines)
    assert recipes["tclnet/tse"] == "TSE of two learners."


def test_training_writes_the_network_and_says_what_to_type_next(say, words, tmp_path):
    answer = say(*words, "--output", tmp_path / "out")
    weights = tmp_path / "out" / "weights.safetensors"
    assert answer.status == 0
    assert answer.out.splitlines() == [
        f"{weights} is the network",
        f"next: vidreid evaluate retrieval --dataset LAYOUT --data ROOT --weights {weights}",
    ]
    said, first, last = answer.err.splitlines()
    assert said == "6 pictures, 3 people"
    assert first.startswith("step 10 of 12: classification ")
    assert last.startswith("step 12 of 12: classification ")
    assert last.endswith("pictures/s, 0:00:00 left")


def test_json_is_the_result(say, words, tmp_path):
    result = json.loads(say(*words, "--output", tmp_path / "out", "--set", "schedule.steps=10", "--json").out)
    assert result["weights"] == str(tmp_path / "out" / "weights.safetensors")
    assert result["steps"] == 10
    assert set(result["losses"]) == {"classification", "triplet"}


def test_dry_run_needs_no_output_and_says_what_the_whole_would_take(say, words, tmp_path):
    before = sorted(tmp_path.iterdir())
    speed, memory, hours = say(*words, "--dry-run").out.splitlines()
    assert speed.endswith("pictures/s on cpu")
    assert memory.endswith("GiB of memory at most")
    assert hours.endswith("h for the whole schedule")
    trial = json.loads(say(*words, "--dry-run", "--json").out)
    assert set(trial) == {"device", "pictures_per_second", "memory", "hours"}
    assert trial["device"] == "cpu"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("lacks", [[], ["own.yaml"], ["own.yaml", "--data", "people.csv"]])
def test_what_is_missing_is_named(say, lacks):
    answer = say("train", *lacks)
    assert answer.status == 2
    assert answer.err == (
        "error: CONFIG, --data and --output are wanted\nhint: vidreid train --list shows every CONFIG\n"
    )


def test_a_wrong_key_is_told_in_two_lines(say, words, tmp_path):
    answer = say(*words, "--output", tmp_path / "out", "--set", "schedule.step=10")
    assert answer.status == 3
    assert answer.err == "error: own.yaml: schedule: unknown key 'step'\nhint: did you mean 'steps'?\n"


def test_a_wrong_folder_shows_the_layout_that_is_expected(say, words, tmp_path):
    answer = say(*words[:2], "--data", f"market1501={tmp_path}", "--output", tmp_path / "out")
    assert answer.status == 3
    assert "bounding_box_train" in answer.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_told(say, words, tmp_path):
    answer = say(*words, "--output", tmp_path / "out", "--device", "cuda")
    assert answer.status == 5
    assert answer.err == "error: no CUDA device on this machine\nhint: --device cpu\n"


def test_ctrl_c_keeps_a_checkpoint_and_says_how_to_go_on(words, tmp_path):
    program = Path(sys.executable).with_name("vidreid")
    output = tmp_path / "out"
    endless = [program, *words, "--output", output, "--set", "schedule.steps=1000000"]
    process = subprocess.Popen(endless, stderr=subprocess.PIPE, text=True, env=os.environ)
    while not (output / "log.csv").is_file():  # so that the steps have begun
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    *_, error, hint = said.splitlines()
    assert error.startswith("error: stopped after step ")
    assert hint == "hint: the same command goes on"
    assert torch.load(output / "checkpoint.pt", weights_only=True)["step"] >= 10
    assert not (output / "weights.safetensors").exists()


def test_a_terminal_shows_a_bar_with_rate_and_time_left(words, tmp_path):
    """Through a pseudo-terminal, as people see it."""
    import pty

    program = Path(sys.executable).with_name("vidreid")
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [program, *words, "--output", tmp_path / "out"],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
    )
    os.close(terminal)
    seen = b""
    while True:
        try:
            seen += os.read(screen, 65536)
        except OSError:  # the other end is closed
            break
    os.close(screen)
    assert process.wait(timeout=120) == 0
    text = seen.decode()
    assert "12/12" in text
    assert "pictures/s, 0:00:00 left" in text
    assert "classification" in text
