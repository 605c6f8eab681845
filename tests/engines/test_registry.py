"""What is known of a network, and what happens where nothing is."""

import shutil

import numpy as np
import pytest
import yaml
from tiny_networks import conv

from vidreid.engines.registry import (
    TEMPLATE,
    Registry,
    describe,
    file_sha256,
    is_registered,
    network_file,
    read_registry,
    shipped,
    terms_of,
)
from vidreid.engines.weights import find_model
from vidreid.errors import InputError, MissingError
from vidreid.types import InputSpec

STATED = yaml.safe_load(TEMPLATE)
EXPORT = {"task": "detect", "imgsz": [384, 640], "names": {0: "person", 1: "dog"}, "license": "AGPL-3.0", "stride": 32}


@pytest.fixture
def network(tmp_path):
    """A network that nobody knows."""
    return conv(tmp_path / "mine.onnx", InputSpec((256, 128))).path


@pytest.fixture
def exported(tmp_path):
    """An OpenVINO network as ultralytics exports it; call it with what its metadata.yaml says otherwise."""

    def export(**changes):
        folder = tmp_path / "best_openvino_model"
        folder.mkdir()
        (folder / "best.xml").write_text("<net/>")
        (folder / "best.bin").write_bytes(b"numbers")
        (folder / "metadata.yaml").write_text(yaml.safe_dump(EXPORT | changes))
        return folder / "best.xml"

    return export


def test_the_registry_of_the_package_is_whole():
    registry = read_registry()
    for kind, names in registry.order.items():
        assert names
        assert all(registry.models[name].kind == kind for name in names)
    for name, entry in registry.models.items():
        assert entry.folder, name
        assert entry.files, name
        assert min(entry.input.size) > 0
        assert all(len(bytes.fromhex(digest)) == 32 for digest in entry.files.values()), name
        assert (entry.kind == "embedder") == (entry.dim > 0) == (entry.threshold is not None), name


@pytest.mark.shared
def test_registered_files_are_those_that_were_measured(shared):
    kept = {file.name: file for file in (shared / "weights").rglob("*") if file.is_file()}
    others = {name: entry for name, entry in read_registry().models.items() if name not in shipped()}
    for entry in others.values():
        for name, digest in entry.files.items():
            assert file_sha256(kept[name]) == digest


@pytest.mark.shared
def test_a_registered_file_is_known_by_its_contents_wherever_it_lies(shared, tmp_path):
    osnet = shutil.copy(shared / "weights/reid/osnet_x0_25_msmt17.onnx", tmp_path / "renamed.onnx")
    assert describe(osnet, read_registry()).name == "osnet-x0-25-msmt17"
    assert is_registered(osnet, read_registry())


