"""Everything that people look at, made from a real run on the synthetic world."""

from pathlib import Path

import av
import numpy as np
import pytest

from vidreid import plugins
from vidreid.footage.cameras import read_site
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options
from vidreid.pipeline.run import run as run_pipeline
from vidreid.store.folder import RunFolder
from vidreid.views.people import write_people
from vidreid.views.poster import write_poster
from vidreid.views.selection import Selection
from vidreid.world import write_world


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two cameras, a few seconds, the world's perturbed truth as detector, colours of clothing as embedder."""
    folder = tmp_path_factory.mktemp("site")
    listing = write_world(folder / "world", seconds=6, cameras=2, people=3, size=(256, 144), fps=(12, 10))
    overrides = {"detection": {"detector": "oracle"}, "embedding": {"embedder": "colours"}}
    run_pipeline(RunFolder(folder / "run"), read_site([str(listing)]), overrides, Options(), Silent())
    return Run(folder / "run")


def test_page_and_poster_are_made(opened: Run, tmp_path: Path) -> None:
    write_people(opened, tmp_path / "people.html")
    write_poster(opened, tmp_path / "poster.png")
    people = opened.identities()["identity"].to_pylist()
    assert people
    page = (tmp_path / "people.html").read_text(encoding="utf-8")
    assert all(f'id="{name}"' in page for name in people)


def test_mot_holds_as_many_rows_as_the_run_holds_boxes(opened: Run, tmp_path: Path) -> None:
    paths = plugins.load("views.export", "mot").write(opened, tmp_path, Selection())
    rows = [len(np.loadtxt(path, delimiter=",", ndmin=2)) for path in paths]
    assert rows == [len(opened.boxes(camera)) for camera in opened.cameras]
    assert sum(rows) > 0


def test_video_holds_every_frame(opened: Run, tmp_path: Path) -> None:
    paths = plugins.load("views.export", "video").write(opened, tmp_path, Selection())
    for path, camera in zip(paths, opened.cameras, strict=True):
        (file,) = opened.files(camera)
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            times = [frame.pts * stream.time_base for frame in container.decode(stream)]
        assert times == [int(tick - file.pts[0]) * file.time_base for tick in file.pts]
