"""Engines of one network for several machines in one file, and the one of them that fits.

A bundle is a zip of stored files: ``SHA256SUMS``; ``bundle.json``; ``network.onnx``, the float32 graph that all were
built from; ``TERMS.txt``; ``engines/NAME/`` with each engine's card, golden inputs and files. Equal engines give equal
bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from vidreid.digests import file_sha256
from vidreid.engines.card import CARD, Card, parse_card, read_card
from vidreid.engines.folder import put, storage
from vidreid.engines.load import check_files
from vidreid.errors import InputError, MissingError, UsageError
from vidreid.settings import Section, check_model

SUMS = "SHA256SUMS"
LIST = "bundle.json"
GRAPH = "network.onnx"
TERMS = "TERMS.txt"
ENGINES = "engines"
FORMAT = 1
BLOCK = 1 << 20
MOST_FILES = 4096
SMALL = 1 << 22  # bytes of a list or a card
PLAIN = re.compile(r"(?!\.)[A-Za-z0-9_.+-]{1,200}")  # a part of a file's name


class Listed(Section):
    """``bundle.json``: ``engines`` by name, in the order in which they are tried."""

    format: Literal[1] = 1
    network: str
    weights_sha256: str
    engines: list[str]


def write_bundle(engines: Sequence[Path], onnx: Path, output: Path) -> list[Card]:
    """Join the engines in these folders, and the float32 ``onnx`` that they were built from; their cards, in order.

    `UsageError` where they are not of one network, two have one name, or ``onnx`` is another graph; `InputError` where
    one of them is damaged; `StorageError` where there is no room: then nothing is left.
    """
    cards = [_whole(folder) for folder in engines]
    _check_together(cards, onnx)
    listed = Listed(network=cards[0].spec.name, weights_sha256=cards[0].weights.sha256, engines=[c.name for c in cards])
    files = {GRAPH: onnx}
    for folder, card in zip(engines, cards, strict=True):
        files |= {f"{ENGINES}/{card.name}/{name}": folder / name for name in (CARD, *card.files)}
    texts = {LIST: listed.model_dump_json(indent=1) + "\n", TERMS: _terms(cards)}
    digests = {name: file_sha256(path) for name, path in files.items()}
    digests |= {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    texts[SUMS] = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    temporary = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    with storage(output.parent):
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(temporary, texts, files)
            temporary.replace(output)
        finally:
            temporary.unlink(missing_ok=True)
    return cards


def unpack_fitting(bundle: Path, refuses: Callable[[Card], str | None], target: Path) -> Path:
    """Put the first engine of a bundle that ``refuses`` does not into the folder ``target``; its own folder there.

    One that is there already, whole, is left as it is. `InputError` where the file is no bundle, names files outside of
    it or is damaged: nothing is kept then. `MissingError` where none fits, with each one's reason and the command that
    builds one here.
    """
    with _opened(bundle) as archive:
        return archive.unpack(_fitting(bundle, archive.cards(), refuses), target)


def unpack_graph(bundle: Path, target: Path) -> Path:
    """Write a bundle's float32 graph into the folder ``target``, to build another engine of it."""
    with _opened(bundle) as archive, storage(target):
        target.mkdir(parents=True, exist_ok=True)
        archive.copy(GRAPH, target / GRAPH)
        return target / GRAPH


def _whole(folder: Path) -> Card:
    card = read_card(folder)
    check_files(folder, card)
    return card


def _check_together(cards: Sequence[Card], onnx: Path) -> None:
    first = cards[0]
    for number, card in enumerate(cards):
        if not PLAIN.fullmatch(card.name) or card.name in [other.name for other in cards[:number]]:
            raise UsageError(f"{card.name}: a name that is given twice or no file can have", "name each engine once")
        if (card.weights.sha256, card.onnx_sha256) != (first.weights.sha256, first.onnx_sha256):
            what = "weights" if card.weights.sha256 != first.weights.sha256 else "graph (other frames or sizes)"
            raise UsageError(
                f"{card.name} and {first.name} are of different {what}",
                "pack engines of one network, built of one recipe",
            )
    if file_sha256(onnx) != first.onnx_sha256:
        raise UsageError(f"{onnx.name}: not the graph that {first.name} was built from", "give that one with --onnx")


def _terms(cards: Sequence[Card]) -> str:
    """What binds the use of the weights, in words for a person."""
    weights, spec = cards[0].weights, cards[0].spec
    lines = [
        f"network: {spec.name}",
        f"weights: {weights.kind}, SHA-256 {weights.sha256}",
        f"licence: {weights.licence}",
    ]
    return "\n".join([*lines, f"terms: {weights.terms or 'none beside the licence'}"]) + "\n"


def _write(path: Path, texts: dict[str, str], files: dict[str, Path]) -> None:
    """The zip, with neither clock nor owner in it; stored, since a compressor's bytes change with its version."""
    with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:
        for name, text in sorted(texts.items()):
            archive.writestr(_entry(name, len(text.encode())), text)
        for name, file in sorted(files.items()):
            with file.open("rb") as source, archive.open(_entry(name, file.stat().st_size), "w") as written:
                shutil.copyfileobj(source, written, BLOCK)


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # of 1980: no clock in the bytes
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.file_size = size  # large ones need more room in the header, which is written first
    return entry


