"""What a manifest says of a run, for those who have to check it."""

import json
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from films import Film, write_truth

from vidreid.digests import file_sha256
from vidreid.footage.cameras import read_site
from vidreid.pipeline.manifest import describe
from vidreid.pipeline.match import match_finished
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options, run
from vidreid.store.folder import RunFolder
from vidreid.store.journal import Anchor, Decision, Journal
from vidreid.types import Reading

SETTINGS = {
    "detection": {"detector": "oracle"},
    "embedding": {"embedder": "colours"},
    "segments": {"seconds": 1.0, "overlap": 0.4},
}


@pytest.fixture
def own(finished: Path, tmp_path: Path) -> RunFolder:
    """A copy of the finished run that may be changed."""
    return RunFolder(shutil.copytree(finished, tmp_path / "run"))


def made(folder: RunFolder) -> dict:
    """As JSON holds it."""
    return json.loads(json.dumps(describe(Run(folder.path))))


def test_every_input_has_its_path_size_and_hash(own: RunFolder, site: Path) -> None:
    cameras = made(own)["cameras"]
    files = {camera["camera"]: camera["files"] for camera in cameras}
    assert list(files) == ["north", "hall", "yard"]
    for name, (file,) in files.items():
        path = site / f"{name}.mp4"
        assert (file["path"], file["bytes"], file["sha256"]) == (str(path), path.stat().st_size, file_sha256(path))
    assert all(camera["analysed"] == camera["frames"] == camera["files"][0]["frames"] for camera in cameras)


def test_programs_settings_and_networks_are_named(own: RunFolder) -> None:
    found = made(own)
    assert {"vidreid", "python", "av", "boxmot", "processor"} <= found["exported_with"].keys()
    assert found["settings"]["detection"]["detector"] == "oracle"
    assert found["settings"]["crops"]["jpeg"] == 90  # nobody stated it
    assert {kind: one["name"] for kind, one in found["networks"].items()} == {
        "detector": "oracle-1",
        "embedder": "colours-3",
        "tracker": "bytetrack",
    }
    assert {stage: sum(one["parts"] for one in made) for stage, made in found["made"].items()} == {
        "ingest": 3,
        "track": 9,
        "embed": 9,
        "match": 1,
    }


def test_the_terms_of_weights_are_stated(own: RunFolder) -> None:
    weights = "a05ec1b75b046a8b1e07bf122e8d2602b60a04be7d23bb192a0c94fec570fb1c"
    record = own.read()
    networks = {**record.networks, "embedder": {"name": "slim-afa", "network": weights, "runtime": "openvino"}}
    own.write(replace(record, networks=networks))
    found = made(own)["networks"]["embedder"]
    assert (found["sha256"], found["runtime"], found["licence"]) == (weights, "openvino", "AGPL-3.0-or-later")
    assert "Market-1501" in found["terms"]


def test_clocks_are_told_with_all_that_corrects_them(own: RunFolder) -> None:
    record = own.read()
    hall = replace(record.camera("hall"), offset_us=2_500_000, readings=(Reading(0, 1.5, 1_775_980_802_000_000),))
    own.write(replace(record.with_camera(hall), timezone="Europe/Berlin"))
    found = made(own)
    clock = next(camera["clock"] for camera in found["cameras"] if camera["camera"] == "hall")
    assert found["timezone"] == "Europe/Berlin"
    assert (clock["known"], clock["offset_seconds"]) == (True, 2.5)
    assert clock["readings"] == [{"file": "hall.mp4", "seconds": 1.5, "shows": "2026-04-12T08:00:02Z"}]
    assert clock["starts"] == ["2026-04-12T08:00:00.348000Z"]
    assert clock["first_frame"] < clock["last_frame"]


def test_decisions_say_whether_the_match_knew_of_them(own: RunFolder) -> None:
    boxes = [(Anchor("north", "a" * 64, pts, (0, 0, 9, 9)),) for pts in (1, 2)]
    Journal(own.journal).append([Decision("same", tuple(boxes), note="his hat")])
    (decision,) = made(own)["decisions"]
    assert (decision["kind"], decision["note"], decision["matched"]) == ("same", "his hat", False)


def test_what_was_not_analysed_is_told(own: RunFolder) -> None:
    for stage in ("track", "crops", "embed"):
        (own.path / stage / "yard" / "00002.parquet").unlink()
    with own.matching(lambda line: None):
        match_finished(own, Silent())
    yard = next(camera for camera in made(own)["cameras"] if camera["camera"] == "yard")
    assert yard["analysed"] < yard["frames"]
    assert yard["covered"]["share"] == pytest.approx(yard["analysed"] / yard["frames"])
    assert yard["covered"]["missing"]


def test_lost_frames_and_files_that_were_left_out_are_told(tmp_path: Path) -> None:
    path = Film("gate.mp4", frames=60, options={"bf": "0"}).write(tmp_path)
    write_truth(tmp_path, "gate")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    path.write_bytes(data)
    (tmp_path / "junk.mp4").write_bytes(b"no video at all")
    folder = RunFolder(tmp_path / "run")
    words = [f"gate={path}", f"gate={tmp_path / 'junk.mp4'}"]
    run(folder, read_site(words), SETTINGS, Options(), Silent())
    (gate,) = made(folder)["cameras"]
    assert [file.get("left_out", "")[:8] for file in gate["files"]] == ["", "junk.mp4"]
    assert sum(span["stop"] - span["first"] for span in gate["lost"]) == Run(folder.path).lost_frames("gate") > 0
    assert all(0 <= span["from_s"] <= span["to_s"] for span in gate["lost"])


def test_the_same_run_gives_the_same_words_and_no_name_of_this_machine(own: RunFolder) -> None:
    one, other = made(own), made(own)
    assert json.dumps(one) == json.dumps(other)
    assert socket.gethostname() not in json.dumps(one)
