"""Training recipes: everything that makes a trained network what it is, but the data and the seed."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from vidreid import plugins
from vidreid.errors import InputError, UsageError
from vidreid.networks import VideoNetwork
from vidreid.networks.backbones import Backbone
from vidreid.training.augmentation import Augmentation
from vidreid.training.losses.coherence import Kind
from vidreid.training.losses.triplet import Distance
from vidreid.training.sections import section, within

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CHECKOUT = Path(__file__).parents[2] / "configs" / "training"
INSTALLED = Path(__file__).parents[1] / "_configs" / "training"
OWN_WORDS = ("about", "source")  # what a recipe says of itself alone
MOST_BASES = 4
Trains = Literal["embedder", "detector"]
# What may be another on the way; all else would be another training.
CHANGEABLE = (*OWN_WORDS, "start", "schedule", "optimizer.rate", "optimizer.clip")


@dataclass(frozen=True)
class Part:
    """A network or backbone by name; ``options`` are the fields of its file's ``Settings``."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Which row of which table a recipe is, and what was published for it.

    ``paper`` tclnet or afa; ``system`` is our number of it (T1 to T22, F1 to F16). ``figures``: by layout of the data
    set scored, mAP, rank1, rank5, ... in percent. ``train`` is the layout trained on where it is another one.
    """

    paper: str = ""
    table: str = ""
    row: str = ""
    system: str = ""
    train: str = ""
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """Which clips a batch is made of.

    ``people`` x ``clips`` of ``frames`` pictures of ``size`` (height, width); ``strangers`` clips of pictures without
    labels beside them. ``sampling``: one frame of each of T ``chunks``, frames a ``stride`` apart, or any at
    ``random``.
    """

    size: tuple[int, int] = (256, 128)
    frames: int = 4
    people: int = 8
    clips: int = 4
    strangers: int = 0
    sampling: Literal["stride", "chunks", "random"] = "chunks"
    stride: int = 8

    def __post_init__(self) -> None:
        within(self, 1, inf, "size", "frames", "people", "clips", "stride")
        within(self, 0, inf, "strangers")


@dataclass(frozen=True)
class Losses:
    """Weights of the losses (0: left out) and their kinds.

    ``classification`` with label ``smoothing`` over clip vectors or over frames (AFA, eq. 7 to 9); ``triplet``
    batch-hard with a ``margin`` (None: soft margin), on vectors before or after the neck; ``coherence`` of
    frame vectors (AFA, eq. 11); ``teacher``: cosine distance to the teacher's vector of the same view;
    ``relations``: divergence from the teacher's similarities within the batch, at a ``temperature``.
    """

    classification: float = 1.0
    smoothing: float = 0.0
    triplet: float = 0.0
    margin: float | None = None
    distance: Distance = "euclidean"
    triplet_on: Literal["vectors", "neck"] = "vectors"
    coherence: float = 0.0
    coherence_kind: Kind = "norm"
    teacher: float = 0.0
    relations: float = 0.0
    temperature: float = 0.07

    def __post_init__(self) -> None:
        weights = ("classification", "triplet", "coherence", "teacher", "relations")
        within(self, 0, inf, *weights)
        within(self, 0, 1, "smoothing")
        within(self, 1e-6, inf, "temperature")
        if self.margin is not None:
            within(self, 0, inf, "margin")
        if not any(getattr(self, name) for name in weights):
            raise InputError("nothing is learnt: every weight is 0", f"give one of {', '.join(weights)}")


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

    def __post_init__(self) -> None:
        within(self, 1, inf, "steps")
        within(self, 0, inf, "warmup", "cooldown", "milestones", "factor")


@dataclass(frozen=True)
class Optimizer:
    """``adam`` couples weight ``decay`` with the gradient, as the papers' programs do; ``adamw`` does not.
    ``clip`` bounds the gradient's norm (0: free)."""

    name: Literal["adam", "adamw"] = "adam"
    rate: float = 3e-4
    decay: float = 5e-4
    clip: float = 0.0

    def __post_init__(self) -> None:
        within(self, 0, inf, "rate", "decay", "clip")


@dataclass(frozen=True)
class Recipe:
    """A training, as a YAML of configs/training says it.

    ``start``: the weights to begin from, ``imagenet`` or the path of a checkpoint of the network or of its backbone.
    ``average``: share of the moving average of the weights that a step keeps (0: none is made).
    """

    about: str = ""
    source: Source = field(default_factory=Source)
    backbone: Part = field(default_factory=lambda: Part("resnet50"))
    network: Part = field(default_factory=lambda: Part("average"))
    start: str = ""
    data: Data = field(default_factory=Data)
    augmentation: Augmentation = field(default_factory=Augmentation)
    losses: Losses = field(default_factory=Losses)
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    classifier_bias: bool = True
    average: float = 0.0
    precision: Literal["bf16", "fp32"] = "bf16"

    def __post_init__(self) -> None:
        within(self, 0, 1, "average")
        if self.data.people * self.data.clips + self.data.strangers < 2:
            raise InputError("data: a batch of one clip, which cannot be normalised", "raise data.people or data.clips")


