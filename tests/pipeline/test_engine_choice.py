"""A run takes the engine that is named, or builds the one for this machine, once."""

import shutil

import pytest
import yaml
from tiny_networks import conv

from vidreid.engines.card import read_card, write_card
from vidreid.engines.folder import cache, engine_folders
from vidreid.errors import InputError, MissingError
from vidreid.footage.cameras import Site, read_site
from vidreid.pipeline.networks import find_networks
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.run import Options, run
from vidreid.settings import Settings, check_model
from vidreid.store.folder import RunFolder
from vidreid.types import InputSpec

SIZE = (32, 16)


@pytest.fixture
def network(tmp_path):
    """The file of a user's embedder, with the YAML that states it."""
    path = tmp_path / "mine.onnx"
    conv(path, InputSpec(SIZE, scale=255.0), dim=8)
    stated = {"kind": "embedder", "family": "reid", "input": {"size": list(SIZE), "scale": 255}, "dim": 8}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(stated), encoding="utf-8")
    return path


@pytest.fixture
def chosen(network):
    """``chosen(engine, embedder)``: what a run would take."""

    def choose(engine="auto", embedder=None, progress=lambda words, share: None, **changes):
        embedding = {"embedder": str(embedder or network), "engine": engine, **changes}
        settings = {"detection": {"detector": "oracle"}, "embedding": embedding}
        return find_networks(check_model(Settings, settings, "settings"), {}, offline=True, progress=progress)

    return choose


@pytest.fixture
def engine(chosen):
    """The engine that was built of the network."""
    return chosen().embedder.path.parent


def test_the_network_is_taken_as_it_is_unless_an_engine_is_asked_for(chosen, network):
    found = chosen("none")
    assert found.embedder.path == network
    assert "engine" not in found.identities.embedder
    assert engine_folders(cache()) == []


def test_it_is_built_once_and_its_progress_told(chosen):
    told = []
    first = chosen(progress=lambda words, share: told.append(share)).embedder
    assert told == sorted(told)
    assert told[-1] == 1
    told.clear()
    assert chosen(progress=lambda words, share: told.append(share)).embedder == first
    assert told == []
    assert engine_folders(cache()) == [first.path.parent]
    assert first.card.precision == "int8"


def test_it_is_another_engine_of_the_same_network_to_what_is_made_with_it(chosen):
    plain, built = chosen("none").identities.embedder, chosen().identities.embedder
    assert built.pop("engine")
    assert built == plain


def test_an_engine_goes_by_its_folder_its_name_and_the_start_of_it(chosen, engine):
    for wanted in (engine, engine.name, engine.name[:6]):
        found = chosen("none", wanted)
        assert found.embedder.path.parent == engine
        assert found.runtimes["embedder"] == "openvino"


def test_what_a_run_refuses_of_an_engine(chosen, engine):
    with pytest.raises(InputError, match=r"an engine of openvino"):
        chosen("none", engine, runtime="torch")
    settings = check_model(Settings, {"detection": {"detector": str(engine)}}, "settings")
    with pytest.raises(InputError, match="is for --embedder, not for --detector"):
        find_networks(settings, {}, offline=True)
    card = read_card(engine)
    write_card(engine, card.model_copy(update={"weights": card.weights.model_copy(update={"kind": "random"})}))
    with pytest.raises(InputError, match="weights are random"):
        chosen("none", engine)
    write_card(engine, card.model_copy(update={"runtime": "abacus"}))
    with pytest.raises(MissingError, match="abacus"):
        chosen("none", engine)


def test_a_damaged_engine_is_built_anew_where_it_is_not_named(chosen, engine):
    main = chosen().embedder.path
    main.write_bytes(main.read_bytes()[:100])
    with pytest.raises(InputError, match="damaged"):
        chosen("none", engine)
    assert chosen().embedder.path.stat().st_size > 100


def test_a_run_with_it_goes_to_its_end_and_says_which_it_was(site, tmp_path, network):
    reporter = Silent()
    settings = {
        "detection": {"detector": "oracle"},
        "embedding": {"embedder": str(network), "engine": "auto"},
        "segments": {"seconds": 6.0, "overlap": 2.0},
    }
    camera = sorted(site.glob("*.mp4"))[0]
    shutil.copytree(camera.parent / "gt", tmp_path / "gt")
    (tmp_path / "gt" / f"{camera.stem}.txt").rename(tmp_path / "gt" / "one.txt")
    shutil.copy(camera, tmp_path / "one.mp4")
    run(RunFolder(tmp_path / "run"), read_site([f"one={tmp_path / 'one.mp4'}"]), settings, Options(), reporter)
    assert any(line.startswith("building mine-int8-openvino-") for line in reporter.notes)
    assert any("engine mine-int8-openvino-" in line for line in reporter.notes)
    again = Silent()
    report = run(RunFolder(tmp_path / "run"), Site(), {}, Options(), again)
    assert not any("building" in line for line in again.notes)
    assert report.frames == 0
