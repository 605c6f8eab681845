"""What all runtimes share: a fixed number of slots, each of which computes one batch at a time on a thread."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from vidreid.engines.source import INPUT
from vidreid.errors import InputError
from vidreid.types import Array, ModelSpec

Slot = Callable[[Array], dict[str, Array]]


def input_shape(spec: ModelSpec, batch: int) -> tuple[int, ...]:
    """(batch, height, width, 3), or (batch, T, height, width, 3) of clips; `InputError` for a batch of none."""
    if batch < 1:
        raise InputError(f"{spec.name}: a batch of {batch}", "give a batch of 1 or more")
    clip = (spec.frames,) if spec.frames > 1 else ()
    return batch, *clip, *spec.input.size, 3


class SlotEngine:
    """An engine around ``slots``, functions of uint8 RGB images of one ``shape``, as `input_shape` makes it."""

    def __init__(self, slots: Sequence[Slot], shape: tuple[int, ...], outputs: Sequence[str]) -> None:
        self.inputs: Mapping[str, tuple[int, ...]] = {INPUT: shape}
        self.outputs: Sequence[str] = outputs
        self._idle: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        for slot in slots:
            self._idle.put(slot)
        self._threads = ThreadPoolExecutor(len(slots), thread_name_prefix="engine")

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """One batch, waited for."""
        return self.submit(arrays).result()

    def submit(self, arrays: Mapping[str, Array]) -> Future[dict[str, Array]]:
        """Start a batch; blocks while every slot is busy. The images must not change before it is done.

        Images of another type or shape are a ValueError; what fails later is the future's exception.
        """
        images = np.ascontiguousarray(arrays[INPUT])
        if images.dtype != np.uint8 or images.shape != self.inputs[INPUT]:
            raise ValueError(f"uint8 {self.inputs[INPUT]} wanted, {images.dtype} {images.shape} given")
        return self._threads.submit(self._compute, self._idle.get(), images)

    def _compute(self, slot: Slot, images: Array) -> dict[str, Array]:
        try:
            return slot(images)
        finally:
            self._idle.put(slot)

    def close(self) -> None:
        """Wait for what is under way; nothing can be submitted afterwards."""
        self._threads.shutdown()
