"""Another network, whose vectors of the very views that the student sees are learnt besides the labels.

The same view for both, mixed and patient: Beyer et al., "Knowledge distillation: a good teacher is patient and
consistent" (CVPR 2022).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import yaml
from torch import Tensor
from torch.nn import functional

from vidreid.errors import InputError, MissingError
from vidreid.networks.weights.openvino_ir import read_ir
from vidreid.training.recipe import CHECKOUT, INSTALLED
from vidreid.types import InputSpec

Teacher = Callable[[Tensor], Tensor]

MODELS = (INSTALLED if INSTALLED.is_dir() else CHECKOUT).with_name("models.yaml")


def open_teacher(wanted: str, device: str | torch.device) -> Teacher:
    """An embedder as a function of views (n, 3, H, W), RGB in 0..1, to vectors (n, e), both on ``device``.

    ``wanted`` is a registered name or a path. A registered network in OpenVINO's format (.xml) is computed by torch on
    a GPU, and where OpenVINO is not installed; all else by OpenVINO on the CPU. `InputError` of a network of clips.
    """
    place = torch.device(device)
    if wanted.endswith(".xml") and (place.type == "cuda" or find_spec("openvino") is None):
        return _with_torch(Path(wanted).expanduser(), place)
    return _with_openvino(wanted)


def identity_of(teacher: str) -> str:
    """What tells a teacher from another one: the SHA-256 of its weights where they are in a file, else its name."""
    path = Path(teacher).expanduser()
    weights = path.with_suffix(".bin") if path.suffix == ".xml" else path
    return hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else teacher


def _with_torch(path: Path, device: torch.device) -> Teacher:
    network = read_ir(path).to(device, memory_format=torch.channels_last)
    spec = _stated_input(path)
    mean, std = (torch.tensor(values, device=device).view(3, 1, 1) for values in (spec.mean, spec.std))

    def vectors(views: Tensor) -> Tensor:
        pictures = functional.interpolate(views.float(), spec.size, mode="bilinear", align_corners=False)
        if spec.color == "bgr":
            pictures = pictures.flip(1)
        pictures = (pictures * (255 / spec.scale) - mean) / std
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            found: Tensor = network(pictures.contiguous(memory_format=torch.channels_last))
        return found.float()

    return vectors


def _stated_input(path: Path) -> InputSpec:
    """What the package's models.yaml states of a network, by the SHA-256 of its weights.

    Read without `vidreid.engines.registry`, since a machine that only trains need not have pydantic.
    """
    digest = identity_of(str(path))
    models: dict[str, Any] = yaml.safe_load(MODELS.read_text(encoding="utf-8"))["models"]
    for model in models.values():
        if digest in model.get("files", {}).values():
            _check_pictures(path.name, model.get("frames", 1))
            stated = model["input"].items()
            fields: dict[str, Any] = {name: tuple(it) if isinstance(it, list) else it for name, it in stated}
            return InputSpec(**fields)
    raise InputError(f"{path.name}: nothing states this network's input", f"give an embedder of {MODELS.name}")


def _check_pictures(wanted: str, frames: int) -> None:
    if frames > 1:
        raise InputError(f"{wanted}: a network of clips, as a teacher", "give an embedder of single pictures")


def _with_openvino(wanted: str) -> Teacher:
    from vidreid import plugins

    runtime = plugins.load("engines.runtimes", "openvino")
    if reason := runtime.available():
        raise MissingError(f"runtime openvino: {reason}", "vidreid doctor says what this machine can run")
    # After that, since it needs pydantic, which a machine without OpenVINO need not have.
    from vidreid.engines.weights import find_model

    model = find_model(wanted, "embedder", offline=True, announce=print)
    _check_pictures(wanted, model.spec.frames)
    engine = runtime.load(model, streams=torch.get_num_threads())
    height, width = model.spec.input.size

    def vectors(views: Tensor) -> Tensor:
        pictures = (views.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).cpu().numpy()
        jobs = [engine.submit({"images": cv2.resize(picture, (width, height))[None]}) for picture in pictures]
        found = [next(iter(job.result().values())).reshape(-1) for job in jobs]
        return torch.from_numpy(np.stack(found).astype(np.float32)).to(views.device)

    return vectors