def names(kind: Trains | None = None) -> list[str]:
    """Recipes that travel with the package, by name; of one ``kind``, or all."""
    found = sorted(file.relative_to(_folder()).with_suffix("").as_posix() for file in _folder().rglob("*.yaml"))
    return [name for name in found if kind is None or kind_of(read_values(name)) == kind]


def kind_of(values: Mapping[str, Any]) -> str:
    """What a recipe's keys say that it trains."""
    return str(values.get("kind", "embedder"))


def read_recipe(wanted: str, changes: Sequence[str] = ()) -> Recipe:
    """The recipe of an embedder; `read_values` says how. `InputError` where something cannot be meant."""
    values = read_values(wanted, changes)
    if kind_of(values) != "embedder":
        raise InputError(f"{wanted}: the recipe of a {kind_of(values)}", "vidreid train --list")
    return section(Recipe, {key: value for key, value in values.items() if key != "kind"}, Path(wanted).name)


def read_values(wanted: str, changes: Sequence[str] = ()) -> dict[str, Any]:
    """The keys of a recipe by name or by the path of a YAML; ``base: NAME`` in it stands for another one's keys.

    ``changes`` are ``key=value`` with dots between keys (``schedule.steps=4500``), values as in YAML. `InputError`
    where there is no such recipe.
    """
    path = Path(wanted).expanduser() if wanted.endswith((".yaml", ".yml")) else _folder() / f"{wanted}.yaml"
    if not path.is_file():
        near = difflib.get_close_matches(wanted, names(), n=1)
        raise InputError(f"no recipe {wanted!r}", f"did you mean {near[0]}?" if near else "vidreid train --list")
    values = _merged(path)
    for change in changes:
        values = _over(values, _change(change))
    return values


def differences(one: DataclassInstance, other: DataclassInstance) -> list[str]:
    """Keys, with dots, in which two recipes differ and which may not be changed in the middle of a training."""
    left, right = (dict(_keys(dataclasses.asdict(recipe))) for recipe in (one, other))
    different = [key for key in dict.fromkeys((*left, *right)) if left.get(key, ...) != right.get(key, ...)]
    return [key for key in different if not f"{key}.".startswith(tuple(f"{name}." for name in CHANGEABLE))]


def _keys(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Every value within mappings, by its key with dots."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{before}{key}.")
        else:
            yield before + key, value


def _folder() -> Path:
    return INSTALLED if INSTALLED.is_dir() else CHECKOUT


def _merged(path: Path, depth: int = 0) -> dict[str, Any]:
    """A YAML's keys over those of its base."""
    if depth > MOST_BASES:
        raise InputError(f"{path}: its bases go round in a circle", "take out one base:")
    found = _yaml(path)
    base = found.pop("base", None)
    if base is None:
        return found
    near = path.parent / f"{base}.yaml"
    below = _merged(near if near.is_file() else _folder() / f"{base}.yaml", depth + 1)
    return _over({key: value for key, value in below.items() if key not in OWN_WORDS}, found)


def _yaml(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())[:160]}", "give a YAML file") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a mapping of keys", "see a recipe in configs/training")
    return found


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of both, ``above`` winning, mappings key by key; another part's options are dropped with its name."""
    merged = dict(below)
    for key, value in above.items():
        under = below.get(key)
        if isinstance(under, str):
            under = {"name": under}
        if isinstance(value, dict) and isinstance(under, dict):
            same = value.get("name", under.get("name")) == under.get("name")
            kept = under if same else {name: it for name, it in under.items() if name != "options"}
            merged[key] = _over(kept, value)
        else:
            merged[key] = value
    return merged


def _change(text: str) -> dict[str, Any]:
    """``a.b=1`` as the mapping that a YAML would have."""
    keys, found, value = text.partition("=")
    if not found:
        raise UsageError(f"{text!r} sets nothing", "write it as schedule.steps=4500")
    try:
        change: Any = yaml.safe_load(value) if value else ""
    except yaml.YAMLError:
        raise UsageError(f"{text!r}: no YAML behind the sign", "write it as data.size=[256,128]") from None
    *outer, last = keys.split(".")
    changes = {last: change}
    for key in reversed(outer):
        changes = {key: changes}
    return changes


def build_backbone(recipe: Recipe) -> Backbone:
    """The recipe's backbone with weights of its own initialisation."""
    backbone = _build("networks.backbones", recipe.backbone)
    assert isinstance(backbone, Backbone)
    return backbone


def build_network(recipe: Recipe, backbone: Backbone | None = None) -> VideoNetwork:
    """The recipe's network, its backbone given or new, the rest with weights of its own initialisation."""
    network = _build("networks", recipe.network, backbone or build_backbone(recipe))
    assert isinstance(network, VideoNetwork)
    if recipe.data.frames % network.multiple:
        raise InputError(
            f"{recipe.data.frames} frames a clip: {recipe.network.name} needs a multiple of {network.multiple}",
            f"data: frames: {network.multiple}",
        )
    return network


def _build(room: str, part: Part, *inner: Backbone) -> Any:
    file = plugins.load(room, part.name)
    return file.build(*inner, section(file.Settings, part.options, part.name))
