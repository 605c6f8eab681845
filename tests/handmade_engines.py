"""Folders of engines made by hand: the tiny network's float32 graph, its answers, and a card that says so."""

import hashlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from vidreid.engines.card import GOLDEN, Card, Target, write_card
from vidreid.engines.source import EMBEDDING, INPUT, Golden, write_golden
from vidreid.types import InputSpec, ModelSpec

SIZE = (12, 8)
DIM = 6


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def graph(path, seed=0):
    """A network in standard form: pictures (n, 12, 8, 3) to vectors (n, 6): convolution, ReLU, mean."""
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Cast", [INPUT], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["float", "full"], ["normal"]),
        helper.make_node("Transpose", ["normal"], ["x"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["x", "weight"], ["a"], pads=[1, 1, 1, 1], name="conv"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("ReduceMean", ["b"], [EMBEDDING], axes=[2, 3], keepdims=0),
    ]
    constants = {"full": np.float32([255]), "weight": rng.normal(size=(DIM, 3, 3, 3)).astype(np.float32)}
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["n", *SIZE, 3])],
        [helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["n", DIM])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *SIZE, 3), np.uint8)


def answers(network, images):
    session = onnxruntime.InferenceSession(str(network), providers=["CPUExecutionProvider"])
    return session.run([EMBEDDING], {INPUT: images})[0]


def engine(where: Path, name="tiny-fp32-onnxruntime-1a2b", *, seed=0, plan=b"", capabilities=(), **stated) -> Path:
    """An engine's folder ``where/name``. Its main file is the graph itself, unless ``plan`` says what is in it."""
    folder = where / name
    folder.mkdir(parents=True)
    network = graph(where / "graph.onnx", seed)
    main = "engine.plan" if plan else "model.onnx"
    (folder / main).write_bytes(plan or network.read_bytes())
    golden = Golden(pictures(5), {EMBEDDING: answers(network, pictures(5))})
    write_golden(folder / GOLDEN, (golden,))
    spec = ModelSpec("tiny", "embedder", "reid", f"weights of {seed}", InputSpec(SIZE), dim=DIM)
    card = {
        "name": name,
        "recipe": "tiny",
        "recipe_sha256": "0",
        "command": "vidreid engine build tiny --runtime onnxruntime",
        "network": {key: value for key, value in asdict(spec).items() if key != "sizes"},
        "weights": {"kind": "file", "sha256": f"weights of {seed}", "licence": "MIT", "terms": "not for the moon"},
        "onnx_sha256": sha256(network),
        "sizes": [SIZE],
        "batch": (1, 2, 4),
        "precision": "fp32",
        "tensors": [
            {"name": INPUT, "role": "input", "dtype": "uint8", "shape": [-1, *SIZE, 3]},
            {"name": EMBEDDING, "role": "output", "dtype": "float32", "shape": [-1, DIM]},
        ],
        "runtime": "onnxruntime",
        "runtime_version": onnxruntime.__version__,
        "target": Target(capabilities=list(capabilities)),
        "files": {file: sha256(folder / file) for file in (main, GOLDEN)},
    }
    write_card(folder, Card.model_validate({**card, **stated}))
    network.unlink()
    return folder
