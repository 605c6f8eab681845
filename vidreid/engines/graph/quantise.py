"""INT8 graphs with explicit quantisation: `QuantizeLinear` and `DequantizeLinear` stand where values change type."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

from vidreid.engines.graph.axes import lengths
from vidreid.engines.graph.model import check_graph, matching, read_graph
from vidreid.engines.source import INPUT
from vidreid.errors import InputError, MissingError
from vidreid.types import Array

# Where the work is; what lies between costs accuracy in 8 bits and saves little.
PRODUCTS = ["Conv", "Gemm", "MatMul"]
# Of the values to either side. On the shipped embedder it kept 82.9 points mAP (float: 82.4; least and largest value:
# 81.1; entropy: 81.0).
PERCENTILE = 99.99
AT_ONCE = 4  # inputs of a step of the calibration


def quantised(
    onnx_path: Path, calibration: Array, target: Path, *, exclude: Sequence[str] = (), symmetric: bool = False
) -> None:
    """Write a graph in standard form whose products (`PRODUCTS`) are of 8 bits; all else stays float32.

    Weights are int8, symmetric, with a scale for each channel of the result. Activations are uint8 with a zero point;
    with ``symmetric``, int8 without one and biases in float, as TensorRT needs it. Their ranges hold `PERCENTILE` of
    what ``calibration`` gives, uint8 inputs (n, [T,] H, W, 3) like those to come. ``exclude``: operators, or patterns
    of names of nodes, that stay float32. `InputError` where the graph does not take these inputs; `MissingError`
    without onnxruntime.
    """
    model = read_graph(onnx_path)
    _check_inputs(lengths(model.graph.input[0]), calibration, onnx_path.name)
    try:
        from onnxruntime import quantization
    except ImportError as error:
        raise MissingError(f"onnxruntime is not installed ({error})", "pip install onnxruntime") from None
    kind = quantization.QuantType
    with _quiet():
        quantization.quantize_static(
            model,
            target,
            _Inputs(calibration),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=PRODUCTS,
            per_channel=True,
            activation_type=kind.QInt8 if symmetric else kind.QUInt8,
            weight_type=kind.QInt8,
            nodes_to_exclude=matching(model.graph.node, exclude),
            calibrate_method=quantization.CalibrationMethod.Percentile,
            extra_options={
                "CalibPercentile": PERCENTILE,
                "CalibStridedMinMax": 1,  # of any method: a step at a time, or all that the graph computes is kept
                "ActivationSymmetric": symmetric,
                "WeightSymmetric": True,
                "QuantizeBias": not symmetric,
            },
        )
    check_graph(read_graph(target), target.name)


class _Inputs:
    """Calibration inputs as onnxruntime asks for them: it names the steps to take, then takes them until None."""

    def __init__(self, inputs: Array) -> None:
        self._steps = [inputs[start : start + AT_ONCE] for start in range(0, len(inputs), AT_ONCE)]
        self._left = iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._left = iter(self._steps[start_index:end_index])

    def get_next(self) -> dict[str, Array] | None:
        step = next(self._left, None)
        return None if step is None else {INPUT: step}


def _check_inputs(wanted: list[int], given: Array, name: str) -> None:
    fits = given.ndim == len(wanted) and all(want in {-1, has} for want, has in zip(wanted, given.shape, strict=True))
    if not fits or given.dtype != "uint8" or not len(given):
        words = " x ".join("n" if length < 0 else str(length) for length in wanted)
        raise InputError(
            f"{name}: calibration on {given.dtype} {given.shape}, the graph takes uint8 {words}",
            "calibrate on pictures of the size and number that the network takes",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what onnxruntime prints and logs from the user's terminal."""
    logger = logging.getLogger()
    before = logger.disabled
    logger.disabled = True
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        logger.disabled = before
