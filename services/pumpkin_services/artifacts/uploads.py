"""The upload protocol, step by step; `api` tells it from the client's side."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts import manifest as manifests
from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.access import Owned
from pumpkin_services.artifacts.chunks import hold, new_object, record, release
from pumpkin_services.artifacts.core import Core, any_upload, as_upload, draft, new_version
from pumpkin_services.artifacts.joins import Reading
from pumpkin_services.artifacts.parts import first_wrong
from pumpkin_services.artifacts.tables import ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.artifacts.verify import verify
from pumpkin_services.db import utcnow
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Invalid, NotFound, Problem, TooLarge
from pumpkin_services.storage.base import ObjectMissing, Sink, storage_problems
from pumpkin_services.web.paging import Page, paginate

log = logging.getLogger("pumpkin.artifacts")
TARGET_LIFETIME = timedelta(minutes=15)
"""A target is used at once; a request that has begun may take longer."""
MAX_MANIFEST = 1 << 30
KEEP_SECONDS = 3.0
STALE_VERIFICATION = timedelta(seconds=15)
"""A verification nobody kept alive for so long has lost its process, or the store was away."""


class Uploads:
    """Uploads of versions by clients."""

    def __init__(self, core: Core) -> None:
        self.core = core

    async def create(self, session: AsyncSession, principal: Principal, *, owned: Owned) -> wire.Upload:
        """Begin a version nobody sees yet."""
        row = new_version(owned, creator=principal.name)
        session.add(row)
        await session.flush()
        return as_upload(row)

    async def list(self, session: AsyncSession, *, owned: Owned, query: wire.VersionQuery) -> Page[wire.Upload]:
        """List the uploads of a thing that are not (yet) versions, newest first."""
        unfinished = select(VersionRow).where(
            VersionRow.asset_id == owned.asset_id, VersionRow.state.in_(("uploading", "verifying", "failed"))
        )
        rows, following = await paginate(session, unfinished, key=VersionRow.id, query=query)
        return Page[wire.Upload](items=[as_upload(row) for row in rows], next=following)

    async def get(self, upload_id: str, *, owned: Owned, wait: float = 0) -> wire.Upload:
        """Return an upload; while it is verifying, wait up to `wait` seconds for the end."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            async with self.core.database.read() as session:
                row = await any_upload(session, upload_id, owned)
            left = deadline - loop.time()
            if row.state != "verifying" or left <= 0:
                return as_upload(row)
            if row.touched < utcnow() - STALE_VERIFICATION:
                self.spawn(upload_id)  # whoever waits need not wait for `recover`, too
            await self.core.wakeups.wait(f"upload:{upload_id}", timeout=min(left, 1.0))

    async def abort(self, session: AsyncSession, upload_id: str, *, owned: Owned) -> None:
        """Give up an upload; what it sent goes with the next collections."""
        row = await any_upload(session, upload_id, owned)
        if row.state == "ready":
            raise Conflict(f"This upload is version {row.number} now: delete that.", reason="ready")
        await release(session, row.id)
        await session.delete(row)

    async def missing(
        self, session: AsyncSession, principal: Principal, *, upload_id: str, owned: Owned, hashes: Sequence[str]
    ) -> list[str]:
        """Return the hashes that must be sent; hold the objects of the others for this upload."""
        row = await draft(session, upload_id, owned)
        readable = self.core.readable
        assert readable is not None

        async def may_read(assets: set[str]) -> set[str]:
            return await readable(session, principal, assets)

        return await hold(session, row, hashes, may_read=may_read)

    async def targets(
        self, session: AsyncSession, *, upload_id: str, owned: Owned, request: wire.ObjectsRequest
    ) -> list[wire.UploadTarget]:
        """Make places for packs; only those that cannot be replaced are sent straight to the store."""
        sizes, hashes = request.sizes, request.sha256 or [None] * len(request.sizes)
        if len(hashes) != len(sizes):
            raise Invalid(f"{len(sizes)} sizes need as many hashes, not {len(hashes)}.", field="sha256")
        row = await draft(session, upload_id, owned)
        await self.core.check_limit(session, owned.workspace, more=sum(sizes))
        expires = utcnow() + TARGET_LIFETIME
        targets: list[wire.UploadTarget] = []
        for size, sha256 in zip(sizes, hashes, strict=True):
            made = await new_object(session, row, kind="packs", size=size)
            put = self.core.store.presign_put(made.key, size=size, sha256=sha256, expires=expires, once=request.once)
            targets.append(wire.UploadTarget(id=made.id, url=put.url, headers=put.headers, size=size, expires=expires))
        return targets

    async def register(self, upload_id: str, *, object_id: str, owned: Owned, index: wire.PackIndex) -> None:
        """Verify that an object holds exactly what `index` says, and make it known. Doing it twice is fine."""
        chunks = index.chunks
        async with self.core.database.read() as session:
            row = await _own_object(session, await draft(session, upload_id, owned, touch=False), object_id)
            size, key, registered = row.size, row.key, row.registered
        if registered:
            return
        if sum(chunk.size for chunk in chunks) != size:
            raise Invalid(f"The chunks together are not the {size} bytes of the object.", field="chunks")
        reading = self.core.joins.reading(upload_id, index.parts)
        await asyncio.to_thread(self._check_pack, key, [(chunk.hash, chunk.size) for chunk in chunks], reading)
        reading.done(chunks)
        async with self.core.database.write() as session:
            row = await _own_object(session, await draft(session, upload_id, owned), object_id)
            if not row.registered:
                await record(session, object_id, [(chunk.hash, chunk.size) for chunk in chunks])

    def _check_pack(self, key: str, chunks: Sequence[tuple[str, int]], reading: Reading) -> None:
        try:
            if len(chunks) == 1 and not reading.hashes() and self.core.store.checksum(key) == chunks[0][0]:
                return  # the store has hashed it already
            size = sum(size for _, size in chunks)
            # What is wrong is read once more: it may have been the way to us.
            wrong = first_wrong(self.core.store.stream(key, size=size), chunks, also=reading.hashes())
            if wrong is not None:
                wrong = first_wrong(self.core.store.stream(key, size=size), chunks, also=reading.hashes())
        except ObjectMissing as error:
            raise Conflict(
                "The object was not sent: PUT it to its URL first.", field="object", reason="object_missing"
            ) from error
        if wrong is not None:
            raise Invalid("These bytes have another hash: send the object again.", field=f"chunks.{wrong}.hash")

    async def put_manifest(self, upload_id: str, *, owned: Owned, stream: AsyncIterator[bytes]) -> wire.Upload:
        """Take the gzipped manifest: check it by itself, keep its canonical form."""
        async with self.core.database.write() as session:
            made = await new_object(session, await draft(session, upload_id, owned), kind="manifests", size=0)
        return await take_manifest(
            self.core, upload_id, owned=owned, made=made, stream=stream, keep=self._keep_manifest
        )

    def _keep_manifest(self, sent: Path, key: str) -> tuple[manifests.Summary, int]:
        with sent.open("rb") as file, self.core.store.create(key) as sink:
            pieces = iter(lambda: file.read(1 << 16), b"")
            summary = manifests.write(manifests.read_untrusted(pieces), sink)
        stored = self.core.store.stat(key)
        assert stored is not None
        return summary, stored.size

    async def commit(self, upload_id: str, *, owned: Owned) -> wire.Upload:
        """Start the verification of the whole; asking again for the same upload tells how it stands."""
        async with self.core.database.write() as session:
            row = await any_upload(session, upload_id, owned)
            if row.state == "uploading":
                if row.manifest_id is None:
                    raise Conflict("The manifest was not sent: PUT it before the commit.", reason="manifest_missing")
                row.state, row.touched = "verifying", utcnow()
            elif row.state == "failed":
                raise Conflict(f"This upload has failed: {row.error} Begin a new one.", reason="failed")
            answer = as_upload(row)
        if answer.state == "verifying":
            self.spawn(upload_id)
        return answer

    def spawn(self, version_id: str) -> None:
        """Verify a version in the background, unless this process is at it already."""
        if any(task.get_name() == version_id for task in self.core.tasks):
            return
        task = asyncio.create_task(self._verify(version_id), name=version_id)
        self.core.tasks.add(task)
        task.add_done_callback(self.core.tasks.discard)

    async def _verify(self, version_id: str) -> None:
        keep = asyncio.create_task(self._keep(version_id))
        try:
            await verify(self.core, version_id)
        finally:
            keep.cancel()

    async def _keep(self, version_id: str) -> None:
        """Show that a verification goes on, however long one file of it takes."""
        mine = update(VersionRow).where(VersionRow.id == version_id, VersionRow.state == "verifying")
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            with suppress(Problem):  # the database may be away for a moment
                async with self.core.database.write() as session:
                    await session.execute(mine.values(touched=utcnow()))

    async def recover(self, *, stale: timedelta = STALE_VERIFICATION) -> None:
        """Take up verifications whose process went away."""
        async with self.core.database.read() as session:
            query = select(VersionRow.id).where(VersionRow.state == "verifying", VersionRow.touched < utcnow() - stale)
            for version_id in await session.scalars(query):
                self.spawn(version_id)


