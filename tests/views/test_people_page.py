"""The page of people: complete, escaped, offline, doubtful ones first."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from calibrations import curve, write
from hand_made import NASTY, NOBODY, NOON, FakeRun, Walk

from vidreid.pipeline.links import held_people
from vidreid.store import schema
from vidreid.views import people
from vidreid.views.people import write_people


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(run: FakeRun, folder: Path, **changed: Any) -> Page:
    """The page of a run whose calibration has the parts that are given."""
    write(run.path, **changed)
    write_people(run, folder / "people.html")
    return Page(folder / "people.html")


def test_each_person_has_a_card_and_the_doubtful_come_first(run: FakeRun, tmp_path: Path) -> None:
    page = page_of(run, tmp_path)
    doubts = {name: held.doubt for name, held in held_people(run).items()}
    assert doubts["P0002"] > people.DOUBTFUL > doubts["P0001"]
    assert [card["id"] for card in page.all("article")] == ["P0002", "P0001"]


def test_pictures_are_the_best_of_each_sighting(run: FakeRun, tmp_path: Path) -> None:
    images = page_of(run, tmp_path).all("img")
    assert [image["alt"] for image in images] == ["P0002 in gate", "P0001 in gate", "P0001 in hall"]
    for image in images:
        kind, data = (image["src"] or "").split(",")
        assert kind == "data:image/jpeg;base64"
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape[:2] == (people.HEIGHT, int(image["width"] or 0))


def test_what_holds_and_what_keeps_apart_is_in_words(run: FakeRun, tmp_path: Path) -> None:
    text = page_of(run, tmp_path).text
    assert "Weakest link: gate/000001 and hall/000001, likeness 0.9 above even odds, 94 % (88 to 97 %)." in text
    assert "Kept apart from P0002, mean likeness 0.6 below even odds to gate/000001, whose own is 0.9 above" in text
    assert "Kept apart from P0001, mean likeness 0.6 below even odds." in text
    assert "A match is a lead, not proof." in text


def test_how_sure_a_person_is_follows_its_weakest_link(run: FakeRun, tmp_path: Path) -> None:
    text = page_of(run, tmp_path).text
    assert "rightly together: more likely than not, 94 % (88 to 97 %)" in text
    assert "seen once, 38 % (23 to 55 %) that it is P0001" in text


def test_who_is_hardly_in_place_is_doubtful_whatever_the_weakest_link_says(run: FakeRun, tmp_path: Path) -> None:
    rows = [{**row, "doubt": 0.6} for row in run.identities().to_pylist()]
    run.identities = lambda: pa.Table.from_pylist(rows, schema.IDENTITIES)  # type: ignore[method-assign]
    page = page_of(run, tmp_path)
    assert "rightly together: unsure, 40 % (25 to 57 %)" in page.text
    assert [card["class"] for card in page.all("article")] == ["card doubtful"] * 2


def test_a_curve_that_is_less_sure_makes_more_doubtful(run: FakeRun, tmp_path: Path) -> None:
    page = page_of(run, tmp_path, curves={"same": curve(0.5), "cross": curve(0.5)})
    assert "rightly together: unsure, 61 % (44 to 76 %)" in page.text
    assert [card["class"] for card in page.all("article")] == ["card doubtful"] * 2


def test_expected_errors_and_what_limits_trust_stand_at_the_top(run: FakeRun, tmp_path: Path) -> None:
    page = page_of(run, tmp_path)
    top = page.text[: page.text.index("Doubtful")]
    assert "people (expected: 1 mixed, under 1 split)" in top
    assert "240 pairs put together cannot show" in top
    assert "Nobody could be put together" not in top


def test_a_run_in_which_nothing_could_be_put_together_says_so_first(run: FakeRun, tmp_path: Path) -> None:
    page = page_of(run, tmp_path, threshold=None)
    top = page.text[: page.text.index("every camera")]
    assert "Nobody could be put together: every sighting stands alone" in top
    assert "expected:" not in page.text


def test_times_are_utc_where_the_clock_is_known(run: FakeRun, tmp_path: Path) -> None:
    page = page_of(run, tmp_path)
    assert "Times are UTC, 2026-03-01." in page.text
    assert {"2026-03-01T12:00:00Z", "2026-03-01T12:00:20Z"} <= {time["datetime"] for time in page.all("time")}


def test_an_unknown_clock_shows_time_since_the_start(clockless: FakeRun, tmp_path: Path) -> None:
    page = page_of(clockless, tmp_path)
    assert "+00:00:00" in page.text
    assert "Times with a + count from the start of their camera." in page.text


def test_nothing_is_fetched(run: FakeRun, tmp_path: Path) -> None:
    page = page_of(run, tmp_path)
    sources = [value for _, attributes in page.tags for key, value in attributes.items() if key in {"src", "href"}]
    assert all((value or "").startswith(("data:", "#")) for value in sources)
    assert "url(" not in page.source
    assert not page.all("link")


def test_the_policy_lets_only_the_pages_own_script_run(run: FakeRun, tmp_path: Path) -> None:
    source = page_of(run, tmp_path).source
    (script,) = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in source


def test_names_are_escaped(nasty: FakeRun, tmp_path: Path) -> None:
    page = page_of(nasty, tmp_path)
    assert len(page.all("script")) == 1
    assert NASTY in page.text
    assert "<b>bold</b>" in page.text
    assert [image["alt"] for image in page.all("img")] == [f"P0001 in {NASTY}"]


def test_identities_are_escaped_too(footage: dict[str, list[Path]], tmp_path: Path) -> None:
    run = FakeRun(tmp_path, footage, {"gate": NOON, "hall": NOON}, [Walk("gate", 1, NOBODY, 0, 9)])
    page = page_of(run, tmp_path)
    assert [card["id"] for card in page.all("article")] == [NOBODY]
    assert all("onerror" not in image for image in page.all("img"))


def test_the_same_run_gives_the_same_bytes(run: FakeRun, tmp_path: Path) -> None:
    assert page_of(run, tmp_path).source == page_of(run, tmp_path).source


def test_a_page_says_when_nobody_was_found(empty: FakeRun, tmp_path: Path) -> None:
    page = page_of(empty, tmp_path)
    assert "No person was found." in page.text
    assert not page.all("article")


def test_a_page_says_how_many_it_leaves_out(run: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_PEOPLE", 1)
    page = page_of(run, tmp_path)
    assert [card["id"] for card in page.all("article")] == ["P0002"]
    assert "the first 1 person; 1 more" in page.text


def test_many_sightings_show_pictures_of_every_camera() -> None:
    rows = [
        {
            "camera": camera,
            "tracklet": f"{camera}/{k:06d}",
            "height": 100 + k,
            "similarity": 0.9,
            "nearest_similarity": s,
        }
        for camera, s in (("a", 0.1), ("b", 0.1), ("c", 0.8))
        for k in range(10)
    ]
    chosen = people._spread(rows)
    assert len(chosen) == people.MOST_PICTURES
    assert {camera: sum(row["camera"] == camera for row in chosen) for camera in "abc"} == {"a": 4, "b": 4, "c": 4}
    assert people._least_certain(rows) in chosen
