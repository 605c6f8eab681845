"""Training on a machine with torch, NumPy, OpenCV and PyYAML alone; `vidreid train` is the same with more comfort."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from vidreid.errors import VidreidError
from vidreid.training.place import joined
from vidreid.training.session import dry_run, set_up, train


def main() -> int:
    """The exit status: 0, or that of the error that is said in two lines."""
    given = vars(_arguments())
    output, device, only_try = (given.pop(name) for name in ("output", "device", "dry_run"))
    try:
        setup = set_up(**given)
        with joined(device) as place:
            said = [dry_run(setup, place=place)] if only_try else train(setup, output, place=place)
            for line in said:
                if place.first:
                    print(line, flush=True)
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
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", type=int, default=1)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--teacher", default="", metavar="NAME|PATH")
    parser.add_argument("--backbone-weights", type=Path, metavar="PATH")
    parser.add_argument("--dry-run", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
