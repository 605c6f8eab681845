"""Names as numbers, as file names, and as text that OpenCV can draw."""

from __future__ import annotations

import re
import unicodedata

from vidreid.errors import InputError

IDENTITY = re.compile(r"P[0-9]+")
UNSAFE = re.compile(r'[%<>:"|?*/\\\x00-\x1f\x7f]|^\.')


def identity_number(identity: str) -> int:
    """The number in an identity's name; `InputError` where there is none.

    >>> identity_number("P0042")
    42
    """
    if not IDENTITY.fullmatch(identity):
        raise InputError(f"{identity!r} is no person's name, such as P0042", "match this run again: vidreid match RUN")
    return int(identity[1:])


def tracklet_number(tracklet: str) -> int:
    """The number in a tracklet's name, unique within its camera.

    >>> tracklet_number("north gate/000117")
    117
    """
    return int(tracklet.rpartition("/")[2])


def file_name(camera: str) -> str:
    """A camera's name as a file name that stays in its folder on every system; different names stay different.

    >>> file_name("../gate?")
    '%2E.%2Fgate%3F'
    """
    return UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", camera)


def drawable(text: str) -> str:
    """The nearest ASCII text; OpenCV's fonts know no other.

    >>> drawable("Eingang Süd")
    'Eingang Sud'
    """
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).encode("ascii", "replace").decode()
