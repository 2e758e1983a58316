"""Imports: versions the platform fetches from another server by itself, as rows that outlive the process at work.

An import waits, is fetched and unpacked by one replica, and ends ready or failed; its version becomes visible in the
same transaction. `imports_fetch`, `imports_git` and `imports_s3` get the bytes, `Ingest` makes the version as of any
archive. Killed at any instant, the next replica begins the import anew once its claim is stale.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Awaitable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts import imports_fetch as fetch
from pumpkin_services.artifacts import imports_s3
from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.access import Kind, Owned
from pumpkin_services.artifacts.collector import discard
from pumpkin_services.artifacts.core import Core
from pumpkin_services.artifacts.imports_git import git_tree
from pumpkin_services.artifacts.ingest import Ingest
from pumpkin_services.artifacts.outward import Outward
from pumpkin_services.artifacts.tables import ImportRow, VersionRow
from pumpkin_services.db import utcnow
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Invalid, NotFound, Problem
from pumpkin_services.storage.base import storage_problem
from pumpkin_services.web.paging import Page, paginate

log = logging.getLogger("pumpkin.artifacts")
AT_ONCE = 2
"""How many imports one process carries out at once."""
WAITING = 20
"""How many unfinished imports a workspace may have."""
KEEP_SECONDS = 2.0
STALE = timedelta(seconds=20)
"""An import nobody kept alive for so long has lost its process."""
ATTEMPTS = 5
"""After so many that a crash broke off, the import itself is thought to be the cause."""
ACTIVE = ("waiting", "fetching", "unpacking")


class PrincipalOf(Protocol):
    """Makes the principal of a user who is not asking right now."""

    def __call__(self, session: AsyncSession, *, user: str, field: str = "user") -> Awaitable[Principal]:
        """Return it; raise `Forbidden` for somebody who may do nothing any more."""
        ...


@dataclass(frozen=True, kw_only=True)
class ImportSettings:
    """What may be imported: from where, and how much and how long at most (bytes of one import, seconds).

    `key` seals what is secret of an import until it is over.
    """

    key: bytes = field(default_factory=lambda: urlsafe_b64encode(os.urandom(32)), repr=False)
    outward: Outward = field(default_factory=Outward)
    max_bytes: int = 100 << 30
    max_seconds: float = 21_600.0


class _Lost(Exception):
    """The import was removed, or another replica has taken it over."""


class Imports:
    """The imports of every kind of thing. `principal_of` is set by the composition."""

    def __init__(self, core: Core, ingest: Ingest, *, settings: ImportSettings) -> None:
        self.core = core
        self.settings = settings
        self.principal_of: PrincipalOf | None = None
        self._ingest = ingest
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._work = core.work.parent / "imports"

    async def create(
        self, session: AsyncSession, principal: Principal, *, owned: Owned, request: wire.ImportRequest
    ) -> wire.Import:
        """Note an import; `spawn` it once the transaction is committed.

        Raises:
            Invalid: for a URL that may not be fetched, or of which cannot be told what it is.
            Conflict: if too many of the workspace wait already.
        """
        url, chosen = self._source(request)
        waiting = await session.scalar(
            select(func.count()).where(ImportRow.workspace == owned.workspace, ImportRow.state.in_(ACTIVE))
        )
        if (waiting or 0) >= WAITING:
            raise Conflict(f"{WAITING} imports of this workspace wait already: let them end first.", reason="too_many")
        row = ImportRow(
            kind=owned.kind,
            asset_id=owned.asset_id,
            workspace=owned.workspace,
            name=owned.name,
            creator=principal.name,
            url=url,
            format=chosen,
            ref=request.ref,
        )
        session.add(row)
        await session.flush()
        return _wire(row)

    def _source(self, request: wire.ImportRequest) -> tuple[str, str]:
        """Return the URL of an import, its secrets in the query, and its format."""
        if request.url.startswith(imports_s3.SCHEME):
            url = imports_s3.place(self.settings.outward, request)
            assert request.s3 is not None
            return f"{url}?{imports_s3.seal(self.settings.key, request.s3)}", "s3"
        if request.s3 is not None or request.format == "s3":
            raise Invalid("Only what begins with s3:// is on an S3 server: write the URL so.", field="url")
        target = self.settings.outward.check(request.url)
        return target.url, fetch.format_of(target, request)

    async def list(self, session: AsyncSession, *, owned: Owned, query: wire.VersionQuery) -> Page[wire.Import]:
        """List the imports of a thing, newest first."""
        mine = select(ImportRow).where(ImportRow.asset_id == owned.asset_id)
        rows, following = await paginate(session, mine, key=ImportRow.id, query=query)
        return Page[wire.Import](items=[_wire(row) for row in rows], next=following)

    async def get(self, import_id: str, *, owned: Owned, wait: float = 0) -> wire.Import:
        """Return an import, or wait up to `wait` seconds for its end."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            async with self.core.database.read() as session:
                row = await _own(session, import_id, owned)
            left = deadline - loop.time()
            if row.state not in ACTIVE or left <= 0:
                return _wire(row)
            await self.core.wakeups.wait(_topic(import_id), timeout=min(left, 1.0))

    async def remove(self, session: AsyncSession, import_id: str, *, owned: Owned) -> None:
        """Forget an import; one that is not at its end is stopped and leaves nothing. Its version stays."""
        await session.delete(await _own(session, import_id, owned))

    def spawn(self, import_id: str) -> None:
        """Carry an import out in the background, unless this process is at it already."""
        if any(task.get_name() == import_id for task in self.core.tasks):
            return
        task = asyncio.create_task(self._attend(import_id), name=import_id)
        self.core.tasks.add(task)
        task.add_done_callback(self.core.tasks.discard)

    def stopped(self, import_id: str) -> None:
        """Tell the process at work, if it is this one, that the import was removed."""
        self.core.wakeups.ring(_topic(import_id))

    async def recover(self, *, stale: timedelta = STALE) -> None:
        """Take up imports whose process went away, and remove what it left on this machine."""
        async with self.core.database.read() as session:
            rows = (
                await session.execute(select(ImportRow.id, ImportRow.touched).where(ImportRow.state.in_(ACTIVE)))
            ).all()
        for import_id, touched in rows:
            if touched < utcnow() - stale:
                self.spawn(import_id)
        await asyncio.to_thread(_sweep, self._work, {import_id for import_id, _ in rows})

    async def _attend(self, import_id: str) -> None:
        """Carry one import to an end: ready, failed, or given back."""
        async with self._slots:
            row = await self._claim(import_id)
            if row is None:
                return
            at = fetch.Progress()
            work = asyncio.create_task(self._carry_out(row, at))
            keep = asyncio.create_task(self._keep(row, at))
            try:
                await asyncio.wait({work, keep}, timeout=self.settings.max_seconds, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                await _end(work, keep)
                await self._write(row, state="waiting", fetched=0, total=None, touched=utcnow() - 2 * STALE)
                raise
            over = not work.done() and not keep.done()
            outcome = await _end(work, keep)
            if over:
                hours = self.settings.max_seconds / 3600
                outcome = Problem(f"The import took longer than {hours:g} hours and was stopped.")
            if outcome is not None and not isinstance(outcome, _Lost):
                await self._fail(row, _sentence(outcome, import_id))
        self.core.wakeups.ring(_topic(import_id))

    async def _claim(self, import_id: str) -> ImportRow | None:
        """Make an import this process's own; return None if there is nothing to do."""
        async with self.core.database.write() as session:
            row = await session.get(ImportRow, import_id, with_for_update=True)
            if row is None or row.state not in ACTIVE:
                return None
            if row.attempt and row.touched > utcnow() - STALE:
                return None  # another replica is at it
            row.attempt += 1
            row.state, row.touched, row.fetched, row.total = "fetching", utcnow(), 0, None
        if row.attempt > ATTEMPTS:
            await self._fail(row, f"The platform broke off {ATTEMPTS} times at this: tell an admin.")
            return None
        return row

    async def _carry_out(self, row: ImportRow, at: fetch.Progress) -> None:
        source = f"import:{row.id}"
        async with self.core.database.read() as session:
            left = await session.scalar(select(VersionRow.id).where(VersionRow.source == source))
            assert self.principal_of is not None
            principal = await self.principal_of(session, user=row.creator)
        if left is not None:  # by an attempt that was broken off
            await discard(self.core, left)
        owned = Owned(kind=_kind(row.kind), asset_id=row.asset_id, workspace=row.workspace, name=row.name)

        async def finish(session: AsyncSession, version_id: str) -> None:
            number = await session.scalar(select(VersionRow.number).where(VersionRow.id == version_id))
            values = {"state": "ready", "number": number, "finished": utcnow(), **at.values, **_without_query(row)}
            if not await _update(session, row, values):
                raise _Lost

        outward, limit = self.settings.outward, self.settings.max_bytes
        if row.format == "git":
            stream = git_tree(outward, row, at, folder=self._work / row.id, limit=limit)
        elif row.format == "s3":
            url, _, sealed = row.url.partition("?")
            access = imports_s3.unseal(self.settings.key, sealed)
            stream = imports_s3.prefix_tar(outward, url, access, at, limit=limit)
        else:
            stream = fetch.download(outward, row, at, limit=limit)
        async with aclosing(stream):
            await self._ingest.archive(
                principal,
                owned=owned,
                stream=stream,
                archive_format=fetch.archive_format(row.format),
                name=fetch.file_name(row.url),
                source=source,
                finish=finish,
                on_read=at.unpack,
            )

    async def _keep(self, row: ImportRow, at: fetch.Progress) -> None:
        """Write down how far the import is until it is lost; a ring (it was removed) checks at once."""
        while True:
            with suppress(Problem):  # the database may be away for a moment
                if not await self._write(row, touched=utcnow(), **at.present):
                    raise _Lost
            await self.core.wakeups.wait(_topic(row.id), timeout=KEEP_SECONDS)

    async def _fail(self, row: ImportRow, error: str) -> None:
        await self._write(row, state="failed", error=error, finished=utcnow(), **_without_query(row))

    async def _write(self, row: ImportRow, **values: object) -> bool:
        async with self.core.database.write() as session:
            return await _update(session, row, values)


async def _update(session: AsyncSession, row: ImportRow, values: dict[str, object]) -> bool:
    """Change an import that is still ours; tell whether it was."""
    mine = (ImportRow.id == row.id) & (ImportRow.attempt == row.attempt) & ImportRow.state.in_(ACTIVE)
    changed: Any = await session.execute(update(ImportRow).where(mine).values(values))
    return changed.rowcount > 0


async def _own(session: AsyncSession, import_id: str, owned: Owned) -> ImportRow:
    row = await session.get(ImportRow, import_id)
    if row is None or row.asset_id != owned.asset_id:
        raise NotFound(f"'{owned.name}' has no import '{import_id[:40]}'.")
    return row


async def _end(work: asyncio.Task[None], keep: asyncio.Task[None]) -> BaseException | None:
    """Stop both halves; return what ended the import, None when it is ready."""
    work.cancel()
    keep.cancel()
    outcome, kept = await asyncio.gather(work, keep, return_exceptions=True)
    return kept if isinstance(outcome, asyncio.CancelledError) else outcome


def _sentence(error: BaseException, import_id: str) -> str:
    problem = storage_problem(error) if isinstance(error, OSError) else error
    if isinstance(problem, Problem):
        return problem.detail
    log.error("the import %s broke", import_id, exc_info=error)
    return "The import broke on our side: try again, or tell an admin."


def _without_query(row: ImportRow) -> dict[str, object]:
    """Return the change that forgets what a signed URL holds, once it is of no more use."""
    return {"url": row.url.partition("?")[0]}


def _wire(row: ImportRow) -> wire.Import:
    return wire.Import(
        id=row.id,
        state=row.state,  # pyright: ignore[reportArgumentType] - the column holds nothing else
        url=row.url.partition("?")[0],
        format=row.format,  # pyright: ignore[reportArgumentType]
        ref=row.ref,
        commit=row.commit_id,
        fetched=row.fetched,
        total=row.total,
        number=row.number,
        error=row.error,
        creator=row.creator,
        created=row.created,
        finished=row.finished,
    )


def _kind(kind: str) -> Kind:
    return kind  # pyright: ignore[reportReturnType] - the column holds nothing else


def _topic(import_id: str) -> str:
    return f"import:{import_id}"


def _sweep(work: Path, active: set[str]) -> None:
    if work.is_dir():
        for folder in work.iterdir():
            if folder.name not in active:
                shutil.rmtree(folder, ignore_errors=True)
