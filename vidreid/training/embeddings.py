"""Where the vectors of a data set's tracklets come from: a file, a registered embedder, or a torch network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidreid import plugins
from vidreid.errors import MissingError
from vidreid.evaluation.distances import Metric, Vectors, prepared
from vidreid.evaluation.features import read_features, vectors_of, write_features
from vidreid.identity.card import Card
from vidreid.pipeline.cards import card_of
from vidreid.posix import cores
from vidreid.training.datasets import Dataset, Protocol, Tracklet
from vidreid.training.scoring import Say, embed, embed_tracklets


@dataclass(frozen=True)
class Source:
    """Makes the vectors of tracklets. ``system`` is its name in results.

    ``vectors`` gives (n, dim), a row of NaN for a tracklet of which no picture can be read, and says which pictures
    cannot; ``branches`` parts of a vector are normalised one by one. ``metric`` is the network's own, None where the
    data set's protocol decides. ``card`` gives what is known of the network by the length of its vectors; None where
    nobody says whose they are.
    """

    system: str
    vectors: Callable[[Dataset, Sequence[Tracklet], Protocol, Say], Vectors]
    branches: int = 1
    metric: Metric | None = None
    card: Callable[[int], Card] | None = None


def from_file(path: Path, embedder: str | None = None) -> Source:
    """The vectors in a file of features; see `vidreid.evaluation.features`.

    ``embedder`` says which network made them, as `from_embedder` takes it; its files need not be on this machine.
    """

    def vectors(dataset: Dataset, tracklets: Sequence[Tracklet], protocol: Protocol, say: Say) -> Vectors:
        paths, features = read_features(path)
        return vectors_of([tracklet.pictures for tracklet in tracklets], paths, features, protocol.distance)

    return Source(path.stem, vectors, card=None if embedder is None else _card_of(embedder))


def _card_of(wanted: str) -> Callable[[int], Card]:
    """The card of an embedder as `from_embedder` knows it."""
    from vidreid.embedding.colours import SPEC
    from vidreid.engines.registry import read_registry
    from vidreid.engines.weights import find_model

    if wanted == "colours":
        return lambda dim: card_of(SPEC.identity, dim)
    name = _named(wanted)
    if name in read_registry().models:
        return lambda dim: card_of(name, dim)
    spec = find_model(name, "embedder", offline=True, announce=lambda line: None).spec
    return lambda dim: card_of(spec.name, dim, spec.identity)


def _named(wanted: str) -> str:
    """What an embedder is called that may be asked for as ``shipped``."""
    from vidreid.engines.registry import shipped

    return (
        next(name for name, entry in shipped().items() if entry.kind == "embedder") if wanted == "shipped" else wanted
    )


def from_embedder(wanted: str) -> Source:
    """A registered embedder, the path of one, ``shipped`` for the package's own, or ``colours``.

    Nothing is downloaded: `MissingError` says where to put which file.
    """
    from vidreid.embedding.colours import Colours
    from vidreid.embedding.network import NetworkEmbedder
    from vidreid.engines.weights import find_model

    if wanted == "colours":

        def coloured(dataset: Dataset, tracklets: Sequence[Tracklet], protocol: Protocol, say: Say) -> Vectors:
            return embed(Colours(), dataset, tracklets, protocol.frames, say)

        return Source(wanted, coloured, card=_card_of(wanted))
    model = find_model(_named(wanted), "embedder", offline=True, announce=lambda line: None)
    runtime = plugins.load("engines.runtimes", "openvino")
    if reason := runtime.available():
        raise MissingError(f"runtime openvino: {reason}", "vidreid doctor says what this machine can run")

    def vectors(dataset: Dataset, tracklets: Sequence[Tracklet], protocol: Protocol, say: Say) -> Vectors:
        with contextlib.closing(runtime.load(model, streams=cores())) as engine:
            return embed(NetworkEmbedder(engine, model.spec), dataset, tracklets, protocol.frames, say)

    spec = model.spec
    return Source(spec.name, vectors, spec.branches, card=lambda dim: card_of(spec.name, dim, spec.identity))


def from_network(weights: Path, recipe: str | None = None, device: str = "cpu") -> Source:
    """A torch network by what `train` wrote of it; of anybody else's weights ``recipe`` says how it is built."""
    from vidreid.training.trained import open_network

    network, made = open_network(weights, recipe)
    network.to(device)

    def vectors(dataset: Dataset, tracklets: Sequence[Tracklet], protocol: Protocol, say: Say) -> Vectors:
        clip, size = made.data.frames, made.data.size
        return embed_tracklets(network, dataset, tracklets, size, clip=clip, frames=protocol.frames, say=say)

    # Every training calls its files alike; its folder is what tells them apart.
    own = weights.resolve().parent.name if weights.stem in {"weights", "checkpoint"} else weights.stem
    return Source(recipe or own, vectors, network.branches, network.metric)


def save_vectors(
    path: Path, tracklets: Sequence[Tracklet], vectors: Vectors, protocol: Protocol, branches: int
) -> None:
    """Write vectors as a file of features, as the protocol's distance compares them; rows of NaN are left out."""
    from vidreid.store.parts import write_atomic

    kept = np.flatnonzero(~np.isnan(vectors).all(1)).tolist()
    ready = prepared(vectors[kept], protocol.distance, branches)
    groups = [tracklets[number].pictures for number in kept]
    write_atomic(path, lambda file: write_features(file, groups, ready))
