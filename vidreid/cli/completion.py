"""`completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the tab completion for SHELL, e.g. `vidreid completion bash >> ~/.bashrc`."""
    from vidreid.cli import cli

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "vidreid", "_VIDREID_COMPLETE").source())
