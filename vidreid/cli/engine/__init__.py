"""`engine`: networks built for a runtime and a machine; a file a command."""

from __future__ import annotations

import click

from vidreid.cli import LazyGroup

COMMANDS = {
    "build": ("build", "build", "Make an engine of a recipe, and compare it with torch."),
    "list": ("list", "list_engines", "Which engines are here, and whether they run."),
    "info": ("info", "info", "What an engine is: card, tensors, layers."),
    "verify": ("verify", "verify", "Run an engine's golden inputs again."),
    "bench": ("bench", "bench", "Latency and throughput of an engine."),
    "pack": ("pack", "pack", "Join engines of one network in a file to hand on."),
    "prune": ("prune", "prune", "Delete engines that can never run here again."),
}


@click.group(cls=LazyGroup, table=COMMANDS, package="vidreid.cli.engine")
def engine() -> None:
    """Networks built for a runtime and a machine: faster than torch, and compared with it."""
