"""`licenses`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vidreid.cli.options import RUN_FOLDER


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def licenses(run_folder: Path, as_json: bool) -> None:
    """List the terms of the code, the weights and the data of RUN, as their makers state them: facts, no advice."""
    from vidreid.pipeline.licences import licences
    from vidreid.store.folder import RunFolder

    found = licences(RunFolder(run_folder))
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=1))
        return
    click.echo("code (installed here; the whole program, and what is made of it, is under vidreid's own licence)")
    width = max(len(f"{code.name} {code.version}") for code in found.code) + 2
    for code in found.code:
        click.echo(f"  {f'{code.name} {code.version}':<{width}}{code.licence}")
    click.echo("\nweights" if found.weights else "\nweights: none yet")
    for one in found.weights:
        click.echo(f"  {one.kind} {one.name}: {one.licence}" + f"; {one.terms}" * bool(one.terms))
        if one.sha256:
            click.echo(f"    SHA-256 {one.sha256}")
    click.echo("\ndata")
    for data in found.data:
        click.echo(f"  {data.used_for}: {data.terms}")
