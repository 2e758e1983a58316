"""What the pods of a cluster send home: each replica's output folder, whole or not at all.

```
runs/<workload>/<attempt>/incoming/<replica>.…   what is being sent: a tar, then its files
runs/<workload>/<attempt>/outputs/<replica>/     what each replica left, as it was sent last
runs/<workload>/<attempt>/output/                all of it together, which is published (by hard links)
```
Of files with equal names the one of the lowest rank counts: what every replica writes alike is the master's.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts import archives
from pumpkin_services.artifacts.manifest import shown
from pumpkin_services.artifacts.pack import SourceFile
from pumpkin_services.artifacts.uploads import receive
from pumpkin_services.db import Database, new_id
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound
from pumpkin_services.storage.base import storage_problems
from pumpkin_services.web import Call
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.plan import Plan
from pumpkin_services.workloads.tables import ReplicaRow, WorkloadRow

MAX_BYTES = 1 << 40
"""Of one replica's output, where the workspace's storage has no smaller limit."""

StorageLimit = Callable[[AsyncSession, str], Awaitable[int | None]]
"""Returns how many bytes a workspace may keep, None for any."""


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """Where an attempt's folders are, its replicas in the order of ranks, and the bytes one of them may send."""

    folder: Path
    replicas: Sequence[str]
    limit: int


class OutputService:
    """Takes output folders; `runs` is the folder of all attempts."""

    def __init__(self, *, database: Database, runs: Path, limit: StorageLimit) -> None:
        self._database = database
        self._runs = runs
        self._limit = limit

    async def take(self, call: Call[None, None]) -> None:
        """PUT /workloads/{workload}/outputs/{replica}: a tar of files; sending it again replaces what was sent.

        Raises:
            Conflict: once the attempt is over.
            Invalid: for a link, a special file, a name that leads out, or what is no whole tar.
            TooLarge: for more than the workspace may keep, or more entries than an archive may have.
            StorageFull: if the disk has not the room.
        """
        workload, replica = call.path["workload"], call.path["replica"]
        number = call.principal.attempt
        if call.principal.workload != workload or number is None:
            raise Forbidden("Only the workload itself sends its output: send the token in its PUMPKIN_TOKEN.")
        attempt = await self._attempt(workload, number)
        if replica not in attempt.replicas:
            raise NotFound(f"This attempt has no replica '{replica[:80]}'.", field="replica")
        size = await self._keep(attempt, replica, call.stream())
        try:
            await self._attempt(workload, number)
        except Conflict:
            if not await self._wanted(workload):
                await asyncio.to_thread(shutil.rmtree, attempt.folder.parent, ignore_errors=True)
            raise
        call.audit |= {"object": workload, "replica": replica, "bytes": size}

    async def _attempt(self, workload: str, number: int) -> _Attempt:
        async with self._database.read() as session:
            row = await session.get(WorkloadRow, workload)
            if row is None or row.phase in ENDED or row.attempt != number or row.target == "delete":
                raise Conflict("This attempt is over: its output is closed.", reason="attempt_over")
            names = set(
                await session.scalars(
                    select(ReplicaRow.name).where(ReplicaRow.workload == workload, ReplicaRow.attempt == number)
                )
            )
            limit = await self._limit(session, row.workspace)
        plan = Plan.model_validate(row.plan)
        ranked = [f"{role.name}-{index}" for role in plan.ordered for index in range(role.replicas)]
        return _Attempt(
            folder=self._runs / workload / str(number),
            replicas=[name for name in ranked if name in names],
            limit=MAX_BYTES if limit is None else min(limit, MAX_BYTES),
        )

    async def _wanted(self, workload: str) -> bool:
        async with self._database.read() as session:
            row = await session.get(WorkloadRow, workload)
        return row is not None and row.target != "delete"

    async def _keep(self, attempt: _Attempt, replica: str, stream: AsyncIterator[bytes]) -> int:
        """Receive, unpack and put in place; return the bytes that were sent."""
        incoming = attempt.folder / "incoming" / f"{replica}.{new_id()}"
        with storage_problems():
            try:
                await asyncio.to_thread(_begin, incoming)
                with (incoming / "archive.tar").open("xb") as spool:
                    size = await receive(stream, spool, limit=attempt.limit, what="output")
                await asyncio.to_thread(_put, attempt, replica, incoming)
            except FileNotFoundError as error:
                raise Conflict("This output was sent once more meanwhile.", reason="changed_meanwhile") from error
            finally:
                # A thread may still be inside; what it then leaves goes with the next try or the workload.
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, incoming, ignore_errors=True))
        return size


def _begin(incoming: Path) -> None:
    """Make the folder; what a killed process left of an earlier try goes, and a try that still runs loses."""
    incoming.mkdir(parents=True, mode=0o700)
    replica = incoming.name.rpartition(".")[0]
    for other in incoming.parent.iterdir():
        if other != incoming and other.name.rpartition(".")[0] == replica:
            shutil.rmtree(other, ignore_errors=True)


def _put(attempt: _Attempt, replica: str, incoming: Path) -> None:
    files = incoming / "files"
    unpack(incoming / "archive.tar", files)
    (incoming / "archive.tar").unlink()
    with _locked(attempt.folder / "outputs.lock"):
        outputs = attempt.folder / "outputs"
        outputs.mkdir(exist_ok=True, mode=0o700)
        _replace(files, outputs / replica, aside=incoming / "before")
        merged = incoming / "merged"
        merge([outputs / name for name in attempt.replicas], merged)
        _replace(merged, attempt.folder / "output", aside=incoming / "together")


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of an untrusted tar below the new `folder`; raise `Invalid` or `TooLarge` for a hostile one."""
    folder.mkdir(mode=0o700)
    with archives.broken_is_invalid("tar"):
        for file in archives.entries(archive, "tar"):
            # As long as no link is ever written, no path leads out.
            if file.link is not None or file.content is None:
                raise _refused(file, "is a link: send what it means")
            parts = file.path.split("/")
            if "\0" in file.path or any(part in ("", ".", "..") for part in parts):
                raise _refused(file, "does not lie below the folder")
            target = folder.joinpath(*parts)
            try:
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with open(target, "xb") as sink:
                    shutil.copyfileobj(file.content, sink, 1 << 20)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG):
                    raise
                raise _refused(file, "is there twice, lies below a file, or has too long a name") from error
            target.chmod(0o755 if file.executable else 0o644)


def merge(parts: Sequence[Path], folder: Path) -> None:
    """Make `folder` of the files of all `parts` that are there; of equal names, the one of the first."""
    folder.mkdir(mode=0o700)
    for part in parts:
        for path in _files(part):
            target = folder / path
            with suppress(FileExistsError, NotADirectoryError):
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.link(part / path, target)


def _files(folder: Path) -> Iterator[Path]:
    for current, _, names in os.walk(folder):
        below = Path(current).relative_to(folder)
        yield from (below / name for name in names)


def _replace(folder: Path, target: Path, *, aside: Path) -> None:
    """Give `folder` the name `target`; a folder that has it goes `aside`, unless it is empty."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        target.rename(aside)
        folder.rename(target)


@contextmanager
def _locked(path: Path) -> Generator[None]:
    """Hold a lock that other replicas of the service respect, too."""
    with open(path, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _refused(file: SourceFile, fault: str) -> Invalid:
    return Invalid(f"'{shown(file.path)}' {fault}.", reason="bad_entry")
