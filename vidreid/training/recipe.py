"""Training recipes: YAML in, frozen dataclasses out; an unknown key is an error that names the nearest known one."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from vidreid import plugins
from vidreid.errors import InputError
from vidreid.networks import VideoNetwork
from vidreid.training.augmentation import Augmentation

Section = TypeVar("Section")
FOLDER = Path(__file__).parents[2] / "configs" / "training"
INSTALLED = Path(__file__).parents[1] / "_configs" / "training"


@dataclass(frozen=True)
class Part:
    """A network or backbone by name; ``options`` are the fields of its file's ``Settings``."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """Which clips a batch is made of.

    ``people`` x ``clips`` of ``frames`` pictures; ``strangers`` clips of pictures without labels beside them.
    ``sampling``: frames a ``stride`` apart, one of each of T ``chunks``, or any in ``random`` order of choice.
    ``size``: height, width. ``splits`` whose people are trained on; the first split of the set where it has ten.
    """

    size: tuple[int, int] = (256, 128)
    frames: int = 4
    people: int = 8
    clips: int = 4
    strangers: int = 0
    sampling: Literal["stride", "chunks", "random"] = "chunks"
    stride: int = 8


@dataclass(frozen=True)
class Losses:
    """Weights of the losses (0: left out) and their kinds.

    ``classification`` with label ``smoothing`` over clip vectors or over frames (AFA, eq. 7 to 9); ``triplet``
    batch-hard with a ``margin`` (None: soft margin), on vectors before or after the neck; ``coherence`` of
    frame vectors (AFA, eq. 11); ``teacher``: cosine distance to the teacher's vector of the same view;
    ``relations``: divergence from the teacher's similarities within the batch.
    """

    classification: float = 1.0
    smoothing: float = 0.0
    triplet: float = 0.0
    margin: float | None = None
    distance: Literal["euclidean", "cosine"] = "euclidean"
    hinge: Literal["batch-hard", "squared"] = "batch-hard"
    triplet_on: Literal["vectors", "neck"] = "vectors"
    coherence: float = 0.0
    coherence_kind: Literal["norm", "mse"] = "norm"
    teacher: float = 0.0
    relations: float = 0.0
    temperature: float = 0.07


@dataclass(frozen=True)
class Schedule:
    """``steps`` in all: linear ``warmup``, then the rate times ``factor`` after each of ``milestones`` or, with
    ``shape: cosine``, down to nothing; ``cooldown``: a linear way to nothing over the last steps."""

    steps: int = 10_000
    shape: Literal["constant", "cosine"] = "constant"
    warmup: int = 0
    cooldown: int = 0
    milestones: tuple[int, ...] = ()
    factor: float = 0.1


@dataclass(frozen=True)
class Optimizer:
    """``adam`` couples weight decay with the gradient, as the papers' programs do; ``adamw`` does not."""

    name: Literal["adam", "adamw"] = "adam"
    rate: float = 3e-4
    decay: float = 5e-4
    clip: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a trained network what it is, but the data and the seed."""

    about: str = ""
    source: str = ""
    backbone: Part = Part("resnet50")
    network: Part = Part("average")
    start: str = ""
    data: Data = Data()
    augmentation: Augmentation = Augmentation()
    losses: Losses = Losses()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    classifier_bias: bool = True
    average: float = 0.0
    precision: Literal["bf16", "fp32"] = "bf16"


def names() -> list[str]:
    """Recipes that travel with the package, by name."""
    return sorted(str(file.relative_to(_folder()).with_suffix("")) for file in _folder().rglob("*.yaml"))


def read_recipe(wanted: str) -> Recipe:
    """A recipe by name or by the path of a YAML; ``base: NAME`` in it stands for another one's keys."""
    path = Path(wanted) if wanted.endswith((".yaml", ".yml")) else _folder() / f"{wanted}.yaml"
    if not path.is_file():
        near = difflib.get_close_matches(wanted, names(), n=1)
        raise InputError(f"no recipe {wanted!r}", f"did you mean {near[0]}?" if near else "vidreid train --list")
    return section(Recipe, _merged(path), str(path.name))


