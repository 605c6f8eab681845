"""What clustering costs as tracklets grow: python tests/benchmarks/clustering.py [SIZE ...]

Made-up tracklets of 512 numbers, about five a person, whose cosines are spread as a network's: genuine pairs 0.59, give
or take 0.13, impostors 0.15, give or take 0.13, with the tail of people in like clothes. At three thresholds: one that
suits them, a low one, and one that everybody passes. Each in a process of its own, from float16 on the disk, with its
peak memory; beside it up to 10,000 SciPy's average linkage, which knows no constraints and holds all pairs. Prints a
row each and writes results/clustering.json. A size of 200,000 takes about half an hour.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from vidreid.identity.clustering import SLACK, cluster
from vidreid.identity.neighbours import neighbours

OUT = Path(__file__).parent / "results" / "clustering.json"
DIM, PER_PERSON, CLOTHES = 512, 5, 9
TOGETHER = 30  # tracklets that a camera sees at one time
SIZES = (2_000, 5_000, 10_000, 20_000, 50_000)
THRESHOLDS = {"suited": 0.5, "low": 0.4, "passed by all": -1.0}
LARGEST = {"suited": 200_000, "low": 50_000, "passed by all": 20_000, "scipy": 10_000}


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def tracklets(count, seed=0):
    """Vectors (count, DIM) float16, the person of each, and the moment at which a camera sees it."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, max(1, count // PER_PERSON), count)
    clothes = np.zeros((people.max() + 1, DIM), np.float32)
    clothes[:, :CLOTHES] = rng.normal(size=(len(clothes), CLOTHES)) * rng.uniform(0.5, 2, CLOTHES)
    look = unit(0.85 * unit(clothes) + 0.53 * unit(rng.normal(size=clothes.shape).astype(np.float32)))[people]
    common = unit(rng.normal(size=(1, DIM)).astype(np.float32))
    noise = rng.lognormal(0, 0.4, (count, 1)).astype(np.float32) * unit(rng.standard_normal((count, DIM), np.float32))
    vectors = unit(0.39 * common + 0.67 * look + 0.62 * noise)
    return vectors.astype(np.float16), people, rng.permutation(count) // TOGETHER


def apart_of(people, moments):
    """Whom each tracklet must not meet: other people at the same moment."""
    order = np.argsort(moments, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(moments[order])) + 1)
    found = {row: group[people[group] != people[row]] for group in groups for row in group}
    return [found[row] for row in range(len(people))]


def pairs(numbers):
    _, sizes = np.unique(numbers, return_counts=True)
    return int((sizes * (sizes - 1) // 2).sum())


def one(folder, threshold):
    """Cluster the tracklets of ``folder`` and say what it took."""
    vectors, people, moments = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("vectors", "who", "when"))
    apart = apart_of(people, moments)
    began, used = time.perf_counter(), time.process_time()
    near = neighbours(vectors, threshold - SLACK)
    found = time.perf_counter()
    numbers = cluster(vectors, apart, threshold, near=near)
    took = time.perf_counter()
    together = pairs(numbers * (people.max() + 1) + people)
    return {
        "seconds": round(took - began, 1),
        "neighbours_seconds": round(found - began, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "neighbours": near.likeness.nnz,
        "nearest": near.nearest,
        "clusters": int(numbers.max()) + 1,
        "people": len(np.unique(people)),
        "pair_precision": round(together / max(1, pairs(numbers)), 4),
        "pair_recall": round(together / pairs(people), 4),
    }


def scipy(folder, threshold):
    """The same without constraints by SciPy, and whether ours then agrees."""
    vectors = np.load(folder / "vectors.npy").astype(np.float64)
    began, used = time.perf_counter(), time.process_time()
    numbers = fcluster(linkage(unit(vectors), "average", "cosine"), 1 - threshold, "distance")
    took, cpu = time.perf_counter() - began, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    ours = cluster(unit(vectors), [np.zeros(0, np.int64)] * len(vectors), threshold)
    same = len(np.unique(numbers)) == len(np.unique(ours)) == len(np.unique(np.stack([numbers, ours]), axis=1).T)
    return {"seconds": round(took, 1), "cpu_seconds": round(cpu, 1), "peak_mib": peak, "agrees": same}


def measure(folder, kind, threshold):
    command = [sys.executable, __file__, "--one", str(folder), kind, str(threshold)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main(sizes):
    table = json.loads(OUT.read_text()) if OUT.is_file() else {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part, values in zip(("vectors", "who", "when"), tracklets(size), strict=True):
                np.save(folder / f"{part}.npy", values)
            for kind, largest in LARGEST.items():
                if size <= largest:
                    row = measure(folder, kind, THRESHOLDS.get(kind, THRESHOLDS["suited"]))
                    table.setdefault(str(size), {})[kind] = row
                    print(size, kind, json.dumps(row), flush=True)
                    in_order = {key: table[key] for key in sorted(table, key=int)}
                    OUT.write_text(json.dumps(in_order, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        place, kind, threshold = sys.argv[2:]
        print(json.dumps((scipy if kind == "scipy" else one)(Path(place), float(threshold))))
    else:
        main([int(size) for size in sys.argv[1:]] or SIZES)
