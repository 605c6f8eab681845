"""Engines in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidreid.engines.card import Card


def measured_words(card: Card) -> str:
    """How exact an engine is, in a line."""
    measured = card.measured
    if measured is None:
        return "not compared: this machine cannot run it; on one that can: vidreid engine verify"
    said = []
    if measured.cosine is not None:
        said.append(f"least cosine {min(least for least, _ in measured.cosine):.5f}")
    if measured.rows is not None:
        said.append(f"{100 * measured.rows:.1f} % of the erased rows equal")
    if measured.found is not None:
        said.append(f"{100 * measured.found:.1f} % of the sure boxes found again")
    if measured.score is not None:
        said.append(f"their scores differ by {measured.score:.4f}")
    if measured.error is not None:
        unit = " pixels" if card.spec.kind == "detector" else ""
        said.append(f"error at most {measured.error[0]:.2g}{unit}, {measured.error[1]:.2g} on average")
    return ", ".join([*said, f"{measured.inputs} golden inputs"])


def picture_words(card: Card) -> str:
    """What it takes: ``4 x 256x128``, or ``480x640 384x640``."""
    frames = card.spec.frames
    clips = f"{frames} x " if frames > 1 else ""
    return clips + " ".join(f"{height}x{width}" for height, width in card.sizes)


def batch_words(card: Card) -> str:
    """Its profile: ``1:8:32``."""
    return ":".join(map(str, card.batch))
