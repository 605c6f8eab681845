"""`engine prune`."""

from __future__ import annotations

import click


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
def prune(dry_run: bool) -> None:
    """Delete those of the user's engines that can never run here again: damaged, or of a runtime that is no more.

    Engines for other GPUs stay: they were built to be handed on.
    """
    from vidreid.engines.folder import cache, remove, unused
    from vidreid.pipeline.engines import engines_in

    engines = engines_in(cache())
    useless = [found for found in engines if found.useless]
    for found in useless:
        click.echo(f"{found.folder.name} ({found.bytes / 1e6:.1f} MB): {found.problem}")
    caches = unused([found.card for found in engines if found.card and not found.useless])
    freed = (sum(found.bytes for found in useless) + sum(file.stat().st_size for file in caches)) / 1e6
    if not dry_run:
        folders = [found.folder for found in useless]
        remove(folders, cache(), waiting=lambda: click.echo("waiting for another vidreid that builds here", err=True))
        for file in caches:
            file.unlink(missing_ok=True)
    said = f", {len(caches)} files of kernels or timings that no engine here has use of" if caches else ""
    click.echo(f"{len(useless)} engines{said}, {freed:.1f} MB{' would be' * dry_run} deleted")
