"""`search`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidreid.cli.options import RUN_FOLDER
from vidreid.cli.times import parse_moment
from vidreid.errors import UsageError

if TYPE_CHECKING:
    from vidreid.pipeline.person import Person
    from vidreid.pipeline.query import Note, Point, Scene
    from vidreid.pipeline.results import Run
    from vidreid.pipeline.search import Hit

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("run_folders", metavar="RUN...", nargs=-1, required=True, type=RUN_FOLDER)
@click.option("--image", multiple=True, type=FILE, help="A picture of the person (several: of the same one).")
@click.option("--tracklet", multiple=True, metavar="c0/000117", help="A sighting in the first RUN (likewise).")
@click.option("--video", type=FILE, help="A clip: whoever is longest in it.")
@click.option("--at", nargs=2, metavar="CAMERA TIME", help="Whoever was there then in the first RUN.")
@click.option("--person", type=FILE, help="A file that --save wrote.")
@click.option("--point", metavar="X,Y", help="Which one in the picture, clip or frame, in its pixels.")
@click.option("--camera", multiple=True, help="Only this camera (may be repeated).")
@click.option("--after", metavar="TIME", help="2026-04-12T08:00:00, 14:32:10 of every day, or +HH:MM:SS.")
@click.option("--before", metavar="TIME", help="Likewise; exclusive.")
@click.option("--top", type=click.IntRange(1, 10000), default=20, show_default=True, help="Sightings that are shown.")
@click.option("--sheet", type=FILE, metavar="PNG", help="Draw what was found; of --at alone the numbered frame.")
@click.option("--save", type=FILE, metavar="ZIP", help="Keep pictures and vectors of the person for later searches.")
@click.option("--offline", is_flag=True, help="Never download a network.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def search(run_folders: tuple[Path, ...], **given: Any) -> None:
    """Find a person in one RUN or several: sightings ranked by how likely they are that person.

    The person is given by one of --image, --tracklet, --video, --at or --person, or by several of them together. --at
    without --point lists everybody in that frame. TIME is local time of the run unless it states its zone
    (2026-04-12T06:00:00Z).
    """
    from vidreid.pipeline.results import Run

    runs = [Run(path) for path in run_folders]
    point = parse_point(given["point"])
    _check(given, point)
    if given["at"] and point is None:
        return _show_scene(runs[0], _scene(runs[0], given["at"]), given["sheet"], given["as_json"])
    return _search(runs, point, given)


def _search(runs: Sequence[Run], point: Point | None, given: dict[str, Any]) -> None:
    from vidreid.pipeline.person import write_person
    from vidreid.pipeline.search import Limits, search, with_vectors

    notes: list[str] = []
    person = _person(runs[0], point, given, notes.append)
    for run in runs:
        person = with_vectors(run, person, offline=given["offline"], note=notes.append)
    limits = Limits(given["camera"], parse_moment(given["after"]), parse_moment(given["before"]))
    hits = search(runs, person, limits, top=given["top"], note=notes.append)
    if given["save"]:
        write_person(given["save"], person)
    if given["sheet"]:
        from vidreid.views.sightings import write_sheet

        write_sheet(given["sheet"], person, hits)
    for note in dict.fromkeys(notes):
        click.echo(f"note: {note}", err=True)
    if given["as_json"]:
        told = {"likely": sum(hit.likely for hit in hits), "hits": [hit.as_dict() for hit in hits], "notes": notes}
        click.echo(json.dumps({**told, "covers": _covers(runs)}, indent=1))
        return
    _print(hits, several=len(runs) > 1)
    _say_covers(runs)


def _check(given: dict[str, Any], point: Point | None) -> None:
    """Refuse a command line that names nobody, or a point in several pictures or in none."""
    pictures = len(given["image"]) + bool(given["video"]) + bool(given["at"])
    if not pictures and not given["tracklet"] and not given["person"]:
        raise UsageError("nobody to look for", "give --image, --tracklet, --video, --at or --person")
    if point is not None and pictures != 1:
        raise UsageError("--point says who is meant in one picture", "give one --image, --video or --at with it")
    if given["at"] and point is None and (pictures > 1 or given["tracklet"] or given["person"]):
        raise UsageError("--at says a frame, not yet who in it", "add --point X,Y")
    if given["at"] and point is None and given["save"]:
        raise UsageError("--save needs a person", "add --point X,Y")


def _person(first: Run, point: Point | None, given: dict[str, Any], note: Note) -> Person:
    """Who is looked for: everything that was given, pooled."""
    from vidreid.pipeline import query
    from vidreid.pipeline.person import pooled, read_person

    offline = given["offline"]
    people = [query.of_tracklet(first, name) for name in given["tracklet"]]
    if given["image"]:
        people.append(query.of_pictures(first, given["image"], point, offline=offline, note=note))
    if given["video"]:
        people.append(query.of_clip(first, given["video"], point, offline=offline, note=note))
    if given["at"] and point is not None:
        people.append(query.of_tracklet(first, _scene(first, given["at"]).under(point).tracklet))
    if given["person"]:
        people.append(read_person(given["person"]))
    return pooled(people)


def _scene(run: Run, at: tuple[str, str]) -> Scene:
    from vidreid.pipeline.query import scene_at

    camera, text = at
    moment = parse_moment(text)
    assert moment is not None
    return scene_at(run, camera, moment)


def _show_scene(run: Run, scene: Scene, sheet: Path | None, as_json: bool) -> None:
    if sheet is not None:
        from vidreid.views.sightings import write_scene

        write_scene(sheet, run, scene)
    if as_json:
        people = [{"number": number, **one.as_dict()} for number, one in enumerate(scene.people, start=1)]
        found = {"camera": scene.camera, "frame": scene.frame, "people": people, "covers": _covers([run])}
        click.echo(json.dumps(found, indent=1))
        return
    if not scene.people:
        click.echo(f"nobody in frame {scene.frame} of {scene.camera}")
    for number, one in enumerate(scene.people, start=1):
        x, y = one.middle
        click.echo(f"{number:>3}. {one.tracklet:<18}{one.identity or '-':<8}--point {x:.0f},{y:.0f}")
    _say_covers([run])


def _covers(runs: Sequence[Run]) -> dict[str, Any]:
    """What of its footage each run covers, None where that is all, for ``--json``."""
    return {str(run.path): covered and covered.as_dict() for run in runs for covered in [run.partial()]}


def _say_covers(runs: Sequence[Run]) -> None:
    from vidreid.views.coverage import note

    for run in runs:
        if said := note(run):
            click.echo(f"{run.path}: {said}" if len(runs) > 1 else said)


def _print(hits: Sequence[Hit], *, several: bool) -> None:
    """The ranked sightings; where none is likely, the first line says so."""
    from vidreid.views.certainty import LEAD, share
    from vidreid.views.sightings import verdict, when

    click.echo(verdict(hits))
    if not hits:
        return
    width = max(25, *(len(when(hit)) + 2 for hit in hits))
    columns = [("", 4), ("probability", 13), ("likeness", 10), ("camera", 12), ("from", width), ("person", 9)]
    click.echo("".join(f"{name:<{width}}" for name, width in [*columns, ("sighting", 0)]))
    for number, hit in enumerate(hits, start=1):
        sure, likeness = share(hit.probability), f"{hit.likeness:+.2f}"
        words = [f"{number}.", sure, likeness, hit.camera, when(hit), hit.identity or "-"]
        line = "".join(f"{word:<{width}}" for word, (_, width) in zip(words, columns, strict=True))
        click.echo(line + hit.tracklet + (f"  {hit.run}" if several else "") + ("" if hit.likely else "  (unlikely)"))
    click.echo(LEAD)


def parse_point(text: str | None) -> tuple[float, float] | None:
    """Pixels of a picture.

    >>> parse_point("320,180.5")
    (320.0, 180.5)
    """
    if text is None:
        return None
    try:
        x, y = map(float, text.split(","))
    except ValueError:
        raise UsageError(f"{text!r} is no point", "write its pixels: --point 320,180") from None
    return x, y
