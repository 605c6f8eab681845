"""Training on a machine with torch, NumPy, OpenCV and PyYAML alone; `vidreid train` is the same with more comfort."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from vidreid.errors import VidreidError
from vidreid.training.place import joined
from vidreid.training.recipe import read_recipe
from vidreid.training.session import Setup, dry_run, open_data, train


def main() -> int:
    """The exit status: 0, or that of the error that is said in two lines."""
    given = _arguments()
    try:
        recipe = read_recipe(given.config, given.set)
        labelled, strangers = (
            [open_data(one, recipe.source.train) for one in given.data],
            [open_data(one) for one in given.strangers],
        )
        setup = Setup(recipe, labelled, strangers, given.seed, given.teacher, given.backbone_weights, given.split)
        with joined(given.device) as place:
            if given.dry_run:
                print(dry_run(setup, place=place))
                return 0
            for progress in train(setup, given.output, place=place):
                if place.first:
                    print(progress, flush=True)
    except VidreidError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_status
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m vidreid.training", description=__doc__)
    parser.add_argument("config", help="name or YAML of a recipe")
    parser.add_argument("--data", action="append", required=True, metavar="LAYOUT=ROOT")
    parser.add_argument("--strangers", action="append", default=[], metavar="LAYOUT=ROOT")
    parser.add_argument("--output", type=Path, default=Path("training"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", type=int, default=1)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--teacher", default="", metavar="NAME|PATH")
    parser.add_argument("--backbone-weights", type=Path, metavar="PATH")
    parser.add_argument("--dry-run", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
