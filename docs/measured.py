"""Tables of what tests/benchmarks measured, from the JSON files in its results/."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from engine_tables import engines, motion, rectangular

Found = Mapping[str, Any]
METRICS = ("mota", "idf1", "hota")
EMPTY = "without people"  # the set of all pictures that show nobody


def measured(results: Path) -> str:
    """All tables that have a result; a line where nothing was measured yet."""
    files = {name: results / f"{name}.json" for name in TABLES}
    parts = [
        TABLES[name](json.loads(file.read_text(encoding="utf-8"))) for name, file in files.items() if file.is_file()
    ]
    return "\n".join(parts) or "Nothing was measured yet: see `tests/benchmarks`.\n"


def identity(found: Found) -> str:
    """Tracks of each camera, identities of each scene and world, and the labelled sets against what was promised."""
    tracks = [
        [camera, *(_number(score[metric]) for metric in METRICS)]
        for row in found["scenes"].values()
        for camera, score in row["tracks"].items()
    ]
    return (
        f"Tracks within one camera, with the defaults:\n\n{table(('camera', 'MOTA', 'IDF1', 'HOTA'), tracks)}\n"
        'Identities over all cameras; people who leave and return count as new people, but "by person". "At best": the '
        "IDF1 if every tracklet were given its true person. Pairs of one identity that a camera sees at once: "
        f"{_violated(found)}.\n\n{table(PEOPLE_HEAD, _people(found))}\n"
        "Labelled sets as tracklets of two pictures or more, put together without their labels; what came out beside "
        f"what was expected:\n\n{table(SET_HEAD, _sets(found))}"
    )


PEOPLE_HEAD = ("footage", "embedder", "IDF1", "HOTA", "IDF1 by person", "cross-camera precision", "at best")
SET_HEAD = ("set", "embedder", "promised", "wrong pairs", "of", "mixed", "split", "pair F1", "B-cubed F1")


def _people(found: Found) -> list[list[str]]:
    """A row a scene and embedder, then the worlds."""
    scenes = [
        (scene, network, scores)
        for scene, row in found["scenes"].items()
        for network, scores in row.items()
        if network != "tracks"
    ]
    worlds = [
        (f"synthetic, {row['seconds']:g} s, {detector}", "slim-afa", scores)
        for row in found.get("world", {}).values()
        for detector, scores in row.items()
        if detector != "seconds"
    ]
    keys = ("idf1", "hota", "by_person_idf1", "cross_pair_precision", "ceiling")
    return [[name, network, *(_number(scores.get(key)) for key in keys)] for name, network, scores in scenes + worlds]


def _violated(found: Found) -> int:
    parts = [*found["scenes"].values(), *found.get("world", {}).values()]
    return sum(row["violated"] for part in parts for name, row in part.items() if name not in ("tracks", "seconds"))


def _sets(found: Found) -> list[list[str]]:
    """A row a set, embedder and promise."""
    return [
        [name, network, promise, *_beside_expected(row), _number(row["pair_f1"]), _number(row["b3_f1"])]
        for name, networks in found.get("sets", {}).items()
        for network, rows in networks.items()
        for promise, row in rows["promises"].items()
    ]


def _beside_expected(row: Found) -> list[str]:
    wrong, mixed, split = (
        f"{count} ({expected:.0f})" for count, expected in zip(row["achieved"], row["expected"], strict=True)
    )
    return [wrong, str(row["pairs"]), mixed, split]


def trackers(found: Found) -> str:
    """One row a tracker, the best mean HOTA first: what it gives of each camera, and frames a second by itself."""
    cameras = list(dict.fromkeys(camera for results in found.values() for camera in results))
    rows = []
    for name, results in found.items():
        scores = {camera: result["joined"] for camera, result in results.items()}
        means = {metric: fmean(score[metric] for score in scores.values()) for metric in METRICS}
        cells = [f"{scores[c]['mota']:.2f} / {scores[c]['idf1']:.2f}" if c in scores else "" for c in cameras]
        speed = fmean(result["fps"] for result in results.values())
        rows.append((means["hota"], [name, *cells, f"{means['idf1']:.3f}", f"{means['hota']:.3f}", f"{speed:.0f}"]))
    head = ["tracker", *cameras, "mean IDF1", "mean HOTA", "frames/s"]
    body = [row for _, row in sorted(rows, key=lambda row: -row[0])]
    return (
        "Every tracker by itself, gaps of up to two seconds joined, before tracklets are split by appearance "
        f"(MOTA / IDF1):\n\n{table(head, body)}"
    )


def speed(found: Found) -> str:
    """One row a figure, one column a file."""
    figures = dict.fromkeys(name for row in found.values() for name in row)
    rows = [[SPEED.get(name, name), *(_number(row.get(name)) for row in found.values())] for name in figures]
    return f"Speed, everything measured in turn in one run:\n\n{table(('', *found), rows)}"


def memory(found: Found) -> str:
    """One row a length of run, and the ratio of the two."""
    rows = [
        [f"{row['hours']:g} h of each camera", _number(row["peak_mib"]), _number(row["seconds"])]
        for row in found.values()
        if isinstance(row, Mapping)
    ]
    text = table(("footage", "peak resident memory, MiB", "seconds"), rows)
    return f"Memory, the synthetic world at one frame a second:\n\n{text}\nRatio: {_number(found['ratio'])}.\n"


def detector(found: Found) -> str:
    """One row a set, detectors beside each other; then one row a detector: its tracks, what it invents, its speed."""
    first = next(iter(found.values()))["sets"]
    rows = [
        [name, str(one["pictures"]), str(one["boxes"])]
        + [_number(row["sets"][name][key]) for key in ("ap50", "recall") for row in found.values()]
        for name, one in first.items()
        if name != EMPTY
    ]
    head = ("data", "pictures", "people", *(f"{what}, {name}" for what in ("AP", "recall") for name in found))
    alone = []
    for name, row in found.items():
        figures = *(row["tracks"][metric] for metric in METRICS), row["sets"][EMPTY]["false_positives"], row["fps"]
        alone.append([name, *map(_number, figures)])
    used = ", ".join(f"{row['score']:g} of {name}" for name, row in found.items())
    return (
        "Detectors on the same pictures: COCO's average precision at IoU 0.5, and recall from the score on that a run "
        f"uses ({used}); partial labels give recall alone:\n\n{table(head, rows)}\n"
        f"Tracks of `vtest` with each of them, false positives on each of {first[EMPTY]['pictures']} pictures {EMPTY}, "
        f"and speed, in turn in one run:\n\n"
        f"{table(('detector', 'MOTA', 'IDF1', 'HOTA', 'false positives', 'frames/s'), alone)}"
    )


def card_detector(results: Path) -> str:
    """The same tables where they were measured."""
    found = read(results / "detector.json")
    return detector(found) if found else "Not measured yet: `python tests/benchmarks/detector.py`.\n"


def card_accuracy(results: Path, network: str) -> str:
    """Retrieval of a network, and of the others that were measured beside it."""
    found = read(results / "embedders.json")
    if network not in found:
        return f"Not measured yet: `python tests/benchmarks/embedder.py {network}`.\n"
    rows = [
        [name, other, str(scores["queries"]), *(f"{100 * scores[key]:.1f}" for key in ("rank1", "rank5", "mAP"))]
        for name in found[network]["accuracy"]
        for other in sorted(found, key=lambda other: other != network)
        if (scores := found[other]["accuracy"].get(name))
    ]
    return table(("data", "network", "queries", "rank-1, %", "rank-5, %", "mAP, %"), rows)


def card_calibration(results: Path, network: str) -> str:
    """What share of pairs reaches each cosine."""
    measured = read(results / "embedders.json").get(network, {}).get("calibration")
    if measured is None:
        return f"Not measured yet: `python tests/benchmarks/embedder.py {network}`.\n"
    rows = [
        [f"{level['threshold']:.2f}", *(_rate(level, kind) for kind in ("true_match", "false_match"))]
        for level in measured["levels"]
    ]
    return (
        f"{measured['set']}: {measured['tracklets']} tracklets of {measured['people']} people.\n\n"
        f"{table(('cosine from', 'true match, %', 'false match, %'), rows)}"
    )


def claims(results: Path) -> str:
    """The papers' systems on sparse tracklets, each beside the first of them."""
    found = read(results / "claims.json")
    if not found:
        return "Not measured yet: `python tests/benchmarks/claims.py WEIGHTS`.\n"
    systems = found["systems"]
    first = next(iter(systems))
    rows = []
    for name, one in systems.items():
        cells = [cell for key in ("rank1", "mAP") for cell in _beside(one[key], systems[first][key])]
        rows.append([name, f"`{one['recipe']}`", *cells, f"{one['hours']:.1f}"])
    height, width = found["size"]
    head = ("system", "config", "rank-1, %", "difference", "mAP, %", "difference", "hours")
    return (
        f"{found['data']}; {found['steps']} steps at {height} x {width}. Mean and standard deviation over "
        f"{len(found['seeds'])} seeds, differences from {first} in points, hours over all seeds.\n\n{table(head, rows)}"
    )


