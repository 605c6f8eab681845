"""Tables of what tests/benchmarks measured of engines, of rectangular detectors and of the motion gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Found = Mapping[str, Any]
Row = Sequence[str]


def engines(found: Found) -> list[tuple[str, Row, list[Row]]]:
    """Captions, heads and rows of what tests/benchmarks/engines.py wrote, part by part."""
    parts = {"tclnet": _tclnet, "exact": _exact, "retrieval": _retrieval, "shipped": _shipped}
    return [part(found[name]) for name, part in parts.items() if found.get(name)]


def _tclnet(found: Found) -> tuple[str, Row, list[Row]]:
    speeds = found["frames_per_second"]
    base = speeds["torch"]
    rows = [[name, f"{speed:.1f}", f"{speed / base:.2f}"] for name, speed in speeds.items()]
    return (
        "TCLNet on ResNet-50, clips of 4 pictures of 256 x 128, both cores:",
        ("as", "pictures/s", "times torch in float32"),
        rows,
    )


def _exact(found: Found) -> tuple[str, Row, list[Row]]:
    rows = [
        [
            precision,
            ", ".join(f"{least:.5f}" for least, _ in one["cosine"]),
            ", ".join(f"{mean:.5f}" for _, mean in one["cosine"]),
            f"{one['rows']:.3f}",
        ]
        for precision, one in found.items()
        if isinstance(one, Mapping)
    ]
    return (
        f"`{found['network']}` with trained weights beside torch, a learner's half each:",
        ("precision", "least cosine where the erased rows agree", "mean", "share of equal rows"),
        rows,
    )


def _retrieval(found: Found) -> tuple[str, Row, list[Row]]:
    rows = [[precision, f"{score:.2f}"] for precision, score in found["mAP"].items()]
    return (
        "slim-afa on Market-1501's test people, picture by picture; INT8's ranges measured on people of CUHK03:",
        ("precision", "mAP"),
        rows,
    )


def _shipped(found: Found) -> tuple[str, Row, list[Row]]:
    speeds = found["crops_per_second"]
    rows = [
        [name.replace("_", ", "), f"{speed:.0f}", f"{speed / speeds['0277']:.2f}"] for name, speed in speeds.items()
    ]
    return "From JPEG to vectors, the shipped embedder beside 0277:", ("network", "crops/s", "times 0277"), rows


def rectangular(found: Found) -> list[tuple[str, Row, list[Row]]]:
    """What tests/benchmarks/rectangular.py wrote."""
    speeds = [
        [
            clip,
            *(f"{row[key]:.1f}" for key in ("square_fps", "rectangular_fps", "ultralytics_fps")),
            f"{row['times_ultralytics']:.2f}",
        ]
        for clip, row in found["speed"].items()
    ]
    keys = ("mota", "idf1", "hota", "recall", "precision")
    scores = [
        [camera, name, *(f"{found['accuracy'][side][camera][key]:.3f}" for key in keys)]
        for camera in found["accuracy"]["square"]
        for side, name in (("square", "640x640"), ("rectangular", "640x480"))
    ]
    return [
        (
            "YOLO26n in INT8: as ultralytics exports it (640x640), as `vidreid engine build` makes it (640x384 for "
            "16:9, 640x480 for 4:3), and `ultralytics track` with its own, frames/s. Two cameras at once: "
            f"{found['two_cameras_over_one']:.2f} times the frames/s of one.",
            ("footage", "`track`, 640x640", "`track`, our engine", "`ultralytics track`", "times that"),
            speeds,
        ),
        ("Tracks with both:", ("camera", "engine", "MOTA", "IDF1", "HOTA", "recall", "precision"), scores),
    ]


def motion(found: Found) -> list[tuple[str, Row, list[Row]]]:
    """What tests/benchmarks/motion.py wrote."""
    rows = [
        [
            name,
            f"{row['occupied']:.2f}",
            f"{row['looked_at']:.2f}",
            f"{row['ratio']:.2f}",
            f"{row['lost_persons']} of {row['tracklets']}",
            f"{row['recall']:.3f}, {row['recall_gated']:.3f}",
        ]
        for name, row in found.items()
    ]
    head = ("footage", "with people", "looked at", "times as fast", "tracklets lost", "recall without, with")
    return [("The motion gate, on footage that was emptied of people for most of its time:", head, rows)]
