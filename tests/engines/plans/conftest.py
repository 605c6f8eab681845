"""Machines with a GPU and a TensorRT that this one lacks."""

import ctypes
import os
import sys
from pathlib import Path

import pretend_cuda
import pretend_tensorrt
import pytest
from pretend_tensorrt import ELEVEN, RTX, TEN

from vidreid import plugins
from vidreid.engines.runtimes._tensorrt import cuda

# What the builder's process imports.
FILE = """
import ctypes, sys
import pretend_cuda, pretend_tensorrt
ctypes.CDLL = pretend_cuda.library
sys.modules[__name__] = pretend_tensorrt.module({version!r}, rtx={rtx})
"""
A4000 = "NVIDIA RTX A4000;8;6;13000"


@pytest.fixture
def machine(tmp_path_factory, monkeypatch):
    """``machine(ELEVEN, gpu=A4000)`` is this library and GPU: its runtime. Version 1 is TensorRT-RTX."""
    forget()

    def make(version, *, gpu=A4000):
        name = "tensorrt_rtx" if version.startswith("1.") else "tensorrt"
        folder = tmp_path_factory.mktemp("library")
        (folder / f"{name}.py").write_text(FILE.format(version=version, rtx=name != "tensorrt"))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(Path(__file__).parent)]))
        monkeypatch.setenv("PRETEND_GPU", gpu)
        monkeypatch.setattr(ctypes, "CDLL", pretend_cuda.library)
        monkeypatch.setitem(sys.modules, name, pretend_tensorrt.module(version, rtx=name != "tensorrt"))
        forget()
        return plugins.load("engines.runtimes", name.replace("_", "-"))

    yield make
    forget()


def forget():
    """The process has not asked for its driver yet."""
    cuda.driver.cache_clear()
    cuda._context.cache_clear()
    pretend_cuda._driver = None


@pytest.fixture(params=[TEN, ELEVEN, RTX])
def version(request):
    return request.param


@pytest.fixture
def folder(tmp_path):
    """Where an engine is to be written."""
    made = tmp_path / "engine"
    made.mkdir()
    return made