async def _own_object(session: AsyncSession, row: VersionRow, object_id: str) -> ObjectRow:
    held = await session.get(VersionObjectRow, (row.id, object_id))
    found = await session.get(ObjectRow, object_id) if held is not None else None
    if found is None or found.kind != "packs":
        raise NotFound(f"This upload has no object '{object_id[:40]}': ask for a target first.", field="object")
    return found


async def take_manifest(
    core: Core,
    upload_id: str,
    *,
    owned: Owned,
    made: ObjectRow,
    stream: AsyncIterator[bytes],
    keep: Callable[[Path, str], tuple[manifests.Summary, int]],
    instead_of: str | None = None,
) -> wire.Upload:
    """Receive what is sent of a manifest and have `keep` write the object `made` from it, in a worker thread.

    The upload lets go of the manifest it had, and of the one it stands `instead_of`.
    """
    with storage_problems():
        await asyncio.to_thread(core.work.mkdir, parents=True, exist_ok=True)
        spool = tempfile.NamedTemporaryFile(dir=core.work)  # noqa: SIM115 - closed below
        with spool:
            await receive(stream, spool, limit=MAX_MANIFEST, what="manifest")
            spool.flush()
            summary, size = await asyncio.to_thread(keep, Path(spool.name), made.key)
    async with core.database.write() as session:
        row = await draft(session, upload_id, owned)
        gone = {row.manifest_id, instead_of} - {None}
        if gone:
            await session.execute(
                delete(VersionObjectRow).where(
                    VersionObjectRow.version_id == row.id, VersionObjectRow.object_id.in_(gone)
                )
            )
        await session.execute(update(ObjectRow).where(ObjectRow.id == made.id).values(size=size, registered=True))
        row.manifest_id, row.manifest_hash = made.id, summary.hash
        row.files, row.bytes = summary.files, summary.bytes
        return as_upload(row)


async def receive(stream: AsyncIterator[bytes], sink: Sink, *, limit: int, what: str) -> int:
    """Write a body of at most `limit` bytes to `sink` in worker threads; return its size."""
    received = 0
    async for piece in stream:
        received += len(piece)
        if received > limit:
            raise TooLarge(f"The {what} is larger than {limit} bytes.")
        await asyncio.to_thread(sink.write, piece)
    return received
