"""Scores on real labels equal those of trackeval's own file reader and of NIST's reid_hota."""

import numpy as np
import pytest
from labelled_scenes import perturbed
from reid_hota.similarity import calculate_box_ious
from trackeval.datasets import MotChallenge2DBox
from trackeval.metrics import CLEAR, HOTA, Identity

from vidreid.evaluation.identity import aligned_hota, evaluate_identity
from vidreid.evaluation.mot import Rows, read_mot
from vidreid.evaluation.sequence import iou
from vidreid.evaluation.tracking import evaluate_tracking
from vidreid.evaluation.truth import read_truth

pytestmark = pytest.mark.shared
SCENES = {"campus4": ["c0", "c1"], "lab4": ["cam1", "cam2"], "pets_s2l1": ["vtest"]}
AT_HALF = 9  # position of IoU 0.5 in 0.05, 0.1, ..., 0.95


@pytest.fixture(scope="module", params=SCENES)
def labels(request, shared):
    return read_truth(shared / "data" / "footage" / request.param, SCENES[request.param])


def outputs_of(labels, **options):
    return {camera: perturbed(each.rows, seed=7, **options) for camera, each in labels.cameras.items()}


def write_mot(path, rows):
    path.parent.mkdir(parents=True)
    sizes = rows.boxes[:, 2:].astype(np.float64) - rows.boxes[:, :2]
    table = np.column_stack([rows.frame, rows.ids, rows.boxes[:, :2], sizes, np.ones((len(rows), 3))])
    np.savetxt(path, table, delimiter=",", fmt="%.9g")


def official(folder, frames):
    """Scores of trackeval from files, by its own reader and its own IoU."""
    dataset = MotChallenge2DBox(
        {
            "GT_FOLDER": str(folder / "gt"),
            "TRACKERS_FOLDER": str(folder / "trackers"),
            "TRACKERS_TO_EVAL": ["ours"],
            "SEQ_INFO": {"seq": frames},
            "BENCHMARK": "MOT15",
            "SKIP_SPLIT_FOL": True,
            "DO_PREPROC": False,
            "PRINT_CONFIG": False,
        }
    )
    data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("ours", "seq"), "pedestrian")
    options = {"PRINT_CONFIG": False}
    return {
        **CLEAR(options).eval_sequence(data),
        **Identity(options).eval_sequence(data),
        **{name: float(np.mean(value)) for name, value in HOTA().eval_sequence(data).items()},
    }


@pytest.mark.parametrize("pieces", [1, 4])
def test_one_camera_scores_as_trackeval_does_from_files(labels, tmp_path, pieces):
    camera, output = next(iter(outputs_of(labels, pieces=pieces).items()))
    write_mot(tmp_path / "gt" / "seq" / "gt" / "gt.txt", labels.cameras[camera].rows)
    write_mot(tmp_path / "trackers" / "ours" / "data" / "seq.txt", output)
    theirs = official(tmp_path, int(labels.cameras[camera].rows.frame.max()))
    ours = evaluate_tracking(labels, {**outputs_of(labels), camera: output})[camera]
    names = {
        "mota": "MOTA", "idf1": "IDF1", "idp": "IDP", "idr": "IDR", "hota": "HOTA", "deta": "DetA", "assa": "AssA",
        "precision": "CLR_Pr", "recall": "CLR_Re", "id_switches": "IDSW", "fragments": "Frag",
        "tp": "CLR_TP", "fp": "CLR_FP", "fn": "CLR_FN",
    }  # fmt: skip
    assert {name: ours.as_dict()[name] for name in names} == pytest.approx(
        {name: theirs[other] for name, other in names.items()}, abs=1e-6
    )


def test_output_read_from_a_file_scores_as_the_same_output_in_memory(labels, tmp_path):
    outputs = outputs_of(labels, pieces=3)
    for camera, rows in outputs.items():
        write_mot(tmp_path / camera / "output.txt", rows)
    read = {camera: read_mot(tmp_path / camera / "output.txt") for camera in outputs}
    for camera, score in evaluate_tracking(labels, outputs).items():
        assert evaluate_tracking(labels, read)[camera].as_dict() == pytest.approx(score.as_dict(), abs=1e-6)


def test_idf1_over_cameras_is_that_of_one_long_sequence(labels, tmp_path):
    outputs = outputs_of(labels, pieces=3)
    rows, theirs = [each.rows for each in labels.cameras.values()], list(outputs.values())
    length = max(int(each.frame.max()) for each in rows)
    truth, output = (
        Rows(
            np.concatenate([each.frame + length * camera for camera, each in enumerate(side)]),
            np.concatenate([each.ids for each in side]),
            np.concatenate([each.boxes for each in side]),
        )
        for side in (rows, theirs)
    )
    write_mot(tmp_path / "gt" / "seq" / "gt" / "gt.txt", truth)
    write_mot(tmp_path / "trackers" / "ours" / "data" / "seq.txt", output)
    score, reference = evaluate_identity(labels, outputs), official(tmp_path, length * len(rows))
    assert (score.idf1, score.idp, score.idr) == pytest.approx(
        (reference["IDF1"], reference["IDP"], reference["IDR"]), abs=1e-6
    )
    assert score.hota_unaligned == pytest.approx(reference["HOTA"], abs=1e-6)


def test_where_every_person_has_one_identity_nist_and_trackeval_agree(labels):
    outputs = outputs_of(labels)
    score = evaluate_identity(labels, outputs)
    assert score.hota == pytest.approx(score.hota_unaligned, abs=1e-9)
    pairs = {camera: (labels.cameras[camera].rows, rows) for camera, rows in outputs.items()}
    assert aligned_hota(pairs)["IDF1"][AT_HALF] == pytest.approx(score.idf1, abs=1e-9)


def test_where_people_have_several_identities_nist_is_the_stricter(labels):
    # NIST pairs people and identities by mean overlap, trackeval so that the most boxes agree: never fewer.
    outputs = outputs_of(labels, pieces=3)
    score = evaluate_identity(labels, outputs)
    pairs = {camera: (labels.cameras[camera].rows, rows) for camera, rows in outputs.items()}
    aligned = aligned_hota(pairs)
    assert score.hota < score.hota_unaligned
    assert score.idf1 - 0.02 < aligned["IDF1"][AT_HALF] <= score.idf1 + 1e-9


def test_overlap_is_that_of_reid_hota(labels):
    rows = next(iter(labels.cameras.values())).rows
    first, second = rows.boxes[:300], perturbed(rows, seed=1).boxes[:200]
    theirs = calculate_box_ious(first.astype(np.float64), second.astype(np.float64), box_format="xyxy")
    np.testing.assert_allclose(iou(first, second), theirs, atol=1e-12)
