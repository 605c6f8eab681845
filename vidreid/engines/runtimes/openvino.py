"""OpenVINO: the runtime of CPUs. Loads ONNX and IR; streams of one thread, so results do not depend on their number."""

from __future__ import annotations

import functools
from typing import Any

from vidreid.engines.slots import Slot, SlotEngine
from vidreid.errors import InputError
from vidreid.types import Array, Engine, InputSpec, Model


def available() -> str | None:
    """None, or why OpenVINO cannot be used here."""
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        return f"not installed ({error}): pip install openvino"
    return None


@functools.cache
def shared_core() -> Any:
    """The process's one Core. Each gives the thread another stack for signals; where two are closed in the order of
    their making the thread is left with one that is gone, and the next Ctrl-C ends the process (OpenVINO 2026.4)."""
    import openvino as ov

    return ov.Core()


def load(model: Model, *, streams: int) -> Engine:
    """Compile a network for the CPU with ``streams`` inferences at a time, one thread each."""
    core = shared_core()
    try:
        network = core.read_model(str(model.path))
        network = _prepared(network, model)
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "NUM_STREAMS": streams,
                "INFERENCE_NUM_THREADS": streams,
                "PERFORMANCE_HINT_NUM_REQUESTS": 2 * streams,
                # Pinned streams wait for decoding and tracking on their core while another core is free.
                "ENABLE_CPU_PINNING": False,
            },
        )
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{model.path.name}: OpenVINO cannot load it: {reason}", "export the network again") from None
    names = [f"output{i}" for i in range(len(compiled.outputs))]
    return SlotEngine([_slot(compiled) for _ in range(2 * streams)], tuple(compiled.inputs[0].shape), names)


def _prepared(network: Any, model: Model) -> Any:
    """The network with uint8 RGB in, batch 1: 1 x H x W x 3, or 1 x T x H x W x 3; normalisation is inside."""
    from openvino import Type

    spec = model.spec
    if len(network.inputs) != 1:
        raise InputError(f"{model.path.name}: {len(network.inputs)} inputs, one was expected", "export it anew")
    taken = network.inputs[0]
    if taken.element_type == Type.u8 and len(taken.partial_shape) == 5:
        return _of_clips(network, model)
    if spec.frames > 1:
        raise InputError(
            f"{model.path.name}: takes single pictures, not clips of {spec.frames}", "state frames: 1 of this network"
        )
    return _with_preprocessing(network, spec.input)


def _of_clips(network: Any, model: Model) -> Any:
    """A network that takes uint8 clips itself, for clips of the stated shape."""
    from openvino import PartialShape

    shape, taken = [1, model.spec.frames, *model.spec.input.size, 3], network.inputs[0].partial_shape
    # reshape() alone would also change what the file fixes, and the network with it.
    if not taken.compatible(PartialShape(shape)):
        raise InputError(
            f"{model.path.name}: takes clips of shape {taken}, stated is {shape}", "state its frames and size"
        )
    network.reshape(shape)
    return network


def _with_preprocessing(network: Any, spec: InputSpec) -> Any:
    """A network of single pictures with conversion and normalisation inside."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    network.reshape([1, 3, *spec.size])
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


def _slot(compiled: Any) -> Slot:
    """An inference request as a function of images."""
    from openvino import Tensor

    request = compiled.create_infer_request()
    count = len(compiled.outputs)

    def infer(images: Array) -> dict[str, Array]:
        request.set_input_tensor(Tensor(images, shared_memory=True))
        # Not infer(): it would compute on the calling thread, outside of the fixed streams. And no callback: it is
        # not called where the inference fails.
        request.start_async()
        request.wait()
        return {f"output{i}": request.get_output_tensor(i).data.copy() for i in range(count)}

    return infer
