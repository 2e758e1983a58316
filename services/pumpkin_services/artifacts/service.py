"""The artifact service: its parts joined, and what concerns whole versions (pins, deletion, folders on this node)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.access import Readable
from pumpkin_services.artifacts.cache import NodeCache
from pumpkin_services.artifacts.chunks import groups, locate, release
from pumpkin_services.artifacts.collector import Collected, collect
from pumpkin_services.artifacts.core import Core, StorageLimit, stored_bytes
from pumpkin_services.artifacts.delta_uploads import Deltas
from pumpkin_services.artifacts.fsck import Report, check_store
from pumpkin_services.artifacts.imports import Imports, ImportSettings
from pumpkin_services.artifacts.index import Indexes
from pumpkin_services.artifacts.ingest import Ingest
from pumpkin_services.artifacts.models import Version
from pumpkin_services.artifacts.reads import Reads
from pumpkin_services.artifacts.rewrite import rewrite
from pumpkin_services.artifacts.tables import ImportRow, PinRow, VersionRow
from pumpkin_services.artifacts.uploads import Uploads
from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.problems import Conflict, NotFound
from pumpkin_services.storage.base import ObjectStore

log = logging.getLogger("pumpkin.artifacts")
RECOVER_SECONDS = 30.0
COLLECT_SECONDS = 600.0


class ArtifactService:
    """Versions of any kind: `uploads`, `deltas`, `ingest` and `imports` make them, `reads` reads them.

    `cache_root` is this node's folder for materialised versions, `cache_bytes` how large it grows;
    `limit` tells how many bytes a workspace may keep.
    """

    def __init__(
        self,
        *,
        database: Database,
        store: ObjectStore,
        wakeups: Wakeups,
        limit: StorageLimit,
        cache_root: Path,
        cache_bytes: int,
        imports: ImportSettings | None = None,
    ) -> None:
        self.database = database
        self.core = Core(database=database, store=store, wakeups=wakeups, limit=limit, work=cache_root / "incoming")
        self.uploads = Uploads(self.core)
        self.deltas = Deltas(self.core)
        self.ingest = Ingest(self.core)
        self.imports = Imports(self.core, self.ingest, settings=imports or ImportSettings())
        self.reads = Reads(self.core, indexes=Indexes(cache_root / "index"))
        self.cache = NodeCache(cache_root, limit=cache_bytes)

    def set_readable(self, readable: Readable) -> None:
        """Say who may read what; the assets, which know, are made after this service."""
        self.core.readable = readable

    async def stored_bytes(self, session: AsyncSession, workspace: str) -> int:
        """Return the bytes a workspace keeps in the store."""
        return await stored_bytes(session, workspace)

    async def latest(self, session: AsyncSession, asset_ids: Iterable[str]) -> dict[str, tuple[VersionRow, int]]:
        """Return each thing's newest version and how many it has; things without versions are left out."""
        found: dict[str, tuple[VersionRow, int]] = {}
        for group in groups(asset_ids, 500):
            newest = (
                select(VersionRow.asset_id, func.max(VersionRow.number).label("number"), func.count().label("count"))
                .where(VersionRow.asset_id.in_(group), VersionRow.state == "ready")
                .group_by(VersionRow.asset_id)
                .subquery()
            )
            joined = (VersionRow.asset_id == newest.c.asset_id) & (VersionRow.number == newest.c.number)
            for row, count in await session.execute(select(VersionRow, newest.c.count).join(newest, joined)):
                found[row.asset_id] = (row, count)
        return found

    async def version(self, session: AsyncSession, version_id: str) -> Version:
        """Return one version, which must be there."""
        return Version.model_validate(await session.get_one(VersionRow, version_id))

    async def pin(self, session: AsyncSession, version_id: str, holder: str) -> None:
        """Hold a version for `holder` (a workload's id): it cannot be deleted until `unpin`. Twice is once."""
        row = await session.get(VersionRow, version_id, with_for_update=True)
        if row is None or row.state != "ready":
            raise NotFound(f"The version '{version_id[:40]}' is not there any more: choose another.")
        if await session.get(PinRow, (version_id, holder)) is None:
            session.add(PinRow(version_id=version_id, holder=holder))

    async def unpin(self, session: AsyncSession, holder: str, *, version_id: str | None = None) -> None:
        """Let go of what `holder` holds: one version, or all."""
        pins = delete(PinRow).where(PinRow.holder == holder)
        await session.execute(pins if version_id is None else pins.where(PinRow.version_id == version_id))

    async def held_assets(self, session: AsyncSession, holder: str) -> set[str]:
        """Return the things `holder` holds a version of."""
        query = select(VersionRow.asset_id).join(PinRow, PinRow.version_id == VersionRow.id)
        return set(await session.scalars(query.where(PinRow.holder == holder)))

    async def delete_version(self, session: AsyncSession, version_id: str) -> None:
        """Delete a version; its number stays taken, its data goes with the next collections.

        Raises:
            Conflict: if somebody holds it, saying who.
        """
        await session.get(VersionRow, version_id, with_for_update=True)
        await self._refuse_held(session, [version_id])
        await session.execute(update(VersionRow).where(VersionRow.id == version_id).values(state="deleted"))
        await release(session, version_id)

    async def delete_all(self, session: AsyncSession, asset_id: str) -> None:
        """Delete every version and upload of a thing; raise `Conflict` if somebody holds one."""
        rows = list(await session.scalars(select(VersionRow).where(VersionRow.asset_id == asset_id).with_for_update()))
        await self._refuse_held(session, [row.id for row in rows])
        for row in rows:
            await release(session, row.id)
            if row.number is None:
                await session.delete(row)
            else:
                row.state = "deleted"
        await session.execute(delete(ImportRow).where(ImportRow.asset_id == asset_id))

    async def _refuse_held(self, session: AsyncSession, version_ids: list[str]) -> None:
        holders: set[str] = set()
        for group in groups(version_ids, 500):
            holders.update(await session.scalars(select(PinRow.holder).where(PinRow.version_id.in_(group))))
        if holders:
            names = ", ".join(sorted(holders)[:5])
            raise Conflict(
                f"A running workload reads it ({names}): stop it first, or wait for its end.",
                reason="in_use",
                holders=sorted(holders),
            )

    async def materialise(self, version_id: str, *, holder: str) -> Path:
        """Return a read-only folder with a version's files on this node, made if need be, kept for `holder`.

        Any number of processes may ask at once; one makes it, and the others wait. End with `release`.
        """
        delay = 0.02
        while True:
            with self.cache.try_lock(version_id) as free:
                if free:
                    found = await asyncio.to_thread(self.cache.find, version_id, holder=holder)
                    return found or await self._build(version_id)
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, 0.5)

    async def _build(self, version_id: str) -> Path:
        async with self.database.read() as session:
            row = await session.get(VersionRow, version_id)
            if row is None or row.state != "ready":
                raise NotFound(f"The version '{version_id[:40]}' is not there any more: choose another.")
            entries = await asyncio.to_thread(list, self.reads.entries(row))
            places = await locate(session, version_id, {digest for entry in entries for digest, _ in entry.chunks})
        build = asyncio.to_thread(self.cache.build, version_id, entries, places=places, store=self.core.store)
        task = asyncio.ensure_future(build)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})  # the lock must not be let go while the thread is at work
            raise

    async def release(self, holder: str) -> None:
        """Let this node's cache evict what `holder` used."""
        await asyncio.to_thread(self.cache.release, holder)

    async def run(self, *, grace: timedelta) -> None:
        """Keep house for ever: take up verifications whose process went away, collect what nothing needs."""
        collected = -COLLECT_SECONDS
        while True:
            try:
                await self.uploads.recover()
                await self.imports.recover()
                if time.monotonic() - collected >= COLLECT_SECONDS:
                    collected = time.monotonic()
                    await self.collect(grace=grace)
            except Exception:
                log.exception("keeping the store failed; it is tried again")
            await asyncio.sleep(RECOVER_SECONDS)

    async def collect(self, *, grace: timedelta) -> Collected:
        """Remove what has been unreferenced for `grace`, and bodies a killed process left here.

        Packs of which little is needed are written anew first; their old ones are then unreferenced.
        """
        await asyncio.to_thread(_sweep, self.core.work, older=86_400)
        await rewrite(self.core)
        return await collect(self.core, grace=grace)

    async def fsck(self, *, repair: bool = False) -> Report:
        """Prove the store whole, or say what is damaged; mend what can be mended if told to."""
        return await check_store(self.database, self.core.store, repair=repair)

    async def stop(self) -> None:
        """Break verifications and imports off; `run`, here or elsewhere, takes them up again."""
        for task in list(self.core.tasks):
            task.cancel()
        await asyncio.gather(*self.core.tasks, return_exceptions=True)


def _sweep(folder: Path, *, older: float) -> None:
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - older:
                path.unlink()
