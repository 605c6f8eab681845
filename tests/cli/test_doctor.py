"""`doctor`: what this machine can run, and how to get what is missing."""

import json

import pytest

from vidreid.engines.registry import read_registry
from vidreid.engines.weights import places


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


def test_a_network_in_place_is_the_default_and_is_marked(say, own_home):
    entry = read_registry().models["person-reidentification-retail-0288"]
    folder = places(entry)[0]
    folder.mkdir(parents=True)
    for name in entry.files:
        (folder / name).touch()
    out = say("doctor").out
    assert "* embedder  person-reidentification-retail-0288: " in out
    assert "\n  embedder: person-reidentification-retail-0288 (from the cache, openvino)\n" in out
    assert "stronger embedder" not in out
    assert "no embedder here" not in out


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
