"""A step of torch as a CUDA graph: launched as one, with buffers of its own, on a stream of its own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[Tensor], dict[str, Tensor]]

WARM = 3  # runs in which libraries choose their algorithms; these must not be part of the graph


def captured(step: Step, shape: tuple[int, ...]) -> Step:
    """``step``, a function of uint8 images of ``shape`` on the GPU, as one of images in memory; so are its results.

    They are the caller's; a call must have ended before the next begins.
    """
    stream = torch.cuda.Stream()
    taken = torch.empty(shape, dtype=torch.uint8).pin_memory()
    images = torch.zeros(shape, dtype=torch.uint8, device="cuda")
    with torch.cuda.stream(stream):
        for _ in range(WARM):
            step(images)
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    # Other threads may compute meanwhile.
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        found = step(images)
    given = {name: torch.empty(it.shape, dtype=it.dtype).pin_memory() for name, it in found.items()}

    def replay(wanted: Tensor) -> dict[str, Tensor]:
        taken.copy_(wanted)
        with torch.cuda.stream(stream):
            images.copy_(taken, non_blocking=True)
            graph.replay()
            for name, it in found.items():
                given[name].copy_(it, non_blocking=True)
        stream.synchronize()
        return {name: it.clone() for name, it in given.items()}

    return replay
