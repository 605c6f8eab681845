"""A run takes the engine that is named, or builds the one for this machine, once."""

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from vidreid.engines.card import read_card, write_card
from vidreid.engines.folder import cache, engine_folders
from vidreid.errors import InputError, MissingError
from vidreid.footage.cameras import Site, read_site
from vidreid.pipeline.networks import find_networks
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.run import Options, run
from vidreid.settings import Settings, check_model
from vidreid.store.folder import RunFolder

SIZE = (32, 16)


@pytest.fixture
def network(tmp_path):
    """The file of a user's detector, with the YAML that states it. It sees a person in every picture's corner."""
    path = tmp_path / "mine.onnx"
    box = np.array([4, 4, 20, 30, 0.9, 0], np.float32)
    weight = np.zeros((6, 3, 3, 3), np.float32)
    weight[:4] = np.random.default_rng(0).normal(scale=0.01, size=(4, 3, 3, 3))
    nodes = [
        helper.make_node("Conv", ["images", "weight", "box"], ["seen"], strides=[2, 2]),
        helper.make_node("ReduceMean", ["seen"], ["mean"], axes=[2], keepdims=0),
        helper.make_node("ReduceMean", ["mean"], ["flat"], axes=[2], keepdims=0),
        helper.make_node("Unsqueeze", ["flat"], ["boxes"], axes=[1]),
    ]
    taken = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, *SIZE])
    given = helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["n", 1, 6])
    held = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(box, "box")]
    graph = helper.make_graph(nodes, "mine", [taken], [given], held)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=10), path)
    stated = {"kind": "detector", "family": "yolo", "input": {"size": list(SIZE), "scale": 255}}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(stated), encoding="utf-8")
    return path


@pytest.fixture
def chosen(network):
    """``chosen(engine, embedder)``: what a run would take."""

    def choose(engine="auto", detector=None, progress=lambda words, share: None, **changes):
        detection = {"detector": str(detector or network), "engine": engine, **changes}
        settings = {"detection": detection, "embedding": {"embedder": "colours"}}
        return find_networks(check_model(Settings, settings, "settings"), {}, offline=True, progress=progress)

    return choose


@pytest.fixture
def engine(chosen):
    """The engine that was built of the network."""
    return chosen().detector.path.parent


def test_the_network_is_taken_as_it_is_unless_an_engine_is_asked_for(chosen, network):
    found = chosen("none")
    assert found.detector.path == network
    assert "engine" not in found.identities.detector
    assert engine_folders(cache()) == []


def test_it_is_built_once_and_its_progress_told(chosen):
    told = []
    first = chosen(progress=lambda words, share: told.append(share)).detector
    assert told == sorted(told)
    assert told[-1] == 1
    told.clear()
    assert chosen(progress=lambda words, share: told.append(share)).detector == first
    assert told == []
    assert engine_folders(cache()) == [first.path.parent]
    assert first.card.precision == "int8"


def test_it_is_another_engine_of_the_same_network_to_what_is_made_with_it(chosen):
    plain, built = chosen("none").identities.detector, chosen().identities.detector
    assert built.pop("engine")
    assert built == plain


def test_an_engine_goes_by_its_folder_its_name_and_the_start_of_it(chosen, engine):
    for wanted in (engine, engine.name, engine.name[:6]):
        found = chosen("none", wanted)
        assert found.detector.path.parent == engine
        assert found.runtimes["detector"] == "openvino"


def test_what_a_run_refuses_of_an_engine(chosen, engine):
    with pytest.raises(InputError, match=r"an engine of openvino"):
        chosen("none", engine, runtime="torch")
    settings = check_model(
        Settings, {"detection": {"detector": "oracle"}, "embedding": {"embedder": str(engine)}}, "settings"
    )
    with pytest.raises(InputError, match="is for --detector, not for --embedder"):
        find_networks(settings, {}, offline=True)
    card = read_card(engine)
    write_card(engine, card.model_copy(update={"weights": card.weights.model_copy(update={"kind": "random"})}))
    with pytest.raises(InputError, match="weights are random"):
        chosen("none", engine)
    write_card(engine, card.model_copy(update={"runtime": "abacus"}))
    with pytest.raises(MissingError, match="abacus"):
        chosen("none", engine)


def test_a_damaged_engine_is_built_anew_where_it_is_not_named(chosen, engine):
    main = chosen().detector.path
    main.write_bytes(main.read_bytes()[:100])
    with pytest.raises(InputError, match="damaged"):
        chosen("none", engine)
    assert chosen().detector.path.stat().st_size > 100


def test_an_embedder_keeps_its_bits_on_a_processor():
    """Eight bits measured on synthetic people lose a point of mAP, and embedding takes little of a run's time."""
    settings = {"detection": {"detector": "oracle"}, "embedding": {"embedder": "slim-afa", "engine": "auto"}}
    found = find_networks(check_model(Settings, settings, "settings"), {}, offline=True)
    assert found.embedder.path.suffix == ".onnx"


def test_a_run_with_it_goes_to_its_end_and_says_which_it_was(site, tmp_path, network):
    reporter = Silent()
    settings = {
        "detection": {"detector": str(network), "engine": "auto"},
        "embedding": {"embedder": "colours"},
        "segments": {"seconds": 6.0, "overlap": 2.0},
    }
    camera = sorted(site.glob("*.mp4"))[0]
    run(RunFolder(tmp_path / "run"), read_site([f"one={camera}"]), settings, Options(), reporter)
    assert any(line.startswith("building mine-int8-openvino-") for line in reporter.notes)
    assert any("engine mine-int8-openvino-" in line for line in reporter.notes)
    again = Silent()
    report = run(RunFolder(tmp_path / "run"), Site(), {}, Options(), again)
    assert not any("building" in line for line in again.notes)
    assert report.frames == 0
