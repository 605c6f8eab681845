"""The demonstration: film a synthetic site, run the pipeline on it, score it against the truth, draw the result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidreid.errors import InputError
from vidreid.evaluation.run import score_identity, score_tracking
from vidreid.footage.cameras import read_site
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options, Report, run
from vidreid.store.folder import RunFolder
from vidreid.store.parts import write_json
from vidreid.types import Reporter
from vidreid.views.people import write_people
from vidreid.views.poster import write_poster
from vidreid.world.film import RATES, write_world
from vidreid.world.sites import SITES


@dataclass(frozen=True)
class Demo:
    """What the demonstration made and scored."""

    run: Path
    picture: Path
    report: Report
    scores: dict[str, Any]


def demonstrate(folder: Path, reporter: Reporter, *, seconds: float, seed: int, detector: str, embedder: str) -> Demo:
    """Make everything below ``folder``: ``world/``, ``run/`` and ``result.png``.

    ``detector`` and ``embedder`` as in the settings: ``auto`` takes those that a run would take.
    """
    listing = film(folder / "world", reporter, seed=seed, seconds=seconds)
    overrides: dict[str, dict[str, Any]] = {
        "detection": {"detector": detector},
        "embedding": {"embedder": embedder},
        "segments": {"seconds": 20.0},
    }
    target = RunFolder(folder / "run")
    report = run(target, read_site([str(listing)]), overrides, Options(), reporter)
    opened = Run(target.path)
    write_people(opened, target.people)
    write_poster(opened, folder / "result.png", title="vidreid demo: who is who, across three cameras")
    return Demo(target.path, folder / "result.png", report, _scores(target.path, listing.parent))


def film(world: Path, reporter: Reporter, *, seed: int, seconds: float) -> Path:
    """Film the world unless that was done; the path of its cameras YAML."""
    made = {"seed": seed, "seconds": seconds}
    listing, card = world / "cameras.yaml", world / "demo.json"
    if listing.is_file() and card.is_file():
        if json.loads(card.read_text(encoding="utf-8")) != made:
            raise InputError(f"{world}: holds the film of another demo", "choose another --output")
        return listing
    totals = {name: round(seconds * rate) for name, rate in zip(SITES, RATES, strict=True)}
    reporter.start("film", totals)
    write_world(world, seed=seed, seconds=seconds, advance=reporter.advance)
    reporter.stop()
    write_json(card, made)
    return listing


def _scores(run_folder: Path, world: Path) -> dict[str, Any]:
    """Tracking of each camera and identity over all, against the world's truth."""
    _, tracking = score_tracking(run_folder, world)
    _, identity = score_identity(run_folder, world)
    return {
        "identity": identity.as_dict(),
        "tracking": {camera: score.as_dict() for camera, score in tracking.items()},
    }
