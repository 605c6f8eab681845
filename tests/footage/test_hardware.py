"""Footage is decoded on the CPU unless a GPU is asked for, and asking where there is none says so."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from films import FILMS

from vidreid.errors import MissingError
from vidreid.footage.hardware import acceleration


def lack() -> MissingError | None:
    try:
        acceleration("cuda")
    except MissingError as error:
        return error
    return None


def test_the_cpu_needs_nothing() -> None:
    assert acceleration("cpu") is None


@pytest.mark.skipif(lack() is None, reason="this machine has an NVIDIA video engine")
def test_asking_for_a_gpu_where_there_is_none_is_one_line_with_a_way_out() -> None:
    error: Any = lack()
    assert error.message.startswith("decoder cuda: ")
    assert "\n" not in error.message
    assert "cpu" in error.hint


@pytest.mark.skipif(lack() is not None, reason="no NVIDIA video engine on this machine")
@pytest.mark.parametrize("film", ["plain mp4", "mp4 with B-frames", "odd sizes"])
def test_a_gpu_gives_the_pictures_of_the_cpu(film: str, tmp_path: Path) -> None:
    path = str(FILMS[film].write(tmp_path))
    with av.open(path) as plain, av.open(path, hwaccel=acceleration("cuda")) as fast:
        for mine, other in zip(fast.decode(video=0), plain.decode(video=0), strict=True):
            assert mine.pts == other.pts
            assert np.array_equal(mine.to_ndarray(format="gray"), other.to_ndarray(format="gray"))
