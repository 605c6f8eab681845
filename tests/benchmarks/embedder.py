"""Embedders on people whom our own never saw in training: python tests/benchmarks/embedder.py NAME|PATH...

Retrieval by the protocol of each set, and on sparse tracklets the rates that cosines stand for, which the model card
shows. Adds a row an embedder to results/embedders.json beside this file.
"""

import json
import sys
from pathlib import Path

import numpy as np

from vidreid.evaluation.calibration import calibrate
from vidreid.evaluation.distances import prepared
from vidreid.training.embeddings import from_embedder
from vidreid.training.retrieval import open_dataset, score_dataset, scored_tracklets

REID = Path(__file__).resolve().parents[3] / "shared" / "data" / "reid"
OUT = Path(__file__).parent / "results" / "embedders.json"
SETS = {
    "Market-1501": "market_test.csv.gz",
    "Market-1501, sparse tracklets": "market_test_tracklets.csv.gz",
    "CUHK03, 100 people": "cuhk03_pair1.csv.gz",
}
CALIBRATED = "Market-1501, sparse tracklets"


def measure(source, name):
    dataset = open_dataset(str(REID / SETS[name]), None)
    tracklets = scored_tracklets(dataset)
    vectors = source.vectors(dataset, tracklets, dataset.protocol, print)
    scores = score_dataset(dataset, tracklets, vectors, dataset.protocol, branches=source.branches).summary()
    found = {key: scores[key] for key in ("queries", "gallery", "rank1", "rank5", "rank10", "mAP")}
    if name != CALIBRATED:
        return {"accuracy": {name: found}}
    people, cameras = (np.array([getattr(one, field) for one in tracklets]) for field in ("identity", "camera"))
    levels = calibrate(prepared(vectors, "cosine", source.branches), people, cameras)
    rows = [level.as_dict() for level in levels]
    known = {"set": name, "people": len(set(people[people > 0])), "tracklets": int((people > 0).sum()), "levels": rows}
    return {"accuracy": {name: found}, "calibration": known}


def main(wanted):
    found = json.loads(OUT.read_text()) if OUT.is_file() else {}
    for embedder in wanted:
        source = from_embedder(embedder)
        row = found[source.system] = {"accuracy": {}}
        for name in SETS:
            measured = measure(source, name)
            row["accuracy"] |= measured.pop("accuracy")
            row |= measured
            print(source.system, name, json.dumps(row["accuracy"][name]))
        OUT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:] or ["slim-afa"])
