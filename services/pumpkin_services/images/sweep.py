"""Removing what nothing needs any more: work folders of dead builds, prefixes and logs of deleted versions."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

from sqlalchemy import and_, delete, or_, select

from pumpkin_services.db import Database, new_id, utcnow
from pumpkin_services.images.claims import Claims
from pumpkin_services.images.prefixes import Prefixes
from pumpkin_services.images.tables import EnvironmentPrefixRow, EnvironmentVersionRow

Version, Prefix = EnvironmentVersionRow, EnvironmentPrefixRow


async def sweep(database: Database, prefixes: Prefixes, claims: Claims, *, grace: float) -> None:
    """Sweep once; `grace` is how many seconds the files of a deleted version stay."""
    await _work(database, prefixes)
    await _prefixes(database, prefixes, claims, grace=grace)
    await _logs(database, prefixes, grace=grace)


async def _work(database: Database, prefixes: Prefixes) -> None:
    # Folders before claims: a folder is made after its claim, so none that is listed can be newer than the query.
    found = await asyncio.to_thread(os.listdir, prefixes.work)
    if not found:
        return
    async with database.read() as session:
        held = set(await session.scalars(select(Version.owner).where(Version.owner.is_not(None))))
        held |= set(await session.scalars(select(Prefix.owner).where(Prefix.owner.is_not(None))))
    for name in found:
        if name.split("-")[0] not in held:
            await asyncio.to_thread(prefixes.remove, prefixes.work / name, aside=name)


async def _prefixes(database: Database, prefixes: Prefixes, claims: Claims, *, grace: float) -> None:
    recent = utcnow() - timedelta(seconds=grace)
    needed = (
        select(Version.id)
        .where(
            Version.digest == Prefix.digest,
            or_(Version.state.in_(("queued", "building", "ready")), Version.finished > recent),
        )
        .exists()
    )
    unneeded = select(Prefix.digest).where(~needed, or_(Prefix.owner.is_(None), Prefix.expires < utcnow()))
    async with database.read() as session:
        digests = list(await session.scalars(unneeded.limit(100)))
    for digest in digests:
        claim = new_id()
        # Claimed, so that a build of the same lock waits until the folder is gone instead of adopting it.
        if await claims.prefix(digest, claim) == "busy":
            continue
        async with database.read() as session:
            again = await session.scalar(select(Prefix.digest).where(Prefix.digest == digest, ~needed))
        if again is None:
            await claims.prefix_done(digest, claim, size=await asyncio.to_thread(prefixes.size, digest))
            continue
        await asyncio.to_thread(prefixes.remove, prefixes.prefix(digest), aside=claim)
        async with database.write() as session:
            await session.execute(delete(Prefix).where(Prefix.digest == digest, Prefix.owner == claim))


async def _logs(database: Database, prefixes: Prefixes, *, grace: float) -> None:
    recent = utcnow() - timedelta(seconds=grace)
    names = [name.removesuffix(".log") for name in await asyncio.to_thread(os.listdir, prefixes.logs)]
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        async with database.read() as session:
            gone = await session.scalars(
                select(Version.id).where(
                    and_(Version.id.in_(some), Version.state == "deleted", Version.finished < recent)
                )
            )
            for version_id in gone:
                prefixes.log(version_id).unlink(missing_ok=True)
