"""Goldens: what each network answered when it was last looked at, for seeded weights and seeded clips.

A change of a network's arithmetic, of a default or of a parameter's name shows here. Where it was meant, write them
anew and look at the diff::

    VIDREID_WRITE_GOLDENS=1 .venv/bin/python -m pytest tests/networks -k golden
"""

import os
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

FOLDER = Path(__file__).with_name("goldens")
TOLERANCE = 1e-4  # of the largest number: processors differ in the order of their sums


def golden(name: str, network: nn.Module, clips_shape: tuple[int, ...]) -> None:
    """Compare the evaluation-mode output for seeded weights and clips of this shape with ``goldens/<name>.npz``."""
    network = seeded(network).eval()
    with torch.no_grad():
        output, other = (network(seeded_clips(clips_shape, seed)).numpy() for seed in (7, 8))
    file = FOLDER / f"{name}.npz"
    if os.environ.get("VIDREID_WRITE_GOLDENS"):
        np.savez_compressed(file, output=output.astype(np.float32), shape=np.array(clips_shape))
    with np.load(file) as stored:
        assert tuple(stored["shape"]) == clips_shape
        expected = stored["output"]
    allowed = TOLERANCE * np.abs(expected).max()
    np.testing.assert_allclose(output, expected, rtol=0, atol=allowed)
    assert np.abs(other - output).max() > 50 * allowed, "weights that drown the clips would make any golden right"


def seeded(network: nn.Module) -> nn.Module:
    """Fill every parameter and running statistic from its name, so that neither torch's generator nor the
    order of registration matters, and modules that start at zero are seen to work."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.from_numpy(_values(name, tuple(value.shape))))
    return network


def seeded_clips(shape: tuple[int, ...], seed: int = 7) -> Tensor:
    """Standard normal numbers of this shape, equal on every machine."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def _values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.default_rng(zlib.crc32(name.encode()))
    if len(shape) >= 2:
        values = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
    elif name.endswith("running_var"):
        values = random.uniform(0.5, 1.5, shape)
    elif name.endswith("weight"):  # of normalisations: about 1, or deep networks forget what they were shown
        values = random.uniform(0.8, 1.2, shape)
    else:
        values = random.normal(0, 0.1, shape)
    return np.asarray(values, np.float32)
