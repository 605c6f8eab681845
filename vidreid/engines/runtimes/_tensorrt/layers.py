"""The layers of a network or of a plan, with the precision that each is computed in."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidreid.engines.order import Layer
from vidreid.errors import InputError

LAYERS = "layers.json"
_WEIGHTS = "CONSTANT"


def network_layers(network: Any) -> list[Layer]:
    """What is given to the builder. Types are binding, but layers will be joined."""
    layers = [network.get_layer(place) for place in range(network.num_layers)]
    return [Layer(one.name, one.type.name, one.get_output(0).dtype.name) for one in layers if one.type.name != _WEIGHTS]


def plan_layers(trt: Any, engine: Any) -> list[Layer]:
    """What the builder made of it, as the engine inspector says."""
    inspector = engine.create_engine_inspector()
    told = json.loads(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
    return [_layer(one) for one in told.get("Layers", [])]


def _layer(told: Any) -> Layer:
    """An entry of the inspector's JSON: a name alone where the plan holds no details."""
    if isinstance(told, str):
        return Layer(told, "", "")
    outputs = told.get("Outputs") or [{}]
    # "Format/Datatype" up to 10, split into two from 11.
    precision = outputs[0].get("DataType") or outputs[0].get("Format/Datatype") or ""
    return Layer(str(told.get("Name", "")), str(told.get("LayerType", "")), str(precision))


def write_layers(path: Path, layers: list[Layer]) -> None:
    """Store them as JSON."""
    path.write_text(json.dumps([asdict(layer) for layer in layers], indent=0) + "\n", encoding="utf-8")


def read_layers(path: Path) -> list[Layer]:
    """What `write_layers` stored; `InputError` where the file is missing or damaged."""
    try:
        return [Layer(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        raise InputError(f"{path}: no list of layers", "build the engine again") from None
