"""INT8 for OpenVINO: NNCF's quantisation after training, its ranges measured on the source's calibration inputs."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from vidreid.engines.order import Order
from vidreid.engines.source import calibration_of
from vidreid.errors import MissingError
from vidreid.types import Array

ENOUGH = 300  # inputs; ranges measured on more are the same
# Of embedders the whole range: by the mean over inputs, people unlike the calibrated ones are cut off (shipped network,
# calibrated on the synthetic world: 1.0 points mAP below float32, so 0.2). Of detectors the mean: their few extremes
# would take the room of all else (shipped network: 84 % of sure boxes found again, so all).
RANGES = {"embedder": "MINMAX", "detector": "MEAN_MINMAX"}


def quantised(network: Any, order: Order, progress: Callable[[str, float], None]) -> tuple[Any, list[str]]:
    """The network with its convolutions and products in INT8, and the names of the order's islands, which are not.

    `InputError` without calibration inputs, `MissingError` without NNCF.
    """
    images = calibration_of(order.source)
    nncf = _nncf()
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    some = images[np.linspace(0, len(images) - 1, min(ENOUGH, len(images))).astype(int)]
    kept = _matching(network, order.islands)
    # It draws bars of its own on the terminal.
    with contextlib.redirect_stdout(io.StringIO()):
        found = nncf.quantize(
            network,
            nncf.Dataset(_Watched(some, lambda share: progress("measuring ranges", share))),
            preset=nncf.QuantizationPreset.MIXED,
            # Sums of blocks stay float, and biases as they were trained: as fast, and nearer to float32.
            model_type=nncf.ModelType.TRANSFORMER,
            target_device=nncf.TargetDevice.CPU,
            subset_size=len(some),
            ignored_scope=nncf.IgnoredScope(names=kept),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                disable_bias_correction=True,
                activations_range_estimator_params=getattr(RangeEstimatorParametersSet, RANGES[order.source.spec.kind]),
            ),
        )
    return found, kept


class _Watched:
    """Inputs, one at a time, that tell how many were taken."""

    def __init__(self, images: Array, tell: Callable[[float], None]) -> None:
        self._images = images
        self._tell = tell

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[Array]:
        for number in range(len(self)):
            self._tell(number / len(self))
            yield self._images[number : number + 1]


def _matching(network: Any, patterns: Sequence[str]) -> list[str]:
    """Names of the nodes whose operator or name fits one of the patterns (``Softmax``, ``*tse*``)."""
    nodes = {node.get_friendly_name(): node.get_type_name() for node in network.get_ordered_ops()}
    return [
        name
        for name, operator in nodes.items()
        if operator not in {"Constant", "Parameter", "Result"}
        and any(fnmatchcase(operator, wanted) or fnmatchcase(name, wanted) for wanted in patterns)
    ]


def _nncf() -> Any:
    try:
        import nncf
    except ImportError as error:
        raise MissingError(f"nncf is not installed ({error})", "pip install nncf") from None
    nncf.set_log_level(logging.ERROR)
    return nncf
