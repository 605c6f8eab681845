"""What holds for each data set, whatever its layout."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiny_sets import SETS, decoded

from vidreid import plugins
from vidreid.errors import InputError
from vidreid.training.datasets import Dataset

ROOM = "training.datasets"


def opened(name: str, root: Path) -> Dataset:
    dataset: Dataset = plugins.load(ROOM, name).open_dataset(SETS[name](root))
    return dataset


def test_all_are_known_by_name():
    assert set(plugins.names(ROOM)) == {*SETS, "run"}


@pytest.mark.parametrize("name", SETS)
def test_every_picture_can_be_read(name: str, tmp_path: Path):
    dataset = opened(name, tmp_path)
    keys = {
        key
        for split in dataset.splits
        for part in (split.train, split.query, split.gallery)
        for tracklet in part
        for key in tracklet.pictures
    }
    assert keys
    assert all(decoded(dataset.read(key)).size for key in keys)


@pytest.mark.parametrize("name", sorted(set(SETS) - {"yolo"}))
def test_nobody_is_both_trained_on_and_scored(name: str, tmp_path: Path):
    for split in opened(name, tmp_path).splits:
        assert not {item.identity for item in split.train} & {item.identity for item in split.query}


@pytest.mark.parametrize("name", sorted(set(SETS) - {"yolo"}))
def test_every_query_has_a_match_in_another_camera(name: str, tmp_path: Path):
    for split in opened(name, tmp_path).splits:
        seen = {(item.identity, item.camera) for item in split.gallery}
        assert split.query
        for query in split.query:
            assert any(identity == query.identity and camera != query.camera for identity, camera in seen)


@pytest.mark.parametrize("name", SETS)
def test_a_wrong_folder_is_shown_the_layout(name: str, tmp_path: Path):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(InputError) as caught:
        plugins.load(ROOM, name).open_dataset(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert "\n" not in caught.value.message
    assert "├── " in caught.value.hint or "└── " in caught.value.hint


@pytest.mark.parametrize("name", SETS)
def test_a_folder_that_is_not_there_is_named(name: str, tmp_path: Path):
    with pytest.raises(InputError, match="nowhere"):
        plugins.load(ROOM, name).open_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize("name", sorted(set(SETS) - {"csv", "yolo", "cuhk03", "prid2011"}))
def test_the_folder_above_will_do(name: str, tmp_path: Path):
    SETS[name](tmp_path / "as-unpacked")
    assert plugins.load(ROOM, name).open_dataset(tmp_path).splits


@pytest.mark.parametrize("name", sorted(set(SETS) - {"csv", "yolo"}))
def test_a_missing_picture_is_only_its_own_loss(name: str, tmp_path: Path):
    dataset = opened(name, tmp_path)
    keys = [key for tracklet in dataset.splits[0].train for key in tracklet.pictures]
    found = [path for path in tmp_path.rglob("*") if path.is_file() and path.as_posix().endswith(keys[0])]
    for path in found:
        path.unlink()
    with pytest.raises(OSError, match=Path(keys[0]).name):
        dataset.read(keys[0])
    assert dataset.read(keys[1])


def test_a_bare_machine_can_import_them_all():
    """A machine that only trains has NumPy, OpenCV and PyYAML, and neither SciPy nor PyArrow."""
    code = (
        "import sys; from vidreid import plugins\n"
        f"for name in plugins.names({ROOM!r}): plugins.load({ROOM!r}, name)\n"
        "print(*{'scipy', 'pyarrow', 'pydantic', 'click', 'h5py', 'av'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_only_local_files_are_read(tmp_path: Path):
    with pytest.raises(InputError, match="no such folder"):
        plugins.load(ROOM, "market1501").open_dataset(Path("https://example.com/market.zip"))
