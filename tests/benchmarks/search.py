"""How fast exact search is, side by side with the obvious ways: python tests/benchmarks/search.py [ROWS...]

Float16 vectors of 512 numbers of 8 cameras in a file (1 GB for a million, in a folder that is gone afterwards) and one
query from outside, the file in the page cache. "search": products, levels, scores and the best 20. "in memory":
NumPy's product of the same vectors held as float32, twice the memory; "cast": NumPy's cast of each block, "torch":
torch's, each followed by the product. Best of some turns each, ways in turn, since the machine may be shared. Writes
results/search.json beside this file: milliseconds, and how many times as long as ours each takes.
"""

import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

from vidreid.identity.search import Gallery, Query, products, score
from vidreid.pipeline.index import checksum

DIM, CAMERAS, TURNS, BLOCK = 512, 8, 7, 16384
OUT = Path(__file__).parent / "results" / "search.json"


def make(path, rows):
    """Write unit vectors; a query (dim,)."""
    rng = np.random.default_rng(0)
    halves = np.lib.format.open_memmap(path, "w+", np.float16, (rows, DIM))
    for start in range(0, rows, BLOCK):
        block = rng.standard_normal((min(BLOCK, rows - start), DIM), np.float32)
        halves[start : start + len(block)] = block / np.linalg.norm(block, axis=1, keepdims=True)
    halves.flush()
    query = rng.standard_normal(DIM).astype(np.float32)
    return query / np.linalg.norm(query)


def search(gallery, query, allowed):
    return score(gallery, query, np.array([0.5, 0.45]), 0.1).best(20, allowed)


def in_memory(full, query):
    return full @ query


def cast(vectors, query):
    blocks = (vectors[start : start + BLOCK] for start in range(0, len(vectors), BLOCK))
    return np.concatenate([block.astype(np.float32) @ query for block in blocks])


def torch_cast(vectors, query):
    wanted = torch.from_numpy(query)
    blocks = (torch.from_numpy(vectors[start : start + BLOCK]) for start in range(0, len(vectors), BLOCK))
    return torch.cat([block.float() @ wanted for block in blocks]).numpy()


def measure(rows):
    with tempfile.TemporaryDirectory() as folder:
        query = make(Path(folder) / "v.npy", rows)
        vectors = np.load(Path(folder) / "v.npy", mmap_mode="c")
        rng = np.random.default_rng(1)
        levels = rng.uniform(0.4, 0.6, (rows, CAMERAS)).astype(np.float32)
        gallery = Gallery(vectors, rng.integers(0, CAMERAS, rows), levels)
        outside = Query(query, None, np.zeros(0, np.int64))
        full = vectors.astype(np.float32)
        ways = {
            "products": partial(products, vectors, query),
            "search": partial(search, gallery, outside, np.ones(rows, bool)),
            "checksum when opened": partial(checksum, vectors),
            "in memory": partial(in_memory, full, query),
            "cast": partial(cast, vectors, query),
            "torch": partial(torch_cast, vectors, query),
        }
        best = dict.fromkeys(ways, float("inf"))
        for turn in range(TURNS):
            for name, way in ways.items():
                if name == "cast" and turn > 1:
                    continue  # ten times as long as the rest together
                began = time.perf_counter()
                way()
                best[name] = min(best[name], time.perf_counter() - began)
        assert np.allclose(ways["products"](), ways["cast"](), atol=1e-5)
    ms = {name: round(1000 * seconds, 2) for name, seconds in best.items()}
    ratios = {name: round(best[name] / best["search"], 2) for name in ("in memory", "cast", "torch")}
    return {"vectors": rows, "ms": ms, "times as long as search": ratios}


def main(sizes):
    found = [measure(rows) for rows in sizes]
    for row in found:
        print(json.dumps(row))
    OUT.write_text(json.dumps({"numbers": DIM, "cameras": CAMERAS, "sizes": found}, indent=1) + "\n")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10_000, 100_000, 1_000_000])