def _fitting(bundle: Path, cards: Sequence[Card], refuses: Callable[[Card], str | None]) -> Card:
    reasons = []
    for card in cards:
        reason = refuses(card)
        if reason is None:
            return card
        reasons.append(f"{card.name}: {reason}")
    raise MissingError(f"{bundle.name}: no engine in it runs here: {'; '.join(reasons)}", cards[0].instead)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_Bundle]:
    """A bundle, its lists checked; whatever a damaged or forged file raises becomes an `InputError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield _Bundle(path, archive)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "check the path") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: damaged, or no bundle of engines: {reason}", "get it again from its maker") from None


class _Bundle:
    """Reads one bundle, within limits. Files are stored, so none can be larger than the zip itself."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        entries = archive.infolist()
        if len(entries) > MOST_FILES:
            raise self._wrong(f"holds {len(entries)} files")
        for entry in entries:
            self._check(entry)
        if len(set(archive.namelist())) != len(entries):
            raise self._wrong("holds two files of one name")
        self._sums = self._read_sums()
        found = self._json(LIST)
        if isinstance(found, dict) and isinstance(found.get("format"), int) and found["format"] > FORMAT:
            raise InputError(f"{path}: a bundle of format {found['format']}", "pip install --upgrade vidreid")
        self._listed = check_model(Listed, found, f"{path}: {LIST}")

    def cards(self) -> list[Card]:
        """The engines' cards, in the order in which they are tried."""
        if not self._listed.engines:
            raise self._wrong("holds no engine")
        return [self._card(name) for name in self._listed.engines]

    def unpack(self, card: Card, target: Path) -> Path:
        """Write one engine into its folder below ``target``, whole or not at all."""
        place = target / card.name
        with contextlib.suppress(InputError):
            if read_card(place) == card:
                check_files(place, card)
                return place
        scratch = target / f".unpacking-{secrets.token_hex(4)}"
        with storage(target):
            try:
                engine = scratch / "engine"
                for name in (CARD, *card.files):
                    self.copy(f"{ENGINES}/{card.name}/{name}", engine / name)
                check_files(engine, card)
                put(engine, place)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        return place

    def copy(self, name: str, path: Path) -> None:
        """Write a file of the bundle to ``path``; one whose sum is wrong is an `InputError`."""
        digest = hashlib.sha256()
        with self._open(name) as file:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as written:
                while block := file.read(BLOCK):
                    digest.update(block)
                    written.write(block)
        if digest.hexdigest() != self._sums[name]:
            raise self._wrong(f"{name} is damaged: not the file that was packed (SHA-256)")

    def _card(self, name: str) -> Card:
        if not PLAIN.fullmatch(name):
            raise self._wrong(f"no name of an engine: {name!r}")
        path = f"{ENGINES}/{name}/{CARD}"
        card = parse_card(self._listed_bytes(path), f"{self._path}: {path}")
        if card.name != name:
            raise self._wrong(f"{name} is called {card.name} on its card")
        return card

    def _check(self, entry: zipfile.ZipInfo) -> None:
        """One plain file at a plain place. Its name is checked even where nothing would unpack it."""
        parts = PurePosixPath(entry.filename).parts
        if not parts or "/".join(parts) != entry.filename or not all(map(PLAIN.fullmatch, parts)):
            raise self._wrong(f"holds a file of the name {entry.filename!r}")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or entry.is_dir():
            raise self._wrong(f"{entry.filename} is not a plain file")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size or entry.flag_bits & 1:
            raise self._wrong(f"{entry.filename} is compressed or encrypted")

    def _read_sums(self) -> dict[str, str]:
        lines = self._small(SUMS).decode().splitlines()
        sums = {name: digest for digest, mark, name in (line.partition("  ") for line in lines) if mark}
        if len(sums) != len(lines) or set(sums) != set(self._archive.namelist()) - {SUMS}:
            raise self._wrong(f"{SUMS} lists other files than it holds")
        return sums

    def _json(self, name: str) -> object:
        try:
            return json.loads(self._listed_bytes(name))
        except (ValueError, RecursionError):
            raise self._wrong(f"{name} is damaged") from None

    def _listed_bytes(self, name: str) -> bytes:
        """A small file whose sum is right."""
        data = self._small(name)
        if hashlib.sha256(data).hexdigest() != self._sums[name]:
            raise self._wrong(f"{name} is damaged: not the file that was packed (SHA-256)")
        return data

    def _small(self, name: str) -> bytes:
        with self._open(name) as file:
            data = file.read(SMALL + 1)
        if len(data) > SMALL:
            raise self._wrong(f"{name} is larger than {SMALL >> 20} MB")
        return data

    def _open(self, name: str) -> IO[bytes]:
        try:
            return self._archive.open(name)
        except KeyError:
            raise self._wrong(f"holds no {name}") from None

    def _wrong(self, what: str) -> InputError:
        return InputError(f"{self._path}: {what}", "get it again from its maker")
