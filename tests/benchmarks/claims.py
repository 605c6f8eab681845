"""The papers' claims on sparse tracklets: python tests/benchmarks/claims.py BACKBONE_WEIGHTS [--seeds 2] [--output DIR]

Trains every system of configs/training/light on Market-1501's training people, from the same backbone (of slim-afa),
and scores it on the test people, tracklet by tracklet. One recipe; only network and losses differ. What is done in DIR
is not done again. Writes results/claims.json beside this file.
"""

import argparse
import json
import time
from pathlib import Path

from vidreid.networks.weights.safetensors import write_safetensors
from vidreid.training.checkpoint import read_weights
from vidreid.training.datasets import Protocol
from vidreid.training.embeddings import from_network
from vidreid.training.place import joined
from vidreid.training.recipe import read_recipe
from vidreid.training.reid import Setup, open_data
from vidreid.training.retrieval import open_dataset, score_dataset, scored_tracklets
from vidreid.training.session import train

HERE = Path(__file__).parent
REID = HERE.parents[2] / "shared" / "data" / "reid"
SYSTEMS = (
    "base",
    "tse-wo-seo",
    "tse",
    "tsb",
    "tclnet",
    "tclnet-tri",
    "base-tri",
    "afa",
    "qan",
    "qan-afa",
)


def scores(weights, device, dataset, items):
    source = from_network(weights, device=device)
    protocol = Protocol(distance="cosine")
    vectors = source.vectors(dataset, items, protocol, print)
    found = score_dataset(dataset, items, vectors, protocol, branches=source.branches).summary()
    return {key: found[key] for key in ("rank1", "mAP")}


def backbone_only(weights, target):
    """The backbone's weights alone, so that no system begins with a neck that was trained."""
    state, _ = read_weights(weights)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_safetensors(target, {key: value for key, value in state.items() if key.startswith("backbone.")})
    return target


def one(system, seed, start, output, place, test):
    folder = output / f"{system}-{seed}"
    done = folder / "scores.json"
    if not done.is_file():
        recipe = read_recipe(f"light/{system}", [f"start={start}"])
        began = time.monotonic()
        data = [open_data(str(REID / "market_train.csv.gz"))]
        for progress in train(Setup(recipe, data, seed=seed), folder, place=place):
            if progress.step % 50 == 0:
                print(f"{system} {seed}: {progress}", flush=True)
        hours = (time.monotonic() - began) / 3600
        done.write_text(json.dumps({"hours": hours, **scores(folder / "weights.safetensors", place.device, *test)}))
    found = json.loads(done.read_text())
    print(f"{system} {seed}: rank-1 {found['rank1']:.4f}, mAP {found['mAP']:.4f}", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("start", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("claims"))
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    given = parser.parse_args()
    dataset = open_dataset(str(REID / "market_test_tracklets.csv.gz"), REID)
    test = (dataset, scored_tracklets(dataset))
    start = backbone_only(given.start, given.output.resolve() / "backbone.safetensors")
    table = {}
    with joined(given.device) as place:
        for seed in range(given.seeds):
            for system in SYSTEMS:
                table.setdefault(system, []).append(one(system, seed, start, given.output, place, test))
    recipe = read_recipe("light/base")
    result = {
        "data": "Market-1501, sparse tracklets",
        "steps": recipe.schedule.steps,
        "size": recipe.data.size,
        "seeds": list(range(given.seeds)),
        "systems": {
            system: {
                "recipe": f"light/{system}",
                "rank1": [row["rank1"] for row in rows],
                "mAP": [row["mAP"] for row in rows],
                "hours": sum(row["hours"] for row in rows),
            }
            for system, rows in table.items()
        },
    }
    (HERE / "results" / "claims.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
