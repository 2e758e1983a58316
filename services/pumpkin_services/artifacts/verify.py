"""The verification of a whole version, from `verifying` to `ready` or `failed`."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import update

from pumpkin_services.artifacts import manifest as manifests
from pumpkin_services.artifacts.chunks import Location, groups, locate, settle
from pumpkin_services.artifacts.core import Core, make_ready
from pumpkin_services.artifacts.manifest import Entry
from pumpkin_services.artifacts.tables import VersionRow
from pumpkin_services.db import utcnow
from pumpkin_services.problems import Invalid, Problem
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
        used = await _check(core, row, row.manifest_id)
        async with core.database.write() as session:
            if await make_ready(session, version_id, was="verifying", summary={"verified_bytes": row.bytes}):
                await settle(session, version_id, used, manifest_id=row.manifest_id)
        core.wakeups.ring(f"upload:{version_id}")
    except Problem as problem:
        await core.fail(version_id, problem.detail)
    except Exception:
        log.exception("verifying version %s broke", version_id)
        await core.fail(version_id, "The verification broke on our side: send the version again, or ask an admin.")


async def _check(core: Core, row: VersionRow, manifest_id: str) -> dict[str, int]:
    """Check every file of a version; return how many chunks of each object it uses."""
    used: defaultdict[str, set[bytes]] = defaultdict(set)
    verified, reported = 0, time.monotonic()
    entries = groups(manifests.read(core.store.stream(f"manifests/{manifest_id}")), ENTRIES)
    while batch := await asyncio.to_thread(next, entries, None):
        hashes = {digest for entry in batch for digest, _ in entry.chunks}
        async with core.database.read() as session:
            places = await locate(session, row.id, hashes)
        for entry in batch:
            for digest, size in entry.chunks:
                _check_chunk(entry, digest, size, places)
                used[places[digest].object_id].add(bytes.fromhex(digest))
            if len(entry.chunks) > 1:
                # One chunk was hashed when its pack was registered; of several, only their join is unproven.
                await asyncio.to_thread(_check_file, core.store, entry, places)
            verified += entry.size
            if time.monotonic() > reported + 1:
                reported = time.monotonic()
                await _report(core, row.id, verified)
    return {object_id: len(hashes) for object_id, hashes in used.items()}


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
    if hash_chunks(store, [places[digest] for digest, _ in entry.chunks]) != entry.sha256:
        raise Invalid(f"The chunks of '{manifests.shown(entry.path)}' do not make the file its sha256 names.")


def hash_chunks(store: ObjectStore, places: Sequence[Location]) -> str:
    """Return the SHA-256 of chunks joined."""
    seen = hashlib.sha256()
    for place in places:
        for piece in store.stream(place.key, offset=place.offset, size=place.size):
            seen.update(piece)
    return seen.hexdigest()


async def _report(core: Core, version_id: str, verified: int) -> None:
    async with core.database.write() as session:
        await session.execute(
            update(VersionRow).where(VersionRow.id == version_id).values(verified_bytes=verified, touched=utcnow())
        )
    core.wakeups.ring(f"upload:{version_id}")
