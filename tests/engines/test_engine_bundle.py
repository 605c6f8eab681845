"""Engines of one network in one file: what goes in comes out, the fitting one is taken, and forgeries are refused."""

import hashlib
import json
import stat
import zipfile

import pytest
from handmade_engines import engine, graph

from vidreid.engines.bundle import unpack_fitting, unpack_graph, write_bundle
from vidreid.engines.card import read_card, write_card
from vidreid.errors import InputError, MissingError, StorageError, UsageError


@pytest.fixture
def onnx(tmp_path):
    return graph(tmp_path / "float32.onnx")


@pytest.fixture
def engines(tmp_path):
    """Of two GPUs and of CPUs."""
    made = tmp_path / "made"
    return [
        engine(made, "tiny-fp16-sm86-aaaa", plan=b"a plan of an A40", capabilities=["sm86"], runtime="tensorrt"),
        engine(made, "tiny-fp16-sm89-bbbb", plan=b"a plan of an L4", capabilities=["sm89"], runtime="tensorrt"),
        engine(made),
    ]


@pytest.fixture
def bundle(engines, onnx, tmp_path):
    write_bundle(engines, onnx, tmp_path / "tiny.zip")
    return tmp_path / "tiny.zip"


def only(*capabilities):
    """A machine that runs engines of these compute capabilities alone."""
    return lambda card: None if set(card.target.capabilities) & set(capabilities) else f"is for {card.runtime}"


