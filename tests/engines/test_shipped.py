"""The networks in the package: each is what its YAML and its golden file say, and small."""

import numpy as np
import pytest

from vidreid.digests import file_sha256
from vidreid.embedding.pooling import normalize
from vidreid.engines.registry import read_registry, shipped
from vidreid.engines.runtimes import openvino
from vidreid.engines.weights import find_model
from vidreid.resources import shipped_weights

PRESENT = sorted(path.stem for path in shipped_weights().glob("*/*.onnx"))
SECTIONS = {
    "embedder": ("Data", "Recipe", "Accuracy", "Calibration", "Limits", "Licence"),
    "detector": ("Data", "Recipe", "Accuracy", "Limits", "Licence"),
}


def of_kind(kind):
    return [name for name in PRESENT if shipped()[name].kind == kind]


def test_a_detector_and_an_embedder_ship():
    assert of_kind("detector")
    assert of_kind("embedder")


@pytest.mark.parametrize("kind", ["detector", "embedder"])
def test_what_ships_is_known_and_comes_after_what_the_user_has_put_in_place(kind):
    registry = read_registry()
    order, ours = registry.order[kind], of_kind(kind)
    assert set(ours) <= set(registry.models)
    assert order[-len(ours) :] == ours


@pytest.mark.parametrize("name", PRESENT)
def test_it_is_small(name):
    files = (shipped_weights() / name).rglob("*")
    assert sum(file.stat().st_size for file in files if file.is_file()) <= 6_000_000


@pytest.mark.parametrize("name", PRESENT)
def test_its_file_is_the_registered_one_and_has_a_card(name):
    entry, folder = shipped()[name], shipped_weights() / name
    assert entry.folder == name
    assert {file: file_sha256(folder / file) for file in entry.files} == entry.files
    text = (folder / "card.md").read_text(encoding="utf-8")
    for section in SECTIONS[entry.kind]:
        assert f"\n## {section}" in text


@pytest.mark.parametrize("name", of_kind("embedder"))
def test_an_embedder_is_found_offline_and_says_what_torch_said(name):
    model = find_model(name, "embedder", offline=True, announce=print)
    engine = openvino.load(model, streams=1)
    with np.load(shipped_weights() / name / "golden.npz") as golden:
        (found,) = engine.run({"images": golden["clips"]}).values()
        assert found.shape == (1, model.spec.dim)
        # Some processors compute with eight bits of mantissa.
        assert (normalize(found) * normalize(golden["embedding"])).sum() > 0.995
    engine.close()


@pytest.mark.parametrize("name", of_kind("detector"))
def test_a_detector_is_found_offline_and_finds_what_torch_found(name):
    model = find_model(name, "detector", offline=True, announce=print)
    engine = openvino.load(model, streams=1)
    with np.load(shipped_weights() / name / "golden.npz") as golden:
        (found,) = engine.run({"images": golden["images"]}).values()
        assert found.shape == golden["boxes"].shape
        assert_same_people(found[0], golden["boxes"][0])
    engine.close()


def assert_same_people(found, expected):
    """Of both lists (n, 6) each box of a score above 0.3 has one in the other, to 4 pixels and 0.1 in score.

    Not row by row: the order depends on the last bits of scores, and some processors have eight bits of mantissa.
    """
    assert (expected[:, 4] > 0.3).sum() >= 2
    for ours, others in ((found, expected), (expected, found)):
        for box in ours[ours[:, 4] > 0.3]:
            near = np.abs(others[:, :4] - box[:4]).max(axis=1) < 4
            assert (np.abs(others[near, 4] - box[4]) < 0.1).any(), box
