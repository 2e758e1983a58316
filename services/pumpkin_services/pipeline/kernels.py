"""The environments a notebook's user may use, laid out as kernels of that notebook."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path

from pumpkin_services.db import Database
from pumpkin_services.images.interpreters import folders_behind
from pumpkin_services.images.kernels import write_kernelspecs
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.images.views import EnvironmentRef
from pumpkin_services.runtimes.base import Bind
from pumpkin_services.workloads.ports import PrincipalOf


class Kernels:
    """Writes kernelspecs for one notebook at a time."""

    def __init__(self, *, database: Database, environments: EnvironmentService, principal_of: PrincipalOf) -> None:
        self._database = database
        self._environments = environments
        self._principal_of = principal_of

    async def lay_out(self, folder: Path, *, user: str, chosen: EnvironmentRef) -> list[Bind]:
        """Make `folder` an entry of JUPYTER_PATH with the user's environments; return what the notebook must see.

        Each is there in its newest version, `chosen` in the version chosen. Everything is bound at its own path,
        read-only: a kernelspec names its interpreter by that path.
        """
        async with self._database.read() as session:
            principal = await self._principal_of(session, user=user)
            refs = await self._environments.usable_kernels(session, principal)
        kept = [ref for ref in refs if ref.environment_id != chosen.environment_id]
        return await asyncio.to_thread(_write, folder, [*kept, chosen])


def _write(folder: Path, refs: Iterable[EnvironmentRef]) -> list[Bind]:
    # A prefix that is lost would keep the sandbox, and with it the whole notebook, from starting; and the platform's
    # own Python is a kernel of every notebook already.
    there = [ref for ref in refs if ref.kernel and ref.python is not None and ref.python.exists()]
    there = [ref for ref in there if ref.python != Path(sys.executable)]
    write_kernelspecs(folder, there)
    return in_place([folder, *(path for ref in there for path in folders_of(ref))])


def folders_of(ref: EnvironmentRef) -> list[Path]:
    """Return the folders a process of this environment needs: its prefix, and what lies behind its interpreter."""
    if ref.prefix is None or ref.python is None:
        return []
    return [ref.prefix, *folders_behind(ref.python, prefix=ref.prefix)]


def in_place(folders: Iterable[Path]) -> list[Bind]:
    """Return read-only binds of folders at their own paths, each once."""
    return [Bind(source=str(folder), target=str(folder)) for folder in dict.fromkeys(folders)]
