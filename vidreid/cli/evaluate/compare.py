"""`evaluate compare`."""

from __future__ import annotations

from pathlib import Path

import click

from vidreid.errors import UsageError


@click.command()
@click.argument("results", nargs=-1, required=True, metavar="[NAME=]FILE...")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table as CSV.")
@click.option("--latex", type=click.Path(path_type=Path, dir_okay=False), help="Write the table for LaTeX.")
def compare(results: tuple[str, ...], csv_file: Path | None, latex: Path | None) -> None:
    """Results of retrieval --json side by side, and what of their differences from the first is more than noise.

    NAME=FILE names a system; several files of one name are its seeds.
    """
    from vidreid.evaluation import comparison
    from vidreid.views.ranking import write_text

    lines = comparison.compare(_systems(results))
    if csv_file:
        write_text(csv_file, comparison.as_csv(lines))
    if latex:
        write_text(latex, comparison.as_latex(lines))
    for line in comparison.as_text(lines):
        click.echo(line)


def _systems(results: tuple[str, ...]) -> dict[str, list[Path]]:
    """Files by system, in the order given; a file without a name is a system of its own, named after the file."""
    systems: dict[str, list[Path]] = {}
    for text in results:
        name, sign, path = text.partition("=")
        if not sign or Path(text).is_file():
            name, path = Path(text).stem, text
            if name in systems:
                raise UsageError(f"two systems named {name}", f"name them: NAME={text}")
        systems.setdefault(name, []).append(Path(path))
    if len(systems) < 2:
        raise UsageError("one system alone: nothing to compare", "give two or more: A.json B.json")
    return systems
