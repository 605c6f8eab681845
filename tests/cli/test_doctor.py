"""`doctor`: what this machine can run, and how to get what is missing."""

import json

import pytest

from vidreid.digests import file_sha256
from vidreid.engines.registry import read_registry
from vidreid.pipeline.in_use import in_use
from vidreid.pipeline.networks import find_networks
from vidreid.settings import DetectionSettings, Settings


@pytest.mark.usefixtures("no_detector")
def test_it_names_runtimes_networks_and_where_missing_files_go(say, own_home):
    answer = say("doctor")
    assert answer.status == 0
    assert "openvino      works" in answer.out
    assert f"networks (cache: {own_home})" in answer.out
    assert f"yolo26n-int8: missing: put yolo26n.xml, yolo26n.bin into {own_home}/models/" in answer.out
    assert "no detector here: `vidreid run` needs --detector PATH" in answer.out


def test_what_binds_the_use_of_a_network_stands_below_it(say):
    lines = say("doctor").out.splitlines()
    (row,) = [number for number, line in enumerate(lines) if "embedder  slim-afa:" in line]
    assert lines[row + 1].strip() == read_registry().models["slim-afa"].terms


@pytest.fixture
def ours(own_home):
    """The file of an embedder in the user's cache, which the user's models.yaml prefers to the one that ships."""
    file = own_home / "models/ours/net.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"numbers")
    entry = {"kind": "embedder", "family": "reid", "dim": 6, "input": {"size": [256, 128]}, "folder": "ours"}
    entry["files"] = {"net.onnx": file_sha256(file)}
    registry = {"order": {"embedder": ["ours", "slim-afa"]}, "models": {"ours": entry}}
    (own_home / "models.yaml").write_text(json.dumps(registry))
    return file


def test_a_network_in_place_is_the_default_and_is_marked(say, ours):
    out = say("doctor").out
    assert f"* embedder  ours: {ours}\n" in out
    assert "\n  embedder: ours (from the cache, openvino)\n" in out
    assert "stronger embedder" not in out
    assert "no embedder here" not in out


def test_a_file_in_the_place_of_a_network_that_is_another_is_named_and_passed_over(say, ours):
    ours.write_bytes(b"other numbers")
    advice = f"ours: there, but not the registered file; give it by its path: --embedder {ours}"
    listed, taken = say("doctor").out.split("`vidreid run` takes")
    assert f"\n  embedder  {advice}\n" in listed
    assert "\n* embedder  slim-afa: " in listed
    said = ["embedder: slim-afa (ships with vidreid, openvino)", f"stronger embedder: {advice}"]
    assert [f"  {line}" for line in said] == taken.splitlines()[-2:]

    settings = Settings(detection=DetectionSettings(detector="oracle"))
    _, embedder = in_use(find_networks(settings, {}), settings)
    assert list(embedder.lines()) == said


def test_what_ships_is_taken_where_there_is_nothing_else_and_the_way_to_more_stands_below_it(say, own_home):
    taken = say("doctor").out.split("`vidreid run` takes")[1].splitlines()
    (row,) = [
        number for number, line in enumerate(taken) if line == "  embedder: slim-afa (ships with vidreid, openvino)"
    ]
    first = read_registry().order["embedder"][0]
    assert taken[row + 1].startswith(f"  stronger embedder: {first}: put ")
    assert f"{own_home}/models/{first}" in taken[row + 1]


def test_json_holds_versions_runtimes_and_every_known_network(say):
    found = json.loads(say("doctor", "--json").out)
    assert found["cores"] >= 1
    assert {"vidreid", "processor", "openvino"} <= set(found["versions"])
    assert found["runtimes"]["openvino"] is None
    assert {network["name"] for network in found["networks"]} == set(read_registry().models)
    assert all(network["licence"] for network in found["networks"])
    default = {network["name"] for network in found["networks"] if network["default"]}
    assert {network["name"] for network in found["default"]} == default >= {"slim-afa"}
