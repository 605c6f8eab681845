"""Networks as OpenVINO reads them, brought to uint8 RGB pictures or clips of one shape."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vidreid.engines.card import TensorCard
from vidreid.engines.slots import input_shape
from vidreid.engines.source import INPUT
from vidreid.errors import InputError
from vidreid.types import InputSpec, Model


@functools.cache
def shared_core() -> Any:
    """The process's one Core. Each gives the thread another stack for signals; where two are closed in the order of
    their making the thread is left with one that is gone, and the next Ctrl-C ends the process (OpenVINO 2026.4)."""
    import openvino as ov

    return ov.Core()


def unreadable(path: Path, error: Exception) -> InputError:
    """What to say of a file that OpenVINO refuses."""
    reason = " ".join(str(error).split())[:160]
    return InputError(f"{path.name}: OpenVINO cannot load it: {reason}", "export the network again")


def prepared(network: Any, model: Model, batch: int) -> Any:
    """The network with uint8 RGB in, ``batch`` pictures or clips of the stated size; normalisation is inside."""
    from openvino import Type

    spec, shape = model.spec, input_shape(model.spec, batch)
    if len(network.inputs) != 1:
        raise InputError(f"{model.path.name}: {len(network.inputs)} inputs, one was expected", "export it anew")
    taken = network.inputs[0]
    clips = len(taken.partial_shape) == 5
    if spec.frames > 1 and not clips:
        raise InputError(
            f"{model.path.name}: takes single pictures, not clips of {spec.frames}", "state frames: 1 of this network"
        )
    if taken.element_type == Type.u8 and (clips or is_standard(network)):
        # A network of clips of any length also takes single pictures: clips of one.
        return _of_bytes(network, model, (batch, spec.frames, *spec.input.size, 3) if clips else shape)
    return _with_preprocessing(network, spec.input, batch)


def is_standard(network: Any) -> bool:
    """Whether it is in the form of `vidreid.engines.source.Source`."""
    from openvino import Type

    taken = network.inputs[0]
    return bool(taken.element_type == Type.u8 and INPUT in taken.names)


def output_names(network: Any) -> list[str]:
    """What the outputs are called: as in the graph where it is in standard form, else by number."""
    if is_standard(network):
        return [output.any_name for output in network.outputs]
    return [f"output{number}" for number in range(len(network.outputs))]


def tensor_cards(network: Any) -> list[TensorCard]:
    """Inputs and outputs of a network in standard form, as an engine's card lists them."""
    return [_tensor_card("input", it) for it in network.inputs] + [_tensor_card("output", it) for it in network.outputs]


def _tensor_card(role: Literal["input", "output"], tensor: Any) -> TensorCard:
    lengths = [-1 if length.is_dynamic else length.get_length() for length in tensor.partial_shape]
    kind = np.dtype(tensor.element_type.to_dtype()).name
    return TensorCard(name=tensor.any_name, role=role, dtype=kind, shape=lengths, meaning="")


def _of_bytes(network: Any, model: Model, shape: tuple[int, ...]) -> Any:
    """A network that takes uint8 itself, for inputs of one shape."""
    from openvino import PartialShape

    taken = network.inputs[0].partial_shape
    # reshape() alone would also change what the file fixes, and the network with it.
    if not taken.compatible(PartialShape(list(shape))):
        kind = "clips" if len(shape) == 5 else "pictures"
        stated = f"{model.path.name}: takes {kind} of shape {taken}, stated is {list(shape)}"
        raise InputError(stated, "state its frames and size, or build it for this batch")
    network.reshape(list(shape))
    return network


def _with_preprocessing(network: Any, spec: InputSpec, batch: int) -> Any:
    """A network of single pictures with conversion and normalisation inside."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    network.reshape([batch, 3, *spec.size])
    prepared = PrePostProcessor(network)
    tensor = prepared.input()
    tensor.tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(ColorFormat.RGB)
    tensor.model().set_layout(Layout("NCHW"))
    steps = tensor.preprocess().convert_element_type(Type.f32)
    if spec.color == "bgr":
        steps = steps.convert_color(ColorFormat.BGR)
    # Per-channel values follow the network's colour order, which the registry's mean and std state too.
    if spec.scale != 1.0:
        steps = steps.scale(spec.scale)
    if any(spec.mean):
        steps = steps.mean(list(spec.mean))
    if any(value != 1.0 for value in spec.std):
        steps.scale(list(spec.std))
    for output in network.outputs:
        prepared.output(output.index).tensor().set_element_type(Type.f32)
    return prepared.build()
