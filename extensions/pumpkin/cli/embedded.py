"""`pumpkin up`, `down`, `status`, `logs`, `password`, `fsck`: the platform on this machine, run by its own packages."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from pumpkin.errors import PumpkinError

PASS_ON: dict[str, Any] = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}


def _become(package: str, extra: str, *arguments: str) -> NoReturn:
    if importlib.util.find_spec(package) is None:
        raise PumpkinError(
            f"The platform is not installed here, only its client: install 'pumpkin-platform[{extra}]'.",
            reason="not_installed",
        )
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", package, *arguments])


def _make(name: str, text: str) -> click.Command:
    @click.command(name, context_settings=PASS_ON, help=text, add_help_option=False)
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        _become("pumpkin_hub", "hub,service", name, *arguments)

    return command


up = _make("up", "Start the platform on this machine.")
down = _make("down", "Stop it; jobs run on.")
status = _make("status", "Show what of it runs.")
logs = _make("logs", "Print the platform's own logs.")
password = _make("password", "Make a one-time password for a user.")


@click.command(context_settings=PASS_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def fsck(arguments: tuple[str, ...]) -> None:
    """Prove that the store is whole; with --repair, mend what can be mended."""
    if not any(word.startswith("--data") for word in arguments):
        data = os.environ.get("PUMPKIN_DATA") or Path.home() / ".local/share/pumpkin"
        arguments = (f"--data={data}", *arguments)
    _become("pumpkin_services.artifacts.fsck", "service", *arguments)
