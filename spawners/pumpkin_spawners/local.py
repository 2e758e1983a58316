"""Notebook servers as processes of this machine, started by the platform's local runtime."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, cast

from jupyterhub.utils import random_port

from pumpkin_spawners.base import PumpkinSpawner
from pumpkin_spawners.platform import Grant

NOTEBOOK = Path(__file__).parent / "notebook"
"""Jupyter configuration and kernels every notebook server gets: `%pumpkin` loaded, `pumpkin_server` enabled."""
IN_HOME = """
cd "$PUMPKIN_HOME" || exit
[ -z "$PUMPKIN_KERNEL" ] || set -- "$@" "--MultiKernelManager.default_kernel_name=$PUMPKIN_KERNEL"
[ -z "$PUMPKIN_SERVER_PYTHON" ] || { shift; set -- "$PUMPKIN_SERVER_PYTHON" -m jupyterhub.singleuser "$@"; }
exec "$@"
"""
"""The home is somewhere else on every runtime, and the server shows what it is started in. What it runs on is known
once the grant is claimed: the platform names a kernel of the chosen environment, or its Python for the server itself.
"""


class LocalSpawner(PumpkinSpawner):
    """Hands the platform the command line of a single-user server, and the Hub its address."""

    cmd: list[str]

    async def launch(self, grant: Grant) -> tuple[str, int]:
        """Let the platform start the server; the port is chosen here, where the Hub will look for it."""
        self.port = random_port()
        started = await self.platform.claim(
            grant.workload,
            command=["/bin/sh", "-c", IN_HOME, "notebook", *self._command(), *self.get_args()],
            env=self.get_env(),
            port=self.port,
            timeout=self.start_timeout,
        )
        return started.host or "127.0.0.1", started.port or self.port

    def get_env(self) -> dict[str, str]:
        """Add to the Hub's variables where the server finds our configuration and kernels."""
        env = {name: str(value) for name, value in cast(dict[str, Any], super().get_env()).items()}
        env["JUPYTER_CONFIG_PATH"] = _joined(NOTEBOOK / "config", env.get("JUPYTER_CONFIG_PATH"))
        env["JUPYTER_PATH"] = _joined(NOTEBOOK / "data", env.get("JUPYTER_PATH"))
        env["PUMPKIN_URL"] = self.platform_url
        return env

    def get_args(self) -> list[str]:
        """Add what a platform run by root needs; its notebooks run as root too, inside their sandbox."""
        return [*super().get_args(), *(["--allow-root"] if os.geteuid() == 0 else [])]

    def _command(self) -> list[str]:
        # By its full path: the platform's PATH need not be the Hub's.
        program, *rest = self.cmd
        beside = Path(sys.executable).parent / program
        return [str(beside) if beside.exists() else program, *rest]


def _joined(first: Path, rest: str | None) -> str:
    return f"{first}:{rest}" if rest else str(first)
