"""Taking away what nothing needs: in two phases, so that an upload going on never loses what it counts on.

First an object nothing refers to is marked; once it has been marked for the grace time and still nothing
refers to it, its row goes, and only then its bytes. References are made in the same transactions that find
objects, so what was found cannot go. A crash between row and bytes leaves a file without a row: it goes next time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.chunks import groups, release
from pumpkin_services.artifacts.core import Core
from pumpkin_services.artifacts.rewrite import drop_unfinished
from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.db import utcnow

ABANDONED = timedelta(days=1)
"""An upload nobody touched for so long is given up."""
_REFERRED = exists().where(VersionObjectRow.object_id == ObjectRow.id)


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What one collection did: uploads given up, objects and stray files removed, bytes they had."""

    uploads: int
    objects: int
    strays: int
    bytes: int


async def collect(core: Core, *, grace: timedelta, abandoned: timedelta = ABANDONED) -> Collected:
    """Do one collection."""
    now = utcnow()
    uploads = await _give_up(core, before=now - abandoned)
    await drop_unfinished(core, before=now - abandoned)
    async with core.database.write() as session:
        await session.execute(update(ObjectRow).where(ObjectRow.doomed.is_not(None), _REFERRED).values(doomed=None))
        await session.execute(update(ObjectRow).where(ObjectRow.doomed.is_(None), ~_REFERRED).values(doomed=now))
    async with core.database.read() as session:
        doomed = list(await session.scalars(select(ObjectRow.id).where(ObjectRow.doomed <= now - grace)))
    removed = size = 0
    for group in groups(doomed, 100):
        gone = await _remove(core, group)
        removed += len(gone)
        size += sum(row.size for row in gone)
    strays, stray_bytes = await _strays(core, before=now - grace)
    await asyncio.to_thread(core.store.sweep, before=now - max(grace, timedelta(hours=1)))
    return Collected(uploads=uploads, objects=removed, strays=strays, bytes=size + stray_bytes)


async def _give_up(core: Core, *, before: datetime) -> int:
    async with core.database.write() as session:
        query = select(VersionRow.id).where(VersionRow.state.in_(("uploading", "failed")), VersionRow.touched <= before)
        stale = list(await session.scalars(query))
        for version_id in stale:
            await release(session, version_id)
        for group in groups(stale, 500):
            await session.execute(delete(VersionRow).where(VersionRow.id.in_(group)))
    return len(stale)


async def _remove(core: Core, ids: Sequence[str]) -> list[ObjectRow]:
    async with core.database.write() as session:
        gone = await _forget(session, ids)
    for row in gone:
        await asyncio.to_thread(core.store.delete, row.key)
    return gone


async def _forget(session: AsyncSession, ids: Sequence[str]) -> list[ObjectRow]:
    """Delete the rows of those of `ids` that nothing refers to; return them."""
    rows = list(await session.scalars(select(ObjectRow).where(ObjectRow.id.in_(ids), ~_REFERRED).with_for_update()))
    gone = [row.id for row in rows]
    await session.execute(delete(ChunkRow).where(ChunkRow.object_id.in_(gone)))
    await session.execute(delete(ObjectRow).where(ObjectRow.id.in_(gone)))
    return rows


async def _strays(core: Core, *, before: datetime) -> tuple[int, int]:
    removed = size = 0
    listed = groups(core.store.list(), 500)
    while group := await asyncio.to_thread(next, listed, None):
        old = {found.key.split("/")[1]: found for found in group if found.modified <= before}
        async with core.database.read() as session:
            known = set(await session.scalars(select(ObjectRow.id).where(ObjectRow.id.in_(old))))
        for name in old.keys() - known:
            await asyncio.to_thread(core.store.delete, old[name].key)
            removed += 1
            size += old[name].size
    return removed, size


async def discard(core: Core, version_id: str) -> None:
    """Remove an unfinished version at once, with whatever was sent for it alone."""
    async with core.database.write() as session:
        row = await session.get(VersionRow, version_id)
        if row is None or row.state in ("ready", "deleted"):
            return
        held = list(
            await session.scalars(select(VersionObjectRow.object_id).where(VersionObjectRow.version_id == version_id))
        )
        await release(session, version_id)
        await session.delete(row)
        await session.flush()
        gone = [row for group in groups(held, 500) for row in await _forget(session, group)]
    for row in gone:
        await asyncio.to_thread(core.store.delete, row.key)
    core.wakeups.ring(f"upload:{version_id}")
