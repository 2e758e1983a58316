"""Packs of which little is needed any more, written anew with only that.

In three steps, so that neither uploads nor readers are held up, and so that a crash loses nothing: `plan` makes the
new pack's row and lets the versions refer to it as well; `copy` writes its bytes; `swap` lets the versions go over
to it, unless the old pack has got another user meanwhile. The old pack is then one nothing refers to, which the
collector keeps for the grace time: who is reading it finds it there.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.chunks import groups, record
from pumpkin_services.artifacts.core import Core
from pumpkin_services.artifacts.deltas import occurring
from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.storage.base import ObjectMissing

log = logging.getLogger("pumpkin.artifacts")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A pack to be written anew: `needed` chunks of `old` as (hash, offset, size) go into `new`.

    `users` are the versions that need the pack, each with which of the chunks it has.
    """

    old: ObjectRow
    new: ObjectRow
    needed: list[tuple[str, int, int]]
    users: dict[str, set[str]]


async def rewrite(core: Core) -> int:
    """Write anew every pack more than half of which nobody needs; return how many bytes that saves."""
    saved = 0
    for object_id in await candidates(core):
        made = await plan(core, object_id)
        if made is not None and await copy(core, made) and await swap(core, made):
            saved += made.old.size - made.new.size
    return saved


async def candidates(core: Core) -> list[str]:
    """Return the packs no version has more than half of, except those already found to be needed by several."""
    needs = (
        select(
            VersionObjectRow.object_id.label("id"),
            func.max(VersionObjectRow.used).label("most"),
            func.count().label("users"),
            func.count(VersionObjectRow.used).label("counted"),
        )
        .group_by(VersionObjectRow.object_id)
        .subquery()
    )
    chunks = select(func.count()).where(ChunkRow.object_id == ObjectRow.id).scalar_subquery()
    query = (
        select(ObjectRow.id)
        .join(needs, needs.c.id == ObjectRow.id)
        .where(ObjectRow.kind == "packs", ObjectRow.registered, needs.c.users == needs.c.counted)
        .where(needs.c.most * 2 <= chunks, needs.c.most > 0)
        .order_by(ObjectRow.id)
    )
    async with core.database.read() as session:
        found = list(await session.scalars(query))
        users = {object_id: frozenset(await _users(session, object_id)) for object_id in found}
    core.needed = {object_id: users[object_id] for object_id in core.needed.keys() & users.keys()}
    return [object_id for object_id in found if core.needed.get(object_id) != users[object_id]]


async def _users(session: AsyncSession, object_id: str) -> dict[str, str | None]:
    """Return the versions that refer to an object, with their manifests: None for an unfinished one."""
    query = (
        select(VersionRow.id, VersionRow.manifest_id, VersionRow.state)
        .join(VersionObjectRow, VersionObjectRow.version_id == VersionRow.id)
        .where(VersionObjectRow.object_id == object_id)
    )
    rows = await session.execute(query)
    return {version_id: manifest if state == "ready" else None for version_id, manifest, state in rows}


async def plan(core: Core, object_id: str) -> Plan | None:
    """Make a place for what is needed of a pack; None when that is half of it or more, or an upload counts on it."""
    async with core.database.read() as session:
        users = await _users(session, object_id)
        held = select(ChunkRow.hash, ChunkRow.offset, ChunkRow.size).where(ChunkRow.object_id == object_id)
        chunks = [(digest, offset, size) for digest, offset, size in await session.execute(held)]
    hashes, needs = {digest for digest, _, _ in chunks}, dict[str, set[str]]()
    for version_id, manifest in users.items():
        if manifest is None:
            return None
        key = f"manifests/{manifest}"
        needs[version_id] = await asyncio.to_thread(occurring, core.store, key, hashes, besides=frozenset())
    needed = sorted((chunk for chunk in chunks if any(chunk[0] in use for use in needs.values())), key=lambda at: at[1])
    size = sum(size for _, _, size in needed)
    async with core.database.write() as session:
        old = await session.get(ObjectRow, object_id, with_for_update=True)
        if old is None or not needed or set(await _users(session, object_id)) != set(users):
            return None
        if size * 2 >= old.size:
            core.needed[object_id] = frozenset(users)
            return None
        new = ObjectRow(kind="packs", workspace=old.workspace, creator=old.creator, size=size)
        session.add(new)
        await session.flush()
        session.add_all(VersionObjectRow(version_id=version_id, object_id=new.id, used=0) for version_id in users)
    return Plan(old=old, new=new, needed=needed, users=needs)


async def copy(core: Core, made: Plan) -> bool:
    """Write the new pack; tell whether the old one had all of it."""
    try:
        await asyncio.to_thread(_copy, core, made)
    except (ObjectMissing, ValueError) as error:
        async with core.database.read() as session:
            if await session.get(ObjectRow, made.old.id) is not None:  # else it was collected meanwhile
                log.error("the pack %s is damaged (%s) and stays as it is: run fsck", made.old.id, error)
        await drop(core, made.new.id)
        return False
    except BaseException:
        await asyncio.shield(drop(core, made.new.id))
        raise
    return True


def _copy(core: Core, made: Plan) -> None:
    with core.store.create(made.new.key) as sink:
        for digest, offset, size in made.needed:
            seen = hashlib.sha256()
            for piece in core.store.stream(made.old.key, offset=offset, size=size):
                seen.update(piece)
                sink.write(piece)
            if seen.hexdigest() != digest:
                raise ValueError(f"the chunk at byte {offset} is not what its hash names")


async def swap(core: Core, made: Plan) -> bool:
    """Let the versions go over to the new pack; tell whether they did: not if the old one's users have changed."""
    async with core.database.write() as session:
        # Whoever begins to refer to the old pack in this moment keeps it; nobody loses anything.
        await session.get(ObjectRow, made.old.id, with_for_update=True)
        same = set(await _users(session, made.old.id)) == set(await _users(session, made.new.id)) == set(made.users)
        if same:
            await record(session, made.new.id, [(digest, size) for digest, _, size in made.needed])
            for version_id, use in made.users.items():
                await session.execute(
                    update(VersionObjectRow)
                    .where(VersionObjectRow.version_id == version_id, VersionObjectRow.object_id == made.new.id)
                    .values(used=len(use), whole=len(use) == len(made.needed))
                )
            for group in groups(made.users, 500):
                await session.execute(
                    delete(VersionObjectRow).where(
                        VersionObjectRow.object_id == made.old.id, VersionObjectRow.version_id.in_(group)
                    )
                )
    if not same:
        await drop(core, made.new.id)
    return same


async def drop(core: Core, object_id: str) -> None:
    """Give up a new pack: nothing refers to it any more, the collector takes it."""
    async with core.database.write() as session:
        await session.execute(delete(VersionObjectRow).where(VersionObjectRow.object_id == object_id))


async def drop_unfinished(core: Core, *, before: datetime) -> None:
    """Give up new packs begun before `before` whose process went away."""
    query = (
        select(ObjectRow.id)
        .join(VersionObjectRow, VersionObjectRow.object_id == ObjectRow.id)
        .where(ObjectRow.created <= before, ~ObjectRow.registered, VersionObjectRow.used == 0)
        .distinct()
    )
    async with core.database.read() as session:
        left = list(await session.scalars(query))
    for object_id in left:
        await drop(core, object_id)
