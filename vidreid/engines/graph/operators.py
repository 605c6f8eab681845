"""What is wrong with a graph, by name: operators that a runtime does not know, weights that are no numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto

from vidreid.engines.graph.model import constants, read_graph
from vidreid.errors import InputError

LONGEST = 160  # letters of a runtime's own words


def broken_weights(onnx_path: Path) -> list[str]:
    """Names of the weights that hold NaN or infinity, in the file's order. Single numbers may: they are masks."""
    return [
        name
        for name, value in constants(read_graph(onnx_path)).items()
        if value.dtype.kind in "fV" and value.size > 1 and not np.isfinite(value.astype(np.float32)).all()
    ]


def unknown_operators(model: ModelProto, known: Collection[str]) -> list[NodeProto]:
    """The nodes whose operator is none of ``known``: ``Conv``, or ``domain.Name`` of others than ONNX's own."""
    return [node for node in model.graph.node if operator(node) not in known]


def refusal(onnx_path: Path, runtime: str, words: str) -> InputError:
    """The error to raise where ``runtime`` cannot take a graph and says so in ``words``: it names the operator and the
    node (layer) that these speak of, if they do."""
    said = " ".join(words.split())
    reason = said if len(said) <= LONGEST else f"... {said[-LONGEST:]}"  # the end is what matters
    hint = "build it with another --runtime, or export the network without that operator"
    node = blamed(read_graph(onnx_path), said)
    if node is None:
        return InputError(f"{onnx_path.name}: {runtime} cannot load it: {reason}", hint)
    where = f"operator {operator(node)} (layer {node.name or node.output[0]})"
    return InputError(f"{onnx_path.name}: {runtime} cannot take the {where}: {reason}", hint)


def blamed(model: ModelProto, words: str) -> NodeProto | None:
    """The node that a runtime's words speak of: by its name, else the first of an operator.

    None where they name none. A name counts as a whole word; the longest one wins.
    """
    spoken = set(re.findall(r"[^\s'\"(),;\[\]]+", words)) | set(re.findall(r"\w+", words))
    spoken |= {word.rstrip(".:") for word in spoken}
    nodes: list[NodeProto] = list(model.graph.node)
    called: list[Callable[[NodeProto], Iterable[str]]] = [
        lambda node: [node.name],
        lambda node: [operator(node), node.op_type],
    ]
    for names in called:
        lengths = [max((len(it) for it in names(node) if it in spoken), default=0) for node in nodes]
        if any(lengths):
            return nodes[lengths.index(max(lengths))]
    return None


def operator(node: NodeProto) -> str:
    """``Conv``, or ``domain.Name`` where it is not ONNX's own."""
    return node.op_type if node.domain in {"", "ai.onnx"} else f"{node.domain}.{node.op_type}"
