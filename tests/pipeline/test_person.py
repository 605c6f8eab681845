"""The file of a person: what is kept is read back; what is broken or hostile is refused in one line."""

import contextlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidreid.errors import InputError
from vidreid.pipeline import person as persons
from vidreid.pipeline.person import Clip, Person, Picture, jpeg_size, pooled, read_person, write_person
from vidreid.tracklets.runs import encode


def picture(shade: int, quality: float = 0.5) -> Picture:
    return Picture(encode(np.full((40, 20, 3), shade, np.uint8), 90), (1.0, 2.0, 18.5, 39.0), quality, shade)


def someone(*networks: str, clips: int = 2) -> Person:
    rng = np.random.default_rng(0)
    made = tuple(
        Clip((picture(40 * k), picture(40 * k + 1, 0.9)), {"run": "shop", "tracklet": f"c/{k:06d}"})
        for k in range(clips)
    )
    return Person(made, {name: rng.standard_normal((clips, 8)).astype(np.float32) for name in networks})


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    write_person(tmp_path / "p.zip", someone("a", "b"))
    return tmp_path / "p.zip"


def changed(path: Path, **contents: bytes | None) -> Path:
    """The same file with other entries (by name; None: gone)."""
    with zipfile.ZipFile(path) as archive:
        entries: dict[str, Any] = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**entries, **contents}.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def listed(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        found: dict[str, Any] = json.loads(archive.read("person.json"))
        return found


def test_what_is_kept_is_read_back(kept: Path) -> None:
    before, after = someone("a", "b"), read_person(kept)
    assert after.clips == before.clips
    assert {name: vectors.tolist() for name, vectors in after.vectors.items()} == {
        name: vectors.tolist() for name, vectors in before.vectors.items()
    }


def test_the_same_person_gives_the_same_bytes(kept: Path, tmp_path: Path) -> None:
    write_person(tmp_path / "q.zip", someone("a", "b"))
    assert kept.read_bytes() == (tmp_path / "q.zip").read_bytes()


def test_its_vectors_are_plain_npy(kept: Path) -> None:
    with zipfile.ZipFile(kept) as archive, archive.open("vectors/0.npy") as file:
        assert np.array_equal(np.load(file, allow_pickle=False), someone("a", "b").vectors["a"])


def test_a_view_is_the_mean_of_clips_by_quality_at_length_one() -> None:
    clips = Clip((picture(1, 0.2),), {}), Clip((picture(2, 0.6),), {})
    views = Person(clips, {"a": np.eye(2, 4, dtype=np.float32)}).views("a", "shop")
    assert list(views) == [None]
    assert views[None] == pytest.approx(np.array([1, 3, 0, 0]) / np.sqrt(10))


def test_a_run_sees_its_own_sightings_one_by_one_and_all_else_as_one() -> None:
    where = [("shop", "c/000001"), ("shop", "c/000002"), ("shop", "c/000001"), ("yard", "c/000001"), None]
    clips = tuple(Clip((picture(number),), {}, sighting) for number, sighting in enumerate(where))
    person = Person(clips, {"a": np.eye(5, dtype=np.float32)})
    half = np.sqrt(0.5)
    assert {name: view.tolist() for name, view in person.views("a", "shop").items()} == {
        "c/000001": pytest.approx([half, 0, half, 0, 0]),
        "c/000002": [0, 1, 0, 0, 0],
        None: pytest.approx([0, 0, 0, half, half]),
    }


def test_pooled_people_share_only_the_networks_that_all_know() -> None:
    both = pooled([someone("a", "b"), someone("a", clips=1)])
    assert len(both.clips) == 3
    assert {name: len(vectors) for name, vectors in both.vectors.items()} == {"a": 3}


def test_vectors_that_cancel_out_are_nobody() -> None:
    person = Person((Clip((picture(1),), {}),) * 2, {"a": np.array([[1, 0], [-1, 0]], np.float32)})
    with pytest.raises(InputError, match="contradict"):
        person.views("a", "shop")


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + 18 * b"\0", b"not a zip at all"])
def test_what_is_no_such_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"p\.zip: (damaged|holds no person\.json)"):
        read_person(tmp_path / "p.zip")


def test_a_newer_format_says_what_to_do(kept: Path) -> None:
    changed(kept, **{"person.json": json.dumps({**listed(kept), "format": 2}).encode()})
    with pytest.raises(InputError, match="format 2, this program reads up to 1") as error:
        read_person(kept)
    assert error.value.hint == "pip install --upgrade vidreid"


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"format": 1}', '{"format": 1, "clips": [], "vectors": {}}', "[" * 100_000]
)
def test_a_list_that_says_nothing_is_refused(kept: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"p\.zip"):
        read_person(changed(kept, **{"person.json": text.encode()}))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\secret", "pictures/9999.jpg"])
def test_a_path_in_it_is_never_one_of_this_machine(kept: Path, name: str) -> None:
    found = listed(kept)
    found["clips"][0]["pictures"][0]["file"] = name
    with pytest.raises(InputError, match="holds no "):
        read_person(changed(kept, **{"person.json": json.dumps(found).encode()}))


def test_an_entry_that_unpacks_to_too_much_is_refused(kept: Path) -> None:
    bomb = b"\0" * (persons.LARGEST + 1)
    with pytest.raises(InputError, match=r"0000\.jpg is larger than 16 MB"):
        read_person(changed(kept, **{"pictures/0000.jpg": bomb}))


def test_too_many_entries_are_refused(kept: Path) -> None:
    with pytest.raises(InputError, match="holds 2505 files"):
        read_person(changed(kept, **{f"x/{k}": b"" for k in range(2498)}))


def test_a_picture_that_claims_to_be_huge_is_never_decoded(kept: Path) -> None:
    jpeg = bytearray(picture(0).jpeg)
    place = jpeg.index(b"\xff\xc0") + 5
    jpeg[place : place + 4] = b"\xff\xff\xff\xff"
    assert jpeg_size(bytes(jpeg)) == (65535, 65535)
    with pytest.raises(InputError, match="is no JPEG of up to 4096 x 4096 pixels"):
        read_person(changed(kept, **{"pictures/0001.jpg": bytes(jpeg)}))


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"GIF89a", b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x28\x00\x14\x03"])
def test_a_picture_that_is_none_is_named(kept: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"pictures/0002\.jpg"):
        read_person(changed(kept, **{"pictures/0002.jpg": content}))


def test_the_size_of_a_jpeg_is_read_from_its_header() -> None:
    assert jpeg_size(picture(7).jpeg) == (20, 40)


@pytest.mark.parametrize("broken", [b"", b"\x93NUMPY", b"\x80\x04pickle"])
def test_vectors_that_are_none_are_named(kept: Path, broken: bytes) -> None:
    with pytest.raises(InputError, match=r"vectors/1\.npy does not hold 2 vectors of 8 numbers"):
        read_person(changed(kept, **{"vectors/1.npy": broken}))


def test_numbers_that_are_none_are_named(tmp_path: Path) -> None:
    person = Person(someone().clips, {"a": np.full((2, 8), np.nan, np.float32)})
    write_person(tmp_path / "p.zip", person)
    with pytest.raises(InputError, match="no number"):
        read_person(tmp_path / "p.zip")


def test_no_flipped_byte_makes_anything_but_an_error_or_a_person(kept: Path, tmp_path: Path) -> None:
    whole, rng = kept.read_bytes(), np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 300).tolist():
        broken = bytearray(whole)
        broken[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "b.zip").write_bytes(broken)
        with contextlib.suppress(InputError):
            assert len(read_person(tmp_path / "b.zip").clips) == 2


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_person(tmp_path)