def _folder() -> Path:
    return INSTALLED if INSTALLED.is_dir() else FOLDER


def _merged(path: Path, depth: int = 0) -> dict[str, Any]:
    """A YAML's keys over those of its base."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())[:160]}", "give a YAML file") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a mapping of keys", "see a recipe in configs/training")
    base = found.pop("base", None)
    if base is None:
        return found
    if depth > 4:
        raise InputError(f"{path}: its bases go round in a circle", "take out one base:")
    beneath = path.parent / f"{base}.yaml"
    return _over(_merged(beneath if beneath.is_file() else _folder() / f"{base}.yaml", depth + 1), found)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        # Another network's options would only be in the way.
        same = not isinstance(value, dict) or value.get("name", None) in {None, below.get(key, {}).get("name")}
        nested = isinstance(value, dict) and isinstance(below.get(key), dict) and same
        merged[key] = _over(below[key], value) if nested else value
    return merged


def section(kind: type[Section], values: Mapping[str, Any], where: str) -> Section:
    """A dataclass from a mapping; unknown keys and wrong types are `InputError`."""
    hints = typing.get_type_hints(kind)
    for key in values:
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, n=1)
            raise InputError(f"{where}: unknown key {key!r}", f"did you mean {near[0]!r}?" if near else _known(hints))
    return kind(**{key: _value(hints[key], value, f"{where}: {key}") for key, value in values.items()})


def _known(hints: Mapping[str, Any]) -> str:
    return f"known: {', '.join(hints)}"


def _value(kind: Any, value: Any, where: str) -> Any:
    """A YAML value as its field's type."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if isinstance(value, dict):
            return section(kind, value, where)
        if kind is Part and isinstance(value, str):
            return Part(value)
    origin = typing.get_origin(kind)
    if origin is Literal:
        if value in typing.get_args(kind):
            return value
        raise InputError(f"{where}: {value!r}", f"one of: {', '.join(map(str, typing.get_args(kind)))}")
    if origin in {types.UnionType, typing.Union}:
        if value is None and type(None) in typing.get_args(kind):
            return None
        return _value(next(one for one in typing.get_args(kind) if one is not type(None)), value, where)
    if origin is tuple and isinstance(value, list):
        inner = typing.get_args(kind)
        kinds = [inner[0]] * len(value) if len(inner) == 2 and inner[1] is Ellipsis else list(inner)
        if len(kinds) == len(value):
            return tuple(_value(one, item, where) for one, item in zip(kinds, value, strict=True))
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind in {str, bool} and isinstance(value, kind):
        return value
    if typing.get_origin(kind) is not None and typing.get_origin(kind) not in {tuple} and isinstance(value, dict):
        return value
    raise InputError(f"{where}: {value!r} is of the wrong kind", f"give {_word(kind)}")


def _word(kind: Any) -> str:
    plain = {float: "a number", int: "a whole number", str: "a word", bool: "true or false"}
    return plain.get(kind, "a list" if typing.get_origin(kind) is tuple else "a mapping of keys")


def build_network(recipe: Recipe) -> VideoNetwork:
    """The recipe's network with weights of its own initialisation."""
    backbone_file = plugins.load("networks.backbones", recipe.backbone.name)
    options = section(backbone_file.Settings, recipe.backbone.options, f"backbone {recipe.backbone.name}")
    network_file = plugins.load("networks", recipe.network.name)
    settings = section(network_file.Settings, recipe.network.options, f"network {recipe.network.name}")
    network = network_file.build(backbone_file.build(options), settings)
    assert isinstance(network, VideoNetwork)
    if recipe.data.frames % network.multiple:
        raise InputError(
            f"{recipe.data.frames} frames a clip: {recipe.network.name} needs a multiple of {network.multiple}",
            f"data: frames: {network.multiple}",
        )
    return network
