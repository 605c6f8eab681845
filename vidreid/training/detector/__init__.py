"""Training of person detectors: what it is made of, and how it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vidreid import plugins
from vidreid.errors import UsageError
from vidreid.training.skipped import tell_skipped

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
    """What a training of a detector is made of: ``teacher`` is the registered name or the path of a detector that says
    where people are in pictures without labels; empty: the labels alone."""

    recipe: DetectorRecipe
    sources: Sequence[Source]
    seed: int = 0
    teacher: str = ""

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

        recipe = self.recipe
        network = begin(recipe.architecture, recipe.start if fresh else "", self.seed, say)
        teacher, name = open_teacher(self.teacher, place.device) if self.teacher else (None, "")
        material = gather(self.sources, recipe.data, recipe.augmentation)
        _tell(self.sources, material, say)
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
            f"next: vidreid pack {weights} --output my-detector\n"
            "      vidreid evaluate detection --data ROOT --detector my-detector"
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
    return Setup(recipe, sources, seed, teacher)


def open_data(wanted: str, part: Part) -> Source:
    """Pictures named ``LAYOUT=ROOT``, or by ROOT alone: a YOLO layout where there is a data.yaml or a single tar, else
    footage."""
    named, found, root = wanted.partition("=")
    if not found:
        root, named = wanted, _layout(Path(wanted).expanduser())
    known = plugins.names("training.detector.sources")
    if named not in known:
        raise UsageError(f"no layout {named!r}", f"layouts: {', '.join(known)}")
    source: Source = plugins.load("training.detector.sources", named).open_source(Path(root).expanduser(), part)
    return source


def _layout(root: Path) -> str:
    from vidreid.training.datasets._files import tar_stem

    if tar_stem(root) or root.suffix == ".yaml" or (root / "data.yaml").is_file():
        return "yolo"
    tars = [path for path in root.iterdir() if tar_stem(path)] if root.is_dir() else []
    return "yolo" if len(tars) == 1 else "footage"


def labelled(source: Source) -> Source:
    """Its labelled pictures alone."""
    kept = tuple(picture for picture in source.pictures if picture.boxes is not None)
    left = len(source.pictures) - len(kept)
    notes = (f"{left} pictures without labels left out, for want of a teacher",) if left else ()
    return replace(source, pictures=kept, notes=(*source.notes, *notes))


def unlabelled(source: Source) -> Source:
    """The same pictures, as if nobody had labelled them."""
    return replace(source, pictures=tuple(replace(picture, boxes=None) for picture in source.pictures))


def _tell(sources: Sequence[Source], material: Material, say: Say) -> None:
    for source in sources:
        for line in source.notes:
            say(f"{source.name}: {line}")
    boxes = sum(len(picture.boxes) for picture in material.pictures if picture.boxes is not None)
    say(f"{len(material.pictures)} pictures, {boxes} labelled people")
    for line in material.notes:
        say(line)
    tell_skipped(material.skipped, say)
