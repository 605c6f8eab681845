"""Where pictures of scenes come from: labelled pictures, footage, the world; each layout a file."""

import inspect
import shutil
import subprocess
import sys
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from drawn_scenes import HEIGHT, WIDTH, draw, people, write_picture, write_scenes
from films import Film, number_of, write_truth

from vidreid import plugins
from vidreid.errors import InputError, UsageError
from vidreid.footage.probe import probe
from vidreid.training.detector import open_data, unlabelled
from vidreid.training.detector.sources import Source, footage, world, yolo
from vidreid.world import film as film_module

ROOM = "training.detector.sources"


@pytest.fixture(scope="session")
def film(tmp_path_factory) -> Path:
    """A folder with one film, whose frames say their numbers, and its labels. Read only."""
    folder = tmp_path_factory.mktemp("site")
    Film("door.mp4").write(folder)
    write_truth(folder, "door")
    return folder


TINY = ((96, 64), 10)
WORLDS = {"train": ((100, *TINY), (101, *TINY)), "val": ((110, *TINY),)}


@pytest.fixture(scope="session")
def worlds(tmp_path_factory) -> Path:
    """Worlds that are filmed already, smaller than those of trainings. Read only."""
    folder = tmp_path_factory.mktemp("worlds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "WORLDS", WORLDS)
        patch.setattr(world, "SECONDS", 8.0)
        for part in WORLDS:
            world.open_source(folder, part)
    return folder


@pytest.fixture(autouse=True)
def tiny_worlds(monkeypatch):
    """All worlds are as small."""
    monkeypatch.setattr(world, "WORLDS", WORLDS)
    monkeypatch.setattr(world, "SECONDS", 8.0)


# What holds for each layout


@pytest.fixture
def roots(scenes, film, worlds) -> dict[str, Path]:
    return {"yolo": scenes, "footage": film, "world": worlds}


@pytest.fixture(params=["yolo", "footage", "world"])
def opened(request, roots) -> dict[str, Source]:
    """A layout's pictures to train on and to score."""
    module = plugins.load(ROOM, request.param)
    return {part: module.open_source(roots[request.param], part) for part in ("train", "val")}


def test_these_are_all_layouts(roots):
    assert set(plugins.names(ROOM)) == set(roots)


@pytest.mark.parametrize("name", plugins.names(ROOM))
def test_each_is_a_file_with_the_function_of_the_contract(name):
    assert list(inspect.signature(plugins.load(ROOM, name).open_source).parameters) == ["root", "part"]


def test_every_picture_can_be_read_and_has_its_people_within_it(opened):
    for source in opened.values():
        assert source.name
        assert source.pictures
        for picture in source.pictures:
            image = source.read(picture.key)
            assert (image.dtype, image.ndim, image.shape[2]) == (np.uint8, 3, 3)
            if picture.boxes is not None:
                assert (picture.boxes.dtype, picture.boxes.shape[1:]) == (np.float32, (4,))
                assert ((picture.boxes >= 0) & (picture.boxes <= 1)).all()
                assert (picture.boxes[:, 2:] > picture.boxes[:, :2]).all()


def test_keys_are_unique_and_each_time_the_same(opened):
    for source in opened.values():
        keys = [picture.key for picture in source.pictures]
        assert len(set(keys)) == len(keys)
        for key in keys[-2:]:
            assert np.array_equal(source.read(key), source.read(key))


def test_what_is_scored_is_labelled(opened):
    assert all(picture.boxes is not None for picture in opened["val"].pictures)


def test_a_picture_that_is_not_there_is_an_oserror(opened):
    source = opened["train"]
    folder, _, name = source.pictures[0].key.rpartition("/")
    gone = f"{folder}/gone.png" if name.endswith(".png") else f"{folder}/{999999:06d}"
    with pytest.raises(OSError, match=r"gone|999999"):
        source.read(gone)


@pytest.mark.parametrize("name", ["yolo", "footage"])
def test_a_root_that_is_not_there_is_told(name, tmp_path):
    """Only a world is made where there is none."""
    with pytest.raises(InputError, match="nowhere: no such file or folder") as missing:
        plugins.load(ROOM, name).open_source(tmp_path / "nowhere", "train")
    assert missing.value.hint == "check the path"


def test_the_folder_of_layouts_is_imported_without_what_footage_needs():
    """A machine that trains has neither PyAV nor pydantic."""
    code = (
        "import sys; from vidreid import plugins\n"
        f"for name in plugins.names({ROOM!r}): plugins.load({ROOM!r}, name)\n"
        "print(*{'scipy', 'pyarrow', 'pydantic', 'click', 'av', 'ultralytics'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# How a layout is named


def test_data_are_a_layout_and_a_root_or_a_root_that_tells(scenes, film):
    assert open_data(f"yolo={scenes}", "train").name == "scenes"
    assert open_data(str(scenes), "train").name == "scenes"
    assert open_data(str(scenes / "data.yaml"), "val").pictures
    assert open_data(str(film), "train").name == film.name
    assert open_data(str(film / "door.mp4"), "train").name == "door"


def test_a_layout_that_is_not_known_and_a_path_that_is_not_there(scenes, tmp_path):
    with pytest.raises(UsageError, match="no layout 'coco'") as unknown:
        open_data(f"coco={scenes}", "train")
    assert unknown.value.hint == "layouts: footage, world, yolo"
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        open_data(f"yolo={tmp_path / 'nowhere'}", "train")


def test_the_same_pictures_as_if_nobody_had_labelled_them(scenes):
    source = yolo.open_source(scenes, "train")
    stripped = unlabelled(source)
    assert [picture.key for picture in stripped.pictures] == [picture.key for picture in source.pictures]
    assert {picture.boxes for picture in stripped.pictures} == {None}


# Labelled pictures


def test_labels_are_corners_in_shares_of_the_picture(scenes):
    source = yolo.open_source(scenes, "train")
    first = source.pictures[0]
    assert (first.source, first.key) == ("shop", "shop/images/0.png")
    wanted = np.array(people(0)) / [WIDTH, HEIGHT, WIDTH, HEIGHT]
    np.testing.assert_allclose(first.boxes, wanted, atol=1e-5)
    assert np.array_equal(source.read(first.key), draw(people(0), 0))


def test_pictures_have_people_or_nobody_or_no_labels(scenes):
    found = {part: yolo.open_source(scenes, part).pictures for part in ("train", "val")}
    assert [picture.source for picture in found["train"]] == ["shop"] * 6 + ["empty"] * 2 + ["street"] * 2
    assert all(len(picture.boxes) for picture in found["train"][:6])
    assert [picture.boxes.shape for picture in found["train"][6:8]] == [(0, 4)] * 2
    assert [picture.boxes for picture in found["train"][8:]] == [None, None]
    assert [picture.key for picture in found["val"]] == ["shop/images/val20.png", "shop/images/val21.png"]


@pytest.mark.parametrize("name", ["scenes.tar", "scenes.tar.gz"])
def test_a_tar_of_it_will_do(scenes, tmp_path, name):
    with tarfile.open(tmp_path / name, "w:gz" if name.endswith("gz") else "w") as archive:
        archive.add(scenes, "any/where")
    packed, plain = open_data(str(tmp_path / name), "train"), yolo.open_source(scenes, "train")
    assert [picture.source for picture in packed.pictures] == [picture.source for picture in plain.pictures]
    for mine, same in zip(packed.pictures, plain.pictures, strict=True):
        assert np.array_equal(packed.read(mine.key), plain.read(same.key))
        assert np.array_equal(mine.boxes, same.boxes) or mine.boxes is same.boxes is None


def test_lines_that_are_no_boxes_are_left_out_and_counted(tmp_path):
    root = write_scenes(tmp_path / "data")
    (root / "shop/labels/0.txt").write_text("0 .5 .5 .2 .4\nperson here\n0 .5 .5 nan .2\n1 .5 .5 .1 .1\n")
    source = yolo.open_source(root, "train")
    assert source.notes == ("2 label lines that are no boxes left out",)
    np.testing.assert_allclose(source.pictures[0].boxes, [[0.4, 0.3, 0.6, 0.7]], atol=1e-6)


def test_a_box_that_leaves_the_picture_ends_with_it(tmp_path):
    root = write_scenes(tmp_path / "data")
    (root / "shop/labels/0.txt").write_text("0 .1 .5 .4 1\n")
    np.testing.assert_allclose(yolo.open_source(root, "train").pictures[0].boxes, [[0, 0, 0.3, 1]], atol=1e-6)


def test_a_folder_in_place_of_a_list_holds_no_unlabelled_picture(tmp_path):
    """Where nobody has labelled, nobody has said that nobody is there."""
    root = write_scenes(tmp_path / "data")
    (root / "data.yaml").write_text("train: street\nval: shop/images\nnames: [person]\n")
    write_picture(root, "street/40", people(40), 40)
    found = {picture.key: picture.boxes for picture in yolo.open_source(root, "train").pictures}
    assert found.pop("street/images/40.png").shape == (len(people(40)), 4)
    assert found == {"street/images/30.png": None, "street/images/31.png": None}


def test_pictures_of_one_set_need_no_folder_for_it(tmp_path):
    """The data set's own name is the set's."""
    write_picture(tmp_path, "one/0", people(0))
    for kind in ("images", "labels"):
        shutil.move(tmp_path / "one" / kind, tmp_path / "plain" / kind)
    (tmp_path / "plain/data.yaml").write_text("train: images\nval: images\nnames: [person]\n")
    (picture,) = yolo.open_source(tmp_path / "plain", "train").pictures
    assert (picture.source, picture.key, len(picture.boxes)) == ("plain", "images/0.png", len(people(0)))


def test_a_broken_picture_is_an_oserror_that_names_it(tmp_path):
    root = write_scenes(tmp_path / "data")
    (root / "shop/images/0.png").write_bytes(b"\x89PNG and no more")
    source = yolo.open_source(root, "train")
    with pytest.raises(OSError, match=r"shop/images/0\.png"):
        source.read("shop/images/0.png")
    assert source.read("shop/images/1.png").size


def test_a_list_that_leads_outside_is_refused(tmp_path):
    root = write_scenes(tmp_path / "data")
    (root / "unlabelled.txt").write_text("../../secret.png\n")
    with pytest.raises(InputError, match="outside"):
        yolo.open_source(root, "train")


# Footage


def test_footage_is_trained_on_every_half_second_and_scored_on_every_frame(film):
    train, val = (footage.open_source(film, part) for part in ("train", "val"))
    assert [picture.key for picture in train.pictures] == [f"door/{index:06d}" for index in (0, 13, 26, 39, 52)]
    assert [picture.key for picture in val.pictures] == [f"door/{index:06d}" for index in range(60)]
    assert {picture.source for picture in val.pictures} == {film.name}


def test_pictures_are_the_frames_and_labels_their_truth(film):
    source = footage.open_source(film, "train")
    for picture in source.pictures:
        index = int(picture.key.rpartition("/")[2])
        image = source.read(picture.key)
        assert number_of(image) == index
        left = (index + 1) / 4  # truth counts frames from 1
        wanted = np.array([[left, 8, left + 14, 44]]) / [64, 48, 64, 48]
        np.testing.assert_allclose(picture.boxes, wanted, atol=1e-6)


@pytest.mark.parametrize("order", [(52, 0, 26), (13, 13, 12, 13), (0, 59, 59, 58), (5, 4, 3, 2)])
def test_frames_may_be_read_in_any_order(film, order):
    source = footage.open_source(film, "val")
    assert [number_of(source.read(f"door/{index:06d}")) for index in order] == list(order)


def test_a_frame_that_cannot_be_decoded_is_its_own_loss(tmp_path):
    """As when a disk lost some bytes: the frames of its group are gone, those of the next are read."""
    path = Film("door.avi", codec="mjpeg").write(tmp_path)
    data = bytearray(path.read_bytes())
    starts = [place for place in range(len(data)) if data[place : place + 3] == b"\xff\xd8\xff"]
    assert len(starts) == len(probe(path).pts) == 60
    data[starts[20] : starts[21] - 8] = bytes(starts[21] - 8 - starts[20])
    path.write_bytes(data)
    source = footage.open_source(path, "train")
    for _ in range(2):
        with pytest.raises(OSError, match=r"door\.avi: frame 20 cannot be decoded"):
            source.read("door/000020")
        assert [number_of(source.read(f"door/{index:06d}")) for index in (19, 21, 13)] == [19, 21, 13]


def test_footage_without_labels_can_be_trained_on_and_not_scored(film, tmp_path):
    shutil.copy(film / "door.mp4", tmp_path / "GATE.MP4")
    pictures = footage.open_source(tmp_path, "train").pictures
    assert [picture.boxes for picture in pictures] == [None] * 5
    with pytest.raises(InputError, match="no labels"):
        footage.open_source(tmp_path, "val")


def test_a_folder_of_no_footage_is_told(tmp_path):
    with pytest.raises(InputError, match="no footage in it"):
        footage.open_source(tmp_path, "train")


def test_two_videos_of_one_camera_are_told(film, tmp_path):
    """Only one of them could have the labels."""
    for name in ("door.avi", "door.mp4", "gate.mp4"):
        shutil.copy(film / "door.mp4", tmp_path / name)
    with pytest.raises(InputError, match=r"door\.avi and door\.mp4: two videos of one camera"):
        footage.open_source(tmp_path, "train")
    assert footage.open_source(tmp_path / "door.avi", "train").pictures


def test_beside_labelled_cameras_others_are_trained_on_without_labels(film, tmp_path):
    shutil.copytree(film, tmp_path / "two")
    shutil.copy(film / "door.mp4", tmp_path / "two" / "gate.mp4")
    train, val = (footage.open_source(tmp_path / "two", part) for part in ("train", "val"))
    labelled = {
        camera: {p.boxes is not None for p in train.pictures if p.key.startswith(camera)} for camera in ("door", "gate")
    }
    assert labelled == {"door": {True}, "gate": {False}}
    assert {picture.key.partition("/")[0] for picture in val.pictures} == {"door"}


def test_a_scene_says_how_far_labels_reach_and_that_they_are_partial(film, tmp_path):
    shutil.copytree(film, tmp_path / "part")
    (tmp_path / "part/scene.json").write_text('{"exhaustive": "partial", "range": {"door": [20, 45]}}')
    train, val = (footage.open_source(tmp_path / "part", part) for part in ("train", "val"))
    assert train.partial
    assert [picture.key for picture in train.pictures] == ["door/000026", "door/000039"]
    assert [picture.key for picture in val.pictures] == [f"door/{index:06d}" for index in range(19, 45)]


# The world


def test_worlds_are_filmed_once_and_are_one_set(worlds):
    films = {path: path.stat().st_mtime_ns for path in worlds.rglob("*.mp4")}
    assert len(films) == 9
    source = world.open_source(worlds, "train")
    assert {path: path.stat().st_mtime_ns for path in worlds.rglob("*.mp4")} == films
    assert {picture.source for picture in source.pictures} == {"world"}
    assert len(source.pictures) == 2 * 3 * 8


def test_no_world_is_both_trained_on_and_scored(worlds):
    seeds = [
        {picture.key.partition("/")[0] for picture in world.open_source(worlds, part).pictures}
        for part in ("train", "val")
    ]
    assert seeds == [{"100", "101"}, {"110"}]


def test_a_world_that_was_not_filmed_to_its_end_is_filmed_again(worlds, tmp_path):
    shutil.copytree(worlds / "110", tmp_path / "110")
    (tmp_path / "110/cameras.yaml").unlink()
    (tmp_path / "110/yard.mp4").write_bytes(b"")
    source, whole = world.open_source(tmp_path, "val"), world.open_source(worlds, "val")
    assert len(source.pictures) == len(whole.pictures)
    assert (tmp_path / "110/yard.mp4").read_bytes() == (worlds / "110/yard.mp4").read_bytes()


def test_two_who_film_the_same_world_at_once_both_find_it_whole(worlds, tmp_path, monkeypatch):
    """As the processes of one training do, which all begin with an empty folder."""
    both, write_world = threading.Barrier(2), film_module.write_world

    def at_once(folder, **options):
        both.wait()
        return write_world(folder, **options)

    monkeypatch.setattr(film_module, "write_world", at_once)
    root = tmp_path / "not" / "yet"
    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(world.open_source, [root] * 2, ["val"] * 2)
    assert [picture.key for picture in one.pictures] == [picture.key for picture in other.pictures]
    for source in (one, other):
        assert source.read(source.pictures[-1].key).size
    mine, theirs = _files(root / "110"), _files(worlds / "110")
    assert set(mine) == set(theirs)
    assert [name for name in mine if mine[name] != theirs[name]] == []
    assert [path.name for path in root.iterdir()] == ["110"]


def test_whoever_has_a_world_keeps_it_while_another_still_films_it(tmp_path, monkeypatch):
    write_world, whole = film_module.write_world, []

    def stop(camera, frames):
        raise InterruptedError

    def late(folder, **options):
        """By a process that began when there was no world, was overtaken, and is stopped before its end."""
        monkeypatch.setattr(film_module, "write_world", write_world)
        world.open_source(tmp_path, "val")
        whole.append(_files(tmp_path))
        return write_world(folder, **options, advance=stop)

    monkeypatch.setattr(film_module, "write_world", late)
    with pytest.raises(InterruptedError):
        world.open_source(tmp_path, "val")
    assert [_files(tmp_path)] == whole


def _files(root: Path) -> dict[Path, bytes]:
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
