"""`cameras`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from vidreid.errors import InputError, UsageError


@click.command()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="cameras.yaml",
    show_default=True,
    help="The YAML to write; beside it, with the same name, the picture cameras.png.",
)
@click.option("--timezone", default="", metavar="ZONE", help="Where it was filmed, such as Europe/Berlin.")
def cameras(folder: Path, output: Path, timezone: str) -> None:
    """Sort a recorder's export into cameras, for `run` to take.

    Which file is of which camera, and when each starts, is read from the names of files and folders as the common
    recorders write them, else from the files' headers, which is marked. The picture shows each camera's first and last
    frame, to compare the stamps in them with the times that were found.

    \b
      vidreid cameras /media/usb --timezone Europe/Berlin
    """
    from vidreid.footage.zones import zone_named
    from vidreid.pipeline.progress import phases
    from vidreid.pipeline.recordings import sort_export
    from vidreid.store.parts import write_atomic
    from vidreid.views.cameras_file import cameras_yaml, left_out_lines, summary
    from vidreid.views.cameras_sheet import write_cameras_sheet

    if output.suffix not in {".yaml", ".yml"}:
        raise UsageError(f"--output {output}: no name of a YAML file", "name it cameras.yaml")
    if output.exists():
        raise InputError(f"{output}: there is such a file already", "choose another --output, or remove it first")
    zone = zone_named(timezone or "UTC")
    with phases(sys.stderr) as say:
        export = sort_export(folder, zone, say)
        write_cameras_sheet(export.cameras, output.with_suffix(".png"), say)
    text = cameras_yaml(export, output, timezone, folder)
    write_atomic(output, lambda file: file.write(text.encode()) and None)
    for camera in export.cameras:
        click.echo(f"{camera.name:<16} {summary(camera)}")
    for line in left_out_lines(export):
        click.echo(f"left out: {line}")
    if not timezone:
        click.echo("note: local times in file names were taken for UTC; --timezone says where it was filmed")
    if export.conflict is not None:
        raise export.conflict
    click.echo(f"next: look at {output.with_suffix('.png')}, then")
    click.echo(f"      vidreid run {output} --output RUN")
