"""How fast this machine multiplies matrices: what a network's speed is a share of."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from vidreid.engines.recipe import Precision

Device = Literal["cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class MatmulRate:
    """Floating-point operations a second of large matrix products, in the ``precision`` in which they are fastest."""

    flops: float
    precision: Precision


def matmul_rate(precision: Precision, threads: int, device: Device = "cpu") -> MatmulRate:
    """Measure torch's matrix products on this machine, on ``threads`` of the CPU or on the GPU; a fraction of a second.

    In ``precision`` or in float32, whichever is faster: what is allowed to be inexact may be exact. Where torch has no
    fast product of it (int8; fp16 on a CPU), another one of 16 bits is measured.
    """
    slow = precision == "int8" or (precision == "fp16" and device == "cpu")
    lower: Precision = ("fp16" if device == "cuda" else "bf16") if slow else precision
    names: list[Precision] = ["fp32"] if lower == "fp32" else [lower, "fp32"]
    return max((MatmulRate(_rate(name, threads, device), name) for name in names), key=lambda rate: rate.flops)


def _rate(precision: Precision, threads: int, device: Device) -> float:
    import torch

    kind = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    side = 8192 if device == "cuda" else 1536
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        matrix = torch.rand(side, side, device=device).to(kind)
        seconds = []
        for _ in range(1 + 3):
            begun = time.perf_counter()
            matrix @ matrix
            if device == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - begun)
    finally:
        torch.set_num_threads(before)
    return float(2 * side**3 / min(seconds[1:]))
