"""Under which terms a run was made: code, weights, and the data that these were made from. Facts, no legal advice."""

from __future__ import annotations

import contextlib
import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageMetadata
from pathlib import Path
from typing import Any

from vidreid import __version__
from vidreid.engines.card import Card, read_card
from vidreid.engines.folder import cache, engine_folders
from vidreid.engines.registry import Kind, describe, network_file, read_registry
from vidreid.errors import VidreidError
from vidreid.pipeline.cards import card_of
from vidreid.settings import Settings, check_model
from vidreid.store.folder import RunFolder, RunRecord

OWN = "AGPL-3.0-or-later"
NOT_STATED = "not stated"
EXTRAS = frozenset({"onnxruntime", "tensorrt", "tensorrt-rtx"})
"""Runtimes that are distributions of their own, which vidreid does not require."""
OLDER = ("License", "Classifier")


@dataclass(frozen=True)
class Code:
    """An installed distribution, and its licence as its own metadata states it."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True)
class Weights:
    """A network of a run, or what stands in for one: the SHA-256 of its weights, and their terms.

    ``engine``: the precision of the engine that was built of it, or the hash of its file where ranges were measured.
    """

    kind: Kind
    name: str
    sha256: str
    runtime: str
    engine: str
    licence: str
    terms: str


@dataclass(frozen=True)
class Data:
    """Data that something of the run was made from, and what is known of its terms."""

    used_for: str
    terms: str


@dataclass(frozen=True)
class Licences:
    """Everything whose terms bind a run and what comes of it."""

    code: list[Code]
    weights: list[Weights]
    data: list[Data]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def licences(folder: RunFolder) -> Licences:
    """Code, weights and data of a run; the code's versions are those that are installed now."""
    record = folder.read()
    weights = weights_of(record)
    runtimes = sorted(EXTRAS.intersection(one.runtime for one in weights))
    return Licences([*_code("vidreid", *runtimes), *_ffmpeg()], weights, list(_data(weights)))


def weights_of(record: RunRecord) -> list[Weights]:
    """The detector and the embedder of a run; empty before they were found."""
    settings = check_model(Settings, record.settings, "settings")
    wanted: dict[Kind, str] = {"detector": settings.detection.detector, "embedder": settings.embedding.embedder}
    return [_weights(kind, record.networks[kind], choice) for kind, choice in wanted.items() if kind in record.networks]


def _weights(kind: Kind, identity: Mapping[str, str], wanted: str) -> Weights:
    name, sha256 = identity["name"], identity["network"]
    engine, runtime = identity.get("engine", ""), identity.get("runtime", "")
    if name == sha256:  # colours, and the demo world's oracle, are code of our own
        return Weights(kind, name, "", "", "", OWN, "no network: part of vidreid")
    return Weights(kind, name, sha256, runtime, engine, *_terms(sha256, wanted))


def _terms(sha256: str, wanted: str) -> tuple[str, str]:
    """Licence and further terms of weights, by their hash: registered, of an engine here, or stated beside the file."""
    registry = read_registry()
    for entry in registry.models.values():
        if sha256 in entry.files.values():
            return entry.licence, entry.terms
    folders = [*engine_folders(cache()), *([Path(wanted)] if Path(wanted).is_dir() else [])]
    for card in _cards(folders):
        if card.weights.sha256 == sha256:
            return card.weights.licence, card.weights.terms
    try:
        spec = describe(network_file(Path(wanted).expanduser()), registry)
    except VidreidError:
        return NOT_STATED, "its file is not on this machine any more"
    return (spec.licence, "") if spec.identity == sha256 else (NOT_STATED, "its file has changed since")


def _cards(folders: Iterable[Path]) -> Iterator[Card]:
    for folder in folders:
        with contextlib.suppress(VidreidError):  # a damaged one states nothing
            yield read_card(folder)


def _data(weights: Iterable[Weights]) -> Iterator[Data]:
    """What networks and their cards were made from, and the footage itself."""
    for one in weights:
        if one.sha256:
            yield Data(f"weights of {one.name}", one.terms or NOT_STATED)
        if one.kind == "embedder":
            for line in card_of(one.name, 0, one.sha256 or None).made_from:
                yield Data(f"what a likeness of {one.name} means", line)
    yield Data("footage of this run", "those under which it was filmed and handed over")


def _code(*names: str) -> Iterator[Code]:
    """Distributions and all that they require, as far as they are installed: the first one first, then by name."""
    found: dict[str, Code] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            metadata = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = Code(name, metadata.version, licence_of(metadata.metadata))
        waiting += map(_name, filter(_is_always, metadata.requires or []))
    own = found.pop("vidreid", Code("vidreid", __version__, OWN))
    yield own
    yield from sorted(found.values(), key=lambda code: code.name)


def _name(requirement: str) -> str:
    """The distribution that a line of ``Requires-Dist`` names.

    >>> _name('PyYAML>=6,<7; python_version >= "3.9"')
    'pyyaml'
    """
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def _is_always(requirement: str) -> bool:
    """Whether it is no extra; what another system wants is not installed on this one."""
    return "extra" not in requirement.partition(";")[2]


def licence_of(metadata: PackageMetadata) -> str:
    """A distribution's licence: its expression, a short line of words, or its classifiers."""
    expression, words, classifiers = (metadata.get_all(key) or [] for key in ("License-Expression", *OLDER))
    # Some state the whole text as their words.
    short = [line.strip() for line in words if line.strip() and "\n" not in line.strip() and len(line) <= 60]
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]
    return ", ".join(expression or short or named) or NOT_STATED


def _ffmpeg() -> Iterator[Code]:
    """The FFmpeg that the wheel of PyAV carries, which that wheel's own licence does not speak of."""
    import av
    from av._core import library_meta

    terms = {library["license"] for library in library_meta.values()}
    yield Code("ffmpeg (inside av)", av.ffmpeg_version_info, ", ".join(sorted(terms)))
