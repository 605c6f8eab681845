"""Engines for CPUs beside torch, and the shipped network beside 0277: python tests/benchmarks/engines.py [PART...]

Parts: tclnet (ResNet-50 with random weights, clips of 4 at 256 x 128: speed), exact (TCLNet with the trained weights
of --weights, a file of `train`, and its recipe: least cosines), retrieval (mAP of the shipped network in each precision
on people nobody calibrated on), shipped (crops/s from JPEG). What is compared takes turns in this one process; ratios
are medians over rounds. Prints, and adds to results/engines.json beside this file.
"""

import argparse
import contextlib
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from vidreid.embedding.network import NetworkEmbedder, scaled
from vidreid.engines.order import Order
from vidreid.engines.recipe import EngineRecipe, read_recipe
from vidreid.engines.runtimes import openvino
from vidreid.engines.verify import verify
from vidreid.engines.weights import FileModel, find_model
from vidreid.pipeline.sources import registered_source
from vidreid.posix import cores
from vidreid.training.contenders import TorchModel
from vidreid.training.pictures import opened
from vidreid.training.retrieval import open_dataset, score_dataset, scored_tracklets
from vidreid.training.scoring import embed
from vidreid.training.sources import trained_source

SHARED = Path(__file__).resolve().parents[3] / "shared"
REID = SHARED / "data" / "reid"
OMZ = SHARED / "weights/reid/person-reidentification-retail-0277/FP16/person-reidentification-retail-0277.xml"
OUT = Path(__file__).parent / "results" / "engines.json"
ROUNDS = 5
CALIBRATED = 300  # pictures that ranges are measured on
PRECISIONS = ("fp32", "bf16", "int8")


def built(source, precision, folder):
    """The source as an OpenVINO engine."""
    where = folder / precision
    where.mkdir()
    made = openvino.build(Order(source, precision), where, lambda words, share: None)
    return FileModel(source.spec, where / made.main, precision=precision)


def rate(engine, inputs, count):
    """Inputs a second with as many under way as the engine takes."""
    begun = time.perf_counter()
    jobs = [engine.submit({"images": inputs[number % len(inputs)]}) for number in range(count)]
    for job in jobs:
        job.result()
    return count * len(inputs[0]) / (time.perf_counter() - begun)


def in_turn(contenders):
    """Medians of what each of ``contenders`` (functions without arguments) says, and all rounds."""
    rounds = [{name: measure() for name, measure in contenders.items()} for _ in range(ROUNDS)]
    return {name: round(statistics.median(one[name] for one in rounds), 1) for name in contenders}, rounds


def ratio(rounds, one, other):
    return round(statistics.median(row[one] / row[other] for row in rounds), 2)


def tclnet(folder, _):
    """Frames/s: torch in float32 on all cores, and OpenVINO with a stream a core."""
    _, recipe = read_recipe("tclnet")
    source = trained_source(recipe.model_copy(update={"precision": "int8"}), "random", folder, calibrate_on=None)
    clips = list(source.golden[0].images[:, None])
    with contextlib.ExitStack() as stack:
        engines = {
            precision: openvino.load(built(source, precision, folder), streams=cores()) for precision in PRECISIONS
        }
        engines["torch"] = torch_engine(source.spec)
        for engine in engines.values():
            stack.callback(engine.close)
            rate(engine, clips, 2)
        found, rounds = in_turn(
            {
                name: lambda engine=engine: source.spec.frames * rate(engine, clips, 8)
                for name, engine in engines.items()
            }
        )
    times = {f"{name}_times_torch": ratio(rounds, name, "torch") for name in PRECISIONS}
    return {"frames_per_second": found, **times}


def torch_engine(spec):
    from vidreid import plugins
    from vidreid.networks.weights.onnx import normalised
    from vidreid.training.trained import build_untrained

    network, _ = build_untrained("tclnet/tclnet")
    model = TorchModel(spec, normalised(network).eval())
    return plugins.load("engines.runtimes", "torch").load(model, streams=1, threads=cores())


