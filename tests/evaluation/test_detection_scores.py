"""Average precision against COCO's own program and against a slow reading of its rules, one detection at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vidreid.evaluation.detection import Labels, score_detections
from vidreid.types import Detections

NOTHING = np.zeros((0, 4), np.float32)
EASY = settings(max_examples=60)


def boxes(*corners):
    return np.array(corners, np.float32).reshape(-1, 4)


def found(*rows):
    """Detections from (x1, y1, x2, y2, score)."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Detections(table[:, :4], table[:, 4])


def scenes(seed, *, pictures=4, most=5, digits=7, regions=True):
    """Pictures of up to ``most`` people, some found once or twice and not quite, besides inventions."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(pictures):
        corner, size = rng.uniform(0, 60, (rng.integers(most + 1), 2)), 30
        people = np.concatenate([corner, corner + size], 1)
        seen = people[rng.random(len(people)) < 0.8]
        seen = np.concatenate([seen, seen[::2]]) + rng.normal(0, 3, (len(seen) + len(seen[::2]), 4))
        invented = rng.uniform(0, 60, (rng.integers(3), 2))
        output = np.concatenate([seen, np.concatenate([invented, invented + size], 1)]).astype(np.float32)
        crowd = boxes((0, 0, 45, 45)) if regions and rng.random() < 0.5 else NOTHING
        scores = np.round(rng.uniform(0.05, 1, len(output)), digits).astype(np.float32)
        made.append((Labels(people.astype(np.float32), crowd), Detections(output, scores)))
    return made


seeds = st.integers(0, 2**32 - 1)
populated = seeds.filter(lambda seed: any(len(labels.boxes) for labels, _ in scenes(seed)))


# The slow reference


def area(box):
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def shared(a, b):
    return area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])


def slow_verdicts(labels, output, level):
    """(score, right) of the detections of a picture that count."""
    free, verdicts = labels.boxes.astype(float).tolist(), []
    for row in np.argsort(-output.scores, kind="stable").tolist():
        box, score = output.boxes[row].astype(float).tolist(), float(output.scores[row])
        overlaps = [shared(box, other) / (area(box) + area(other) - shared(box, other)) for other in free]
        if overlaps and max(overlaps) >= level:
            free.pop(overlaps.index(max(overlaps)))
            verdicts.append((score, True))
        elif not any(shared(box, region) / area(box) >= level for region in labels.regions.astype(float).tolist()):
            verdicts.append((score, False))
    return verdicts


def slow_ap(pictures, level):
    people = sum(len(labels.boxes) for labels, _ in pictures)
    verdicts = sorted((v for picture in pictures for v in slow_verdicts(*picture, level)), key=lambda v: -v[0])
    points, right = [], 0
    for count, (_, hit) in enumerate(verdicts, start=1):
        right += hit
        points.append((right / people, right / count))
    best = [max((p for r, p in points if r >= wanted), default=0.0) for wanted in np.linspace(0, 1, 101)]
    return sum(best) / 101


@EASY
@given(populated)
def test_scores_are_those_of_the_slow_reference(seed):
    pictures = scenes(seed)
    score = score_detections(pictures, score=0.4)
    by_level = [slow_ap(pictures, level) for level in np.linspace(0.5, 0.95, 10)]
    assert score.ap50 == pytest.approx(by_level[0])
    assert score.ap == pytest.approx(np.mean(by_level))
    sure = [v for picture in pictures for v in slow_verdicts(*picture, 0.5) if v[0] >= np.float32(0.4)]
    hits = sum(hit for _, hit in sure)
    assert score.recall == hits / score.boxes
    assert score.false_positives == (len(sure) - hits) / len(pictures)
    assert score.precision == (hits / len(sure) if sure else None)


# COCO's program


def official(pictures):
    """AP 0.5:0.95 and AP 0.5 by pycocotools."""

    def rows(every):
        for image, (labels, _) in enumerate(pictures):
            for crowd, some in enumerate((labels.boxes, labels.regions)):
                for x1, y1, x2, y2 in some.astype(float).tolist():
                    box = [x1, y1, x2 - x1, y2 - y1]
                    yield {"image_id": image, "bbox": box, "area": box[2] * box[3], "iscrowd": crowd}

    truth, output = COCO(), []
    truth.dataset = {
        "images": [{"id": image} for image in range(len(pictures))],
        "categories": [{"id": 1}],
        "annotations": [{"id": i, "category_id": 1, **row} for i, row in enumerate(rows(pictures), start=1)],
    }
    truth.createIndex()
    for image, (_, given_) in enumerate(pictures):
        for (x1, y1, x2, y2), score in zip(given_.boxes.astype(float).tolist(), given_.scores.tolist(), strict=True):
            output.append({"image_id": image, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score})
    evaluation = COCOeval(truth, truth.loadRes(output), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[:2]


@pytest.mark.parametrize(("seed", "most", "digits"), [(1, 5, 7), (2, 5, 1), (3, 120, 2), (4, 30, 1)])
def test_scores_are_those_of_coco(seed, most, digits):
    pictures = scenes(seed, pictures=8, most=most, digits=digits)
    score = score_detections(pictures, score=0.4)
    assert [score.ap, score.ap50] == pytest.approx(official(pictures), abs=1e-9)


# What holds of any detections


@EASY
@given(populated, st.randoms(use_true_random=False))
def test_the_order_of_pictures_and_of_boxes_changes_nothing(seed, random):
    pictures = scenes(seed)
    shuffled = []
    for labels, output in random.sample(pictures, len(pictures)):
        people, rows = (random.sample(range(len(some)), len(some)) for some in (labels.boxes, output))
        shuffled.append((Labels(labels.boxes[people], labels.regions), output.take(np.array(rows, int))))
    assert score_detections(shuffled, score=0.4) == score_detections(pictures, score=0.4)


@EASY
@given(populated)
def test_whoever_finds_all_people_and_nothing_else_is_perfect(seed):
    pictures = [
        (labels, Detections(labels.boxes, np.ones(len(labels.boxes), np.float32))) for labels, _ in scenes(seed)
    ]
    score = score_detections(pictures, score=0.4)
    assert (score.ap, score.ap50, score.recall, score.precision, score.false_positives) == (1, 1, 1, 1, 0)
    assert score.curve == (1.0,) * 101


@EASY
@given(populated)
def test_without_an_invention_no_score_is_lower(seed):
    pictures = [*scenes(seed, regions=False), (Labels(NOTHING), found((5, 5, 35, 35, 0.6)))]
    better = [*pictures[:-1], (Labels(NOTHING), found())]
    before, after = (score_detections(some, score=0.4) for some in (pictures, better))
    assert after.ap50 >= before.ap50
    assert after.ap >= before.ap
    assert after.false_positives == pytest.approx(before.false_positives - 1 / len(pictures))
    assert after.recall == before.recall


@EASY
@given(populated)
def test_only_the_order_of_scores_matters_to_average_precision(seed):
    pictures = scenes(seed)
    halved = [(labels, Detections(output.boxes, output.scores / 2)) for labels, output in pictures]
    assert score_detections(halved, score=0.4).ap == score_detections(pictures, score=0.4).ap


@EASY
@given(populated, st.floats(0.1, 0.9))
def test_a_higher_score_finds_and_invents_less(seed, level):
    low, high = (score_detections(scenes(seed), score=score) for score in (level, level + 0.05))
    assert high.recall <= low.recall
    assert high.false_positives <= low.false_positives
    assert high.ap == low.ap


# By hand

PERSON = (10, 10, 20, 40)


def test_the_curve_is_precision_at_each_recall():
    two = Labels(boxes(PERSON, (50, 10, 60, 40)))
    score = score_detections([(two, found((*PERSON, 0.9), (80, 10, 90, 40, 0.8), (50, 10, 60, 40, 0.7)))], score=0.75)
    assert score.curve == pytest.approx([1.0] * 51 + [2 / 3] * 50)
    assert score.ap50 == pytest.approx(np.mean(score.curve))
    assert (score.recall, score.precision, score.false_positives) == (0.5, 0.5, 1)


def test_a_person_is_found_once():
    score = score_detections([(Labels(boxes(PERSON)), found((*PERSON, 0.9), (*PERSON, 0.8)))], score=0.5)
    assert (score.ap50, score.recall, score.false_positives) == (1, 1, 1)


def test_who_stands_in_an_ignored_region_is_neither_found_nor_missed():
    labels = Labels(boxes(PERSON), boxes((40, 0, 100, 100)))
    score = score_detections([(labels, found((*PERSON, 0.5), (50, 50, 60, 80, 0.9), (60, 50, 70, 80, 0.8)))], score=0.1)
    assert (score.boxes, score.ap50, score.recall, score.precision, score.false_positives) == (1, 1, 1, 1, 0)


def test_a_labelled_person_in_an_ignored_region_is_found_all_the_same():
    score = score_detections([(Labels(boxes(PERSON), boxes((0, 0, 100, 100))), found((*PERSON, 0.9)))], score=0.1)
    assert score.recall == 1


def test_of_partial_labels_there_is_recall_alone():
    labels = Labels(boxes(PERSON, (50, 10, 60, 40)))
    score = score_detections([(labels, found((*PERSON, 0.9), (80, 10, 90, 40, 0.8)))], score=0.1, partial=True)
    assert score.recall == 0.5
    assert (score.ap50, score.ap, score.precision, score.false_positives, score.curve) == (None, None, None, None, ())


def test_pictures_without_people_have_false_positives_alone():
    score = score_detections([(Labels(NOTHING), found((*PERSON, 0.9))), (Labels(NOTHING), found())], score=0.1)
    assert (score.pictures, score.boxes, score.false_positives) == (2, 0, 0.5)
    assert (score.ap50, score.ap, score.recall, score.precision) == (None, None, None, None)


def test_nothing_at_all_is_no_score():
    score = score_detections([], score=0.1)
    assert (score.pictures, score.boxes, score.ap50, score.false_positives) == (0, 0, None, None)