def test_a_yaml_beside_the_file_states_what_it_wants(network):
    network.with_suffix(".yaml").write_text(TEMPLATE)
    spec = describe(network, Registry())
    assert spec.name == "mine"
    assert spec.identity == file_sha256(network)
    assert (spec.dim, spec.threshold, spec.kind) == (STATED["dim"], STATED["threshold"], STATED["kind"])
    assert spec.input == InputSpec((256, 128), "rgb", 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert not is_registered(network, Registry())


def test_nothing_is_guessed(network):
    with pytest.raises(InputError) as error:
        describe(network, Registry())
    assert error.value.message.startswith("mine.onnx:")
    assert TEMPLATE in error.value.hint
    assert "mine.yaml" in error.value.hint


def test_a_mistake_in_the_yaml_names_the_key(network):
    network.with_suffix(".yaml").write_text(TEMPLATE + "famly: reid\n")
    with pytest.raises(InputError, match="famly") as error:
        describe(network, Registry())
    assert "family" in error.value.hint


def test_an_export_of_ultralytics_states_its_input_itself(exported):
    path = exported()
    spec = describe(path, Registry())
    assert (spec.kind, spec.family, spec.licence) == ("detector", "yolo", "AGPL-3.0")
    assert spec.input == InputSpec((384, 640), "rgb", 255.0)
    assert spec.identity == file_sha256(path.with_suffix(".bin"))


def test_an_export_without_its_metadata_is_told_of_it(exported):
    path = exported()
    path.with_name("metadata.yaml").unlink()
    with pytest.raises(InputError) as error:
        describe(path, Registry())
    assert error.value.hint.startswith("put the metadata.yaml of its export beside it, or write ")


@pytest.mark.parametrize("changes", [{"task": "segment"}, {"names": {0: "cat", 1: "person"}}, {"imgsz": 640}])
def test_an_export_that_finds_no_persons_is_refused(exported, changes):
    with pytest.raises(InputError, match=r"metadata\.yaml"):
        describe(exported(**changes), Registry())


def test_a_yaml_of_the_users_own_goes_before_the_export(exported):
    path = exported()
    path.with_suffix(".yaml").write_text("kind: detector\nfamily: yolo\ninput: {size: [64, 64], color: bgr}\n")
    assert describe(path, Registry()).input == InputSpec((64, 64), "bgr")


@pytest.mark.shared
def test_an_export_as_it_really_is(shared):
    path = shared / "weights/detector/yolo26n_int8_openvino_model/yolo26n.xml"
    known, read = describe(path, read_registry()), describe(path, Registry())
    assert (read.family, read.kind, read.input, read.identity) == (
        known.family,
        known.kind,
        known.input,
        known.identity,
    )


def test_the_users_own_registry_adds_to_the_packages(own_home, network):
    entry = {"kind": "embedder", "family": "reid", "dim": 6, "input": {"size": [256, 128]}}
    entry["files"] = {"mine.onnx": file_sha256(network)}
    (own_home / "models.yaml").write_text(yaml.safe_dump({"models": {"ours": entry}}))
    registry = read_registry()
    assert describe(network, registry).name == "ours"
    assert "yolo26n-int8" in registry.models


def test_an_order_of_the_users_names_known_networks(own_home):
    (own_home / "models.yaml").write_text("order: {detector: [mine]}")
    with pytest.raises(InputError, match=r"models\.yaml: order: no network 'mine'") as error:
        read_registry()
    assert "yolo26n-int8" in error.value.hint


def test_a_detector_may_state_its_score(network):
    stated = "kind: detector\nfamily: yolo\nscore: 0.1\ninput: {size: [64, 64]}\n"
    network.with_suffix(".yaml").write_text(stated)
    assert describe(network, Registry()).score == 0.1


def test_terms_are_those_that_an_entry_states():
    assert terms_of("slim-afa").startswith("trained on data for research only")
    assert terms_of("person-reidentification-retail-0277") == ""
    assert terms_of("a network of somebody's") == ""


def test_the_folder_of_an_ir_stands_for_its_one_network(tmp_path):
    (tmp_path / "a.xml").write_text("<net/>")
    assert network_file(tmp_path) == tmp_path / "a.xml"
    (tmp_path / "b.xml").write_text("<net/>")
    with pytest.raises(InputError, match="2 networks"):
        network_file(tmp_path)


def test_what_is_no_network_is_refused(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"")
    with pytest.raises(InputError, match=r"film\.mp4"):
        network_file(tmp_path / "film.mp4")
    with pytest.raises(MissingError, match=r"none\.onnx"):
        network_file(tmp_path / "none.onnx")
    (tmp_path / "lonely.xml").write_text("<net/>")
    with pytest.raises(MissingError, match=r"lonely\.bin"):
        describe(tmp_path / "lonely.xml", Registry())


def test_the_same_file_with_one_number_changed_is_another(network):
    before = file_sha256(network)
    numbers = np.fromfile(network, np.uint8)
    numbers[-1] ^= 1
    numbers.tofile(network)
    assert file_sha256(network) != before


def test_a_network_of_the_wrong_kind_is_named(network):
    network.with_suffix(".yaml").write_text(TEMPLATE)
    with pytest.raises(InputError, match="kind embedder"):
        find_model(str(network), "detector", offline=True, announce=print)
