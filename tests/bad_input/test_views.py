"""Views and polygons that cannot be meant: one line that names the camera, and what to write instead."""

import pytest
import yaml


@pytest.mark.parametrize(
    ("entry", "said", "hint"),
    [
        ({"ignore": [[[0.1, 0.1], [0.9, 0.9]]]}, "c3: a polygon of `ignore` has 2 corners", "three corners or more"),
        ({"include": [[[0.1, 0.1], [0.9, 0.9], [0.9, 90]]]}, "c3: a polygon of `include` has the corner", "fractions"),
        ({"view": [0.5, 0, 0.5, 0.6], "aspect": "4/3"}, "c3: aspect '4/3' is no shape", "4:3"),
        ({"view": [0.5, 0.5, 0.5, 0.6]}, "c3: its view [0.5, 0.5, 0.5, 0.6] lies outside of the picture", "fractions"),
        ({"view": [360, 0, 360, 288]}, "c3: its view", "fractions"),
        ({"aspect": "100:1"}, "c3: no picture has the aspect 100", "4:3"),
        ({"ignore": [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1]]}, "cameras.c3.ignore", ""),  # one polygon, not a list of them
    ],
)
def test_what_cannot_be_seen_ends_before_anything_is_done(say, own, tmp_path, entry, said, hint) -> None:
    (own / "cameras.yaml").write_text(yaml.safe_dump({"cameras": {"c3": {"files": ["a.mp4"], **entry}}}))
    answer = say("run", own / "cameras.yaml", "--output", tmp_path / "run", "--detector", "oracle")
    assert answer.status == 3
    first, *rest = answer.err.splitlines()
    assert first.startswith("error: ")
    assert said in first
    assert hint in "".join(rest)
    assert not (tmp_path / "run").exists()


def test_several_cameras_may_share_a_file_but_one_camera_has_one_view(say, own, tmp_path) -> None:
    views = {"left": [0, 0, 0.5, 1], "right": [0.5, 0, 0.5, 1]}
    cameras = {name: {"files": ["a.mp4"], "view": view} for name, view in views.items()}
    (own / "quad.yaml").write_text(yaml.safe_dump({"cameras": cameras}))
    (own / "other.yaml").write_text(yaml.safe_dump({"cameras": {"left": {"files": ["b.mp4"], "view": [0, 0, 1, 0.5]}}}))
    for name in views:
        (own / "gt" / f"{name}.txt").write_text((own / "gt" / "a.txt").read_text())
    networks = ("--detector", "oracle", "--embedder", "colours")
    assert say("run", own / "quad.yaml", "--output", tmp_path / "run", *networks).status == 0
    answer = say("run", own / "quad.yaml", own / "other.yaml", "--output", tmp_path / "other", *networks)
    assert answer.status == 3
    assert "left: two views or sets of polygons" in answer.err
