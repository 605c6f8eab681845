"""What OpenVINO does besides the contract of runtimes."""

import contextlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from built_engines import source
from handmade_engines import pictures

from vidreid.engines.order import Order
from vidreid.engines.runtimes import openvino
from vidreid.engines.weights import FileModel
from vidreid.errors import InputError, StorageError
from vidreid.types import InputSpec

CLOSED_IN_ORDER = """
import gc, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tiny_networks import conv, spec
from vidreid.engines.runtimes.openvino import load
from vidreid.types import InputSpec

model = conv(Path(sys.argv[1]) / "tiny.onnx", InputSpec((12, 20)))
first, second = load(model, streams=1), load(model, streams=1)
first.close(); del first; gc.collect()
second.close(); del second; gc.collect()
signal.signal(signal.SIGINT, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGINT)
print("alive")
"""


def test_ctrl_c_is_heard_after_engines_were_closed(tmp_path):
    """With a Core of its own for each of them the process would end here, by a segmentation fault."""
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", CLOSED_IN_ORDER, str(tmp_path), str(tests)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["heard", "alive"]), done.stderr


def built(order, folder):
    made = openvino.build(order, folder, lambda words, share: None)
    return made, FileModel(order.source.spec, folder / made.main, precision=order.precision)


def test_fp16_is_refused(tmp_path):
    with pytest.raises(InputError, match="no fp16 on CPUs"):
        built(Order(source(tmp_path), "fp16"), tmp_path)


def test_int8_is_computed_in_int8(tmp_path):
    calibrated = replace(source(tmp_path), calibration=pictures(8), calibrated_on="noise")
    _, model = built(Order(calibrated, "int8"), tmp_path)
    (convolution,) = (layer for layer in openvino.layers(model) if layer.kind == "Convolution")
    assert convolution.precision in {"i8", "u8"}


def test_progress_tells_how_far_it_is(tmp_path):
    calibrated = replace(source(tmp_path), calibration=pictures(8), calibrated_on="noise")
    told = []
    openvino.build(Order(calibrated, "int8"), tmp_path, lambda words, share: told.append((words, share)))
    shares = [share for _, share in told]
    assert ("measuring ranges", 0.0) in told
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1


def test_no_bars_but_ours_are_drawn(tmp_path, capsys):
    built(Order(replace(source(tmp_path), calibration=pictures(8)), "int8"), tmp_path)
    assert capsys.readouterr() == ("", "")


def test_a_network_of_any_size_is_loaded_for_the_one_that_is_asked_for(tmp_path):
    made_of = source(tmp_path)
    free = onnx.load(made_of.onnx)
    for place, name in ((1, "h"), (2, "w")):
        free.graph.input[0].type.tensor_type.shape.dim[place].dim_param = name
    onnx.save(free, made_of.onnx)
    _, model = built(Order(made_of, "fp32"), tmp_path)
    for size in ((12, 8), (20, 16)):
        sized = replace(model, spec=replace(model.spec, input=InputSpec(size)))
        with contextlib.closing(openvino.load(sized, streams=1)) as engine:
            assert engine.inputs == {"images": (1, *size, 3)}
            assert engine.run({"images": np.zeros((1, *size, 3), np.uint8)})["embedding"].shape == (1, 6)


def test_no_room_on_the_disk_is_an_error(tmp_path, full_disk):
    made_of = source(tmp_path)
    with full_disk(100), pytest.raises(StorageError, match="cannot write the engine"):
        built(Order(made_of, "fp32"), tmp_path)
