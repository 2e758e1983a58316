"""What the parts of the artifact service share, and the few rules on versions they all use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.access import Owned, Readable
from pumpkin_services.artifacts.chunks import UNFINISHED, release
from pumpkin_services.artifacts.joins import Joins
from pumpkin_services.artifacts.tables import ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.db import Database, utcnow
from pumpkin_services.events import Wakeups
from pumpkin_services.problems import Conflict, NotFound, StorageFull
from pumpkin_services.storage.base import ObjectStore

StorageLimit = Callable[[AsyncSession, str], Awaitable[int | None]]
"""Tells how many bytes a workspace may keep in the store; None is no limit."""


@dataclass(kw_only=True)
class Core:
    """The means of the artifact service.

    `readable` tells which assets a caller may read; the composition sets it once the assets exist.
    `work` is a local folder for bodies that must be read twice.
    """

    database: Database
    store: ObjectStore
    wakeups: Wakeups
    limit: StorageLimit
    work: Path
    readable: Readable | None = None
    joins: Joins = field(default_factory=Joins)
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    needed: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Packs no version has much of but all these together have: looked at again when others need them."""

    async def check_limit(self, session: AsyncSession, workspace: str, *, more: int) -> None:
        """Raise `StorageFull` if `more` bytes would take the workspace over its storage limit."""
        limit = await self.limit(session, workspace)
        if limit is None:
            return
        used = await stored_bytes(session, workspace)
        if used + more > limit:
            raise StorageFull(
                f"The workspace '{workspace}' may keep {limit} bytes, keeps {used} and this needs {more} more: "
                "delete versions that are no longer needed, or ask an admin for more.",
                field="workspace",
                reason="storage_limit",
                limit=limit,
                used=used,
            )

    async def fail(self, version_id: str, message: str) -> None:
        """Mark an unfinished version as failed and let go of its data."""
        async with self.database.write() as session:
            await session.execute(
                update(VersionRow)
                .where(VersionRow.id == version_id, VersionRow.state.in_(UNFINISHED))
                .values(state="failed", error=message, touched=utcnow())
            )
            await release(session, version_id)
        self.wakeups.ring(f"upload:{version_id}")


async def stored_bytes(session: AsyncSession, workspace: str) -> int:
    """Return the bytes that count against a workspace's storage limit; what waits for the collector does not."""
    needed = exists().where(VersionObjectRow.object_id == ObjectRow.id)
    return await session.scalar(select(func.sum(ObjectRow.size)).where(ObjectRow.workspace == workspace, needed)) or 0


def new_version(owned: Owned, *, creator: str, source: str | None = None) -> VersionRow:
    """Return the row of a version that begins."""
    return VersionRow(
        kind=owned.kind, asset_id=owned.asset_id, workspace=owned.workspace, creator=creator, source=source
    )


async def draft(session: AsyncSession, upload_id: str, owned: Owned, *, touch: bool = True) -> VersionRow:
    """Return an upload that still takes data, and (in a write session) note that it is alive.

    Raises:
        NotFound: if this thing has no such upload.
        Conflict: if it was committed or has failed.
    """
    row = await any_upload(session, upload_id, owned)
    if row.state != "uploading":
        why = f": {row.error}" if row.error else ""
        raise Conflict(f"This upload is {row.state}{why} and takes no more data: begin a new one.", reason=row.state)
    if touch:
        row.touched = utcnow()
    return row


async def any_upload(session: AsyncSession, upload_id: str, owned: Owned) -> VersionRow:
    """Return an upload in any state; raise `NotFound` if this thing has no such upload."""
    row = await session.get(VersionRow, upload_id)
    if row is None or row.asset_id != owned.asset_id or row.state == "deleted":
        raise NotFound(f"'{owned.name}' has no upload '{upload_id[:40]}': begin a new one.")
    return row


async def make_ready(session: AsyncSession, version_id: str, *, was: str, summary: dict[str, object]) -> int | None:
    """Give a version its number and make it visible; return None if it is no longer in the state `was`."""
    row = await session.get(VersionRow, version_id, with_for_update=True, populate_existing=True)
    if row is None or row.state != was:
        return None
    newest = await session.scalar(select(func.max(VersionRow.number)).where(VersionRow.asset_id == row.asset_id))
    number = (newest or 0) + 1
    await session.execute(
        update(VersionRow)
        .where(VersionRow.id == version_id)
        .values(state="ready", number=number, committed=utcnow(), error=None, **summary)
    )
    return number


def as_upload(row: VersionRow) -> wire.Upload:
    """Return the wire form of an upload."""
    return wire.Upload(
        id=row.id,
        state=row.state,  # pyright: ignore[reportArgumentType] - the column holds nothing else
        number=row.number,
        creator=row.creator,
        created=row.created,
        manifest_received=row.manifest_id is not None,
        files=row.files,
        bytes=row.bytes,
        verified_bytes=row.verified_bytes,
        error=row.error,
    )
