"""What telling people apart costs as tracklets grow: python tests/benchmarks/clustering.py [SIZE ...]

Made-up tracklets of 512 numbers, about five a person, whose cosines are spread as a network's: genuine pairs 0.59, give
or take 0.13, impostors 0.15, give or take 0.13, with the tail of people in like clothes; each camera adds something of
its own, and sees 30 tracklets at a time. Of 8 cameras, of 100, and with everybody in one uniform. Each in a process of
its own with its peak memory, all of `associate`; beside it up to 10,000 SciPy's average linkage of the same vectors,
which knows neither levels nor constraints and holds all pairs. Prints a row each and writes results/clustering.json
with the load of the machine. 200,000 tracklets take about half an hour: only when asked for.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from vidreid.evaluation.cards import Labelled, measure_card
from vidreid.identity import association
from vidreid.identity.association import Sightings, associate
from vidreid.identity.clustering import agglomerate

OUT = Path(__file__).parent / "results" / "clustering.json"
DIM, PER_PERSON, CLOTHES = 512, 5, 9
TOGETHER = 30  # tracklets that a camera sees at one time
IMPOSTORS = 20_000  # pairs seen side by side
PROMISE, COSINE = 0.02, 0.5
SIZES = (2_000, 5_000, 10_000, 20_000, 50_000)
CAMERAS = {"8 cameras": 8, "100 cameras": 100, "one uniform": 8}
LARGEST = {"8 cameras": 200_000, "100 cameras": 20_000, "one uniform": 20_000, "scipy": 10_000}
STAGES = ("make_space", "find_curves", "above_even", "agglomerate")


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def tracklets(count, cameras, seed=0, uniform=False):
    """Unit vectors (count, DIM) float32, the person, the moment and the camera of each."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, max(1, count // PER_PERSON), count)
    clothes = np.zeros((people.max() + 1, DIM), np.float32)
    clothes[:, :CLOTHES] = rng.normal(size=(1 if uniform else len(clothes), CLOTHES)) * rng.uniform(0.5, 2, CLOTHES)
    look = unit(0.85 * unit(clothes) + 0.53 * unit(rng.normal(size=clothes.shape).astype(np.float32)))[people]
    common = unit(rng.normal(size=(1, DIM)).astype(np.float32))
    noise = rng.lognormal(0, 0.4, (count, 1)).astype(np.float32) * unit(rng.standard_normal((count, DIM), np.float32))
    moments = rng.permutation(count) // TOGETHER
    shift = 0.3 * unit(rng.standard_normal((cameras, DIM), np.float32))[moments % cameras]
    return unit(0.39 * common + 0.67 * look + 0.62 * noise + shift), people, moments, moments % cameras


def apart_of(people, moments):
    """Whom each tracklet must not meet: other people at the same moment."""
    order = np.argsort(moments, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(moments[order])) + 1)
    found = {row: group[people[group] != people[row]] for group in groups for row in group}
    return [found[row] for row in range(len(people))]


def pairs(numbers):
    _, sizes = np.unique(numbers, return_counts=True)
    return int((sizes * (sizes - 1) // 2).sum())


def card():
    """What other people of the same making, in six cameras, say of such vectors."""
    vectors, people, _, cameras = tracklets(2_000, 6, seed=1)
    return measure_card("made up", [Labelled("made up", vectors, people, cameras, vectors[:20].reshape(10, 2, DIM))])


def stages():
    """Seconds of the stages of `associate`, filled in as it runs."""
    spent = {}

    def timed(name):
        function = getattr(association, name)

        def run(*args):
            began = time.perf_counter()
            found = function(*args)
            spent[name] = round(time.perf_counter() - began, 1)
            return found

        return run

    for name in STAGES:
        setattr(association, name, timed(name))
    return spent


def one(count, kind):
    """Tell tracklets apart, and say what it took."""
    known = card()
    vectors, people, moments, cameras = tracklets(count, CAMERAS[kind], uniform=kind == "one uniform")
    apart = apart_of(people, moments)
    impostors = [(row, other) for row, others in enumerate(apart) for other in others if row < other][:IMPOSTORS]
    spent = stages()
    began, used = time.perf_counter(), time.process_time()
    found = associate(Sightings(vectors, cameras, apart, impostors=np.array(impostors)), known, PROMISE)
    took, cpu = time.perf_counter() - began, time.process_time() - used
    together = pairs(found.clusters * (people.max() + 1) + people)
    return {
        "seconds": round(took, 1),
        "cpu_seconds": round(cpu, 1),
        "stages": spent,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "nearest": found.merges.nearest,
        "merges": len(found.merges.linkage),
        "clusters": int(found.clusters.max()) + 1,
        "people": len(np.unique(people)),
        "expected_precision": round(1 - found.expected.wrong_share[0], 4),
        "pair_precision": round(together / max(1, pairs(found.clusters)), 4),
        "pair_recall": round(together / pairs(people), 4),
    }


def scipy(count):
    """Average linkage of cosines by SciPy, and whether ours without constraints agrees."""
    vectors = tracklets(count, 8)[0].astype(np.float64)
    began, used = time.perf_counter(), time.process_time()
    numbers = fcluster(linkage(vectors, "average", "cosine"), 1 - COSINE, "distance")
    took, cpu = time.perf_counter() - began, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    vectors = unit(vectors)
    merges = agglomerate(vectors, vectors, [np.zeros(0, np.int64)] * count, [], COSINE)
    ours = merges.clusters(len(merges.linkage))
    same = len(np.unique(numbers)) == len(np.unique(ours)) == len(np.unique(np.stack([numbers, ours]), axis=1).T)
    return {"seconds": round(took, 1), "cpu_seconds": round(cpu, 1), "peak_mib": peak, "agrees": same}


def measure(count, kind):
    command = [sys.executable, __file__, "--one", str(count), kind]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main(sizes):
    table = json.loads(OUT.read_text()) if OUT.is_file() else {}
    for size in sizes:
        for kind, largest in LARGEST.items():
            if size <= largest:
                load = round(os.getloadavg()[0], 1)
                row = {**measure(size, kind), "load": load}
                table.setdefault(str(size), {})[kind] = row
                print(size, kind, json.dumps(row), flush=True)
                in_order = {key: table[key] for key in sorted(table, key=int)}
                OUT.write_text(json.dumps(in_order, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        number, kind = int(sys.argv[2]), sys.argv[3]
        print(json.dumps(scipy(number) if kind == "scipy" else one(number, kind)))
    else:
        main([int(size) for size in sys.argv[1:]] or SIZES)
