"""The program called in this process: its answers, as a user's terminal would get them."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from vidreid.cli import main


@dataclass(frozen=True)
class Answer:
    """Exit ``status``, and the lines of both streams."""

    status: int
    out: str
    err: str


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """``say("status", run)`` is ``vidreid status RUN`` without a terminal."""

    def call(*words: object) -> Answer:
        monkeypatch.setattr("sys.argv", ["vidreid", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        spoken = capsys.readouterr()
        return Answer(ended.value.code, spoken.out, spoken.err)

    return call
