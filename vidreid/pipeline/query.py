"""How somebody to look for is named: by pictures, by a tracklet, in a clip, or by where they stood at some time."""

from __future__ import annotations

import contextlib
import difflib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.compute as pc

from vidreid.errors import InputError, UsageError
from vidreid.footage.cameras import NAME, read_site
from vidreid.identity.splitting import Look
from vidreid.pipeline.index import open_index
from vidreid.pipeline.looks import looks_of
from vidreid.pipeline.moments import Moment, frame_at
from vidreid.pipeline.networks import Tools, find_networks
from vidreid.pipeline.person import Clip, Person, Picture
from vidreid.pipeline.plan import camera_of
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options, settled
from vidreid.pipeline.run import run as run_pipeline
from vidreid.settings import Settings, check_model
from vidreid.store.folder import RunFolder, RunRecord
from vidreid.tracklets.runs import Cut, StoredCrop, cut_crop, encode, shrink
from vidreid.types import Array, Frame, Image

Point = tuple[float, float]
Note = Callable[[str], None]
SURE = 0.5  # score of the detector from which a picture is said to show a person
UPRIGHT = 1.2  # height over width from which a picture in which nobody is found is taken for a person


@dataclass(frozen=True)
class Seen:
    """Somebody in a frame: their tracklet, and their ``box`` (4,) in pixels of it."""

    tracklet: str
    identity: str | None
    box: Array

    @property
    def middle(self) -> Point:
        """A point (x, y) by which they can be named."""
        x1, y1, x2, y2 = map(float, self.box)
        return (x1 + x2) / 2, (y1 + y2) / 2

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        box = [round(float(side), 1) for side in self.box]
        return {"tracklet": self.tracklet, "identity": self.identity, "box": box}


@dataclass(frozen=True)
class Scene:
    """Everybody in frame ``frame`` of a camera, from left to right."""

    camera: str
    frame: int
    people: tuple[Seen, ...]

    def under(self, point: Point) -> Seen:
        """Who is at a point (x, y); `InputError` says where everybody is if nobody is there."""
        return self.people[at_point(np.array([one.box for one in self.people]), point, f"{self.camera}")]


@contextlib.contextmanager
def opened_tools(run: Run, *, offline: bool, note: Note) -> Iterator[Tools]:
    """A run's own networks; `MissingError` where they are not on this machine."""
    record = RunFolder(run.path).read()
    settings = _settings(record)
    cameras = {camera.name: camera_of(camera) for camera in record.cameras}
    networks = find_networks(settings, cameras, offline=offline, announce=note)
    tools = Tools(networks, settings, streams=1)
    try:
        yield tools
    finally:
        tools.close()


def _settings(record: RunRecord) -> Settings:
    """A run's settings with the networks that it was made with."""
    return settled(check_model(Settings, record.settings, "settings"), record.networks)


def embed_person(run: Run, person: Person, network: str, *, offline: bool, note: Note) -> Person:
    """The person with vectors of the network that made those of a run, from its pictures.

    `InputError` where the run's settings lead to another one by now: vectors of two networks cannot be compared.
    """
    with opened_tools(run, offline=offline, note=note) as tools:
        found = tools.networks.identities.embedder
        if found["network"] != network:
            raise InputError(
                f"{run.path}: its vectors are of another network than {found['name']} on this machine",
                f"vidreid match {run.path}",
            )
        clips = [[picture.crop() for picture in clip.pictures] for clip in person.clips]
        return person.with_vectors(network, tools.embedder().embed(clips))


def of_pictures(run: Run, paths: Sequence[Path], point: Point | None, *, offline: bool, note: Note) -> Person:
    """The person of some pictures, each a clip of its own; found by the run's detector, or the whole of an upright one.

    Several people in a picture are an `InputError` that numbers them, unless ``point`` (x, y) says who is meant.
    """
    with opened_tools(run, offline=offline, note=note) as tools:
        return Person(tuple(Clip((_picture(tools, path, point, note),), {"file": path.name}) for path in paths))


