"""Networks as ONNX files: pictures in, embeddings out; the weights keep their names and can be read back."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from vidreid.errors import InputError, MissingError
from vidreid.networks import MEAN, STD, VideoNetwork

Color = tuple[float, float, float]

INSIDE = "network."


class Normalised(nn.Module):  # type: ignore[misc]
    """Clips (N, T, H, W, 3), uint8 RGB, to embeddings (N, d), float32; normalisation included."""

    center: Tensor
    scale: Tensor

    def __init__(self, network: VideoNetwork, mean: Color, std: Color) -> None:
        super().__init__()
        self.network = network
        # Of 0..255, so that no division is left; without a name in the state, which is the network's alone.
        self.register_buffer("center", 255 * torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", 255 * torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, clips: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        pictures = clips.permute(0, 1, 4, 2, 3).float()
        return self.answer((pictures - self.center) / self.scale)

    def answer(self, pictures: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """What is said of normalised clips (N, T, 3, H, W)."""
        embedding: Tensor = self.network(pictures)
        return embedding


class WithRows(Normalised):
    """The same of a network that erases, and what it erased: `Features.rows`."""

    def answer(self, pictures: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        features = self.network.features(pictures)
        assert features.rows is not None
        return self.network.embedding(features), features.rows


def normalised(network: VideoNetwork, *, rows: bool = False, mean: Color = MEAN, std: Color = STD) -> Normalised:
    """What `export_onnx` writes, as a module."""
    return (WithRows if rows and network.erases else Normalised)(network, mean, std)


def export_onnx(
    network: VideoNetwork,
    path: Path,
    frames: int,
    size: tuple[int, int],
    *,
    half: bool = False,
    rows: bool = False,
    mean: Color = MEAN,
    std: Color = STD,
) -> None:
    """Write ``network`` in evaluation mode: ``clips`` uint8 (N, T, H, W, 3) RGB in, ``embedding`` (N, d) float32 out.

    N is free, and T too where the network takes any; else T is ``frames``. ``size`` is (height, width); ``mean`` and
    ``std`` are of values in 0..1. ``half`` stores weights of convolutions and of linear layers in 16 bits, each with a
    cast to float32, in which everything is computed. With ``rows``, a network that erases also says which ones: int64
    (N, segments, branches - 1), see `Features`. Parts that only training uses are left out.
    `MissingError` without the packages onnx and onnxscript; `OSError` where the file cannot be written.
    """
    wrapped = normalised(network, rows=rows, mean=mean, std=std)
    any_length = network.multiple == 1 and frames > 1
    # A sample of one clip would fix N to one.
    sample = torch.zeros(2, frames, *size, 3, dtype=torch.uint8)
    free = torch.export.Dim.AUTO
    axes = {0: free, 1: free} if any_length else {0: free}
    write_onnx(
        wrapped, path, {"clips": sample}, ["embedding", "rows"][: 1 + isinstance(wrapped, WithRows)], axes, half=half
    )


def write_onnx(
    module: nn.Module,
    path: Path,
    sample: Mapping[str, Tensor],
    outputs: Sequence[str],
    free: Mapping[int, Any] | None = None,
    *,
    half: bool = False,
) -> None:
    """Write a module that holds a network as its ``network``, in evaluation mode: one named input, of which ``sample``
    is an example whose axes ``free`` may be longer or shorter, and named ``outputs``. `export_onnx` says the rest.
    """
    onnx = _package("onnx")
    _package("onnxscript")
    training = module.network.training
    try:
        model = _exported(module.eval(), sample, outputs, free or {})
    finally:
        module.network.train(training)
    _strip(model)
    if half:
        _halve(model)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def read_onnx_weights(path: Path) -> dict[str, Tensor]:
    """The weights of a file of `export_onnx` by the network's own names, as stored (float32 or float16)."""
    onnx = _package("onnx")
    try:
        model = onnx.load(path, load_external_data=False)
        return {
            tensor.name.removeprefix(INSIDE): _tensor(tensor)
            for tensor in model.graph.initializer
            if tensor.name.startswith(INSIDE)
        }
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}", "give an ONNX file") from None
    except Exception:  # a damaged file raises whatever its bytes happen to mean
        raise InputError(f"{path.name}: not an ONNX file, or damaged", "export the network again") from None


def _package(name: str) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingError(f"{name} is not installed", "pip install onnx onnxscript") from None


def _exported(module: nn.Module, sample: Mapping[str, Tensor], outputs: Sequence[str], free: Mapping[int, Any]) -> Any:
    """The graph as a protocol buffer, its weights inside."""
    from onnxscript import optimizer

    ((name, example),) = sample.items()
    device = next(module.parameters()).device
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            (example.to(device),),
            dynamo=True,
            input_names=[name],
            output_names=list(outputs),
            dynamic_shapes=({name: dict(free)} if free else None),
            # It would fold batch normalisation into convolutions: the runtimes' work, since it changes the weights.
            optimize=False,
        )
        optimizer.fold_constants(program.model, should_fold=_foldable)
        optimizer.remove_unused_nodes(program.model)
    return program.model_proto


def _foldable(node: Any) -> bool | None:
    """Nothing that reads a weight; of the rest, what the optimiser likes."""
    weights = any(value is not None and str(value.name).startswith(INSIDE) for value in node.inputs)
    return False if weights else None


def _strip(model: Any) -> None:
    """Take off what tells of the machine that exported: stack traces with paths."""
    graph = model.graph
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer, graph, model):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")


def _halve(model: Any) -> None:
    """Store matrices and kernels in 16 bits. Vectors stay: a variance of 1e-8 would be none."""
    import onnx
    from onnx import numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        matrix = tensor.name.startswith(INSIDE) and len(tensor.dims) >= 2
        if tensor.data_type != onnx.TensorProto.FLOAT or not matrix:
            continue
        values = numpy_helper.to_array(tensor).astype("float16")
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [f"{tensor.name}.float"], to=onnx.TensorProto.FLOAT))
    stored = {cast.input[0] for cast in casts}
    for node in model.graph.node:
        for position, name in enumerate(node.input):
            if name in stored:
                node.input[position] = f"{name}.float"
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])


def _tensor(tensor: Any) -> Tensor:
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL:
        raise ValueError("weights outside the file")
    return torch.from_numpy(numpy_helper.to_array(tensor).copy())
