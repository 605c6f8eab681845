"""The runtime torch: checkpoints, which may hold code, and the precision that a model asks for."""

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_networks import conv, spec

from vidreid.engines.runtimes import torch as runtime
from vidreid.engines.weights import FileModel
from vidreid.errors import InputError
from vidreid.types import InputSpec

SIZE = (12, 20)
PLAIN = InputSpec(SIZE)
STATED = InputSpec(SIZE, "bgr", 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def output(engine):
    """What an engine makes of a picture that is the same each time."""
    image = np.random.default_rng(0).integers(0, 256, (1, *SIZE, 3), np.uint8)
    return engine.run({"images": image})[engine.outputs[0]]


class Trap:
    """What a stranger's checkpoint may hold: opening it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def checkpoint(path, contents):
    torch.save(contents, path)
    return FileModel(spec(PLAIN, "detector"), path)


def test_a_strangers_checkpoint_is_not_opened(tmp_path):
    model = checkpoint(tmp_path / "best.pt", {"model": Trap(tmp_path / "sprung")})
    with pytest.raises(InputError, match="can run any code"):
        runtime.load(model, streams=1)
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(InputError, match="holds no network"):
        runtime.load(replace(model, trusted=True), streams=1)
    assert (tmp_path / "sprung").exists()  # the trap works


def test_a_trusted_checkpoint_is_computed(tmp_path):
    network = conv(tmp_path / "tiny.onnx", PLAIN).network.half()
    model = replace(checkpoint(tmp_path / "best.pt", {"ema": None, "model": network}), trusted=True)
    engine = runtime.load(model, streams=1)
    assert output(engine).shape == (1, 6)
    engine.close()


def test_torch_computes_in_the_precision_of_the_model(tmp_path):
    model = conv(tmp_path / "tiny.onnx", STATED)
    found = {}
    for precision in ("fp32", "bf16"):
        with contextlib.closing(runtime.load(replace(model, precision=precision), streams=1)) as engine:
            found[precision] = output(engine)
    assert 0 < np.abs(found["bf16"] - found["fp32"]).max() < 0.02 * np.abs(found["fp32"]).max()


@pytest.mark.parametrize("contents", [b"", b"no checkpoint", b"PK\x03\x04 nor this"])
def test_a_trusted_file_that_is_no_checkpoint_is_an_input_error(tmp_path, contents):
    (tmp_path / "best.pt").write_bytes(contents)
    model = FileModel(spec(PLAIN, "detector"), tmp_path / "best.pt", trusted=True)
    with pytest.raises(InputError, match=r"best\.pt"):
        runtime.load(model, streams=1)
