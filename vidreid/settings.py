"""Run-wide settings: pydantic models, YAML in, an unknown key is an error that names the nearest known one."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vidreid.errors import InputError

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """Base of every settings section: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SegmentSettings(Section):
    """How footage is cut into units of work."""

    seconds: float = Field(300.0, gt=0, description="length of a segment")
    overlap: float = Field(4.0, gt=0, description="what a segment reads beyond its end, for the join at the seam")


class DecodingSettings(Section):
    """What turns files into pictures."""

    decoder: Literal["cpu", "cuda"] = Field("cpu", description="cuda: the video engine of an NVIDIA GPU (NVDEC)")
    fps: Literal["all"] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        "all", description="at most so many frames a second are looked at, by true time"
    )

    @property
    def rate(self) -> float | None:
        """``fps`` as a number; None for all frames."""
        return None if self.fps == "all" else self.fps


class DetectionSettings(Section):
    """Which persons are looked for, and with what."""

    detector: str = Field("auto", description="registered name, path of a network, or oracle (demo world only)")
    runtime: str = Field("auto", description="engine runtime; auto takes the first that this machine has")
    engine: Literal["none", "auto"] = Field(
        "none", description="auto: the fastest engine for this machine, built once; none: the network as it is"
    )
    score: float | None = Field(
        None, ge=0, le=1, description="boxes below it are not tracked; default: as stated for the detector, else 0.05"
    )
    tile: int = Field(0, ge=0, description="side in pixels of square tiles for small people; 0: whole frames")
    motion_gate: bool = Field(False, description="fixed cameras: look for people only where something moves")
    look_every: float = Field(5.0, gt=0, description="seconds after which the motion gate looks though nothing moves")


class TrackingSettings(Section):
    """Which tracker, and how its fragments are joined."""

    tracker: str = Field("bytetrack", description="a name of configs/trackers, or the path of such a YAML")
    join_seconds: float = Field(2.0, ge=0, description="gaps up to this long are joined by motion")


class CropSettings(Section):
    """The pictures kept of each track."""

    runs: int = Field(4, ge=1, le=64, description="runs of crops a track")
    length: int = Field(4, ge=1, le=64, description="crops a run")
    spacing: float = Field(0.3, gt=0, description="seconds between the crops of a run")
    longest: int = Field(384, ge=32, description="longest side of a crop in pixels")
    margin: float = Field(0.1, ge=0, le=1, description="picture kept around the box, as a share of its sides")
    jpeg: int = Field(90, ge=50, le=100, description="JPEG quality of crops")


class EmbeddingSettings(Section):
    """What turns crops into vectors."""

    embedder: str = Field("auto", description="registered name, path of a network, or colours (no network)")
    runtime: str = Field("auto", description="engine runtime; auto takes the first that this machine has")
    engine: Literal["none", "auto"] = Field(
        "none", description="auto: the fastest engine for this machine, built once; none: the network as it is"
    )


class MatchingSettings(Section):
    """Who may be one person."""

    wrong_pairs: float = Field(
        0.02, gt=0, le=1, description="expected share of wrong ones among the pairs that are put together"
    )
    split: bool = Field(True, description="end a tracklet where appearance says that another person goes on")
    min_seconds: float = Field(0.4, ge=0, description="shorter tracklets are kept out of identities")


class Settings(Section):
    """All settings of a run, section by section in the order of the stages."""

    segments: SegmentSettings = SegmentSettings()  # type: ignore[call-arg]
    decoding: DecodingSettings = DecodingSettings()  # type: ignore[call-arg]
    detection: DetectionSettings = DetectionSettings()  # type: ignore[call-arg]
    tracking: TrackingSettings = TrackingSettings()  # type: ignore[call-arg]
    crops: CropSettings = CropSettings()  # type: ignore[call-arg]
    embedding: EmbeddingSettings = EmbeddingSettings()  # type: ignore[call-arg]
    matching: MatchingSettings = MatchingSettings()  # type: ignore[call-arg]


class _Loader(yaml.SafeLoader):
    """The safe loader; a key that is given twice is an error, where YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is given twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Parse a YAML file with the safe loader; `InputError` names the file and the line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "check the path") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        line = " ".join(str(error).split())
        raise InputError(f"{path}: not readable as YAML: {line}", "mend the file") from None


def read_model(kind: type[Model], path: Path) -> Model:
    """Parse and check a YAML file against a pydantic model; errors name the file and the key."""
    return check_model(kind, read_yaml(path) or {}, str(path))


def check_model(kind: type[Model], values: Any, source: str) -> Model:
    """Check ``values`` against ``kind``; the error says which key of ``source`` is wrong, and the nearest known key."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{source}: {_explain(kind, error)}", _hint(kind, error)) from None


def _explain(kind: type[BaseModel], error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or kind.__name__
    if first["type"] == "extra_forbidden":
        return f"unknown key {where!r}"
    said = first["msg"].removeprefix("Value error, ")
    return f"{where}: {said[:1].lower()}{said[1:]} (found {first['input']!r:.60})"


def _hint(kind: type[BaseModel], error: ValidationError) -> str:
    first = error.errors()[0]
    if first["type"] != "extra_forbidden":
        return "mend that value"
    known = _known_keys(kind, first["loc"][:-1])
    near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.4)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"


def _known_keys(kind: Any, path: tuple[int | str, ...]) -> list[str]:
    """Field names of the model that sits at ``path`` of ``kind``, through dictionaries and lists."""
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel) and part in kind.model_fields:
            kind = kind.model_fields[str(part)].annotation
        else:  # a key of a dictionary, a position in a list, or a member of a union
            kind = next((inner for inner in getattr(kind, "__args__", ())[::-1] if _is_model(inner)), kind)
    if not _is_model(kind):
        kind = next((inner for inner in getattr(kind, "__args__", ())[::-1] if _is_model(inner)), kind)
    return sorted(kind.model_fields) if _is_model(kind) else []


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
