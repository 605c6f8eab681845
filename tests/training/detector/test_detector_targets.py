"""What every place should say: the teacher's word, put right by labels, one place a person."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

from vidreid.networks.weights.ultralytics import Dense
from vidreid.training.detector.targets import AGREED, SAME, Truth, iou, targets

SIDE = 64
PLACES = [
    ((column + 0.5) * stride, (row + 0.5) * stride, stride)
    for stride in (8, 16, 32)
    for row in range(SIDE // stride)
    for column in range(SIDE // stride)
]


def dense(seed: int, views: int = 1) -> Dense:
    """A teacher who says something of every place."""
    random = torch.Generator().manual_seed(seed)
    x, y, stride = torch.tensor(PLACES, dtype=torch.float32).unbind(1)
    reach = torch.rand(views, len(PLACES), 4, generator=random) * 3 * stride[:, None]
    centres = torch.stack([x, y], 1)
    boxes = torch.cat([centres - reach[..., :2], centres + reach[..., 2:]], 2)
    logits = 3 * torch.randn(views, len(PLACES), generator=random) - 2
    return Dense(logits, boxes, centres, stride, ())


def truth(*boxes, cut=(), complete=1.0) -> Truth:
    flags = torch.tensor([number in cut for number in range(len(boxes))], dtype=torch.bool)
    return Truth(torch.tensor(boxes, dtype=torch.float32).view(-1, 4), flags, complete)


def overlap(a, b) -> float:
    wide, tall = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inner = max(0.0, wide) * max(0.0, tall)
    return inner / max((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inner, 1e-6)


def fit(person, place, score: float, box) -> float:
    """How well a place says a person; 0 where its centre is neither in his box nor in a small cell around him."""
    x, y, stride = place
    middle, height = ((person[0] + person[2]) / 2, (person[1] + person[3]) / 2), max(person[3] - person[1], 1.0)
    if abs(x - middle[0]) > max(person[2] - person[0], 8) / 2 or abs(y - middle[1]) > max(height, 8) / 2:
        return 0.0
    away = math.hypot(x - middle[0], y - middle[1]) / height
    near = math.exp(-4 * away - abs(math.log2(8 * stride / height)))
    return math.sqrt(score + 1e-4) * (overlap(person, box) + 1e-3 * near) ** AGREED


def reference(said: Dense, labels: Truth, *, own: bool = False) -> tuple[list[float], list[list[float]]]:
    """Slowly and obviously, for the first view."""
    scores, boxes = said.logits.sigmoid()[0].tolist(), said.boxes[0].tolist()
    cut = [box for box, is_cut in zip(labels.boxes.tolist(), labels.cut.tolist(), strict=True) if is_cut]
    whole = [box for box, is_cut in zip(labels.boxes.tolist(), labels.cut.tolist(), strict=True) if not is_cut]
    wanted = []
    for score, box in zip(scores, boxes, strict=True):
        if any(overlap(person, box) >= SAME for person in cut):
            wanted.append(score)
        elif any(overlap(person, box) >= SAME for person in whole):
            wanted.append(0.0)
        else:
            wanted.append(score * (0 if own else 1 - labels.complete))
    found = [list(box) for box in boxes]
    fits = {
        (person, place): fit(whole[person], PLACES[place], scores[place], boxes[place])
        for person in range(len(whole))
        for place in range(len(PLACES))
    }
    while fits and max(fits.values()) > 0:
        person, place = max(fits, key=fits.__getitem__)
        wanted[place], found[place] = 1.0, whole[person]
        fits = {pair: value for pair, value in fits.items() if pair[0] != person and pair[1] != place}
    return wanted, found


corners = st.tuples(st.integers(0, 40), st.integers(0, 36))
people = st.lists(st.tuples(corners, st.integers(24, 60), st.integers(28, 60)), max_size=3).map(
    lambda found: [(x, y, min(x + w, SIDE), min(y + h, SIDE)) for (x, y), w, h in found]
)
labels = st.tuples(people, st.sets(st.integers(0, 2)), st.sampled_from([0.0, 0.25, 0.9, 1.0])).map(
    lambda found: truth(*found[0], cut=found[1], complete=found[2])
)
seeds = st.integers(0, 10_000)


@given(seeds, labels, st.booleans())
def test_it_is_what_the_slow_reference_says(seed, labels, own):
    said = dense(seed)
    scores, boxes = reference(said, labels, own=own)
    found = targets(said, [labels], own=own)
    torch.testing.assert_close(found.scores[0], torch.tensor(scores), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found.boxes[0], torch.tensor(boxes))


@given(seeds, labels)
def test_every_labelled_person_has_one_place_with_his_box(seed, labels):
    found = targets(dense(seed), [labels])
    chosen = found.boxes[0][found.scores[0] == 1]
    assert sorted(chosen.tolist()) == sorted(labels.boxes[~labels.cut].tolist())


@given(seeds, labels)
def test_other_places_that_mean_the_same_person_say_nobody(seed, labels):
    said = dense(seed)
    scores = targets(said, [labels]).scores[0]
    same = (iou(labels.boxes[~labels.cut], said.boxes[0]) >= SAME).any(0)
    cut = (iou(labels.boxes[labels.cut], said.boxes[0]) >= SAME).any(0)
    assert set(scores[same & ~cut].tolist()) <= {0.0, 1.0}


@given(seeds, people)
def test_people_whom_the_view_cuts_are_neither_asked_for_nor_denied(seed, boxes):
    said = dense(seed)
    scores = targets(said, [truth(*boxes, cut=range(3))]).scores[0]
    theirs = (iou(torch.tensor(boxes, dtype=torch.float32).view(-1, 4), said.boxes[0]) >= SAME).any(0)
    assert torch.equal(scores[theirs], said.logits.sigmoid()[0][theirs])
    assert not scores[~theirs].any()


@given(seeds)
def test_a_view_without_labels_has_the_teachers_word(seed):
    said = dense(seed, views=2)
    found = targets(said, [None, truth((8, 8, 40, 60))])
    assert torch.equal(found.scores[0], said.logits.sigmoid()[0])
    assert torch.equal(found.boxes[0], said.boxes[0])
    assert not torch.equal(found.scores[1], said.logits.sigmoid()[1])


@given(seeds, st.floats(0, 1))
def test_of_what_no_label_names_stays_what_the_labels_leave_open(seed, complete):
    said = dense(seed)
    found = targets(said, [truth(complete=complete)]).scores[0]
    torch.testing.assert_close(found, said.logits.sigmoid()[0] * (1 - complete))


@given(seeds, st.lists(st.none() | labels, min_size=1, max_size=3))
def test_a_view_means_the_same_alone_and_in_a_batch(seed, truths):
    said = dense(seed, views=len(truths))
    found = targets(said, truths)
    for row, one in enumerate(truths):
        view = replace(said, logits=said.logits[row : row + 1], boxes=said.boxes[row : row + 1])
        alone = targets(view, [one])
        torch.testing.assert_close(found.scores[row], alone.scores[0])
        assert torch.equal(found.boxes[row], alone.boxes[0])


class Waits(TorchFunctionMode):
    """Notes the calls that take a number out of a tensor, for each of which a GPU is waited for."""

    NAMES = ("__int__", "__float__", "__bool__", "item", "tolist", "nonzero", "cpu")

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func.__name__ in self.NAMES:
            self.seen.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_a_gpu_is_waited_for_once_a_batch():
    """All that is looked at number by number is looked at on the CPU."""
    said = dense(0, views=3)
    with Waits() as waits:
        targets(said, [truth((8, 8, 40, 60), (20, 0, 50, 64)), None, truth((8, 8, 40, 60), (2, 0, 9, 30), cut=[1])])
    assert (waits.seen[0], waits.seen.count("cpu")) == ("cpu", 1)


def test_a_learner_without_teacher_takes_all_labels_for_complete():
    said = dense(0)
    assert not targets(said, [truth(complete=0.0)], own=True).scores.any()
    torch.testing.assert_close(targets(said, [truth(complete=0.0)]).scores, said.logits.sigmoid())


@given(seeds, st.floats(0, 60), st.floats(0, 56), st.floats(2, 8), st.floats(6, 8))
def test_a_person_smaller_than_a_cell_has_a_place_too(seed, x, y, width, height):
    """Who stands between the centres of cells would be taught to be nobody."""
    assume(x + width <= SIDE)
    found = targets(dense(seed), [truth((x, y, x + width, y + height))])
    assert (found.scores[0] == 1).sum() == 1


def test_of_two_people_who_want_one_place_the_better_fit_has_it_and_the_other_the_next_best():
    """The teacher saw one box where two people stand."""
    said = dense(0)
    said.logits[:] = -20.0
    said.boxes[:] = torch.tensor([0.0, 0.0, 1.0, 1.0])
    place = PLACES.index((28, 28, 8))
    said.logits[0, place] = 3.0
    said.boxes[0, place] = torch.tensor([12.0, 8.0, 44.0, 56.0])
    near, exact = (10, 8, 46, 58), (12, 8, 44, 55)
    found = targets(said, [truth(near, exact)])
    assert found.boxes[0, place].tolist() == list(exact)
    (other,) = (found.boxes[0] == torch.tensor(near, dtype=torch.float32)).all(1).nonzero()
    assert other != place
    assert found.scores[0, other] == found.scores[0, place] == 1
    assert found.scores.sum() == pytest.approx(2)


def test_where_the_teacher_saw_nothing_the_place_is_in_the_middle_and_of_the_right_size():
    said = dense(0)
    said.logits[:] = -20.0
    said.boxes[:] = 0.0
    for box, wanted in [((16, 0, 48, 64), 8), ((0, 0, 64, 64), 8), ((18, 6, 30, 42), 8)]:
        scores = targets(said, [truth(box)]).scores[0]
        x, y, stride = PLACES[int(scores.argmax())]
        assert stride == wanted
        assert abs(x - (box[0] + box[2]) / 2) <= stride / 2
        assert abs(y - (box[1] + box[3]) / 2) <= stride / 2


def test_what_the_teacher_said_is_not_changed():
    said = dense(3)
    before = said.logits.clone(), said.boxes.clone()
    targets(said, [truth((8, 8, 40, 60))])
    assert torch.equal(said.logits, before[0])
    assert torch.equal(said.boxes, before[1])


def test_overlap_of_boxes():
    boxes = [(0, 0, 10, 10), (5, 0, 15, 10), (20, 20, 30, 30), (3, 3, 3, 3)]
    found = iou(torch.tensor(boxes, dtype=torch.float32), torch.tensor(boxes, dtype=torch.float32))
    wanted = [[overlap(one, other) for other in boxes] for one in boxes]
    torch.testing.assert_close(found, torch.tensor(wanted))
