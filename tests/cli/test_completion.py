"""`completion`: what shells offer on Tab."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("vidreid")


def offered(words: str, folder: Path) -> list[str]:
    """What zsh is told for a line that ends in the word under way: type, word and help on a line each."""
    done = subprocess.run(
        [PROGRAM],
        env={"_VIDREID_COMPLETE": "zsh_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[1::3]


@pytest.mark.parametrize(
    ("shell", "mark"), [("bash", "complete -o nosort"), ("zsh", "#compdef vidreid"), ("fish", "complete --no-files")]
)
def test_the_script_of_a_shell_is_printed(say, shell, mark):
    answer = say("completion", shell)
    assert answer.status == 0
    assert mark in answer.out
    assert "_VIDREID_COMPLETE" in answer.out


def test_an_unknown_shell_is_wrong_use(say):
    assert say("completion", "tcsh").status == 2


def test_commands_options_trackers_and_formats_are_completed(tmp_path):
    assert offered("vidreid ex", tmp_path) == ["explain", "export"]
    assert offered("vidreid run --offl", tmp_path) == ["--offline"]
    assert offered("vidreid run --tracker byte", tmp_path) == ["bytetrack"]
    assert offered("vidreid run --runtime a", tmp_path) == ["auto"]
    assert offered("vidreid export RUN --format p", tmp_path) == ["parquet"]


def test_the_file_of_camera_equals_file_is_completed(tmp_path):
    (tmp_path / "campus").mkdir()
    for name in ("c0.mp4", "c1.mp4", "notes.txt"):
        (tmp_path / "campus" / name).touch()
    assert offered("vidreid run c0=cam", tmp_path) == ["c0=campus/"]
    assert offered("vidreid run c0=campus/c", tmp_path) == ["c0=campus/c0.mp4", "c0=campus/c1.mp4"]
    assert offered("vidreid run c0=./campus/n", tmp_path) == ["c0=./campus/notes.txt"]
    assert offered("vidreid run c0=nowhere/", tmp_path) == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_bash_itself_completes_a_command(say, tmp_path):
    script = tmp_path / "completion.bash"
    script.write_text(say("completion", "bash").out)
    line = f"source {script}; COMP_WORDS=({PROGRAM} sta); COMP_CWORD=1; _vidreid_completion {PROGRAM}; echo $COMPREPLY"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "status"
