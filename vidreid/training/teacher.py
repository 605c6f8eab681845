"""Another network, whose vectors of the very views that the student sees are learnt besides the labels.

The same view for both, mixed and patient: Beyer et al., "Knowledge distillation: a good teacher is patient and
consistent" (CVPR 2022).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

Teacher = Callable[[Tensor], Tensor]


def open_teacher(wanted: str) -> Teacher:
    """A registered embedder or the path of one as a function of views (n, 3, H, W) in 0..1 to vectors (n, e)."""
    from vidreid import plugins
    from vidreid.engines.weights import find_model

    model = find_model(wanted, "embedder", offline=True, announce=print)
    engine = plugins.load("engines.runtimes", "openvino").load(model, streams=torch.get_num_threads())
    height, width = model.spec.input.size

    def vectors(views: Tensor) -> Tensor:
        pictures = (views.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).cpu().numpy()
        jobs = [engine.submit({"images": cv2.resize(picture, (width, height))[None]}) for picture in pictures]
        found = [next(iter(job.result().values())).reshape(-1) for job in jobs]
        return torch.from_numpy(np.stack(found).astype(np.float32)).to(views.device)

    return vectors
