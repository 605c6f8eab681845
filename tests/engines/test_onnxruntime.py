"""What ONNX Runtime does besides the contract of runtimes."""

import contextlib
from dataclasses import replace

import numpy as np
import onnx
import pytest
from built_engines import source
from handmade_engines import pictures
from tiny_networks import clip_colours, conv

from vidreid.engines.order import Order
from vidreid.engines.runtimes import onnxruntime
from vidreid.engines.weights import FileModel
from vidreid.errors import InputError, StorageError
from vidreid.types import InputSpec


def built(order, folder):
    made = onnxruntime.build(order, folder, lambda words, share: None)
    return made, FileModel(order.source.spec, folder / made.main, precision=order.precision)


def test_bf16_is_refused(tmp_path):
    with pytest.raises(InputError, match="no bf16"):
        built(Order(source(tmp_path), "bf16"), tmp_path)


def test_fp16_stands_in_the_graph_and_is_near(tmp_path):
    made_of = source(tmp_path)
    made, model = built(Order(made_of, "fp16"), tmp_path)
    kinds = {tensor.data_type for tensor in onnx.load(tmp_path / made.main).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds
    (golden,) = made_of.golden
    with contextlib.closing(onnxruntime.load(model, streams=1, batch=5)) as engine:
        found = engine.run({"images": golden.images})["embedding"]
    np.testing.assert_allclose(found, golden.outputs["embedding"], rtol=0.01, atol=0.001)


def test_int8_stands_in_the_graph_between_q_and_dq(tmp_path):
    calibrated = replace(source(tmp_path), calibration=pictures(8), calibrated_on="noise")
    made, _ = built(Order(calibrated, "int8"), tmp_path)
    operators = {node.op_type for node in onnx.load(tmp_path / made.main).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "Conv"} <= operators


def test_fp32_is_the_graph_itself(tmp_path):
    made_of = source(tmp_path)
    made, _ = built(Order(made_of, "fp32"), tmp_path)
    assert (tmp_path / made.main).read_bytes() == made_of.onnx.read_bytes()


def test_no_room_on_the_disk_is_an_error(tmp_path, full_disk):
    made_of = source(tmp_path)
    with full_disk(100), pytest.raises(StorageError, match=r"engine\.onnx"):
        built(Order(made_of, "fp32"), tmp_path)


@pytest.mark.parametrize("stated", [{"frames": 5}, {"input": InputSpec((16, 20))}], ids=["frames", "size"])
def test_clips_of_another_shape_than_the_file_takes_are_named(tmp_path, stated):
    model = clip_colours(tmp_path / "tiny.onnx", InputSpec((12, 20)))
    with pytest.raises(InputError, match=r"tiny\.onnx: takes clips of shape \[1, 3, 12, 20, 3\]"):
        onnxruntime.load(replace(model, spec=replace(model.spec, **stated)), streams=1)


def test_a_network_of_pictures_is_not_one_of_clips(tmp_path):
    model = conv(tmp_path / "tiny.onnx", InputSpec((12, 20)))
    with pytest.raises(InputError, match=r"tiny\.onnx: takes single pictures, not clips of 4"):
        onnxruntime.load(replace(model, spec=replace(model.spec, frames=4)), streams=1)


def test_a_graph_of_one_batch_takes_no_other(tmp_path):
    with pytest.raises(InputError, match=r"tiny\.onnx: takes pictures of shape \[1, 3, 12, 20\]"):
        onnxruntime.load(conv(tmp_path / "tiny.onnx", InputSpec((12, 20))), streams=1, batch=2)
