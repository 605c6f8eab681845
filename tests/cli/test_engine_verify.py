"""`engine verify`: what torch said, said again; too far is an error; and whether people are ranked alike."""

import json

import cv2
import numpy as np
import pytest
from handmade_engines import engine, graph, pictures

from vidreid.digests import file_sha256
from vidreid.engines.bundle import write_bundle
from vidreid.engines.card import GOLDEN, read_card, write_card
from vidreid.engines.folder import cache
from vidreid.engines.source import EMBEDDING, Golden, write_golden

NAME = "tiny-fp32-onnxruntime-1a2b"


@pytest.fixture
def tiny(own_home):
    """An engine in the user's cache."""
    return engine(cache())


@pytest.fixture
def crops(tmp_path):
    """A folder of pictures of as many persons."""
    folder = tmp_path / "crops"
    folder.mkdir()
    for number, picture in enumerate(pictures(12, seed=4)):
        cv2.imwrite(str(folder / f"{number:02d}.png"), picture)
    return folder


def spoilt(folder):
    """Torch's answers are other ones, and the card knows their file."""
    noise = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    write_golden(folder / GOLDEN, (Golden(pictures(5), {EMBEDDING: noise}),))
    card = read_card(folder)
    files = {**card.files, GOLDEN: file_sha256(folder / GOLDEN)}
    write_card(folder, card.model_copy(update={"files": files}))


def test_an_engine_that_is_exact_is_told_so(say, tiny):
    answer = say("engine", "verify", "tiny")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(f"{NAME}: least cosine 1.00000, error at most ")


def test_the_figures_as_json(say, tiny):
    told = json.loads(say("engine", "verify", tiny, "--json").out)
    assert told["engine"] == NAME
    assert told["measured"]["inputs"] == 5
    assert told["measured"]["cosine"][0][0] == pytest.approx(1)
    assert (told["refused"], told["ranks"]) == (None, None)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_one_that_is_too_far_is_an_error_with_the_figures_and_the_command_that_rebuilds(say, tiny, form):
    spoilt(tiny)
    answer = say("engine", "verify", "tiny", *form)
    assert answer.status == 3
    assert "cosine" in answer.out
    assert f"error: {NAME}: too far from torch: least cosine is " in answer.err
    assert answer.err.endswith("hint: vidreid engine build tiny --runtime onnxruntime\n")


def test_a_recipe_s_own_bound_is_kept_on_the_card(say, tiny):
    spoilt(tiny)
    card = read_card(tiny)
    write_card(tiny, card.model_copy(update={"bound": card.bound.model_copy(update={"cosine": -1.0})}))
    assert say("engine", "verify", "tiny").status == 0


def test_random_weights_need_not_be_exact(say, own_home):
    spoilt(engine(cache(), weights={"kind": "random", "sha256": "weights of 0"}))
    answer = say("engine", "verify", "tiny")
    assert answer.status == 0
    assert answer.out.endswith("  its weights are random: how exact it is means little\n")


def test_another_engine_of_the_network_ranks_people_alike(say, tiny, crops):
    engine(cache(), "tiny-fp32-other-3c4d")
    answer = say("engine", "verify", NAME, "--crops", crops, "--against", "tiny-fp32-other")
    assert answer.status == 0, answer.err
    assert answer.out.splitlines()[1:] == [
        "ranks of 12 clips, each looked for among the others",
        "  the same nearest: 100.0%; of the ten nearest the same: 100.0%",
        "  rank correlation: 1.00000",
    ]


def test_an_engine_of_other_weights_is_no_reference(say, tiny, crops):
    engine(cache(), "tiny-fp32-other-3c4d", seed=1)
    answer = say("engine", "verify", NAME, "--crops", crops, "--against", "tiny-fp32-other")
    assert answer.status == 2
    assert f"tiny-fp32-other-3c4d: of other weights than {NAME}" in answer.err


def test_without_weights_another_engine_is_asked_for(say, tiny, crops):
    answer = say("engine", "verify", "tiny", "--crops", crops)
    assert answer.status == 5
    assert "--against ENGINE" in answer.err


def test_a_reference_without_crops_means_nothing(say, tiny):
    assert say("engine", "verify", "tiny", "--against", "tiny").status == 2


def test_a_bundle_is_unpacked_and_its_engine_verified(say, own_home, tmp_path):
    folder = engine(tmp_path / "made")
    plan = engine(tmp_path / "made", "tiny-fp16-sm10-aaaa", plan=b"none of ours", runtime="of-the-moon")
    write_bundle([plan, folder], graph(tmp_path / "float32.onnx"), tmp_path / "tiny.zip")
    answer = say("engine", "verify", tmp_path / "tiny.zip")
    assert answer.status == 0, answer.err
    assert answer.out.startswith(f"{NAME}: least cosine 1.00000")
    assert [found.name for found in cache().iterdir()] == [NAME]


def test_a_bundle_without_an_engine_for_this_machine_says_how_to_build_one(say, own_home, tmp_path):
    plan = engine(tmp_path / "made", "tiny-fp16-sm10-aaaa", plan=b"none of ours", runtime="of-the-moon")
    write_bundle([plan], graph(tmp_path / "float32.onnx"), tmp_path / "tiny.zip")
    answer = say("engine", "verify", tmp_path / "tiny.zip")
    assert answer.status == 5
    assert "tiny-fp16-sm10-aaaa: runtime of-the-moon is unknown here" in answer.err
    assert answer.err.endswith("hint: vidreid engine build tiny\n")
