"""Names, folders and tar archives."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.training.datasets import _files
from vidreid.training.datasets._files import Archive, Folder, inside, natural, tar_stem


def write_tar(path: Path, members: dict[str, bytes], mode: str = "w:xz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@given(st.lists(st.integers(0, 10**12), min_size=1))
def test_natural_order_is_the_order_of_numbers(numbers: list[int]):
    names = [f"img{number}.jpg" for number in numbers]
    assert sorted(names, key=natural) == [f"img{number}.jpg" for number in sorted(numbers)]


shuffled = st.lists(st.text(alphabet="ab01290²٣._", max_size=8)).flatmap(
    lambda names: st.tuples(st.just(names), st.permutations(names))
)


@given(shuffled)
def test_natural_order_puts_any_names_in_one_order(both: tuple[list[str], list[str]]):
    names, others = both
    assert sorted(names, key=natural) == sorted(others, key=natural)


@given(st.text(alphabet="ab./\\:C~ ", max_size=12))
def test_a_key_stays_inside_or_is_refused(key: str):
    root = Path("/data/set")
    try:
        path = root / inside(key)
    except InputError:
        return
    assert path.is_relative_to(root)
    assert ".." not in path.parts


@pytest.mark.parametrize("key", ["/etc/passwd", "../x.jpg", "a/../../x.jpg", "C:/x.jpg", "..\\x.jpg", "a\0.jpg", ""])
def test_a_key_that_leads_outside_is_refused(key: str, tmp_path: Path):
    with pytest.raises(InputError, match="outside"):
        Folder(tmp_path).read(key)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_read_whatever_its_compression(mode: str, tmp_path: Path):
    archive = Archive(write_tar(tmp_path / "x.tar", {"./a/1.jpg": b"one", "a/2.jpg": b"two"}, mode))
    assert archive.names() == ["a/1.jpg", "a/2.jpg"]
    assert archive.read("a/2.jpg") == b"two"
    with pytest.raises(FileNotFoundError, match=r"a/3\.jpg"):
        archive.read("a/3.jpg")


@pytest.mark.parametrize("name", ["../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg"])
def test_a_tar_that_leads_outside_is_refused(name: str, tmp_path: Path):
    archive = Archive(write_tar(tmp_path / "x.tar.xz", {"a.jpg": b"one", name: b"two"}))
    with pytest.raises(InputError, match=r"x\.tar\.xz: .*outside"):
        archive.read("a.jpg")


def test_links_in_a_tar_are_passed_over(tmp_path: Path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("a.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert Archive(path).names() == []


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_tar_that_was_cut_off_is_refused(mode: str, tmp_path: Path):
    noise = bytes(place * place * 31 % 251 for place in range(200_000))
    path = write_tar(tmp_path / "x.tar", {"a.jpg": noise}, mode)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"x\.tar: not a whole tar"):
        Archive(path).read("a.jpg")


def test_a_tar_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_files, "MEMBER_LIMIT", 1000)
    path = write_tar(tmp_path / "x.tar.xz", {"bomb.jpg": bytes(1001)})
    with pytest.raises(InputError, match=r"bomb\.jpg unpacks to too much"):
        Archive(path).names()


def test_a_tar_that_memory_would_not_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_files, "ARCHIVE_LIMIT", 1000)
    path = write_tar(tmp_path / "x.tar.xz", {f"{number}.jpg": bytes(400) for number in range(3)})
    with pytest.raises(InputError, match="more than is kept in memory") as caught:
        Archive(path).names()
    assert "tar -xf" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.tar", "a"),
        ("a.b.tar.zst", "a.b"),
        ("a.tgz", "a"),
        ("a.csv.gz", None),
        ("tar", None),
        ("a.tar.gz.part", None),
    ],
)
def test_what_is_named_as_a_tar(name: str, stem: str | None):
    assert tar_stem(Path(name)) == stem
