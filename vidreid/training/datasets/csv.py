"""Any data set, by a CSV: ``path,identity,camera,sequence,split[,frame]``, pictures beside it or in a tar."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable
from pathlib import Path

from vidreid.errors import InputError
from vidreid.training.datasets import DISTRACTOR, JUNK, Dataset, Split, Tracklet
from vidreid.training.datasets._files import Archive, Files, Folder, inside, tar_stem, wrong_folder
from vidreid.training.datasets._tracklets import Picture, single_tracklets, sparse_tracklets

LAYOUT = """
folder
├── shop.csv (or .csv.gz): path,identity,camera,sequence,split[,frame]
└── shop.tar (.xz, .gz, .bz2), or the pictures themselves under their paths
"""

COLUMNS = ("path", "identity", "camera", "sequence", "split")
SPLITS = ("train", "query", "gallery", "query+gallery", "val")


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """The data set of a CSV, or of the only CSV in a folder; see `open_csv`."""
    if root.is_dir():
        found = sorted([*root.glob("*.csv"), *root.glob("*.csv.gz")])
        if len(found) != 1:
            have = f"{len(found)} CSV files in it: name one" if found else "no CSV file in it"
            raise wrong_folder(f"{root}: {have}", LAYOUT)
        root = found[0]
    return open_csv(root, root.parent, tracklets=tracklets)


def open_csv(file: Path, pictures: Path, *, tracklets: bool | None = None) -> Dataset:
    """The data set that ``file`` lists, its pictures in the folder or tar ``pictures``.

    Rows of one (identity, camera, sequence, split) make a tracklet, by ``frame``, else by the natural order of paths.
    Where every query is then a single picture, and no column tells frames, the set is an image set: each row stands
    alone, as such sets are scored. ``tracklets`` overrules that. Identity -1 is junk, 0 a distractor; ``val`` rows are
    queries and gallery where no row is a query, and are left out where there are some.
    """
    rows = read_rows(file)
    splits = _by_split(rows)
    notes = _notes(splits)
    if not splits["query"] and not splits["query+gallery"]:
        splits["query+gallery"] = splits["val"]
    queries = splits["query"] + splits["query+gallery"]
    single = len(sparse_tracklets(queries, strangers=True)) == len(queries)
    image_set = bool(queries) and single and rows[0][0].frame is None
    grouped = not image_set if tracklets is None else tracklets

    def made(items: Iterable[Picture]) -> tuple[Tracklet, ...]:
        return sparse_tracklets(items, strangers=not image_set) if grouped else single_tracklets(items)

    both = made(splits["query+gallery"])
    split = Split(made(splits["train"]), both + made(splits["query"]), both + made(splits["gallery"]))
    name = file.name.removesuffix(".gz").removesuffix(".csv")
    files = _files_of(file, pictures, rows[0][0].key)
    return Dataset(name, (split,), files.read, notes=notes)


def read_rows(file: Path) -> list[tuple[Picture, str]]:
    """Every row of a CSV with its split; `InputError` naming file and line where one cannot be meant."""
    try:
        stored = file.read_bytes()
        text = (gzip.decompress(stored) if file.suffix == ".gz" else stored).decode("utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""))
        missing = [column for column in COLUMNS if column not in (table.fieldnames or ())]
        if missing:
            raise wrong_folder(f"{file}: no column {', '.join(missing)}", LAYOUT)
        rows = [_row(f"{file}, line {table.line_num}", row) for row in table]
    except FileNotFoundError:
        raise InputError(f"{file}: no such file", "give the CSV that lists the pictures") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise wrong_folder(f"{file}: cannot be read as CSV ({error})", LAYOUT) from error
    if not rows:
        raise InputError(f"{file}: lists no pictures", "one picture a row, below the header")
    return rows


def _row(place: str, row: dict[str, str | None]) -> tuple[Picture, str]:
    try:
        frame = int(row["frame"] or "") if "frame" in row else None
        identity, camera = int(row["identity"] or ""), int(row["camera"] or "")
    except ValueError as error:
        raise InputError(f"{place}: identity, camera and frame are whole numbers ({error})", "mend the line") from error
    if identity < JUNK:
        raise InputError(f"{place}: identity {identity}", "-1 is junk, 0 a distractor, people count from 1")
    if row["split"] not in SPLITS:
        raise InputError(f"{place}: split {row['split']!r}", f"known: {', '.join(SPLITS)}")
    try:
        key = inside(row["path"] or "")
    except InputError as error:
        raise InputError(f"{place}: {error.message}", error.hint) from error
    return Picture(key, identity, camera, row["sequence"] or "", frame), row["split"]


def _by_split(rows: Iterable[tuple[Picture, str]]) -> dict[str, list[Picture]]:
    splits: dict[str, list[Picture]] = {name: [] for name in SPLITS}
    for picture, split in rows:
        splits[split].append(picture)
    return splits


def _notes(splits: dict[str, list[Picture]]) -> tuple[str, ...]:
    notes = []
    nameless = sum(item.identity <= DISTRACTOR for item in splits["train"])
    if nameless:
        notes.append(f"{nameless} training pictures of identity 0 or -1 carry no label")
    if splits["val"]:
        scored = not splits["query"] and not splits["query+gallery"]
        notes.append(f"{len(splits['val'])} val pictures are " + ("queries and gallery" if scored else "left out"))
    return tuple(notes)


def _files_of(file: Path, pictures: Path, first: str) -> Files:
    """The tar ``pictures``; or the folder, where the first picture is in it; or the tar in it named after the CSV."""
    if pictures.is_file():
        return Archive(pictures)
    if (pictures / first).is_file():
        return Folder(pictures)
    stems = {path: stem for path in sorted(pictures.glob("*")) if (stem := tar_stem(path))}
    named = [path for path, stem in stems.items() if file.name.startswith(stem)]
    if not named:
        raise wrong_folder(f"{pictures}: neither {first} nor a tar named after {file.name}", LAYOUT)
    return Archive(max(named, key=lambda path: len(stems[path])))