def _picture(tools: Tools, path: Path, point: Point | None, note: Note) -> Picture:
    image = read_picture(path)
    boxes, scores = _found(tools, image)
    if not len(boxes):
        return _whole(tools, path, image, note)
    if len(boxes) > 1 and point is None:
        raise InputError(
            f"{path.name}: shows {len(boxes)} people: {_numbered(boxes)}", "say which one: --point X,Y (in the picture)"
        )
    which = 0 if point is None else at_point(boxes, point, path.name)
    frame = Frame("picture", 0, 0, 0, 0.0, image)
    settings = tools.settings.crops
    cut = Cut(settings.margin, settings.longest, settings.jpeg)
    crop = cut_crop(frame, boxes[which], 1.0, float(scores[which]), cut)
    if crop is None:
        raise InputError(f"{path.name}: the person in it is no whole pixel large", "give a larger picture")
    return _stored(crop)


def read_picture(path: Path) -> Image:
    """An RGB image of a file, turned upright as its camera says."""
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'not readable').lower()}", "check the path") from None
    try:
        image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    except cv2.error:  # more pixels than OpenCV takes
        image = None
    if image is None:
        raise InputError(f"{path.name}: no picture that can be read", "give a JPEG or PNG; of a video, use --video")
    return np.ascontiguousarray(image[..., ::-1], np.uint8)


def _found(tools: Tools, image: Image) -> tuple[Array, Array]:
    """Boxes (n, 4) and scores (n,) of the people in a picture, from left to right."""
    if tools.networks.detector is None:  # the demo world's oracle sees no pixels
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    [(_, found)] = tools.detector().detect(iter([Frame("picture", 0, 0, 0, 0.0, image)]))
    sure = found.take(np.flatnonzero(found.scores >= SURE))
    order = np.lexsort((sure.boxes[:, 1], sure.boxes[:, 0]))
    return sure.boxes[order], sure.scores[order]


def _whole(tools: Tools, path: Path, image: Image, note: Note) -> Picture:
    """An upright picture as the crop of one person."""
    tall, wide = image.shape[:2]
    if tall < UPRIGHT * wide:
        raise InputError(f"{path.name}: nobody was found in it", "give a picture in which the person is larger")
    note(f"{path.name}: nobody was found in it, so the whole picture is taken for the person")
    small, _ = shrink(image, tools.settings.crops.longest)
    jpeg = encode(small, tools.settings.crops.jpeg)
    return Picture(jpeg, (0.0, 0.0, float(small.shape[1]), float(small.shape[0])), 1.0)


def _stored(crop: StoredCrop) -> Picture:
    x1, y1, x2, y2 = map(float, crop.box)
    return Picture(crop.jpeg, (x1, y1, x2, y2), crop.quality)


def at_point(boxes: Array, point: Point, where: str) -> int:
    """The number of the box (n, 4) that holds a point, of several the one whose middle is nearest to it."""
    x, y = point
    inside = [i for i, (x1, y1, x2, y2) in enumerate(boxes) if x1 <= x < x2 and y1 <= y < y2]
    if not inside:
        there = f"people: {_numbered(boxes)}" if len(boxes) else "nobody is in the picture"
        raise InputError(f"{where}: nobody at {x:g},{y:g}", there)
    middles = (boxes[inside, :2] + boxes[inside, 2:]) / 2
    return inside[int(np.argmin(np.linalg.norm((middles - point) / (boxes[inside, 2:] - boxes[inside, :2]), axis=1)))]


def _numbered(boxes: Array) -> str:
    """People with the points by which they can be named."""
    middles = np.rint((boxes[:, :2] + boxes[:, 2:]) / 2).astype(int).tolist()
    return ", ".join(f"{number}. at {x},{y}" for number, (x, y) in enumerate(middles, start=1))


