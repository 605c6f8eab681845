"""`engine prune`."""

from __future__ import annotations

import click


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
def prune(dry_run: bool) -> None:
    """Delete those of the user's engines that can never run here again: damaged, or of a runtime that is no more.

    Engines for other GPUs stay: they were built to be handed on.
    """
    from vidreid.engines.folder import cache, remove
    from vidreid.pipeline.engines import engines_in

    useless = [found for found in engines_in(cache()) if found.useless]
    for found in useless:
        click.echo(f"{found.folder.name} ({found.bytes / 1e6:.1f} MB): {found.problem}")
    if not dry_run:
        folders = [found.folder for found in useless]
        remove(folders, cache(), waiting=lambda: click.echo("waiting for another vidreid that builds here", err=True))
    freed = sum(found.bytes for found in useless) / 1e6
    click.echo(f"{len(useless)} engines, {freed:.1f} MB{' would be' * dry_run} deleted")
