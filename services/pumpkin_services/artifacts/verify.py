"""The verification of a whole version, from `verifying` to `ready` or `failed`.

What the newest version of the same thing has as well was verified with that one: only the rest is looked at.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts import manifest as manifests
from pumpkin_services.artifacts.chunks import Location, Usage, groups, holders, refer, runs, settle
from pumpkin_services.artifacts.core import Core, make_ready
from pumpkin_services.artifacts.deltas import Differences, differences, occurring
from pumpkin_services.artifacts.joins import Joined
from pumpkin_services.artifacts.manifest import Entry
from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.db import utcnow
from pumpkin_services.problems import Invalid, Problem, Unavailable
from pumpkin_services.storage.base import ObjectStore

log = logging.getLogger("pumpkin.artifacts")
ENTRIES = 2000
"""Files whose chunks are looked up at once."""


async def verify(core: Core, version_id: str) -> None:
    """Verify a committed upload; record the outcome, whatever it is, in its row."""
    try:
        async with core.database.read() as session:
            row = await session.get(VersionRow, version_id)
        if row is None or row.state != "verifying" or row.manifest_id is None:
            return
        joined = core.joins.take(version_id)
        used = await _check_changes(core, row, row.manifest_id, joined)
        if used is None:
            used = await _check_all(core, row, row.manifest_id, joined)
        async with core.database.write() as session:
            if await make_ready(session, version_id, was="verifying", summary={"verified_bytes": row.bytes}):
                await settle(session, version_id, used, manifest_id=row.manifest_id)
        core.wakeups.ring(f"upload:{version_id}")
    except Unavailable as problem:  # what was sent is still there: it is tried again when nobody kept this alive
        log.warning("verifying version %s was broken off: %s", version_id, problem)
    except Problem as problem:
        await core.fail(version_id, problem.detail)
    except Exception:
        log.exception("verifying version %s broke", version_id)
        await core.fail(version_id, "The verification broke on our side: send the version again, or ask an admin.")


async def _check_all(core: Core, row: VersionRow, manifest_id: str, joined: Joined) -> dict[str, int]:
    """Check every file of a version; return how many of its chunks are in each object it needs."""
    entries = manifests.read(core.store.stream(f"manifests/{manifest_id}"))
    usage = Usage(row.id)
    async with core.database.read() as session:
        await usage.load(session)
    await _check(core, row, entries, usage=usage, joined=joined)
    return usage.counts()


async def _check(
    core: Core, row: VersionRow, files: Iterable[Entry], *, usage: Usage, joined: Joined, verified: int = 0
) -> None:
    """Check `files` of a version, of which `verified` bytes are; `usage` notes where their chunks are."""
    reported = time.monotonic()
    entries = groups(files, ENTRIES)
    while batch := await asyncio.to_thread(next, entries, None):
        hashes = {digest for entry in batch for digest, _ in entry.chunks}
        async with core.database.read() as session:
            places = await usage.add(session, hashes)
        for entry in batch:
            for digest, size in entry.chunks:
                _check_chunk(entry, digest, size, places)
            if len(entry.chunks) > 1 and not joined.proves(entry):
                # One chunk was hashed when its pack was registered; of several, only their join is unproven.
                await asyncio.to_thread(_check_file, core.store, entry, places)
            verified += entry.size
            if time.monotonic() > reported + 1:
                reported = time.monotonic()
                await _report(core, row.id, verified)


async def _check_changes(core: Core, row: VersionRow, manifest_id: str, joined: Joined) -> dict[str, int] | None:
    """Check what differs from the newest version; None if there is none it could be compared with."""
    async with core.database.write() as session:
        base = await _base(session, row)
    if base is None:
        return None
    base_manifest, used = base
    key = f"manifests/{manifest_id}"
    found = await asyncio.to_thread(differences, core.store, f"manifests/{base_manifest}", key)
    if found is None:
        return None
    usage, unchanged = Usage(row.id), row.bytes - sum(entry.size for entry in found.added)
    await _check(core, row, found.added, usage=usage, joined=joined, verified=unchanged)
    return await _count(core, found, key=key, used=used, usage=usage)


async def _base(session: AsyncSession, row: VersionRow) -> tuple[str, dict[str, int]] | None:
    """Hold for a draft what the newest version holds; return that one's manifest and how it uses its objects."""
    query = select(VersionRow).where(VersionRow.asset_id == row.asset_id, VersionRow.state == "ready")
    base = await session.scalar(query.order_by(VersionRow.number.desc()).limit(1).with_for_update())
    if base is None or base.manifest_id is None:
        return None
    held = (
        select(VersionObjectRow.object_id, VersionObjectRow.used)
        .join(ObjectRow, ObjectRow.id == VersionObjectRow.object_id)
        .where(VersionObjectRow.version_id == base.id, ObjectRow.kind == "packs")
    )
    used: dict[str, int] = {}
    for object_id, count in await session.execute(held):
        if count is None:  # made before this was counted
            return None
        used[object_id] = count
    await refer(session, row.id, {*used, base.manifest_id})
    return base.manifest_id, used


