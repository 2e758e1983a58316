"""`pumpkin completion`: the script a shell needs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL: eval "$(pumpkin completion bash)" in your shell's start file."""
    root = click.get_current_context().find_root().command
    found = get_completion_class(shell)
    assert found is not None, "click knows the three"
    click.echo(found(root, {}, "pumpkin", "_PUMPKIN_COMPLETE").source())
