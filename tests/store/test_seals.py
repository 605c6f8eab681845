"""The seal of a folder of exported files: what it lists, what it keeps, and what it refuses to hide."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.digests import file_sha256
from vidreid.errors import InputError
from vidreid.store.seals import is_inside, read_manifest, read_sums, seal, sealed


def put(folder: Path, **files: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{name}.txt" for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text)
    return paths


def passes(folder: Path) -> bool:
    """What the usual program says, which knows nothing of us."""
    return (
        subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False).returncode == 0
    )


def test_every_file_is_listed_and_so_is_the_manifest(tmp_path: Path) -> None:
    seal(tmp_path, put(tmp_path, a="one", b="two"), {"format": "mot"})
    assert set(read_sums(tmp_path)) == {"a.txt", "b.txt", "manifest.json"}
    (export,) = read_manifest(tmp_path)
    assert export["format"] == "mot"
    assert export["files"]["a.txt"] == {"bytes": 3, "sha256": file_sha256(tmp_path / "a.txt")}
    assert passes(tmp_path)


def test_a_second_export_adds_to_the_first(tmp_path: Path) -> None:
    seal(tmp_path, put(tmp_path, a="one", b="two"), {"format": "mot"})
    seal(tmp_path, put(tmp_path, b="new", c="three"), {"format": "csv"})
    assert [(export["format"], sorted(export["files"])) for export in read_manifest(tmp_path)] == [
        ("mot", ["a.txt"]),
        ("csv", ["b.txt", "c.txt"]),
    ]
    assert passes(tmp_path)


def test_the_same_export_again_leaves_the_same_bytes(tmp_path: Path) -> None:
    paths = [seal(tmp_path, put(tmp_path, a="one"), {"format": "csv"}) for _ in range(2)][1]
    again = seal(tmp_path / "b", put(tmp_path / "b", a="one"), {"format": "csv"})
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]


def test_what_was_changed_in_between_is_not_sealed_anew(tmp_path: Path) -> None:
    seal(tmp_path, put(tmp_path, a="one"), {})
    (tmp_path / "a.txt").write_text("forged")
    seal(tmp_path, put(tmp_path, b="two"), {})
    assert not passes(tmp_path)


def test_other_things_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.doc").write_text("mine")
    seal(tmp_path, put(tmp_path, a="one"), {})
    assert "notes.doc" not in read_sums(tmp_path)
    assert (tmp_path / "notes.doc").read_text() == "mine"


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS"])
def test_a_broken_seal_is_not_added_to(tmp_path: Path, name: str) -> None:
    seal(tmp_path, put(tmp_path, a="one"), {})
    (tmp_path / name).write_text((tmp_path / name).read_text().replace("a.txt", "b.txt"))
    with pytest.raises(InputError, match="changed since it was written") as error:
        sealed(tmp_path)
    assert "choose another --output" in error.value.hint


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS"])
def test_files_of_these_names_that_are_somebody_elses_are_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=r"manifest\.json: (damaged, or not of vidreid|missing)"):
        seal(tmp_path, put(tmp_path, a="one"), {})
    assert (tmp_path / name).read_text() == "{}"


def test_a_manifest_of_a_newer_program_says_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 99, "exports": []}))
    with pytest.raises(InputError, match="of format 99, this program reads up to 1"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": "x"}', '{"format": 1, "exports": [{"files": {"a": {}}}]}', "\xff"]
)
def test_a_damaged_manifest_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="damaged"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "line", ["x", f"{'a' * 64} one-space", f"{'a' * 64}  ../../etc/passwd", f"{'a' * 64}  /etc/passwd"]
)
def test_a_line_that_is_no_sum_of_a_file_here_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  a.txt\n{line}\n")
    with pytest.raises(InputError, match="line 2 is no sum of a file in this folder"):
        read_sums(tmp_path)


@given(st.text(max_size=12))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    assert not is_inside(name) or os.path.normpath(os.path.join("/x", name)).startswith("/x")  # noqa: PTH118