async def _count(core: Core, found: Differences, *, key: str, used: dict[str, int], usage: Usage) -> dict[str, int]:
    """Return how many chunks of each object the version has, from `used`, which is the same of the other version."""
    added = {digest for entry in found.added for digest, _ in entry.chunks}
    removed = {digest for entry in found.removed for digest, _ in entry.chunks}
    kept = await asyncio.to_thread(occurring, core.store, key, added ^ removed, besides=found.added_lines)
    new, gone = added - removed - kept, removed - added - kept
    counts = dict(used)
    async with core.database.read() as session:
        for object_id, digests in (await holders(session, new, used)).items():
            counts[object_id] += len(digests)
        for object_id, digests in (await holders(session, gone, used)).items():
            counts[object_id] -= len(digests)
        fresh = {
            object_id: set(await session.scalars(select(ChunkRow.hash).where(ChunkRow.object_id == object_id)))
            for object_id in usage.counts().keys() - used.keys()
        }
    others = {digest for digests in fresh.values() for digest in digests - added}
    also = await asyncio.to_thread(occurring, core.store, key, others, besides=found.added_lines)
    counts.update((object_id, len(digests & (added | also))) for object_id, digests in fresh.items())
    return {object_id: count for object_id, count in counts.items() if count}


def _check_chunk(entry: Entry, digest: str, size: int, places: dict[str, Location]) -> None:
    place = places.get(digest)
    if place is None:
        raise Invalid(
            f"A chunk of '{manifests.shown(entry.path)}' was not sent: ask which are missing, send them, "
            "and commit a new upload.",
            reason="chunk_missing",
        )
    if place.size != size:
        raise Invalid(f"A chunk of '{manifests.shown(entry.path)}' has {place.size} bytes, the manifest says {size}.")


def _check_file(store: ObjectStore, entry: Entry, places: dict[str, Location]) -> None:
    chunks = [places[digest] for digest, _ in entry.chunks]
    # What is wrong is read once more: it may have been the way to us.
    if all(hash_chunks(store, chunks) != entry.sha256 for _ in range(2)):
        raise Invalid(f"The chunks of '{manifests.shown(entry.path)}' do not make the file its sha256 names.")


def hash_chunks(store: ObjectStore, places: Sequence[Location]) -> str:
    """Return the SHA-256 of chunks joined."""
    seen = hashlib.sha256()
    for place in runs(places):
        for piece in store.stream(place.key, offset=place.offset, size=place.size):
            seen.update(piece)
    return seen.hexdigest()


async def _report(core: Core, version_id: str, verified: int) -> None:
    async with core.database.write() as session:
        await session.execute(
            update(VersionRow).where(VersionRow.id == version_id).values(verified_bytes=verified, touched=utcnow())
        )
    core.wakeups.ring(f"upload:{version_id}")
