"""Every value that walks through the house, and the interfaces between its rooms.

NumPy and the standard library only. Conventions (all rooms):

- A *frame index* is a frame's rank by time among the frames that `ingest` found in its camera.
- *Boxes* are ``x1, y1, x2, y2`` float32 in pixels of the upright frame, origin at the top left corner
  of the top left pixel, x2 and y2 exclusive.
- *Images* are ``uint8``, H x W x 3, RGB.
- *Times* are seconds within one file as its presentation timestamps say, never index / rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Boxes = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Reading:
    """A burned-in stamp that somebody read: ``seconds`` after the first frame of file number ``file`` it showed
    ``shows_us``, UTC microseconds."""

    file: int
    seconds: float
    shows_us: int


@dataclass(frozen=True, slots=True)
class Clock:
    """A camera's wall clock: UTC microseconds at which each file starts, then one correction for all.

    ``starts`` has one entry a file; None after the first means that the file goes on where the one before it ended.
    ``readings`` of stamps move and stretch that line onto themselves. ``offset_us`` is added; ``drift_ppm`` stretches
    the time since the first start. Without a first start and without a reading the clock is unknown.
    """

    starts: tuple[int | None, ...]
    offset_us: int = 0
    drift_ppm: float = 0.0
    readings: tuple[Reading, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.readings) or (bool(self.starts) and self.starts[0] is not None)


Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What of its files' pictures belongs to a camera, and where people count.

    ``view`` (x, y, width, height) is its share of the upright picture, as on a quad screen; None: all of it.
    ``include`` and ``ignore`` are polygons (x, y) in the view, all in fractions 0..1: a box counts where its foot
    point is in one of ``include``, where there are any, and in none of ``ignore``. ``aspect`` is width over height
    of the whole picture as it should be seen; None: as the file says.
    """

    view: tuple[float, float, float, float] | None = None
    include: tuple[Polygon, ...] = ()
    ignore: tuple[Polygon, ...] = ()
    aspect: float | None = None


