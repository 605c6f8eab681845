"""Checkpoints of anybody: tensors are taken out, code is never run, and what does not fit is named in one line."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks.weights.onnx import read_onnx_weights
from vidreid.networks.weights.safetensors import read_safetensors

WRAPPERS = ("state_dict", "model", "network")
PREFIX = "module."
ZIP, PICKLE = b"PK", b"\x80"
CLASSIFIERS = ("classifier.", "classifiers.")
# What a part of a name tells of whose network it is; the first one counts.
NETWORKS = {
    "TSE_Module.": "the released TCLNet program",
    "conv2.0.conv2a.": "torchreid's OSNet",
    "fc.weight": "torchvision's ResNet",
    "tse.learners.": "tclnet",
    "quality.": "qan",
    "backbone.": "average or afa",
}
BACKBONES = {"stages.0.0.bn3.": "resnet50", "stages.0.0.streams.": "osnet", "stages.0.0.norm1.": "slim"}
RIGHT_RECIPE = "name the recipe that they were made for, such as --network tclnet/authors"


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, of our own ONNX, or of a torch file: a state dict, plain or in a dict.

    The prefix ``module.`` of wrapped modules is taken off. `InputError` names a file that is truncated, holds other
    things, or is a pickle that wants to run code, which it does not get.
    """
    if path.suffix == ".onnx":
        return read_onnx_weights(path)
    state = read_safetensors(path) if path.suffix == ".safetensors" else _unwrapped(read_archive(path), path)
    if all(name.startswith(PREFIX) for name in state):
        return {name.removeprefix(PREFIX): value for name, value in state.items()}
    return state


def load_into(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Copy all of ``state`` into ``network``, whose parameters and buffers it must be, one for one.

    Convolutions over one frame (5-D, third axis 1) fit plain ones. A classifier is left out where the network has
    none. ``name`` is the file's, for the `InputError` that says what does not fit.
    """
    wanted = network.state_dict()
    found = {
        key: _flattened(value, wanted.get(key))
        for key, value in state.items()
        if key in wanted or not key.startswith(CLASSIFIERS)
    }
    _check_names(wanted, found, name)
    _check_shapes(wanted, found, name)
    network.load_state_dict({**wanted, **found})


def _flattened(value: Tensor, wanted: Tensor | None) -> Tensor:
    """A convolution over one frame as a plain one where a plain one is wanted."""
    plain = wanted is not None and wanted.ndim == 4 and value.ndim == 5 and value.shape[2] == 1
    return value.squeeze(2) if plain else value


def _check_names(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], name: str) -> None:
    # Files of PyTorch before 0.4.1 lack the counters of batch normalisation, which evaluation does not use.
    missing = [key for key in wanted if key not in found and not key.endswith(".num_batches_tracked")]
    unknown = [key for key in found if key not in wanted]
    if not missing and not unknown:
        return
    theirs, ours = _layout(found), _layout(wanted)
    if theirs and theirs != ours:
        raise InputError(f"{name}: weights of another network: {theirs}", RIGHT_RECIPE)
    faults = [
        f"{len(keys)} tensors {what} (first: {keys[0]})"
        for keys, what in ((missing, "missing"), (unknown, "too many"))
        if keys
    ]
    raise InputError(
        f"{name}: weights of another network or of other settings: {', '.join(faults)}",
        RIGHT_RECIPE,
    )


def _check_shapes(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], name: str) -> None:
    different = [key for key in wanted if key in found and wanted[key].shape != found[key].shape]
    if not different:
        return
    key = different[0]
    theirs, ours = tuple(found[key].shape), tuple(wanted[key].shape)
    if all(key.startswith(CLASSIFIERS) for key in different):
        raise InputError(
            f"{name}: a classifier of {theirs[0]} classes, the network has one of {ours[0]}",
            "take the data set that it was trained on, or leave the classifier out",
        )
    raise InputError(
        f"{name}: {len(different)} tensors of other shapes (first: {key} {theirs}, the network has {ours})",
        RIGHT_RECIPE,
    )


def _layout(names: Collection[str]) -> str:
    """Whose network these names are of, and on which backbone, as far as they tell."""
    found = [
        next((owner for part, owner in owners.items() if any(part in name for name in names)), "")
        for owners in (NETWORKS, BACKBONES)
    ]
    return " on ".join(filter(None, found))


class _Ignored:
    """Stands for NumPy's values beside the weights (accuracies, as many programs store them): read as nothing."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...


IGNORED = (
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.ndarray",
    "numpy.dtype",
    "_codecs.encode",
)


def read_archive(path: Path) -> Any:
    """What a torch file holds, read by torch's reader of tensors and plain values."""
    try:
        with path.open("rb") as file:
            start = file.read(2)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}", "give a file of weights") from None
    if start != ZIP and start[:1] != PICKLE:
        raise InputError(f"{path.name}: not a checkpoint", "give a .safetensors file or what torch.save wrote")
    _check_archive(path, start)
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals([(_Ignored, name) for name in IGNORED]):
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise InputError(
            f"{path.name}: holds more than tensors; its pickle could run any code and was not opened",
            "save its state dict alone where you trust it: torch.save(network.state_dict(), PATH)",
        ) from None
    except Exception:  # a damaged pickle raises whatever its bytes happen to mean
        raise _damaged(path) from None


def _check_archive(path: Path, start: bytes) -> None:
    """An archive has its directory at its end, and stores its files as they are: none unpacks to more than it is."""
    if start != ZIP:
        return
    try:
        with zipfile.ZipFile(path) as archive:
            stated = sum(entry.file_size for entry in archive.infolist())
    except Exception:  # a damaged directory, too
        raise _damaged(path) from None
    if stated > path.stat().st_size:
        raise InputError(f"{path.name}: a compressed archive, not a checkpoint", "give the file that torch.save wrote")


def _damaged(path: Path) -> InputError:
    return InputError(f"{path.name}: the checkpoint is truncated or damaged", "get or write the file again")


def _unwrapped(found: Any, path: Path) -> dict[str, Tensor]:
    """The state dict in what a file holds."""
    for key in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"{path.name}: holds no state dict", f"give one, plain or under {', '.join(WRAPPERS)}")
    return {str(name): value for name, value in found.items()}
