"""What TensorRT wants of a graph beyond the standard form."""

from __future__ import annotations

from typing import Any


def cast_first(model: Any) -> Any:
    """An ONNX model whose uint8 input is cast to float32 at once: TensorRT computes nothing in uint8, not even shapes.

    Values and outputs stay as they are; casts further on find float32 already.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    (images,) = graph.input
    users = [node for node in graph.node if images.name in node.input]
    if images.type.tensor_type.elem_type != TensorProto.UINT8 or all(node.op_type == "Cast" for node in users):
        return model
    cast = f"{images.name}_float32"
    for node in users:
        node.input[:] = [cast if name == images.name else name for name in node.input]
    graph.node.insert(0, helper.make_node("Cast", [images.name], [cast], name=cast, to=TensorProto.FLOAT))
    del graph.value_info[:]  # they say uint8
    return model
