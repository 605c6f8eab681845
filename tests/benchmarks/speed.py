"""How fast `track` is, beside its parts alone and beside `ultralytics track`: python tests/benchmarks/speed.py

Everything is measured in turn in this one process, several rounds; ratios are medians over rounds. The parts alone use
both cores: the detector in OpenVINO's throughput mode on prepared tensors, the decoder to RGB pictures.
Prints a table and writes results/speed.json beside this file.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np
import openvino as ov

from vidreid.engines.runtimes.openvino import shared_core
from vidreid.footage.cameras import read_site
from vidreid.pipeline.match import match_run
from vidreid.pipeline.networks import Tools, find_networks
from vidreid.pipeline.plan import plan_camera, segment_states
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.run import Options, run
from vidreid.pipeline.segment import SegmentWork, process_segment
from vidreid.posix import cores
from vidreid.settings import Settings
from vidreid.store.folder import RunFolder

SHARED = Path(__file__).resolve().parents[3] / "shared"
DETECTOR = SHARED / "weights/detector/yolo26n_int8_openvino_model"
EMBEDDER = SHARED / "weights/reid/person-reidentification-retail-0277/FP16/person-reidentification-retail-0277.xml"
FILES = {
    "vtest": SHARED / "data/footage/pets_s2l1/vtest.avi",
    "retail02": SHARED / "data/footage/unlabelled/retail02_1080p_hevc.mp4",
}
ROUNDS = 3
OVERRIDES = {"detection": {"detector": str(DETECTOR)}, "embedding": {"embedder": str(EMBEDDER)}}


class Scene:
    """A file ready to be tracked: ingest is done, the networks are compiled."""

    def __init__(self, name, file, folder, overrides=OVERRIDES):
        self.folder = RunFolder(folder / name)
        site = read_site([f"{name}={file}"])
        run(self.folder, site, overrides, Options(until="ingest"), Silent())
        self.settings = Settings(**overrides)
        networks = find_networks(self.settings, {camera.name: camera for camera in site.cameras}, offline=True)
        self.identities = networks.identities
        self.tools = Tools(networks, self.settings, cores())
        self.plan = plan_camera(self.folder, self.folder.read().cameras[0], self.settings)
        self.frames = self.plan.frames

    def work(self, *, track, embed):
        for state in segment_states(self.folder, self.plan, self.settings, self.identities):
            yield SegmentWork(
                self.folder.path,
                Path(self.plan.record.files[state.segment.file].path),
                self.plan.files[state.segment.file],
                state.segment,
                state.track_inputs if track else None,
                state.embed_inputs if embed else None,
            )

    def track(self):
        for piece in self.work(track=True, embed=False):
            process_segment(self.tools, lambda camera, count: None, piece)

    def embed(self):
        for piece in self.work(track=False, embed=True):
            process_segment(self.tools, lambda camera, count: None, piece)

    def match(self):
        plans = {self.plan.record.name: self.plan}
        match_run(self.folder, plans, self.settings, self.identities, Silent())


def bare_decoder(path):
    """PyAV on as many threads as it likes, to RGB pictures."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            frame.to_ndarray(format="rgb24")


def bare_detector():
    """The network as its makers exported it, in throughput mode; a call runs it on n prepared tensors."""
    compiled = shared_core().compile_model(str(DETECTOR / "yolo26n.xml"), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
    queue = ov.AsyncInferQueue(compiled)
    prepared = [np.random.default_rng(i).random((1, 3, 640, 640), np.float32) for i in range(8)]

    def work(count):
        for i in range(count):
            queue.start_async({0: prepared[i % 8]})
        queue.wait_all()

    return work


def ultralytics_track(path):
    """`ultralytics track` with the same weights and ByteTrack, frame by frame from the file; number of frames."""
    from ultralytics import YOLO

    network = YOLO(str(DETECTOR), task="detect")
    capture = cv2.VideoCapture(str(path))
    warm, image = capture.read()
    network.track(image, tracker="bytetrack.yaml", persist=True, verbose=False, classes=[0], conf=0.1)
    start = time.perf_counter()
    count = 0
    while warm:
        network.track(image, tracker="bytetrack.yaml", persist=True, verbose=False, classes=[0], conf=0.1)
        count += 1
        warm, image = capture.read()
    return count / (time.perf_counter() - start)


def seconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def measure(name, folder, rounds):
    scene = Scene(name, FILES[name], folder)
    detector = bare_detector()
    detector(20)
    scene.track()
    rows = []
    for _ in range(rounds):
        row = {
            "decoder_fps": scene.frames / seconds(bare_decoder, FILES[name]),
            "detector_fps": 300 / seconds(detector, 300),
            "track_fps": scene.frames / seconds(scene.track),
            "ultralytics_fps": ultralytics_track(FILES[name]),
            "embed_s": seconds(scene.embed),
            "match_s": seconds(scene.match),
        }
        row["bound_fps"] = 1 / (1 / row["detector_fps"] + 1 / row["decoder_fps"])
        row["of_bound"] = row["track_fps"] / row["bound_fps"]
        row["times_ultralytics"] = row["track_fps"] / row["ultralytics_fps"]
        row["embed_and_match_share"] = (row["embed_s"] + row["match_s"]) * row["track_fps"] / scene.frames
        rows.append(row)
        print(name, {key: round(value, 3) for key, value in row.items()}, flush=True)
    scene.tools.close()
    return {key: round(statistics.median(row[key] for row in rows), 3) for key in rows[0]}


def main(names):
    with tempfile.TemporaryDirectory() as folder:
        found = {name: measure(name, Path(folder), ROUNDS) for name in names}
    out = Path(__file__).parent / "results" / "speed.json"
    earlier = json.loads(out.read_text()) if out.is_file() else {}
    out.write_text(json.dumps(earlier | found, indent=1, sort_keys=True) + "\n")
    for name, row in found.items():
        print(
            f"{name}: track {row['track_fps']} frames/s, {row['of_bound']} of the bound, "
            f"{row['times_ultralytics']} times ultralytics track"
        )


if __name__ == "__main__":
    main(sys.argv[1:] or list(FILES))
