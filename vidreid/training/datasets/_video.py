"""What the loaders of video sets share."""

from __future__ import annotations

import re
from pathlib import Path

from vidreid.errors import InputError, UsageError
from vidreid.training.datasets._files import is_picture, natural


def refuse_pictures(name: str, tracklets: bool | None) -> None:
    """A video set has tracklets; its pictures alone are not scored by anyone."""
    if tracklets is False:
        raise UsageError(f"{name} is a set of tracklets, not of pictures", "leave out the choice of pictures")


def pictures_in(root: Path, folder: str) -> tuple[str, ...]:
    """Keys of the pictures of a folder below ``root``, in natural order."""
    names = sorted((path.name for path in (root / folder).iterdir() if is_picture(path.name)), key=natural)
    return tuple(f"{folder}/{name}" for name in names)


def number_of(name: str) -> int:
    """The number that ends a name, as of a person's folder.

    >>> number_of("person_0012")
    12
    """
    found = re.search(r"[0-9]+$", name)
    if found is None:
        raise InputError(f"{name}: no number at its end", "leave the data set's own names as they are")
    return int(found[0])