def exact(folder, options):
    """Least and mean cosine of each learner's half where torch erased the same rows, and the share of these."""
    if options.weights is None:
        return {}
    recipe = EngineRecipe(network=options.recipe, precision="int8")
    source = trained_source(recipe, options.weights, folder, calibrate_on=None)
    found = {one: verify(built(source, one, folder), source.golden, openvino) for one in PRECISIONS}
    return {
        "network": options.recipe,
        **{one: {"cosine": measured.cosine, "rows": measured.rows} for one, measured in found.items()},
    }


def retrieval(folder, _):
    """mAP on Market-1501's test people, picture by picture, where the ranges were measured on people of CUHK03."""
    recipe = EngineRecipe(network="slim-afa", precision="fp32", frames=1)
    source = registered_source("slim-afa", recipe, folder, offline=True, announce=print, calibrate_on=None)
    source = replace(source, calibration=people(source.spec), calibrated_on="CUHK03")
    dataset = open_dataset(str(REID / "market_test.csv.gz"), None)
    tracklets = scored_tracklets(dataset)
    found = {}
    for precision in PRECISIONS:
        model = built(source, precision, folder)
        with contextlib.closing(openvino.load(model, streams=cores())) as engine:
            vectors = embed(NetworkEmbedder(engine, model.spec), dataset, tracklets, 0, lambda line: None)
        found[precision] = round(100 * score_dataset(dataset, tracklets, vectors, dataset.protocol).mean_ap, 2)
        print("mAP", precision, found[precision], flush=True)
    return {"mAP": found, "int8_loses": round(found["fp32"] - found["int8"], 2)}


def people(spec):
    """Pictures (n, H, W, 3) of CUHK03, a person each."""
    dataset = open_dataset(str(REID / "cuhk03_pair1.csv.gz"), None)
    first = {one.identity: one.pictures[0] for one in reversed(dataset.splits[0].train)}
    return np.stack([scaled(opened(dataset.read(key)), spec.input.size) for key in list(first.values())[:CALIBRATED]])


def shipped(folder, _):
    """Crops/s from JPEG to vectors: the shipped network as it ships and as engines, beside 0277 as it ships."""
    dataset = open_dataset(str(REID / "market_test.csv.gz"), None)
    encoded = [np.frombuffer(dataset.read(one.pictures[0]), np.uint8) for one in scored_tracklets(dataset)[:512]]
    recipe = EngineRecipe(network="slim-afa", precision="int8")
    source = registered_source("slim-afa", recipe, folder, offline=True, announce=print, calibrate_on=None)
    models = {
        "0277": find_model(str(OMZ), "embedder", offline=True, announce=print),
        "shipped": find_model("slim-afa", "embedder", offline=True, announce=print),
        **{f"shipped_{one}": built(source, one, folder) for one in PRECISIONS},
    }
    with contextlib.ExitStack() as stack:
        engines = {name: (openvino.load(model, streams=cores()), model.spec) for name, model in models.items()}
        for engine, spec in engines.values():
            stack.callback(engine.close)
            from_jpeg(engine, spec, encoded[:16])
        found, rounds = in_turn({name: lambda pair=pair: from_jpeg(*pair, encoded) for name, pair in engines.items()})
    times = {f"{name}_times_0277": ratio(rounds, name, "0277") for name in models if name != "0277"}
    return {"crops_per_second": found, **times}


def from_jpeg(engine, spec, encoded):
    """Crops a second."""
    begun = time.perf_counter()
    shape, jobs = engine.inputs["images"], []
    for start in range(0, len(encoded), spec.frames):
        crops = [scaled(decoded(one), spec.input.size) for one in encoded[start : start + spec.frames]]
        jobs.append(engine.submit({"images": np.stack(crops).reshape(shape)}))
    for job in jobs:
        job.result()
    return len(encoded) / (time.perf_counter() - begun)


def decoded(data):
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])


PARTS = {"shipped": shipped, "tclnet": tclnet, "exact": exact, "retrieval": retrieval}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--recipe", default="tclnet/tclnet")
    options = parser.parse_args()
    found = json.loads(OUT.read_text()) if OUT.is_file() else {}
    for part in options.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            found[part] = PARTS[part](Path(folder), options)
        print(part, json.dumps(found[part]), flush=True)
        OUT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
