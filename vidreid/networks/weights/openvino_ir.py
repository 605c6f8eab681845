"""Networks in OpenVINO's format (IR: an XML of operations, a .bin of constants) as torch modules.

So a network that is published in this format alone also runs on a GPU, and where OpenVINO is not installed. Known are
the operations of Open Model Zoo's person-reidentification-retail networks, as OpenVINO's operation sets specify them;
one more is a function and its line in `OPERATIONS`. Nothing in the files is believed: sizes are held against each
other before memory is taken, and the network is tried without any memory before it is given away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vidreid.errors import InputError

Compute = Callable[..., Tensor]
Attributes = Mapping[str, str]

MAX_XML = 1 << 24  # bytes
MAX_NUMBERS = 1 << 26  # in all constants together, and in one value for one picture
MAX_LIST = 64  # in a list of axes, places or sizes
TYPES = {"f32": np.dtype("<f4"), "f16": np.dtype("<f2"), "i64": np.dtype("<i8"), "i32": np.dtype("<i4")}


def read_ir(path: Path) -> nn.Module:
    """The network of ``path`` (.xml, its .bin beside it), frozen, float32: the IR's one input to its one output.

    The module takes pictures (n, C, H, W) float as the IR states them, but any n, and gives (n, ...); it may be moved,
    put into channels_last and run under autocast. `InputError` where the files are damaged, state what cannot be, or
    use an operation that is not known here.
    """
    try:
        layers = _layers(_parsed(_read(path, MAX_XML)))
        constants = _constants(layers, _read(path.with_suffix(".bin"), MAX_NUMBERS * 8))
        shape, steps, (source, result) = _shape(layers), _steps(layers, constants), _ends(layers)
        _try(Graph(steps, constants, source, result), shape)
    except ValueError as error:
        raise InputError(f"{path.name}: {' '.join(str(error).split())[:200]}", "give an intact IR") from None
    return Graph(steps, constants, source, result)
