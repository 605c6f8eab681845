"""Wrong use: one line that says what is wrong, one that says what to do, and the right exit status."""

import pytest

import vidreid


@pytest.mark.parametrize(
    ("words", "status", "error", "hint"),
    [
        (["frob"], 2, "No such command 'frob'", "vidreid --help"),
        (["run", "--frob"], 2, "No such option '--frob'", "vidreid run --help"),
        (["run", "a.mp4"], 2, "no run folder given", "add --output RUN"),
        (["run", "a.mp4", "--output", "x", "--workers", "0"], 2, "--workers", "vidreid run --help"),
        (["run", "a.mp4", "--output", "x", "--runtime", "abacus"], 2, "'abacus' is none of auto", "vidreid run --help"),
        (["run", "a.mp4", "--output", "x"], 3, "a: no such file: a.mp4", "check the path"),
        (["run", "--output", "x"], 3, "x: not a run folder", "give the folder that `run` made"),
        (["run", "a/b=c.mp4", "--output", "x"], 2, "'a/b' cannot name a camera", "CAMERA=FILE"),
        (["resume", "x"], 3, "x: not a run folder", "give the folder that `run` made"),
        (["export", "x"], 2, "Missing option '--format'", "vidreid export --help"),
        (["evaluate", "tracking", "x"], 2, "Missing option '--truth'", "vidreid evaluate tracking --help"),
        (["demo", "--seconds", "1"], 2, "--seconds", "vidreid demo --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_one_line_and_a_hint(say, tmp_path, monkeypatch, words, status, error, hint):
    monkeypatch.chdir(tmp_path)
    answer = say(*words)
    first, second = answer.err.splitlines()
    assert answer.status == status
    assert first.startswith("error: ")
    assert error in first
    assert second.startswith("hint: ")
    assert hint in second
    assert not answer.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [[], ["evaluate"]])
def test_a_group_alone_shows_its_help(say, words):
    answer = say(*words)
    assert answer.status == 2
    assert answer.err.startswith("Usage: vidreid")
    assert "error: " not in answer.err


@pytest.mark.parametrize("words", [["--debug", "status", "x"], ["status", "x", "--debug"]])
def test_debug_anywhere_adds_the_traceback(say, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    answer = say(*words)
    assert answer.status == 3
    assert answer.err.startswith("Traceback")
    assert answer.err.splitlines()[-2].startswith("error: x: not a run folder")
    assert "Traceback" not in say(*[word for word in words if word != "--debug"]).err


def test_a_fault_of_the_program_itself_is_one_line_and_status_1(say, finished, monkeypatch):
    def broken(folder):
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr("vidreid.pipeline.status.run_status", broken)
    answer = say("status", finished)
    assert answer.status == 1
    assert answer.err.splitlines()[0] == "error: ZeroDivisionError: by hand"
    assert "--debug" in answer.err


def test_ctrl_c_behind_the_error_of_a_library_is_a_stop(say, finished, monkeypatch):
    def broken(folder):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stop:  # as compiled modules do that are stopped while they load
            raise ImportError("initialization failed") from stop

    monkeypatch.setattr("vidreid.pipeline.status.run_status", broken)
    answer = say("status", finished)
    assert answer.status == 130
    assert answer.err.splitlines()[0] == "error: stopped; what is finished is kept"


def test_version(say):
    assert say("--version").out == f"vidreid, version {vidreid.__version__}\n"
