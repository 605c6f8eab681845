"""All that a machine without a network needs, in one folder: python docs/bundle.py FOLDER TORCH..., or make bundle.

The folder must not be there yet. ``wheels/`` are those of this Python on this system, TORCH is a requirement with pip's
options, ``weights/`` what the user's cache holds of the registered networks (those that ship are in vidreid's wheel),
``models.yaml`` what the user registered, ``manual/`` the pages; ``made-for`` is what `install.sh` compares a Python
with, ``SHA256SUMS`` what it checks first.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from vidreid.digests import file_sha256
from vidreid.engines.registry import read_registry
from vidreid.engines.weights import at_hand, mistaken
from vidreid.resources import home

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("LICENSE", "*.md", "docs/*.md", "docs/*.png", "vidreid/weights/*/*.md", "configs/**/*.yaml")
INSTALLER = ROOT / "docs/install.sh"
SUMS = "SHA256SUMS"


def make(folder: Path, torch: Sequence[str]) -> None:
    """Fill a new folder."""
    folder.mkdir()
    # In one command with torch, so that nothing asks for another one.
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir"]
    subprocess.run([*pip, str(folder / "wheels"), *torch, str(ROOT)], check=True)
    fill(folder)


def fill(folder: Path) -> None:
    """Add to a folder of wheels what they need besides, and seal it."""
    for file in left_out():
        print(f"left out: {file}: not the registered file (SHA-256)")
    copy(cached(), home() / "models", folder / "weights")
    copy(home().glob("models.yaml"), home(), folder)
    copy(pages(), ROOT, folder / "manual")
    add_installer(folder)
    seal(folder)


def cached() -> Iterable[Path]:
    """Files of the registered networks that are in the user's cache."""
    registry = read_registry()
    for name, entry in registry.models.items():
        found = at_hand(name, registry)
        if found and found.is_relative_to(home()):
            yield from (found.with_name(file) for file in entry.files)


def left_out() -> Iterable[Path]:
    """Files in the user's cache by the name of registered networks, which are others."""
    registry = read_registry()
    return filter(None, (mistaken(name, registry) for name in registry.models))


def pages() -> Iterable[Path]:
    """Files of the manual, with what they show and link to."""
    return (page for pattern in PAGES for page in ROOT.glob(pattern))


def copy(files: Iterable[Path], root: Path, target: Path) -> None:
    """Copy files to where they are below ``root``."""
    for file in files:
        place = target / file.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def add_installer(folder: Path) -> None:
    """Copy `install.sh`, and write down what it has to find: the words are those that it asks a Python for."""
    shutil.copyfile(INSTALLER, folder / INSTALLER.name)
    made_for = "Python {}.{}, {} {}".format(*sys.version_info[:2], platform.system(), platform.machine())
    (folder / "made-for").write_text(f"{made_for}\n", encoding="utf-8")


def seal(folder: Path) -> None:
    """Write the SHA-256 of every file in the order of their names."""
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    sums = "".join(f"{file_sha256(folder / name)}  {name}\n" for name in names if name != SUMS)
    (folder / SUMS).write_text(sums, encoding="utf-8")


def main() -> None:
    """Make a bundle, and say how large it is."""
    folder, torch = Path(sys.argv[1]), sys.argv[2:]
    print(f"{folder}: wheels of vidreid and of all that it needs, which takes minutes", flush=True)
    make(folder, torch)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {size / 1e6:.0f} MB; on the other machine: sh {folder.name}/{INSTALLER.name}")


if __name__ == "__main__":
    main()
