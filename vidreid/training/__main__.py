"""Training on a machine with torch, NumPy, OpenCV and PyYAML alone; `vidreid train` is the same with more comfort."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import torch

from vidreid.errors import VidreidError
from vidreid.training.recipe import read_recipe
from vidreid.training.session import Place, open_data, train


def main() -> int:
    parser = argparse.ArgumentParser("python -m vidreid.training")
    parser.add_argument("recipe")
    parser.add_argument("--data", action="append", default=[], metavar="LAYOUT=ROOT")
    parser.add_argument("--strangers", action="append", default=[], metavar="LAYOUT=ROOT")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--teacher", default="")
    given = parser.parse_args()
    place = Place("cuda" if torch.cuda.is_available() else "cpu")
    try:
        recipe = read_recipe(given.recipe)
        if given.steps:
            recipe = dataclasses.replace(recipe, schedule=dataclasses.replace(recipe.schedule, steps=given.steps))
        labelled, strangers = [open_data(one) for one in given.data], [open_data(one) for one in given.strangers]
        for word in train(
            recipe, labelled, strangers, given.output, place=place, seed=given.seed, teacher=given.teacher
        ):
            losses = ", ".join(f"{name} {value:.3f}" for name, value in word.losses.items())
            print(f"step {word.step}: {losses}; {word.pictures_per_second:.0f} pictures/s", flush=True)
    except VidreidError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
