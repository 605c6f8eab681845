"""Data sets made ready: what is decoded, who is numbered, what is left out."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from drawn_people import encoded, write_csv, write_people

from vidreid.errors import InputError
from vidreid.training import material as materials
from vidreid.training.datasets import Dataset, Split, Tracklet
from vidreid.training.datasets.csv import open_dataset
from vidreid.training.material import gather
from vidreid.training.pictures import InMemory, OnDemand
from vidreid.training.place import Place
from vidreid.training.recipe import Data

DATA = Data(size=(64, 32), frames=2, people=2, clips=2)


def shades(*labels: int) -> Dataset:
    """Pictures of one shade each, 10, 20, ..., a tracklet of one for each of these identities."""
    tracklets = tuple(Tracklet((str(10 * n),), identity, 1) for n, identity in enumerate(labels, 1))
    return Dataset("shades", (Split(tracklets),), lambda key: encoded(np.full((8, 4, 3), int(key), np.uint8)))


def prepared(*labelled: Dataset, strangers=(), data: Data = DATA):
    return gather(labelled, list(strangers), data, place=Place(), seed=0)


def shade_of(pictures, number: int) -> int:
    return int(pictures.take(torch.tensor([number]))[0].float().mean().round())


def test_pictures_are_decoded_to_the_recipes_size_in_rgb(people: Dataset) -> None:
    pictures = prepared(people).pictures
    assert len(pictures) == 48
    found, boxes = pictures.take(torch.tensor([[0, 1], [5, 47]]))
    assert (found.shape, found.dtype, boxes.shape) == ((2, 2, 3, 64, 32), torch.uint8, (2, 2, 4))
    key = people.splits[0].train[0].pictures[0]
    expected = cv2.imdecode(np.frombuffer(people.read(key), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(found[0, 0].permute(1, 2, 0).numpy(), expected)


def test_people_of_two_sets_are_different_people(people: Dataset, tmp_path: Path) -> None:
    other = open_dataset(write_people(tmp_path, people=2), tracklets=True)
    made = prepared(people, other)
    assert made.people == 8
    labels = {label for step in range(8) for label in made.sampler.batch(step).labels.tolist()}
    assert labels == set(range(8))


def test_a_broken_picture_is_skipped_and_named(tmp_path: Path) -> None:
    listing = write_people(tmp_path, people=2)
    (tmp_path / "p1_c1_2.png").write_bytes(b"\x89PNG, and then no more")
    (tmp_path / "p2_c2_0.png").unlink()
    made = prepared(open_dataset(listing, tracklets=True))
    assert made.skipped == ("people: p1_c1_2.png", "people: p2_c2_0.png")
    assert len(made.pictures) == 14
    assert made.people == 2


def test_a_person_of_broken_pictures_alone_is_nobody(tmp_path: Path) -> None:
    listing = write_people(tmp_path, people=2, cameras=1, pictures=1)
    (tmp_path / "p1_c1_0.png").write_bytes(b"")
    assert prepared(open_dataset(listing, tracklets=True)).people == 1


def test_distractors_and_junk_have_no_label_but_are_strangers() -> None:
    made = prepared(shades(3, 0, -1, 7), data=Data(size=(8, 8), frames=1, people=2, clips=1, strangers=8))
    assert made.people == 2
    batch = made.sampler.batch(0)
    assert sorted(shade_of(made.pictures, number) for number in batch.pictures[:2, 0].tolist()) == [10, 40]
    assert {shade_of(made.pictures, number) for number in batch.pictures[2:, 0].tolist()} == {20, 30}


def test_of_strangers_no_label_is_read() -> None:
    data = Data(size=(8, 8), frames=1, people=1, clips=1, strangers=8)
    made = prepared(shades(1), strangers=[shades(1, 2)], data=data)
    assert made.people == 1
    assert len(made.pictures) == 3


def test_a_clip_of_a_stranger_is_of_one_tracklet() -> None:
    several = Dataset("several", (Split((Tracklet(("50", "60"), 3, 1), Tracklet(("70", "80"), 3, 2))),), shades().read)
    made = prepared(shades(1), strangers=[several], data=Data(size=(8, 8), frames=2, people=1, clips=1, strangers=8))
    clips = made.sampler.batch(0).pictures[1:].tolist()
    assert {tuple(shade_of(made.pictures, number) for number in clip) for clip in clips} == {(50, 60), (70, 80)}


def test_the_digest_tells_people_and_strangers_from_others() -> None:
    data = replace(DATA, strangers=4)
    first, same, other = (prepared(shades(1, 2), strangers=[shades(*some)], data=data) for some in ((1,), (5,), (1, 2)))
    assert first.digest == same.digest  # no label of a stranger is read
    assert first.digest != other.digest
    assert first.digest != prepared(shades(1, 2, 3), strangers=[shades(1)], data=data).digest


def test_a_recipe_without_strangers_leaves_distractors_and_refuses_strangers() -> None:
    data = Data(size=(8, 8), frames=1, people=2, clips=1)
    assert len(prepared(shades(3, 0, -1, 7), data=data).pictures) == len(prepared(shades(3, 7), data=data).pictures)
    with pytest.raises(InputError, match="takes no pictures of strangers") as refused:
        prepared(shades(1, 2), strangers=[shades(3)], data=data)
    assert refused.value.hint == "--set data.strangers=16"


def test_a_recipe_of_strangers_wants_some() -> None:
    with pytest.raises(InputError, match="wants pictures of strangers"):
        prepared(shades(1, 2), data=Data(size=(8, 8), strangers=4))


@pytest.mark.parametrize("labels", [(), (0, -1)])
def test_a_set_of_nobody_is_refused(labels: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="shades: nobody to train on"):
        prepared(shades(*labels))


def test_boxes_of_a_set_come_with_its_pictures() -> None:
    plain = shades(1, 2)
    boxed = Dataset(plain.name, plain.splits, plain.read, boxes={"20": (0.1, 0.2, 0.9, 0.8)})
    _, boxes = prepared(boxed).pictures.take(torch.tensor([0, 1]))
    torch.testing.assert_close(boxes, torch.tensor([[0.0, 0, 1, 1], [0.1, 0.2, 0.9, 0.8]]))


def test_what_does_not_fit_into_memory_is_decoded_on_demand(people: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = prepared(people).pictures
    monkeypatch.setattr(materials, "ROOM", 0.0)
    demanded = prepared(people).pictures
    assert type(kept) is not type(demanded)
    numbers = torch.tensor([[3, 4], [40, 7]])
    for one, other in zip(kept.take(numbers), demanded.take(numbers), strict=True):
        assert torch.equal(one, other)


def test_processes_of_one_machine_share_its_memory(people: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = 48 * 3 * 64 * 32
    monkeypatch.setattr(materials, "free_memory", lambda: 1.5 * wanted / materials.ROOM)
    alone, one_of_two = (
        gather([people], [], DATA, place=place, seed=0).pictures for place in (Place(), Place(ranks=2))
    )
    assert (type(alone), type(one_of_two)) == (InMemory, OnDemand)


def test_a_picture_that_breaks_later_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materials, "ROOM", 0.0)
    made = prepared(open_dataset(write_people(tmp_path, people=2), tracklets=True))
    (tmp_path / "p1_c1_0.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"p1_c1_0.png: a broken picture"):
        made.pictures.take(torch.tensor([0]))


def test_identity_0_in_the_middle_leaves_no_hole_in_the_numbers(tmp_path: Path) -> None:
    write_people(tmp_path, people=3, cameras=1, pictures=1)
    rows = [(f"p{n}_c1_0.png", identity, 1, 1, "train") for n, identity in ((1, 4), (2, 0), (3, 9))]
    made = prepared(open_dataset(write_csv(tmp_path / "people.csv", rows), tracklets=True))
    assert sorted(made.sampler.batch(0).labels.tolist()) == [0, 0, 1, 1]


def test_of_a_set_of_several_splits_one_is_trained_on() -> None:
    dark, bright = shades(1, 2), shades(0, 0, 0, 4)
    both = replace(dark, splits=(*dark.splits, *bright.splits))
    chosen = [gather([both], [], DATA, place=Place(), seed=0, split=split).pictures for split in (1, 2)]
    assert [shade_of(taken, 0) for taken in chosen] == [10, 40]
    with pytest.raises(InputError, match="no split 3"):
        gather([both], [], DATA, place=Place(), seed=0, split=3)