def of_tracklet(run: Run, name: str) -> Person:
    """The person of a run's tracklet, as its pictures and vectors are stored."""
    rows = run.tracklets()
    found = rows.filter(pc.equal(rows["tracklet"], name)).to_pylist()
    if not found:
        near = difflib.get_close_matches(name, rows["tracklet"].to_pylist(), n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else "its names stand in the column tracklet of `export`"
        raise InputError(f"no tracklet {name!r} in {run.path}", hint)
    network = open_index(run).network
    crops = run.crops([name]).to_pylist()
    clips = [(look, _clip(run, name, crops, look)) for look in looks_of(run, found)[name]]
    clips = [(look, clip) for look, clip in clips if clip.pictures]
    if not clips:
        raise InputError(f"{name}: no picture of it is good enough to compare", "choose a longer one of this person")
    return Person(tuple(clip for _, clip in clips), {network: np.stack([look.vector for look, _ in clips])})


def _clip(run: Run, name: str, crops: Sequence[dict[str, Any]], look: Look) -> Clip:
    """The stored pictures of a look."""
    own = [row for row in crops if look.first <= row["frame"] <= look.last]
    pictures = [
        Picture(row["jpeg"], (row["x1"], row["y1"], row["x2"], row["y2"]), row["quality"], row["frame"]) for row in own
    ]
    source = {"run": run.path.name, "tracklet": name}
    if own:
        source["time"] = own[0]["time"].isoformat() if own[0]["time"] else f"+{own[0]['elapsed_s']:.2f} s"
    return Clip(tuple(pictures), source, (str(run.path.resolve()), name))


def of_clip(run: Run, path: Path, point: Point | None, *, offline: bool, note: Note) -> Person:
    """The person who is longest in view in a video file, or longest at ``point`` (x, y) of its picture.

    The clip is run as a camera of its own, in a folder that is gone afterwards, with the settings and networks of
    ``run``.
    """
    record = RunFolder(run.path).read()
    word = str(path) if NAME.fullmatch(path.stem) else f"clip={path}"
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder(Path(name) / "clip")
        settings = _settings(record).model_dump()
        reporter = Silent()
        run_pipeline(folder, read_site([word]), settings, Options(offline=offline), reporter)
        clip = Run(folder.path)
        tracklet = _longest(clip, path, point)
        if clip.tracklets().num_rows > 1 and point is None:
            note(
                f"{path.name}: of {clip.tracklets().num_rows} sightings the longest is taken; --point X,Y says another"
            )
        person = of_tracklet(clip, tracklet)
    clips = tuple(Clip(one.pictures, {"file": path.name, **_time(one)}) for one in person.clips)
    return Person(clips, person.vectors)


def _time(clip: Clip) -> dict[str, str]:
    return {"time": clip.source["time"]} if "time" in clip.source else {}


def _longest(clip: Run, path: Path, point: Point | None) -> str:
    """The tracklet of most boxes, at a point where one is given."""
    (camera,) = clip.cameras
    boxes = clip.boxes(camera)
    if not len(boxes):
        raise InputError(f"{path.name}: nobody was found in it", "give a clip in which the person is larger")
    if point is not None:
        x, y = point
        inside = [pc.less_equal(boxes["x1"], x), pc.greater(boxes["x2"], x)]
        inside += [pc.less_equal(boxes["y1"], y), pc.greater(boxes["y2"], y)]
        boxes = boxes.filter(pc.and_(pc.and_(inside[0], inside[1]), pc.and_(inside[2], inside[3])))
        if not len(boxes):
            raise InputError(
                f"{path.name}: nobody passes {x:g},{y:g}", "leave out --point: the longest in view is taken"
            )
    names, counts = np.unique(boxes["tracklet"].to_numpy(zero_copy_only=False).astype(str), return_counts=True)
    return str(names[counts.argmax()])


def scene_at(run: Run, camera: str, moment: Moment) -> Scene:
    """Everybody whom a run followed in the frame of a camera at a moment."""
    if camera not in run.cameras:
        raise UsageError(f"no camera {camera!r} in {run.path}", f"cameras: {', '.join(run.cameras)}")
    frame = frame_at(run, camera, moment)
    boxes = run.boxes(camera)
    rows = boxes.filter(pc.equal(boxes["frame"], frame)).to_pylist()
    people = [
        Seen(row["tracklet"], row["identity"], np.array([row[side] for side in ("x1", "y1", "x2", "y2")]))
        for row in rows
    ]
    return Scene(camera, frame, tuple(sorted(people, key=lambda one: (*one.box.tolist(), one.tracklet))))
