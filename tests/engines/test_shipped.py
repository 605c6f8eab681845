"""The networks in the package: each is what its YAML and its golden file say, and small."""

import numpy as np
import pytest

from vidreid.embedding.pooling import normalize
from vidreid.engines.registry import file_sha256, read_registry, shipped
from vidreid.engines.runtimes import openvino
from vidreid.engines.weights import find_model
from vidreid.resources import shipped_weights

PRESENT = sorted(path.stem for path in shipped_weights().glob("*/*.onnx"))


def test_what_ships_is_known_and_comes_after_what_the_user_has_put_in_place():
    registry = read_registry()
    order = registry.order["embedder"]
    assert set(PRESENT) <= set(shipped()) <= set(registry.models)
    assert all(order.index(name) >= len(order) - len(shipped()) for name in shipped())


def test_all_of_it_is_small():
    assert sum(file.stat().st_size for file in shipped_weights().rglob("*") if file.is_file()) <= 6_000_000


@pytest.mark.parametrize("name", PRESENT)
def test_its_file_is_the_registered_one_and_has_a_card(name):
    entry, folder = shipped()[name], shipped_weights() / name
    assert entry.folder == name
    assert {file: file_sha256(folder / file) for file in entry.files} == entry.files
    text = (folder / "card.md").read_text(encoding="utf-8")
    for section in ("Data", "Recipe", "Accuracy", "Calibration", "Limits", "Licence"):
        assert f"\n## {section}" in text


@pytest.mark.parametrize("name", PRESENT)
def test_it_is_found_offline_and_says_what_torch_said(name):
    model = find_model(name, "embedder", offline=True, announce=print)
    engine = openvino.load(model, streams=1)
    with np.load(shipped_weights() / name / "golden.npz") as golden:
        (found,) = engine.run({"images": golden["clips"]}).values()
        assert found.shape == (1, model.spec.dim)
        # Some processors compute with eight bits of mantissa.
        assert (normalize(found) * normalize(golden["embedding"])).sum() > 0.995
    engine.close()
