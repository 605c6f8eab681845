"""Detectors of ultralytics' architectures to be trained, and those to learn from."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vidreid.engines.runtimes.torch import hush_ultralytics, read_module
from vidreid.errors import InputError, MissingError
from vidreid.networks.weights.checkpoint import load_into
from vidreid.training.checkpoint import read_weights

NAME = re.compile(r"yolo26[nsmlx]")


def build_detector(architecture: str) -> nn.Module:
    """A detector of one class with new weights; of its two heads only the one whose boxes need no suppression."""
    # A path or an address would be read, or fetched.
    if not NAME.fullmatch(architecture):
        raise _unknown(architecture)
    tasks = _ultralytics()
    try:
        layout = tasks.yaml_model_load(f"{architecture}.yaml")
    except OSError:
        raise _unknown(architecture) from None
    network = tasks.DetectionModel({**layout, "nc": 1}, verbose=False)
    head = network.model[-1]
    head.cv2 = head.cv3 = None
    assert isinstance(network, nn.Module)
    return network


def _ultralytics() -> Any:
    try:
        hush_ultralytics()
        from ultralytics.nn import tasks
    except ImportError as error:
        raise MissingError(f"ultralytics is not installed ({error})", "pip install ultralytics") from None
    return tasks


def _unknown(architecture: str) -> InputError:
    return InputError(f"no architecture {architecture!r} of ultralytics", "yolo26n, yolo26s, ...")


def begin(architecture: str, start: str, seed: int, say: Callable[[str], None]) -> nn.Module:
    """A detector with the weights of the file ``start``, or new ones drawn by ``seed`` where it is empty."""
    torch.manual_seed(seed)
    network = build_detector(architecture)
    if start:
        path = Path(start).expanduser()
        load_into(network, read_weights(path)[0], path.name)
        say(f"begins with {path.name}")
    return network


def open_teacher(wanted: str, device: str) -> tuple[nn.Module, str]:
    """A trained detector of ultralytics to learn from, and its file's SHA-256.

    ``wanted`` is a registered name or the path of a .pt, which is a pickle and so must be registered by that SHA-256.
    """
    try:
        from vidreid.digests import file_sha256
        from vidreid.engines.registry import is_registered, read_registry
        from vidreid.engines.weights import find_model
    except ImportError as error:
        raise MissingError(f"no registry of teachers ({error})", "pip install pydantic platformdirs") from None
    from vidreid.resources import home

    path = Path(wanted).expanduser()
    if path.suffix != ".pt" and not path.is_file():
        path = find_model(wanted, "detector", offline=True, announce=print).path
    if not path.is_file():
        raise InputError(f"{wanted}: no such file", "--teacher yolo26n, or the path of a .pt")
    if path.suffix != ".pt":
        raise InputError(f"{path.name}: its features cannot be read", "--teacher yolo26n, or a .pt of ultralytics")
    if not is_registered(path, read_registry()):
        raise InputError(
            f"{path.name}: a pickled checkpoint can run any code and this one is not registered",
            f"where you trust it: name it with its SHA-256 under models: in {home() / 'models.yaml'}",
        )
    teacher = read_module(path, trusted=True)
    if not getattr(teacher.model[-1], "one2one", None):
        raise InputError(f"{path.name}: its boxes need suppression", "take a YOLO26")
    teacher = teacher.float().eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
    assert isinstance(teacher, nn.Module)
    return teacher, file_sha256(path)
