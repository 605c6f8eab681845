"""The networks and the tracker of a run: found before any footage is read, opened where the work is done."""

from __future__ import annotations

import difflib
import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
from pydantic import Field

from vidreid import plugins
from vidreid.detection.letterbox import best_size
from vidreid.engines.batching import Batched
from vidreid.engines.load import EngineModel, load_engine
from vidreid.engines.registry import Kind
from vidreid.engines.weights import FileModel, find_model
from vidreid.errors import InputError, MissingError
from vidreid.footage.hardware import acceleration
from vidreid.pipeline.engine_choice import Progress, automatic_engine, named_engine
from vidreid.resources import carried
from vidreid.settings import DetectionSettings, EmbeddingSettings, Section, Settings, read_model
from vidreid.types import Camera, Detector, Embedder, Engine, Runtime, Tracker

LEAST_SCORE = 0.05  # of boxes, where neither the user nor the detector's entry says another


class TrackerFile(Section):
    """A YAML of configs/trackers: the library, its tracker, and that tracker's own options."""

    library: str
    name: str
    options: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Identities:
    """What makes the parts what they are; kept in the run's record, so that planning needs no network at hand.

    ``appearance``: the tracker compares vectors of the embedder. ``threshold``: the cosine measured for it.
    ``score``: the one stated for the detector; runs of older programs do not hold it.
    """

    detector: dict[str, str]
    embedder: dict[str, str]
    tracker: dict[str, Any]
    appearance: bool
    threshold: float | None
    score: float | None = None


@dataclass(frozen=True)
class Networks:
    """What a run uses; travels to the workers. ``detector`` None is the demo world's oracle, ``embedder`` None
    the colours of clothing."""

    detector: FileModel | EngineModel | None
    embedder: FileModel | EngineModel | None
    tracker: TrackerFile
    runtimes: Mapping[str, str]
    truth: Mapping[str, Path] = field(default_factory=dict)

    @functools.cached_property
    def tracker_needs_vectors(self) -> bool:
        """Whether the tracker compares appearance."""
        library = plugins.load("tracking", self.tracker.library)
        return bool(library.needs_vectors(self.tracker.name, self.tracker.options))

    @property
    def identities(self) -> Identities:
        """What of all this goes into fingerprints."""
        threshold = self.embedder.spec.threshold if self.embedder else _colours().SPEC.threshold
        return Identities(
            detector=_identity(self.detector, self.runtimes["detector"], "oracle-1"),
            embedder=_identity(self.embedder, self.runtimes["embedder"], _colours().SPEC.identity),
            tracker=self.tracker.model_dump(),
            appearance=self.tracker_needs_vectors,
            threshold=threshold,
            score=self.detector.spec.score if self.detector else None,
        )


def _identity(model: FileModel | EngineModel | None, runtime: str, otherwise: str) -> dict[str, str]:
    if model is None:
        return {"name": otherwise, "network": otherwise}
    found = {"name": model.spec.name, "network": model.spec.identity, "runtime": runtime}
    if isinstance(model, EngineModel):
        # Built again for another version it is the same engine, unless its ranges were measured.
        found["engine"] = next(iter(model.card.files.values())) if model.precision == "int8" else model.precision
    suppress = model.spec.suppress
    return found if suppress is None else {**found, "suppress": str(suppress)}


def find_networks(
    settings: Settings,
    cameras: Mapping[str, Camera],
    *,
    offline: bool = False,
    trust: bool = False,
    announce: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda words, share: None,
) -> Networks:
    """Find and check everything that the stages will open; `MissingError` says where to put which file.

    With ``engine: auto`` engines that are missing are built, of which ``progress`` is told.
    """
    acceleration(settings.decoding.decoder)
    find = functools.partial(_find, offline=offline, announce=announce, progress=progress)
    truth: dict[str, Path] = {}
    detector = embedder = None
    if settings.detection.detector == "oracle":
        truth = {name: _truth(camera) for name, camera in cameras.items()}
    else:
        detector = find(settings.detection, settings.detection.detector, "detector")
    if settings.embedding.embedder != "colours":
        embedder = find(settings.embedding, settings.embedding.embedder, "embedder")
    runtimes = {
        "detector": _runtime(settings.detection.runtime, detector),
        "embedder": _runtime(settings.embedding.runtime, embedder),
    }
    if trust:
        detector, embedder = (one and replace(one, trusted=True) for one in (detector, embedder))
    return Networks(detector, embedder, find_tracker(settings.tracking.tracker), runtimes, truth)


def _find(
    section: DetectionSettings | EmbeddingSettings,
    wanted: str,
    kind: Kind,
    *,
    offline: bool,
    announce: Callable[[str], None],
    progress: Progress,
) -> FileModel | EngineModel:
    """The engine that is named; else the network, or with ``engine: auto`` the engine for this machine."""
    if engine := named_engine(wanted, kind, announce):
        return engine
    model = find_model(wanted, kind, offline=offline, announce=announce)
    if section.engine == "none":
        return model
    return automatic_engine(model, offline=offline, announce=announce, progress=progress) or model


def tracker_names() -> list[str]:
    """Names of configs/trackers."""
    return sorted(file.stem for file in (carried("configs") / "trackers").glob("*.yaml"))


