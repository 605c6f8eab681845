"""What likenesses of each network mean, from people it never learnt from: python tests/benchmarks/cards.py [NAME ...]

Writes calibration.json beside a network that ships, and configs/calibration/NAME.json for those of others, from the
labelled sets beside the repository; that of colours from worlds whose seeds nothing else uses. --cache FOLDER keeps
the vectors, so that a repetition takes seconds. Run it again when a network or what it measures changes.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from labelled_sets import EMBEDDERS, labelled

from vidreid.embedding.colours import SPEC
from vidreid.engines.weights import find_model
from vidreid.evaluation.cards import Labelled, measure_card
from vidreid.evaluation.run import followed
from vidreid.footage.cameras import read_site
from vidreid.identity.splitting import mean_look
from vidreid.pipeline.cards import card_files
from vidreid.pipeline.looks import looks_of
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options, run
from vidreid.store.folder import RunFolder
from vidreid.world import write_world

# Each set, and whether the people of its training part are left out. The sets of slim-afa are those it learnt from.
THEIRS = (("market_train", True), ("cuhk01", False))
OURS = (("market_train", True), ("cuhk03_pair1", True))
SEEDS = range(1000, 1010)
WORLD = {"seconds": 60.0, "people": 10, "fps": (6.0, 6.0, 6.0)}


def card_of_network(name, cache):
    """Name, identity and card of a network."""
    sets = [
        labelled(name, part, held_out=held_out, cache=cache, halves=True)
        for part, held_out in (OURS if name == "slim-afa" else THEIRS)
    ]
    wanted = name if name == "slim-afa" else str(EMBEDDERS[name])
    spec = find_model(wanted, "embedder", offline=True, announce=print).spec
    return spec.identity, measure_card(name, sets)


def card_of_colours(cache):
    """Identity and card of colours, from the synthetic world."""
    file = cache / "colours.npz"
    if not file.is_file():
        parts = [_seen(seed) for seed in SEEDS]
        np.savez(file, **{key: np.concatenate([part[key] for part in parts]) for key in parts[0]})
    found = np.load(file)
    people = np.unique(found["identities"], return_inverse=True)[1]
    name = f"synthetic worlds {SEEDS[0]} to {SEEDS[-1]}: {people.max() + 1} people, {len(people)} tracklets"
    return SPEC.identity, measure_card(
        SPEC.identity, [Labelled(name, found["vectors"], people, found["cameras"], found["halves"])]
    )


def _seen(seed):
    """Tracklets of a world: unit vectors, whom they follow, and the two halves of those that are long enough."""
    with tempfile.TemporaryDirectory() as folder:
        site = write_world(Path(folder) / "site", seed=seed, **WORLD).parent
        how = {"detection": {"detector": "oracle"}, "embedding": {"embedder": "colours"}}
        target = Path(folder) / "run"
        run(RunFolder(target), read_site([str(site / "cameras.yaml")]), how, Options(), Silent())
        done, people = Run(target), followed(target, site).people
        rows = [row for row in done.tracklets().to_pylist() if people.get(row["tracklet"], 0) > 0 and row["identity"]]
        looks = looks_of(done, rows)
    sides = [(one[: len(one) // 2], one[len(one) // 2 :]) for one in looks.values() if len(one) >= 4]
    return {
        "vectors": np.stack([mean_look(looks[row["tracklet"]]) for row in rows]),
        "identities": np.array([1000 * seed + people[row["tracklet"]] for row in rows]),
        "cameras": np.array([list(done.cameras).index(row["camera"]) for row in rows]),
        "halves": np.array([[mean_look(side) for side in pair] for pair in sides]).reshape(len(sides), 2, SPEC.dim),
    }


def write(network, card):
    """The card as JSON where `vidreid.pipeline.cards` looks for it: a line a figure, the long ones too."""
    beside, others = card_files(card.name)
    file = beside if beside.parent.is_dir() else others
    lines = ",\n".join(
        f" {json.dumps(key)}: {json.dumps(value)}" for key, value in (card.as_dict() | {"network": network}).items()
    )
    file.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in card.as_dict().items() if key not in ("null", "mean")}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=[*EMBEDDERS, "colours"])
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache = given.cache or Path(scratch)
        for name in given.names:
            write(*(card_of_colours(cache) if name == "colours" else card_of_network(name, cache)))


if __name__ == "__main__":
    main()
