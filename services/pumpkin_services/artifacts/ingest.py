"""Versions the server makes by itself: from an archive somebody sends, from a folder a job left behind."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts import archives, folders
from pumpkin_services.artifacts import manifest as manifests
from pumpkin_services.artifacts.access import Owned
from pumpkin_services.artifacts.chunks import MayRead, Usage, groups, hold, new_object, record, settle
from pumpkin_services.artifacts.collector import discard
from pumpkin_services.artifacts.core import Core, draft, make_ready, new_version
from pumpkin_services.artifacts.manifest import Entry
from pumpkin_services.artifacts.pack import Packer
from pumpkin_services.artifacts.tables import ObjectRow, VersionRow
from pumpkin_services.artifacts.uploads import receive
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict
from pumpkin_services.storage.base import storage_problems

MAX_ARCHIVE = 1 << 40
AT_ONCE = 2
"""How many ingests run at once in one process: each holds a pack (64 MiB) in memory."""
Finish = Callable[[AsyncSession, str], Awaitable[None]]
"""Called with the version's id in the transaction that makes it ready."""


class Ingest:
    """Makes versions on the server."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def archive(
        self,
        principal: Principal,
        *,
        owned: Owned,
        stream: AsyncIterator[bytes],
        archive_format: Literal["zip", "tar", "file"],
        name: str = "",
        source: str | None = None,
        finish: Finish | None = None,
        on_read: archives.OnRead | None = None,
    ) -> str:
        """Make a version of an archive; return its id. Whatever is refused or broken off leaves nothing.

        The format `file` is no archive: it is kept as the one file `name`. `on_read` is that of `archives.entries`.
        """
        readable = self.core.readable
        assert readable is not None

        async def may_read(assets: set[str]) -> set[str]:
            async with self.core.database.read() as session:
                return await readable(session, principal, assets)

        with storage_problems():
            await asyncio.to_thread(self.core.work.mkdir, parents=True, exist_ok=True)
            spool = tempfile.NamedTemporaryFile(dir=self.core.work, prefix="import-")  # noqa: SIM115 - closed below
            with spool:
                await receive(stream, spool, limit=MAX_ARCHIVE, what="archive")
                spool.flush()
                files = archives.entries(Path(spool.name), archive_format, name=name, on_read=on_read)
                packer = Packer(files=files, strict=True)
                batches = _guarded(packer, archive_format)
                row = await self._begin(owned, creator=principal.name, source=source)
                await self._ingest(row, packer, batches, owned=owned, may_read=may_read, finish=finish)
        return row.id

    async def capture(
        self, folder: Path, *, owned: Owned, creator: str, source: str, finish: Finish | None = None
    ) -> tuple[str, list[str]]:
        """Make a version of a folder, once per `source`; return its id and what was left out, in words.

        Asking again with the same `source`, after a crash or from two replicas at once, answers the same version.
        """
        async with self.core.database.read() as session:
            known = await session.scalar(select(VersionRow).where(VersionRow.source == source))
        if known is not None and known.state in ("ready", "deleted"):
            return known.id, []

        async def may_read(assets: set[str]) -> set[str]:
            async with self.core.database.read() as session:
                same = select(VersionRow.asset_id).where(
                    VersionRow.asset_id.in_(assets), VersionRow.workspace == owned.workspace
                )
                return set(await session.scalars(same))

        row = known or await self._begin(owned, creator=creator, source=source)
        packer = Packer(files=folders.entries(folder), strict=False)
        await self._ingest(row, packer, packer.batches(), owned=owned, may_read=may_read, finish=finish)
        return row.id, packer.left_out

    async def _begin(self, owned: Owned, *, creator: str, source: str | None) -> VersionRow:
        async with self.core.database.write() as session:
            row = new_version(owned, creator=creator, source=source)
            session.add(row)
        return row

    async def _ingest(
        self,
        row: VersionRow,
        packer: Packer,
        batches: Generator[dict[str, bytes]],
        *,
        owned: Owned,
        may_read: MayRead,
        finish: Finish | None,
    ) -> None:
        try:
            async with self._slots:
                while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                    await self._keep(row.id, batch, owned=owned, may_read=may_read)
                entries = await asyncio.to_thread(packer.finish)
                await self._finish(row.id, entries, owned=owned, finish=finish)
        except BaseException:
            with suppress(ValueError):  # a thread may still be inside it
                batches.close()
            await asyncio.shield(discard(self.core, row.id))
            raise

    async def _keep(self, version_id: str, batch: dict[str, bytes], *, owned: Owned, may_read: MayRead) -> None:
        """Keep what of a batch is not in the store yet, as one pack."""
        async with self.core.database.write() as session:
            row = await draft(session, version_id, owned)
            missing = await hold(session, row, list(batch), may_read=may_read)
            if not missing:
                return
            size = sum(len(batch[digest]) for digest in missing)
            await self.core.check_limit(session, row.workspace, more=size)
            made = await new_object(session, row, kind="packs", size=size)
        await asyncio.to_thread(self._write, made.key, [batch[digest] for digest in missing])
        async with self.core.database.write() as session:
            await draft(session, version_id, owned)
            await record(session, made.id, [(digest, len(batch[digest])) for digest in missing])

    def _write(self, key: str, parts: list[bytes]) -> None:
        with self.core.store.create(key) as sink:
            for part in parts:
                sink.write(part)

    async def _finish(self, version_id: str, entries: list[Entry], *, owned: Owned, finish: Finish | None) -> None:
        async with self.core.database.write() as session:
            made = await new_object(session, await draft(session, version_id, owned), kind="manifests", size=0)
        summary, size = await asyncio.to_thread(self._write_manifest, made.key, entries)
        used = await self._usage(version_id, entries)
        async with self.core.database.write() as session:
            values: dict[str, object] = {
                "manifest_id": made.id,
                "manifest_hash": summary.hash,
                "files": summary.files,
                "bytes": summary.bytes,
                "verified_bytes": summary.bytes,
            }
            if await make_ready(session, version_id, was="uploading", summary=values) is None:
                raise Conflict("This version was finished or given up meanwhile.", reason="changed_meanwhile")
            await session.execute(update(ObjectRow).where(ObjectRow.id == made.id).values(size=size, registered=True))
            await settle(session, version_id, used, manifest_id=made.id)
            if finish is not None:
                await finish(session, version_id)
        self.core.wakeups.ring(f"upload:{version_id}")

    def _write_manifest(self, key: str, entries: list[Entry]) -> tuple[manifests.Summary, int]:
        with self.core.store.create(key) as sink:
            summary = manifests.write(entries, sink)
        stored = self.core.store.stat(key)
        assert stored is not None
        return summary, stored.size

    async def _usage(self, version_id: str, entries: list[Entry]) -> dict[str, int]:
        usage = Usage(version_id)
        async with self.core.database.read() as session:
            await usage.load(session)
        hashes = {digest for entry in entries for digest, _ in entry.chunks}
        for group in groups(hashes, 10_000):
            async with self.core.database.read() as session:
                await usage.add(session, group)
        return usage.counts()


def _guarded(packer: Packer, archive_format: str) -> Generator[dict[str, bytes]]:
    with archives.broken_is_invalid(archive_format):
        yield from packer.batches()
