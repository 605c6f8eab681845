"""Training of person detectors: what it is made of, and how it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidreid import plugins
from vidreid.errors import InputError, UsageError

if TYPE_CHECKING:
    from vidreid.training.detector.loop import DetectorTraining
    from vidreid.training.detector.material import Material
    from vidreid.training.detector.recipe import DetectorRecipe
    from vidreid.training.detector.sources import Part, Source
    from vidreid.training.place import Place
    from vidreid.training.recipe import Schedule

Say = Callable[[str], None]


@dataclass(frozen=True)
class Setup:
    """What a training of a detector is made of: ``teacher`` is the path or registered name of a detector that says
    where people are in pictures without labels; None: the labels alone."""

    recipe: DetectorRecipe
    sources: Sequence[Source]
    seed: int = 0
    teacher: Path | None = None

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UsageError(f"seed {self.seed}", "give 0 or more")

    @property
    def schedule(self) -> Schedule:
        """How long it takes."""
        return self.recipe.schedule

    def prepare(self, place: Place, say: Say, *, fresh: bool) -> DetectorTraining:
        """A training at its first step; one that is not ``fresh`` takes its weights from a checkpoint."""
        from vidreid.training.detector.loop import DetectorTraining
        from vidreid.training.detector.material import gather
        from vidreid.training.detector.network import begin, open_teacher
        from vidreid.training.reid import identity_of

        recipe = self.recipe
        network = begin(recipe.architecture, recipe.start if fresh else "", self.seed, say)
        teacher = open_teacher(self.teacher, place.device) if self.teacher else None
        material = gather(self.sources, recipe.data)
        _tell(self.sources, material, say)
        name = identity_of(str(self.teacher)) if self.teacher else ""
        return DetectorTraining(
            network, recipe, material, place=place, seed=self.seed, teacher=teacher, teacher_name=name
        )

    def write(self, training: DetectorTraining, path: Path) -> None:
        """The result of a training as one file."""
        from vidreid.training.trained import write_weights

        write_weights(path, training.result, self.recipe)

    def after(self, weights: Path) -> str:
        """What one does next with the result."""
        return (
            f"next: vidreid pack {weights} --output my-detector, and vidreid evaluate detection --detector my-detector"
        )


def set_up(
    config: str,
    data: Sequence[str],
    strangers: Sequence[str] = (),
    changes: Sequence[str] = (),
    *,
    seed: int = 0,
    teacher: str = "",
    backbone_weights: Path | None = None,
    split: int = 1,
) -> Setup:
    """A `Setup` from the words of a command line: ``data`` are ``LAYOUT=ROOT`` of labelled pictures, ``strangers``
    of pictures whose labels are not read."""
    from vidreid.training.detector.recipe import read_detector_recipe

    if backbone_weights or split != 1:
        raise UsageError("a detector has neither --backbone-weights nor --split", "leave them out")
    recipe = read_detector_recipe(config, changes)
    if strangers and not teacher:
        raise UsageError("nobody says who is in pictures without labels", "--teacher yolo26n")
    if recipe.losses.features and not teacher:
        raise UsageError("the recipe learns from a teacher's features", "--teacher yolo26n, or --set losses.features=0")
    sources = [open_data(one, "train") for one in data]
    if not teacher:
        sources = [labelled(source) for source in sources]
    sources += [unlabelled(open_data(one, "train")) for one in strangers]
    return Setup(recipe, sources, seed, teacher_file(teacher) if teacher else None)


def open_data(wanted: str, part: Part) -> Source:
    """Pictures named ``LAYOUT=ROOT``, or by ROOT alone: a YOLO layout where there is a data.yaml, else footage."""
    named, found, root = wanted.partition("=")
    if not found:
        root, named = wanted, _layout(Path(wanted).expanduser())
    known = plugins.names("training.detector.sources")
    if named not in known:
        raise UsageError(f"no layout {named!r}", f"layouts: {', '.join(known)}")
    path = Path(root).expanduser()
    if not path.exists() and named != "world":
        raise InputError(f"{root}: no such file or folder", "check the path")
    source: Source = plugins.load("training.detector.sources", named).open_source(path, part)
    return source


def _layout(root: Path) -> str:
    from vidreid.training.datasets._files import tar_stem

    listed = tar_stem(root) or root.suffix == ".yaml" or (root / "data.yaml").is_file()
    return "yolo" if listed else "footage"


def labelled(source: Source) -> Source:
    """Its labelled pictures alone."""
    kept = tuple(picture for picture in source.pictures if picture.boxes is not None)
    left = len(source.pictures) - len(kept)
    notes = (f"{left} pictures without labels left out, for want of a teacher",) if left else ()
    return replace(source, pictures=kept, notes=(*source.notes, *notes))


def unlabelled(source: Source) -> Source:
    """The same pictures, as if nobody had labelled them."""
    return replace(source, pictures=tuple(replace(picture, boxes=None) for picture in source.pictures))


def teacher_file(wanted: str) -> Path:
    """The file of a detector by its path or registered name."""
    path = Path(wanted).expanduser()
    if path.suffix == ".pt":
        return path
    from vidreid.engines.weights import find_model

    found: Any = find_model(wanted, "detector", offline=True, announce=lambda line: None)
    return Path(found.path)


def _tell(sources: Sequence[Source], material: Material, say: Say) -> None:
    for source in sources:
        for line in source.notes:
            say(f"{source.name}: {line}")
    boxes = sum(len(picture.boxes) for picture in material.pictures if picture.boxes is not None)
    say(f"{len(material.pictures)} pictures, {boxes} labelled people")
    for name in material.skipped[:10]:
        say(f"skipped, cannot be decoded: {name}")
    if len(material.skipped) > 10:
        say(f"skipped: {len(material.skipped) - 10} more")