def _beside(shares: Sequence[float], first: Sequence[float]) -> list[str]:
    """A score over seeds, and its difference from the first system's."""
    return [percent(shares), "" if shares is first else f"{100 * (fmean(shares) - fmean(first)):+.1f}"]


def percent(shares: Sequence[float]) -> str:
    """The mean of a score over seeds, and its standard deviation where there are two or more."""
    spread = f" ± {100 * stdev(shares):.1f}" if len(shares) > 1 else ""
    return f"{100 * fmean(shares):.1f}{spread}"


def read(file: Path) -> Found:
    """A file of results; nothing where it is not there."""
    found: Found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def _rate(level: Found, kind: str) -> str:
    """A share and its interval in per cent, with as many digits as small ones need."""
    low, high = level[f"{kind}_95"]
    return f"{100 * level[kind]:.3g} ({100 * low:.3g} to {100 * high:.3g})"


def _tables(parts: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]]) -> str:
    """Tables with a caption each."""
    return "\n".join(f"{caption}\n\n{table(head, rows)}" for caption, head, rows in parts)


TABLES: dict[str, Callable[[Found], str]] = {
    "detector": detector,
    "identity": identity,
    "trackers": trackers,
    "speed": speed,
    "rectangular": lambda found: _tables(rectangular(found)),
    "engines": lambda found: _tables(engines(found)),
    "motion": lambda found: _tables(motion(found)),
    "memory": memory,
}

SPEED = {
    "decoder_fps": "decoder alone, frames/s",
    "detector_fps": "detector alone, frames/s",
    "bound_fps": "1 / (1/detector + 1/decoder), frames/s",
    "track_fps": "`vidreid track`, decode to written parts, frames/s",
    "of_bound": "share of that bound",
    "ultralytics_fps": "`ultralytics track`, same network and tracker, frames/s",
    "times_ultralytics": "times `ultralytics track`",
    "embed_s": "embedding, seconds",
    "match_s": "matching, seconds",
    "embed_and_match_share": "embedding and matching, share of the time of `track`",
}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""

    def lines() -> Iterator[str]:
        for row in [head, ["---"] * len(head), *rows]:
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n"

    return "".join(lines())


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
