"""The networks of a run in words: which they are, where they are from, and how to get a stronger one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vidreid.engines.load import EngineModel
from vidreid.engines.registry import Kind, read_registry
from vidreid.engines.weights import FileModel, first_at_hand, origin, stronger
from vidreid.pipeline.networks import Networks, runtime_for
from vidreid.settings import Settings


@dataclass(frozen=True)
class InUse:
    """A network of a run, or what stands in for one; ``origin`` says where it is from.

    ``stronger``: the network that would be taken instead, and what puts it in place, or what to do with files in its
    place that are others; empty where there is none, and where the user chose.
    """

    kind: Kind
    name: str
    origin: str
    runtime: str = ""
    stronger: str = ""

    @property
    def line(self) -> str:
        """What is in use, for people."""
        return f"{self.kind}: {self.name} ({self.origin}{', ' if self.runtime else ''}{self.runtime})"

    def lines(self) -> Iterator[str]:
        """The same, and how to get the stronger one."""
        yield self.line
        if self.stronger:
            yield f"stronger {self.kind}: {self.stronger}"

    def as_dict(self) -> dict[str, str]:
        """For ``--json``."""
        return dict(self.__dict__)


ORACLE = InUse("detector", "oracle", "the world's own truth, perturbed like a detector's output")
COLOURS = InUse("embedder", "colours", "colours of clothing, no network")


def in_use(networks: Networks, settings: Settings) -> list[InUse]:
    """The detector and the embedder of a run; ``settings`` as the user gave them, ``auto`` where nothing was chosen."""
    detector, embedder, runtimes = networks.detector, networks.embedder, networks.runtimes
    return [
        _of(detector, runtimes["detector"], settings.detection.detector) if detector else ORACLE,
        _of(embedder, runtimes["embedder"], settings.embedding.embedder) if embedder else COLOURS,
    ]


def _of(model: FileModel | EngineModel, runtime: str, wanted: str) -> InUse:
    if isinstance(model, EngineModel):
        return InUse(model.spec.kind, model.spec.name, f"engine {model.card.name}", runtime)
    name, kind = model.spec.name, model.spec.kind
    better = stronger(name, kind, read_registry()) if wanted == "auto" else ""
    return InUse(kind, name, origin(model.path), runtime, better)


def by_default() -> list[InUse]:
    """What a run would take on this machine where the user chooses nothing; a kind that is missing is left out."""
    registry = read_registry()
    found = [(kind, first_at_hand(kind, registry)) for kind in registry.order]
    return [
        InUse(kind, at[0], origin(at[1]), runtime_for(at[1]), stronger(at[0], kind, registry))
        for kind, at in found
        if at is not None
    ]
