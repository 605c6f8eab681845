"""A run that tests of commands may change."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def run(finished, tmp_path):
    """A finished run that may be decided upon."""
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def decide(say, run):
    """``decide("--same", A, B)``: the answer, which must be a good one."""

    def call(*words):
        answer = say("decide", run, *words)
        assert answer.status == 0, answer.err
        return answer

    return call
