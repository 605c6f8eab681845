"""`evaluate retrieval` and `evaluate compare` on a crowd of drawn people."""

import csv
import json

import cv2
import numpy as np
import pytest
import torch
from crowds import PEOPLE, draw, write_crowd

from vidreid.training.recipe import Data, Part, Recipe, build_network
from vidreid.training.trained import write_weights


@pytest.fixture
def crowd(tmp_path):
    return write_crowd(tmp_path / "crowd", sequences=2, pictures=2)


@pytest.fixture
def retrieval(say, crowd):
    """``retrieval("--json")`` scores the crowd by the colours of clothes."""
    return lambda *words: say("evaluate", "retrieval", "--dataset", crowd, "--embedder", "colours", *words)


def test_scores_stand_below_the_data_and_the_protocol(retrieval):
    answer = retrieval()
    assert answer.status == 0
    task, protocol, *scores = answer.out.splitlines()
    assert task == "colours on crowd: 6 queries, 7 in the gallery"
    assert protocol == "protocol: tracklets, frames all, cosine distance, rectangle AP"
    assert [line.split()[0] for line in scores] == ["rank1", "rank5", "rank10", "rank20", "mAP"]
    assert scores[0].split()[1:] == ["100.00", "%"]


def test_json_has_the_scores_as_fractions_counts_and_protocol(retrieval):
    result = json.loads(retrieval("--json").out)
    assert result["system"] == "colours"
    assert result["rank1"] == result["rank5"] == result["rank10"] == result["mAP"] == 1.0
    assert (result["queries"], result["queries_without_match"], result["gallery"]) == (6, 0, 7)
    assert result["protocol"]["ap"] == "rectangle"
    assert len(result["per_query"]["query"]) == 6


def test_options_change_the_protocol_and_the_output_says_so(retrieval):
    answer = retrieval("--frames", "1", "--ap", "trapezoid", "--distance", "euclidean", "--rerank")
    assert answer.out.splitlines()[1] == ("protocol: tracklets, frames 1, euclidean distance, trapezoid AP, re-ranked")


def test_saved_features_score_the_same(say, retrieval, crowd, tmp_path):
    file = tmp_path / "kept.npz"
    first = json.loads(retrieval("--save-features", file, "--json").out)
    again = json.loads(say("evaluate", "retrieval", "--dataset", crowd, "--features", file, "--json").out)
    assert again.pop("system") == "kept"
    assert first.pop("system") == "colours"
    assert first == again
    with np.load(file, allow_pickle=False) as stored:
        assert sorted(stored) == ["features", "paths"]
        assert stored["paths"][0] == "pictures/p1_c1_s0_0.png"


