"""`doctor`."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Say what this machine can run, which networks are here, and how to get what is missing."""
    from vidreid.pipeline.machine import examine

    found = examine()
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=1))
        return
    click.echo(f"vidreid {found.versions.pop('vidreid')}, {found.cores} cores, {found.versions.pop('processor')}")
    click.echo("packages: " + ", ".join(f"{name} {version}" for name, version in found.versions.items()))
    click.echo("GPUs: " + (", ".join(found.gpus) or "none"))
    click.echo("\nruntimes")
    for name, reason in found.runtimes.items():
        click.echo(f"  {name:<14}{'works' if reason is None else reason}")
    click.echo(f"\nnetworks (cache: {found.home})")
    for network in found.networks:
        mark = "*" if network.default else " "
        where = network.path or network.passed_over or f"missing: {network.get}"
        click.echo(f"{mark} {network.kind:<9} {network.name}: {where}")
        if network.terms:
            click.echo(f"            {network.terms}")
    click.echo("\n`vidreid run` takes the first of each kind that is here, from top to bottom:")
    for line in (line for network in found.default for line in network.lines()):
        click.echo(f"  {line}")
    for kind in ("detector", "embedder"):
        if not any(network.kind == kind for network in found.default):
            click.echo(f"no {kind} here: `vidreid run` needs --{kind} PATH, or one of the above put in place")
