"""OpenVINO: the runtime of CPUs. Loads ONNX and IR; streams of one thread, so results do not depend on their number."""

from __future__ import annotations

import queue
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from vidreid.errors import InputError
from vidreid.types import Array, Engine, Model


def available() -> str | None:
    """None, or why OpenVINO cannot be used here."""
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        return f"not installed ({error}): pip install openvino"
    return None


def load(model: Model, *, streams: int) -> Engine:
    """Compile a network for the CPU with ``streams`` inferences at a time, one thread each."""
    import openvino as ov

    core = ov.Core()
    try:
        network = core.read_model(str(model.path))
        network = _with_preprocessing(network, model)
        compiled = core.compile_model(
            network,
            "CPU",
            {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": streams, "PERFORMANCE_HINT_NUM_REQUESTS": 2 * streams},
        )
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{model.path.name}: OpenVINO cannot load it: {reason}", "export the network again") from None
    return OpenVinoEngine(compiled, 2 * streams)


def _with_preprocessing(network: Any, model: Model) -> Any:
    """The network with uint8 N x H x W x RGB in, batch 1; conversion and normalisation are inside."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    spec = model.spec.input
    if len(network.inputs) != 1:
        raise InputError(f"{model.path.name}: {len(network.inputs)} inputs, one was expected", "export it anew")
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


class OpenVinoEngine:
    """A compiled network with a fixed number of requests, each of batch 1."""

    def __init__(self, compiled: Any, requests: int) -> None:
        self.inputs: Mapping[str, tuple[int, ...]] = {"images": tuple(compiled.inputs[0].shape)}
        self.outputs: Sequence[str] = [f"output{i}" for i in range(len(compiled.outputs))]
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(requests):
            self._idle.put(compiled.create_infer_request())
        self._requests = requests

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        return self.submit(arrays).result()

    def submit(self, arrays: Mapping[str, Array]) -> Future[dict[str, Array]]:
        from openvino import Tensor

        images = np.ascontiguousarray(arrays["images"])
        if images.dtype != np.uint8 or images.shape != self.inputs["images"]:
            raise ValueError(f"uint8 {self.inputs['images']} wanted, {images.dtype} {images.shape} given")
        request = self._idle.get()
        future: Future[dict[str, Array]] = Future()
        request.set_input_tensor(Tensor(images, shared_memory=True))
        request.set_callback(self._finish, (request, future, images))
        request.start_async()
        return future

    def _finish(self, job: tuple[Any, Future[dict[str, Array]], Array]) -> None:
        request, future, _ = job
        try:
            results = {name: request.get_output_tensor(i).data.copy() for i, name in enumerate(self.outputs)}
        except RuntimeError as error:
            future.set_exception(error)
        else:
            future.set_result(results)
        self._idle.put(request)

    def close(self) -> None:
        """Wait for what is under way, then let the requests go."""
        for _ in range(self._requests):
            self._idle.get()
        self._requests = 0