def find_tracker(wanted: str) -> TrackerFile:
    """A tracker by name or by the path of its YAML, its options checked by its library."""
    path = Path(wanted) if wanted.endswith((".yaml", ".yml")) else carried("configs") / "trackers" / f"{wanted}.yaml"
    if path.suffix == ".yaml" and not wanted.endswith(".yaml") and wanted not in tracker_names():
        near = difflib.get_close_matches(wanted, tracker_names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(tracker_names())}"
        raise InputError(f"no tracker {wanted!r}", hint)
    found = read_model(TrackerFile, path)
    plugins.load("tracking", found.library).check(found.name, found.options)
    return found


def least_score(settings: Settings, stated: float | None) -> float:
    """The score from which boxes are tracked: the user's, else the one stated for the detector, else `LEAST_SCORE`."""
    return next(score for score in (settings.detection.score, stated, LEAST_SCORE) if score is not None)


def _truth(camera: Camera) -> Path:
    path = camera.files[0].parent / "gt" / f"{camera.name}.txt"
    if not path.is_file():
        raise InputError(f"{camera.name}: the oracle knows only the demo world", "choose a real --detector")
    return path


def _runtime(wanted: str, model: FileModel | EngineModel | None) -> str:
    """The runtime's name; `MissingError` where this machine lacks it."""
    if model is None:
        return "none"
    if isinstance(model, EngineModel):
        if wanted not in {"auto", model.card.runtime}:
            raise InputError(f"{model.card.name}: an engine of {model.card.runtime}", f"leave --runtime {wanted} out")
        return model.card.runtime
    name = wanted if wanted != "auto" else runtime_for(model.path)
    reason = plugins.load("engines.runtimes", name).available()
    if reason:
        raise MissingError(f"runtime {name}: {reason}", "vidreid doctor says what this machine can run")
    return name


def runtime_for(path: Path) -> str:
    """The runtime that ``auto`` takes for a network's file."""
    return "torch" if path.suffix == ".pt" else "openvino"


def _colours() -> Any:
    from vidreid.embedding import colours

    return colours


class Tools:
    """The opened networks of one worker: engines are made at first use and shared by its streams."""

    def __init__(self, networks: Networks, settings: Settings, streams: int) -> None:
        self.networks = networks
        self.settings = settings
        self._streams = streams
        self._engines: dict[tuple[str, tuple[int, int]], Engine] = {}
        self._opening = threading.Lock()
        # The engine's streams have all cores; OpenCV's own threads would only take them away.
        self._opencv_threads = cv2.getNumThreads()
        cv2.setNumThreads(1)

    def detector(self) -> Detector:
        """A detector around the worker's engines, one for each size of its network that pictures ask for."""
        model = self.networks.detector
        if model is None:
            from vidreid.detection.oracle import Oracle

            return Oracle(self.networks.truth)
        made: Detector = plugins.load("detection", model.spec.family).make(
            functools.partial(self._fitting, model),
            score=least_score(self.settings, model.spec.score),
            suppress=model.spec.suppress,
            tile=self.settings.detection.tile,
            ahead=2 * self._streams + 2,
        )
        return made

    def embedder(self) -> Embedder:
        """An embedder around the worker's one engine."""
        if self.networks.embedder is None:
            return _colours().Colours()  # type: ignore[no-any-return]
        from vidreid.embedding.network import NetworkEmbedder

        return NetworkEmbedder(self._engine("embedder", self.networks.embedder), self.networks.embedder.spec)

    def tracker(self, rate: float) -> Tracker:
        """A new tracker, for one segment; ``rate`` in frames a second."""
        library = plugins.load("tracking", self.networks.tracker.library)
        dim = self.embedder().spec.dim if self.networks.tracker_needs_vectors else None
        made: Tracker = library.make(self.networks.tracker.name, self.networks.tracker.options, rate=rate, dim=dim)
        return made

    def _fitting(self, model: FileModel | EngineModel, picture: tuple[int, int]) -> Engine:
        """The engine of that of the detector's sizes which a picture of this height and width fills best."""
        size = best_size(model.spec.sizes or (model.spec.input.size,), picture)
        spec = replace(model.spec, input=replace(model.spec.input, size=size))
        return self._engine("detector", replace(model, spec=spec))

    def _engine(self, role: str, model: FileModel | EngineModel) -> Engine:
        key = role, model.spec.input.size
        with self._opening:
            if key not in self._engines:
                self._engines[key] = self._load(plugins.load("engines.runtimes", self.networks.runtimes[role]), model)
            return self._engines[key]

    def _load(self, runtime: Runtime, model: FileModel | EngineModel) -> Engine:
        """CPUs compute picture by picture, a stream each; GPUs batches, which all streams fill together."""
        batch = runtime.usual_batch(model)
        streams = self._streams if batch == 1 else 1
        if isinstance(model, EngineModel):
            engine = load_engine(model, runtime, streams=streams, batch=batch)
        else:
            engine = runtime.load(model, streams=streams, batch=batch)
        return Batched(engine) if batch > 1 else engine

    def close(self) -> None:
        """Close the engines, and give OpenCV its threads back."""
        cv2.setNumThreads(self._opencv_threads)
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()
