"""The films of `films.FILMS`, made once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from films import FILMS, Film

from vidreid.footage.probe import probe
from vidreid.types import VideoFile


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Film], tuple[Path, VideoFile]]:
    """A film as a file, and what ingest finds in it; each is made once."""
    folder = tmp_path_factory.mktemp("films")
    known: dict[str, tuple[Path, VideoFile]] = {}

    def make(film: Film) -> tuple[Path, VideoFile]:
        if film.name not in known:
            path = film.write(folder)
            known[film.name] = path, probe(path)
        return known[film.name]

    return make


@pytest.fixture(params=FILMS)
def film(request: pytest.FixtureRequest) -> Film:
    """Every kind of footage, one after the other."""
    return FILMS[request.param]


@pytest.fixture(scope="session")
def made_file(made: Callable[[Film], tuple[Path, VideoFile]]) -> VideoFile:
    """What ingest finds in the plainest film: 60 frames of 64 x 48 square pixels."""
    return made(FILMS["plain mp4"])[1]
