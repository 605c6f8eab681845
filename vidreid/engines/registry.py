"""Known networks (``configs/models.yaml``, and those that ship) and what a YAML beside a network's file states of it.

Nothing is guessed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, PositiveInt

from vidreid.digests import file_sha256
from vidreid.errors import InputError, MissingError
from vidreid.resources import carried, home, shipped_weights
from vidreid.settings import Section, read_model
from vidreid.types import InputSpec, ModelSpec

Kind = Literal["detector", "embedder"]

TEMPLATE = """\
kind: embedder            # or detector
family: reid              # or yolo
licence: not stated
input: {size: [256, 128], color: rgb, scale: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
dim: 512                  # numbers a vector (embedders)
threshold: 0.5            # cosine under which two looks of one track may be two people (embedders)
"""


class InputEntry(Section):
    """What a network wants; values are divided by ``scale``, then ``mean`` and ``std`` apply.

    One that takes clips of uint8 itself (`vidreid.networks.weights.onnx`) needs its ``size`` only.
    """

    size: tuple[int, int] = Field(description="height, width in pixels")
    color: Literal["rgb", "bgr"] = Field("rgb", description="order of the channels, also in mean and std")
    scale: float = Field(1.0, description="255 where the network wants values of 0..1")
    mean: tuple[float, float, float] = Field((0.0, 0.0, 0.0), description="taken off after scaling")
    std: tuple[float, float, float] = Field((1.0, 1.0, 1.0), description="divided by, last")


class ModelEntry(Section):
    """A network, as the registry or a YAML beside its file states it."""

    kind: Kind = Field(description="what it is for")
    family: str = Field(description="how its output is read: a file of vidreid/detection, or reid")
    licence: str = Field("not stated", description="terms of its weights, as their makers state them")
    terms: str = Field("", description="what else binds its use; said at the end of every run")
    input: InputEntry = Field(description="what it wants to see")
    sizes: list[tuple[PositiveInt, PositiveInt]] = Field(
        default_factory=list, description="height, width of all pictures that it takes, where there are several"
    )
    frames: int = Field(1, ge=1, description="crops of a clip that it sees together")
    dim: int = Field(0, ge=0, description="numbers a vector (embedders)")
    branches: int = Field(1, ge=1, description="parts of the vector that are normalised one by one")
    threshold: float | None = Field(None, description="cosine under which two looks of one track may be two people")
    score: float | None = Field(None, ge=0, le=1, description="score from which boxes are worth tracking (detectors)")
    suppress: float | None = Field(
        None, ge=0, le=1, description="IoU from which a box hides a fainter one, where persons come double (detectors)"
    )
    folder: str = Field("", description="folder of the files, below the cache's models/")
    files: dict[str, str] = Field(default_factory=dict, description="file name: SHA-256; the first one is loaded")
    url: str = Field("", description="where the files can be downloaded, ending in /")
    get: str = Field("", description="how a person gets the files, where there is no url")

    def spec(self, name: str, identity: str) -> ModelSpec:
        """The same in the house's type."""
        return ModelSpec(
            name=name,
            kind=self.kind,
            family=self.family,
            identity=identity,
            input=InputSpec(**self.input.model_dump()),
            frames=self.frames,
            dim=self.dim,
            branches=self.branches,
            threshold=self.threshold,
            score=self.score,
            suppress=self.suppress,
            licence=self.licence,
            sizes=tuple(self.sizes),
        )


class Registry(Section):
    """All known networks by name; ``order`` says which one is taken when none is named."""

    order: dict[Kind, list[str]] = Field(default_factory=dict)
    models: dict[str, ModelEntry] = Field(default_factory=dict)


def read_registry() -> Registry:
    """What the package knows and ships, and what the user's ``VIDREID_HOME/models.yaml`` adds."""
    own = read_model(Registry, carried("configs") / "models.yaml")
    theirs = home() / "models.yaml"
    added = read_model(Registry, theirs) if theirs.is_file() else Registry()
    models = {**own.models, **shipped(), **added.models}
    unknown = [name for names in added.order.values() for name in names if name not in models]
    if unknown:
        raise InputError(f"{theirs}: order: no network {unknown[0]!r}", f"known: {', '.join(models)}")
    return Registry(order={**own.order, **added.order}, models=models)


def shipped() -> dict[str, ModelEntry]:
    """The networks in the package by name, as the YAML beside each of them states it."""
    return {card.stem: read_model(ModelEntry, card) for card in sorted(shipped_weights().glob("*/*.yaml"))}


def terms_of(name: str) -> str:
    """What binds the use of a known network besides its licence; empty for others."""
    entry = read_registry().models.get(name)
    return entry.terms if entry else ""


def describe(path: Path, registry: Registry) -> ModelSpec:
    """The spec of a network's file: registered by its SHA-256, else stated by a YAML of its name beside it.

    An OpenVINO export of ultralytics states its input in its own ``metadata.yaml``.
    """
    weights = weights_file(path)
    digest = file_sha256(weights)
    for name, entry in registry.models.items():
        if digest in entry.files.values():
            return entry.spec(name, digest)
    card = path.with_suffix(".yaml")
    if card.is_file():
        return read_model(ModelEntry, card).spec(path.stem, digest)
    export = path.with_name("metadata.yaml")
    if path.suffix == ".xml" and export.is_file():
        return _exported(export, path.stem, digest)
    exported = "put the metadata.yaml of its export beside it, or " if path.suffix == ".xml" else ""
    raise InputError(
        f"{path.name}: nothing states this network's input",
        f"{exported}write {card} with these fields:\n{TEMPLATE}",
    )


class UltralyticsExport(BaseModel):
    """What ultralytics writes beside a network that it exports, as far as it matters here."""

    task: str
    imgsz: tuple[PositiveInt, PositiveInt]
    names: dict[int, str]
    license: str = "not stated"


def _exported(card: Path, name: str, identity: str) -> ModelSpec:
    """The spec of an ultralytics export, whose networks take RGB in 0..1."""
    export = read_model(UltralyticsExport, card)
    if export.task != "detect" or export.names.get(0) != "person":
        raise InputError(
            f"{card}: no detector of persons (task {export.task}, class 0 is {export.names.get(0, 'missing')})",
            "give a network of the task detect whose class 0 is person",
        )
    return ModelSpec(
        name=name,
        kind="detector",
        family="yolo",
        identity=identity,
        input=InputSpec(export.imgsz, scale=255.0),
        licence=export.license,
    )


def is_registered(path: Path, registry: Registry) -> bool:
    """Whether the registry knows this very file by its SHA-256."""
    digest = file_sha256(weights_file(path))
    return any(digest in entry.files.values() for entry in registry.models.values())


def network_file(path: Path) -> Path:
    """The file to load of a path that a user gave: an ONNX, an IR's XML (or its folder), a PyTorch checkpoint."""
    if path.is_dir():
        found = sorted([*path.glob("*.xml"), *path.glob("*.onnx")])
        if len(found) != 1:
            raise InputError(f"{path}: {len(found)} networks (*.xml, *.onnx) in it", "name the one file to load")
        return found[0]
    if not path.exists():
        raise MissingError(f"{path}: no such network", "give the path of an .onnx, .xml or .pt file")
    if path.suffix not in {".xml", ".onnx", ".pt"}:
        raise InputError(f"{path.name}: not a network that vidreid can load", "give an .onnx, .xml or .pt file")
    return path


def weights_file(path: Path) -> Path:
    """The file that holds the numbers: the .bin of an IR, else the network's file itself."""
    weights = path.with_suffix(".bin") if path.suffix == ".xml" else path
    if not weights.is_file():
        raise MissingError(f"{weights.name}: missing beside {path.name}", f"put it into {path.parent}")
    return weights