def test_everything_else_is_written_where_it_is_asked_for(retrieval, tmp_path):
    answer = retrieval("--per-query", tmp_path / "q.csv", "--plot", tmp_path / "c.svg", "--sheet", tmp_path / "s.png")
    assert answer.status == 0
    with (tmp_path / "q.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[0]["query"] == "pictures/p1_c1_s0_0.png"
    assert rows[0]["best_right"].startswith("pictures/p1_c2")
    assert (tmp_path / "c.svg").read_text().startswith("<?xml")
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")


def test_pictures_of_an_image_set_can_be_scored_alone(retrieval):
    task, protocol, *_ = retrieval("--pictures").out.splitlines()
    assert task == "colours on crowd: 12 queries, 13 in the gallery"
    assert protocol.startswith("protocol: pictures, ")


def test_a_plot_of_no_known_kind_is_refused_before_anything_is_embedded(retrieval, tmp_path):
    answer = retrieval("--plot", tmp_path / "c.jpg", "--save-features", tmp_path / "kept.npz")
    assert answer.status == 2
    assert "c.jpg: not a kind of picture" in answer.err
    assert not (tmp_path / "kept.npz").exists()


def test_a_broken_picture_is_named_and_the_others_count(retrieval, crowd):
    (crowd.parent / "pictures" / "p1_c1_s0_0.png").write_bytes(b"no picture")
    answer = retrieval("--json")
    assert "note: pictures/p1_c1_s0_0.png: cannot be read, left out" in answer.err
    assert json.loads(answer.out)["queries"] == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--embedder", "colours", "--features", "f.npz"], "--embedder and --features"),
        (["--network", "slim"], "--network without --weights"),
        (["--embedder", "colours", "--device", "cuda"], "--device cuda without --weights"),
        (["--features", "f.npz", "--frames", "4"], "--features and --frames"),
        (["--embedder", "colours", "--frames", "some"], "'some' is neither all nor a number"),
        (["--embedder", "colours", "--frames", "0"], "'0' is neither all nor a number"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_use(say, crowd, words, message):
    answer = say("evaluate", "retrieval", "--dataset", crowd, *words)
    assert answer.status == 2
    assert message in answer.err


def test_features_of_other_pictures_are_one_line(say, crowd, tmp_path):
    np.savez(tmp_path / "f.npz", paths=np.array(["x.png"]), features=np.ones((1, 2)))
    answer = say("evaluate", "retrieval", "--dataset", crowd, "--features", tmp_path / "f.npz")
    assert answer.status == 3
    assert "error: no features of 13 of 13 pictures, first pictures/p1_c1_s0_0.png" in answer.err


# compare


@pytest.fixture
def two_splits(tmp_path):
    """PRID-2011's layout of three people and two splits, and a network for each."""
    people = [f"person_{number:04d}" for number in PEOPLE]
    for number, (name, clothes) in enumerate(zip(people, PEOPLE.values(), strict=True)):
        for camera in "ab":
            path = tmp_path / "prid" / "prid_2011" / "multi_shot" / f"cam_{camera}" / name / "0001.png"
            path.parent.mkdir(parents=True)
            cv2.imwrite(str(path), draw(*clothes, seed=10 * number + ord(camera))[:, :, ::-1])
    splits = [{"train": people[2:], "test": people[:2]}, {"train": people[:1], "test": people[1:]}]
    (tmp_path / "prid" / "splits_prid2011.json").write_text(json.dumps(splits))
    recipe = Recipe(
        backbone=Part("slim", {"widths": [4, 6, 8, 10], "blocks": [1, 1, 1, 2]}),
        network=Part("average"),
        data=Data(size=(32, 16), frames=1),
    )
    for seed in (1, 2):
        torch.manual_seed(seed)
        write_weights(tmp_path / f"split{seed}.safetensors", build_network(recipe), recipe)
    return ["--dataset", "prid2011", "--data", tmp_path / "prid"], [
        tmp_path / f"split{seed}.safetensors" for seed in (1, 2)
    ]


def test_networks_that_learnt_a_split_each_are_scored_on_theirs_and_averaged(say, two_splits):
    data, weights = two_splits

    def result(*words):
        return json.loads(say("evaluate", "retrieval", *data, *words, "--json").out)

    alone = [result("--weights", file, "--split", split) for split, file in enumerate(weights, 1)]
    both = result("--weights", weights[0], "--weights", weights[1])
    assert both["splits"] == 2
    assert both["mAP"] == pytest.approx(np.mean([one["mAP"] for one in alone]))
    assert both["per_query"]["ap"] == [ap for one in alone for ap in one["per_query"]["ap"]]
    assert both["per_query"]["split"] == [1, 1, 2, 2]


def test_one_network_on_all_splits_is_told_that_it_may_know_the_people(say, two_splits):
    data, weights = two_splits
    answer = say("evaluate", "retrieval", *data, "--weights", weights[0])
    assert answer.status == 0
    assert "note: 2 splits share people" in answer.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_the_device_is_chosen_as_in_training(say, two_splits):
    data, [weights, _] = two_splits
    words = ["evaluate", "retrieval", *data, "--split", "1", "--weights", weights]
    assert say(*words).out == say(*words, "--device", "cpu").out
    answer = say(*words, "--device", "cuda")
    assert answer.status == 5
    assert answer.err.splitlines()[-2:] == ["error: no CUDA device on this machine", "hint: --device cpu"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--split", "1"], "2 --weights for 1 splits"),
        (["--weights", "third.safetensors"], "3 --weights for 2 splits"),
        (["--save-features", "f.npz"], "--save-features of several networks"),
    ],
)
def test_several_networks_are_one_a_split(say, two_splits, words, message):
    data, weights = two_splits
    answer = say("evaluate", "retrieval", *data, "--weights", weights[0], "--weights", weights[1], *words)
    assert answer.status == 2
    assert message in answer.err


@pytest.fixture
def results(retrieval, tmp_path):
    """The crowd by colours, with and without noise of two seeds on the vectors."""
    file = tmp_path / "kept.npz"
    (tmp_path / "colours.json").write_text(retrieval("--save-features", file, "--json").out)
    return tmp_path


@pytest.fixture
def noisy(say, results, crowd):
    with np.load(results / "kept.npz") as stored:
        paths, features = stored["paths"], stored["features"]
    for seed in (1, 2):
        noise = np.random.default_rng(seed).normal(0, 0.2, features.shape)
        np.savez(results / f"noisy{seed}.npz", paths=paths, features=features + noise)
        answer = say("evaluate", "retrieval", "--dataset", crowd, "--features", results / f"noisy{seed}.npz", "--json")
        (results / f"noisy{seed}.json").write_text(answer.out)
    return results


def test_systems_stand_side_by_side_with_their_seeds(say, noisy):
    files = [noisy / "colours.json", f"noisy={noisy}/noisy1.json", f"noisy={noisy}/noisy2.json"]
    answer = say("evaluate", "compare", *files, "--csv", noisy / "t.csv", "--latex", noisy / "t.tex")
    assert answer.status == 0
    _, first, second, change, *_ = answer.out.splitlines()
    assert first.split()[:3] == ["colours", "1", "100.0"]
    assert second.split()[:2] == ["noisy", "2"]
    assert "±" in second
    assert "[" in change
    with (noisy / "t.csv").open(newline="") as file:
        assert {row["system"] for row in csv.DictReader(file)} == {"colours", "noisy"}
    assert r"\begin{tabular}" in (noisy / "t.tex").read_text()


def test_the_same_files_give_the_same_intervals(say, noisy):
    words = ["evaluate", "compare", noisy / "colours.json", noisy / "noisy1.json"]
    assert say(*words).out == say(*words).out


def test_another_protocol_is_refused_in_one_line(say, retrieval, results):
    (results / "other.json").write_text(retrieval("--ap", "trapezoid", "--json").out)
    answer = say("evaluate", "compare", results / "colours.json", results / "other.json")
    assert answer.status == 3
    assert "ap rectangle and trapezoid" in answer.err.splitlines()[0]


def test_two_systems_of_one_name_must_be_told_apart(say, results):
    (results / "again").mkdir()
    (results / "again" / "colours.json").write_bytes((results / "colours.json").read_bytes())
    answer = say("evaluate", "compare", results / "colours.json", results / "again" / "colours.json")
    assert answer.status == 2
    assert "two systems named colours" in answer.err


def test_one_system_alone_is_wrong_use(say, results):
    answer = say("evaluate", "compare", f"a={results}/colours.json", f"a={results}/colours.json")
    assert answer.status == 2
    assert "nothing to compare" in answer.err
