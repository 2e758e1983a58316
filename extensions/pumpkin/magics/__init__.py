"""`%pumpkin` and `%%pumpkin job` in notebooks; loaded by `%load_ext pumpkin` or the platform's own kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

NEEDS = "click, httpx and pydantic"


@magics_class
class PumpkinMagics(Magics):
    """One magic, many words: see `%pumpkin help`."""

    @line_cell_magic
    def pumpkin(self, line: str, cell: str | None = None) -> None:
        """Work with the platform: `%pumpkin help` lists what there is."""
        # Loaded on first use: a kernel that never asks for the platform does not wait for its client.
        from pumpkin.errors import PumpkinError

        try:
            from pumpkin.magics import commands
        except ModuleNotFoundError as error:
            raise UsageError(
                f"This kernel's environment lacks '{error.name}', and %pumpkin needs {NEEDS}: "
                "build a version of it with them, or change to the kernel 'Python 3 (platform)'."
            ) from None
        try:
            commands.run(line, cell)
        except PumpkinError as error:
            # IPython shows a usage error as its sentence alone, and "run all" stops here.
            raise UsageError(str(error)) from None
        except KeyboardInterrupt:
            print("Stopped watching.")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Make `%pumpkin` known to a shell, and what TAB offers after it."""
    shell.register_magics(PumpkinMagics)
    try:
        from pumpkin.magics.completion import register
    except ImportError:  # an environment may have an IPython before 8.6, which knows no such completions
        return
    register(shell)