WHOLE = Scene()


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as the user named it: its files in order of time, its clock, and what it sees."""

    name: str
    files: tuple[Path, ...]
    clock: Clock
    scene: Scene = WHOLE


@dataclass(frozen=True)
class VideoFile:
    """One footage file as `ingest` found it, frames in order of time.

    ``pts`` (n,) int64 ticks of ``time_base``, increasing within a stretch; ``key`` (k,) positions of key frames;
    ``stretches`` positions where time jumps back and a new stretch begins (the first is 0). ``width`` and
    ``height`` are those of the camera's upright picture in true proportions; where that is a ``view`` of a larger one,
    its left and upper edge there, and that one's width and height, pixels. Positions count within this file;
    ``first`` is the frame index of position 0. ``timing`` says what ``pts`` are: true presentation times; times in
    order of storage, though pictures are reordered (AVI); or frames counted at the rate that the header claims.
    ``reordering`` is how many places a picture may be displayed before its place of storage.
    """

    sha256: str
    bytes: int
    codec: str
    width: int
    height: int
    rotation: int
    pixel_aspect: Fraction
    time_base: Fraction
    pts: NDArray[np.int64]
    key: NDArray[np.int64]
    stretches: NDArray[np.int64]
    first: int
    timing: Literal["presentation", "storage", "counted"] = "presentation"
    reordering: int = 0
    notes: tuple[str, ...] = ()
    interlaced: bool = False
    view: tuple[int, int, int, int] | None = None

    def seconds(self, position: int) -> float:
        """Presentation time of a frame of this file."""
        return float(int(self.pts[position]) * self.time_base)


@dataclass(frozen=True, slots=True)
class Segment:
    """Some minutes of one camera: frame indices ``[first, stop)`` are read, ``[own_first, own_stop)`` are owned.

    What is read and not owned serves only the join with the neighbour at the seam.
    """

    camera: str
    number: int
    file: int
    first: int
    stop: int
    own_first: int
    own_stop: int

    @property
    def name(self) -> str:
        return f"{self.number:05d}"


class Picture(Protocol):
    """A decoded picture that is turned into RGB when somebody asks for it; ``width`` and ``height`` upright."""

    width: int
    height: int

    def rgb(self) -> Image: ...

    def luma(self, width: int) -> NDArray[np.uint8]:
        """Brightness of at most ``width`` pixels across, as stored (perhaps not upright); cheap."""


class Frame:
    """A picture of a camera. ``pts`` in ticks of its file, ``time`` the same in seconds."""

    __slots__ = ("_image", "camera", "file", "index", "picture", "pts", "time")

    def __init__(
        self,
        camera: str,
        index: int,
        file: int,
        pts: int,
        time: float,
        image: Image | None = None,
        *,
        picture: Picture | None = None,
    ) -> None:
        """Give the ``image``, or a ``picture`` to make it of."""
        self.camera = camera
        self.index = index
        self.file = file
        self.pts = pts
        self.time = time
        self.picture = picture
        self._image = image

    @property
    def image(self) -> Image:
        """Its pixels, made when they are first asked for."""
        if self._image is None:
            assert self.picture is not None
            self._image = self.picture.rgb()
        return self._image

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, without making the image."""
        if self._image is not None or self.picture is None:
            return int(self.image.shape[0]), int(self.image.shape[1])
        return self.picture.height, self.picture.width

    def luma(self, width: int) -> NDArray[np.uint8]:
        """Its brightness at no more than ``width`` pixels across, without making the image; perhaps not upright."""
        if self.picture is not None:
            return self.picture.luma(width)
        side = -(-self.size[1] // width)
        grey = self.image.mean(2)[: self.size[0] // side * side, : self.size[1] // side * side]
        return np.asarray(grey.reshape(len(grey) // side, side, -1, side).mean((1, 3)), np.uint8)


@dataclass(frozen=True, slots=True)
class Detections:
    """Persons found in one frame: ``boxes`` (n, 4), ``scores`` (n,) in 0..1, ``vectors`` (n, dim) where asked for."""

    boxes: Boxes
    scores: NDArray[np.float32]
    vectors: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.boxes.shape != (count, 4) or (self.vectors is not None and len(self.vectors) != count):
            raise ValueError(f"{count} scores, boxes of shape {self.boxes.shape}")

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: Array) -> Detections:
        """The rows of a mask or of a list of positions."""
        vectors = None if self.vectors is None else self.vectors[rows]
        return Detections(self.boxes[rows], self.scores[rows], vectors)


@dataclass(frozen=True, slots=True)
class Tracked:
    """A tracker's answer for one frame: ``boxes`` (n, 4), local ``ids`` (n,), ``rows`` (n,) into its detections."""

    boxes: Boxes
    ids: NDArray[np.int64]
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Crop:
    """A picture of one person: ``image`` with a margin, ``box`` (4,) of the person within it, ``quality`` 0..1."""

    image: Image
    box: Boxes
    quality: float
    frame: int = -1


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a network wants: ``size`` (height, width), colour order, value range, mean and std of that range."""

    size: tuple[int, int]
    color: Literal["rgb", "bgr"] = "rgb"
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A network as its registry entry states it. ``identity`` is the SHA-256 of its weights.

    ``frames`` is T, the crops of a clip (1 for image networks); ``branches`` parts of the vector are normalised
    one by one; ``threshold`` is the cosine under which two looks of a track may be two people, None where not stated;
    ``score`` is the one from which a detector's boxes are worth tracking, None where not stated; ``suppress`` the IoU
    from which one of its boxes hides a fainter one, None where each person comes once. ``sizes``: every size (height,
    width) of pictures that the network takes, where there are several; ``input.size`` is the usual one.
    """

    name: str
    kind: Literal["detector", "embedder"]
    family: str
    identity: str
    input: InputSpec
    frames: int = 1
    dim: int = 0
    branches: int = 1
    metric: Literal["cosine"] = "cosine"
    threshold: float | None = None
    score: float | None = None
    suppress: float | None = None
    licence: str = "not stated"
    sizes: tuple[tuple[int, int], ...] = ()


class Model(Protocol):
    """A network that a runtime can turn into an engine.

    ``precision`` is what it was built for: fp32, bf16, fp16 or int8; empty where the runtime chooses.
    """

    @property
    def spec(self) -> ModelSpec: ...

    @property
    def path(self) -> Path: ...

    @property
    def precision(self) -> str: ...

    def module(self) -> Any:
        """The torch module (only the torch runtime calls this)."""


class Engine(Protocol):
    """A compiled network: named arrays in, named arrays out.

    Inputs are uint8 images, N x H x W x 3, RGB, or clips of T of them, N x T x H x W x 3.
    """

    inputs: Mapping[str, tuple[int, ...]]
    outputs: Sequence[str]

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]: ...

    def submit(self, arrays: Mapping[str, Array]) -> Future[dict[str, Array]]:
        """Start a batch; blocks while every slot of the engine is busy."""

    def close(self) -> None: ...


class Runtime(Protocol):
    """A file of `engines/runtimes`. Threads per stream are fixed, so that results do not depend on ``streams``."""

    def available(self) -> str | None:
        """None, or the reason why this machine cannot run it."""

    def load(self, model: Model, *, streams: int, batch: int = 1, threads: int = 1) -> Engine:
        """``streams`` batches at a time of ``batch`` pictures or clips each, on ``threads`` each (CPUs)."""

    def usual_batch(self, model: Model) -> int:
        """Pictures or clips at a time in a run; 1 where streams of single ones are as fast."""


class Detector(Protocol):
    """Finds persons. Frames go in and come out in order, with a bounded number of them under way."""

    def detect(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]: ...


class Tracker(Protocol):
    """Made new for every segment; its local ids start anew."""

    def update(self, detections: Detections, frame: Frame) -> Tracked: ...


class Embedder(Protocol):
    """Clips of crops in order of time to unit vectors, float32 (n, dim)."""

    spec: ModelSpec

    def embed(self, clips: Sequence[Sequence[Crop]]) -> NDArray[np.float32]: ...


class Reporter(Protocol):
    """Where progress goes. ``total`` and ``count`` are frames, or parts where a stage has no frames."""

    def start(self, stage: str, totals: Mapping[str, int]) -> None: ...

    def advance(self, camera: str, count: int) -> None: ...

    def note(self, line: str) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one piece of work ended: its key, its value, or the line that says why there is none."""

    key: str
    value: Any = None
    error: str = ""
    hint: str = ""


class Executor(Protocol):
    """Runs pieces of work wherever it does, and yields outcomes as they finish."""

    def map(
        self, function: Callable[..., Any], work: Mapping[str, tuple[Any, ...]], advance: Callable[[str, int], None]
    ) -> Iterator[Outcome]: ...


@dataclass(frozen=True, slots=True)
class Damage:
    """What of a camera could not be analysed: frame indices ``[first, stop)``, and why."""

    camera: str
    first: int
    stop: int
    reason: str = field(default="")