def content(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# What it holds


def test_it_holds_engines_graph_terms_and_a_sum_of_every_file(bundle, engines, onnx):
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for folder in engines:
        for name, value in content(folder).items():
            assert files[f"engines/{folder.name}/{name}"] == value
    assert files["network.onnx"] == onnx.read_bytes()
    terms = files["TERMS.txt"].decode().splitlines()
    assert {"network: tiny", "licence: MIT", "terms: not for the moon"} <= set(terms)
    sums = files.pop("SHA256SUMS").decode()
    assert sums == "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))


def test_equal_engines_give_equal_bytes(bundle, engines, onnx, tmp_path):
    for folder in engines:
        (folder / "card.json").touch()
    write_bundle(engines, onnx, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_engines_of_other_weights_are_refused(engines, onnx, tmp_path):
    other = engine(tmp_path / "other", "other-1", seed=1)
    with pytest.raises(UsageError, match="other-1 and tiny-fp16-sm86-aaaa are of different weights"):
        write_bundle([*engines, other], onnx, tmp_path / "tiny.zip")
    assert not (tmp_path / "tiny.zip").exists()


def test_engines_of_another_graph_of_the_weights_are_refused(engines, onnx, tmp_path):
    other = engine(tmp_path / "other", "other-1", weights=read_card(engines[0]).weights, seed=1)
    with pytest.raises(UsageError, match="other-1 and tiny-fp16-sm86-aaaa are of different graph"):
        write_bundle([*engines, other], onnx, tmp_path / "tiny.zip")


def test_an_engine_twice_is_refused(engines, onnx, tmp_path):
    with pytest.raises(UsageError, match="given twice"):
        write_bundle([engines[0], engines[0]], onnx, tmp_path / "tiny.zip")


def test_another_graph_is_refused(engines, tmp_path):
    with pytest.raises(UsageError, match=r"other\.onnx: not the graph that tiny-fp16-sm86-aaaa was built from"):
        write_bundle(engines, graph(tmp_path / "other.onnx", seed=7), tmp_path / "tiny.zip")


def test_a_damaged_engine_is_not_handed_on(engines, onnx, tmp_path):
    (engines[1] / "engine.plan").write_bytes(b"a plan of an L5")
    with pytest.raises(InputError, match=r"tiny-fp16-sm89-bbbb: engine\.plan is damaged"):
        write_bundle(engines, onnx, tmp_path / "tiny.zip")


def test_a_full_disk_leaves_nothing(engines, onnx, tmp_path, full_disk):
    (tmp_path / "out").mkdir()
    with pytest.raises(StorageError), full_disk(2000):
        write_bundle(engines, onnx, tmp_path / "out/tiny.zip")
    assert list((tmp_path / "out").iterdir()) == []


# What comes out


@pytest.mark.parametrize("number", [0, 1])
def test_the_engine_of_this_machine_comes_out_as_it_went_in(bundle, engines, tmp_path, number):
    found = unpack_fitting(bundle, only(["sm86", "sm89"][number]), tmp_path / "cache")
    assert found == tmp_path / "cache" / engines[number].name
    assert content(found) == content(engines[number])
    assert list((tmp_path / "cache").iterdir()) == [found]


def test_of_several_that_fit_the_first_is_taken(bundle, engines, tmp_path):
    assert unpack_fitting(bundle, lambda card: None, tmp_path).name == engines[0].name


def test_one_that_is_there_stays_and_one_that_was_damaged_is_replaced(bundle, tmp_path):
    found = unpack_fitting(bundle, only("sm86"), tmp_path / "cache")
    before = (found / "engine.plan").stat().st_ino
    unpack_fitting(bundle, only("sm86"), tmp_path / "cache")
    assert (found / "engine.plan").stat().st_ino == before
    (found / "engine.plan").write_bytes(b"half a plan")
    unpack_fitting(bundle, only("sm86"), tmp_path / "cache")
    assert (found / "engine.plan").read_bytes() == b"a plan of an A40"


def test_where_none_fits_each_reason_is_told_and_the_command_that_builds_one(bundle, tmp_path):
    with pytest.raises(MissingError) as raised:
        unpack_fitting(bundle, lambda card: f"no {card.runtime}", tmp_path / "cache")
    assert "tiny-fp16-sm86-aaaa: no tensorrt; " in raised.value.message
    assert raised.value.hint == "vidreid engine build tiny"
    assert not (tmp_path / "cache").exists()


def test_the_graph_comes_out_to_build_another_engine_of_it(bundle, onnx, tmp_path):
    assert unpack_graph(bundle, tmp_path / "out").read_bytes() == onnx.read_bytes()


def test_a_full_disk_keeps_no_half_engine(bundle, tmp_path, full_disk):
    with pytest.raises(StorageError), full_disk(100):
        unpack_fitting(bundle, only("sm86"), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


# Files from strangers


def forged(bundle, change, path):
    """The bundle with its entries as ``change`` makes them, sums made to fit."""
    with zipfile.ZipFile(bundle) as archive:
        entries = {entry.filename: (entry, archive.read(entry)) for entry in archive.infolist()}
    changed = change(entries) or entries
    changed.pop("SHA256SUMS")
    lines = [f"{hashlib.sha256(value).hexdigest()}  {name}\n" for name, (_, value) in sorted(changed.items())]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("SHA256SUMS", "".join(lines))
        for name, (entry, value) in changed.items():
            entry.filename = name
            archive.writestr(entry, value)
    return path


def added(name, **attributes):
    def change(entries):
        entry = zipfile.ZipInfo(name)
        for key, value in attributes.items():
            setattr(entry, key, value)
        entries[name] = (entry, b"found its way out")

    return change


@pytest.mark.parametrize(
    "name",
    ["../evil", "engines/../../evil", "/evil", "engines//evil", "C:/evil", "a\\..\\evil", ".bashrc", "engines/./evil"],
)
def test_a_file_outside_of_it_is_refused(bundle, tmp_path, name):
    bad = forged(bundle, added(name), tmp_path / "bad.zip")
    with pytest.raises(InputError, match=r"bad\.zip: holds a file of the name"):
        unpack_fitting(bad, only("sm86"), tmp_path / "deep/cache")
    assert not (tmp_path / "deep").exists()
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_is_refused(bundle, tmp_path):
    link = added("engines/link", external_attr=(stat.S_IFLNK | 0o777) << 16)
    with pytest.raises(InputError, match="engines/link is not a plain file"):
        unpack_fitting(forged(bundle, link, tmp_path / "bad.zip"), only("sm86"), tmp_path / "cache")


def test_what_is_compressed_is_refused_for_it_could_be_of_any_size(bundle, tmp_path):
    bomb = added("engines/bomb", compress_type=zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="engines/bomb is compressed"):
        unpack_fitting(forged(bundle, bomb, tmp_path / "bad.zip"), only("sm86"), tmp_path / "cache")


def test_a_card_that_names_a_file_elsewhere_is_refused(tmp_path, onnx):
    folder = engine(tmp_path / "made")
    write_bundle([folder], onnx, tmp_path / "tiny.zip")
    secret = tmp_path / "secret"
    secret.write_text("a secret")

    def change(entries):
        name = f"engines/{folder.name}/card.json"
        card = read_card(folder)
        stated = {**card.files, "../../secret": hashlib.sha256(b"a secret").hexdigest()}
        (tmp_path / "forged").mkdir()
        write_card(tmp_path / "forged", card.model_copy(update={"files": stated}))
        entries[name] = (entries[name][0], (tmp_path / "forged/card.json").read_bytes())

    with pytest.raises(InputError, match="holds no engines/"):
        unpack_fitting(forged(tmp_path / "tiny.zip", change, tmp_path / "bad.zip"), lambda card: None, tmp_path / "a/b")
    assert list((tmp_path / "a/b").iterdir()) == []


def test_an_engine_of_another_name_than_its_folder_is_refused(bundle, tmp_path):
    def change(entries):
        listed = json.loads(entries["bundle.json"][1])
        listed["engines"] = ["../tiny"]
        entries["bundle.json"] = (entries["bundle.json"][0], json.dumps(listed).encode())

    with pytest.raises(InputError, match=r"no name of an engine: '\.\./tiny'"):
        unpack_fitting(forged(bundle, change, tmp_path / "bad.zip"), lambda card: None, tmp_path / "cache")


@pytest.mark.parametrize("change", ["flipped", "cut", "empty", "text"])
def test_a_damaged_file_keeps_nothing(bundle, tmp_path, change):
    data = bundle.read_bytes()
    place = data.index(b"a plan of an A40")
    broken = {
        "flipped": data[:place] + b"b" + data[place + 1 :],
        "cut": data[: len(data) // 2],
        "empty": b"",
        "text": b"not a zip" * 100,
    }[change]
    (tmp_path / "bad.zip").write_bytes(broken)
    with pytest.raises(InputError, match=r"bad\.zip: "):
        unpack_fitting(tmp_path / "bad.zip", only("sm86"), tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        unpack_fitting(tmp_path / "none.zip", lambda card: None, tmp_path)


def test_a_bundle_of_a_newer_program(bundle, tmp_path):
    def change(entries):
        listed = {**json.loads(entries["bundle.json"][1]), "format": 2}
        entries["bundle.json"] = (entries["bundle.json"][0], json.dumps(listed).encode())

    with pytest.raises(InputError, match="a bundle of format 2") as raised:
        unpack_fitting(forged(bundle, change, tmp_path / "bad.zip"), lambda card: None, tmp_path / "cache")
    assert raised.value.hint == "pip install --upgrade vidreid"
