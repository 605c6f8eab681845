"""Where things that are not code lie: what the package carries, and the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent


def carried(name: str) -> Path:
    """A folder that travels with the package: ``configs`` or ``engines``, in a checkout or in an installed wheel."""
    installed = _PACKAGE / f"_{name}"
    return installed if installed.is_dir() else _PACKAGE.parent / name


def shipped_weights() -> Path:
    """The folder of networks that the package ships."""
    return _PACKAGE / "weights"


def home() -> Path:
    """The user's cache of networks and engines: ``VIDREID_HOME``, or the platform's cache folder."""
    import platformdirs  # lacking where networks are only trained

    chosen = os.environ.get("VIDREID_HOME")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("vidreid", appauthor=False))
