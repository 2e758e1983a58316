"""`%pumpkin env save NAME`: keep what is installed in the running kernel as a version of an environment."""

from __future__ import annotations

import os
from typing import Any

from IPython.core.error import StdinNotImplementedError

from pumpkin import Client
from pumpkin.errors import PumpkinError
from pumpkin.installed import installed
from pumpkin.magics.show import grid


def save(client: Client, name: str, *, yes: bool, leave_out_refused: bool) -> None:
    """Show how the kernel differs from the environment it runs on, ask unless `yes`, and queue the version `name`."""
    running = os.environ.get("PUMPKIN_ENVIRONMENT")
    if not running:
        raise PumpkinError("This kernel does not say which environment it runs on: start it on the platform.")
    packages = installed()
    difference = client.environments.difference(running, packages)
    print(f"Compared with {running}:")
    _show(difference)
    if difference.refused and not leave_out_refused:
        raise PumpkinError(
            f"{len(difference.refused)} of these cannot be kept: uninstall them, or add --leave-out-refused.",
            field="packages",
        )
    if not yes and not _agreed(name):
        print("Nothing was kept.")
        return
    workspace, _, own = name.rpartition("/")
    version = client.environments.freeze(
        running, packages, name=own, workspace=workspace or None, leave_out_refused=leave_out_refused or None
    )
    print(f"{name}@{version.number} is {version.state}; a notebook started when it is ready has it as a kernel.")


def _show(difference: Any) -> None:
    rows = [
        *([package, "-", number] for package, number in sorted(difference.added.items())),
        *([item.name, item.before, item.after] for item in difference.changed),
        *([package, number, "-"] for package, number in sorted(difference.removed.items())),
        *([item.line, "", f"cannot be kept: {item.why}"] for item in difference.refused),
    ]
    if rows:
        grid(["package", "before", "now"], rows)
    else:
        print("Nothing differs.")


def _agreed(name: str) -> bool:
    try:
        return input(f"Keep this as a new version of {name}? [y/N] ").strip().lower() in ("y", "yes")
    except (StdinNotImplementedError, EOFError):
        raise PumpkinError("Nobody can answer here: add --yes.", field="yes", reason="not_confirmed") from None
