"""Mending what can be mended: indexes from the packs themselves, references and counts from the manifests.

Nothing is forgotten that cannot be replaced: where a pack is away or damaged, its index stays until each chunk of it
has been found elsewhere, so a disk that was not mounted costs nothing. It may run beside the service.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts import manifest as manifests
from pumpkin_services.artifacts.chunks import UNFINISHED, groups, refer, settle
from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.db import Database
from pumpkin_services.problems import Problem
from pumpkin_services.storage.base import ObjectMissing, ObjectStore

Bad = dict[str, set[str]]
"""The chunks that cannot be read where the index says they lie, by object."""


@dataclass(kw_only=True)
class Mender:
    """Mends a store; `bad` is what a check of the objects found, `done` tells in words what was mended."""

    database: Database
    store: ObjectStore
    bad: Bad
    done: list[str] = field(default_factory=list[str])
    _searched: set[str] = field(default_factory=set[str])

    async def run(self) -> None:
        """Mend everything that can be."""
        await self._let_go()
        await self._replace()
        async with self.database.read() as session:
            query = select(VersionRow.id).where(VersionRow.state == "ready").order_by(VersionRow.id)
            ids = list(await session.scalars(query))
        for version_id in ids:
            await self._version(version_id)

    async def _let_go(self) -> None:
        """End references of versions that are no more."""
        alive = select(VersionRow.id).where(VersionRow.state.in_(("ready", *UNFINISHED)))
        async with self.database.write() as session:
            query = select(VersionObjectRow.version_id).where(VersionObjectRow.version_id.not_in(alive)).distinct()
            for version_id in list(await session.scalars(query)):
                await session.execute(delete(VersionObjectRow).where(VersionObjectRow.version_id == version_id))
                self.done.append(f"version {version_id} is no more and held objects: let go")

    async def _replace(self) -> None:
        """Forget damaged chunks that lie whole in another object."""
        for object_id, digests in list(self.bad.items()):
            replaced = 0
            for group in groups(sorted(digests), 500):
                async with self.database.write() as session:
                    good = {digest for digest, place in await self._places(session, group) if place != object_id}
                    await session.execute(
                        delete(ChunkRow).where(ChunkRow.object_id == object_id, ChunkRow.hash.in_(good))
                    )
                digests -= good
                replaced += len(good)
            if replaced:
                self.done.append(f"object packs/{object_id}: {replaced} damaged chunks lie whole in others")
            if not digests and await self._fit(object_id):
                del self.bad[object_id]

    async def _fit(self, object_id: str) -> bool:
        """Make a pack's size what it is, all of whose chunks are right; tell whether it could be."""
        async with self.database.write() as session:
            row = await session.get(ObjectRow, object_id)
            if row is None or row.kind != "packs":
                return row is None
            if (found := await asyncio.to_thread(self.store.stat, row.key)) is not None and found.size != row.size:
                self.done.append(f"object {row.key}: has {found.size} bytes, all that are needed: noted")
                row.size = found.size
        return True

    async def _places(self, session: AsyncSession, hashes: Iterable[str]) -> list[tuple[str, str]]:
        """Return (hash, object) wherever chunks can be read."""
        query = (
            select(ChunkRow.hash, ChunkRow.object_id)
            .join(ObjectRow, ObjectRow.id == ChunkRow.object_id)
            .where(ChunkRow.hash.in_(list(hashes)), ObjectRow.registered)
            .order_by(ChunkRow.object_id)
        )
        rows = await session.execute(query)
        return [(digest, place) for digest, place in rows if digest not in self.bad.get(place, ())]

    async def _version(self, version_id: str) -> None:
        """Let a version refer to what it needs, and count how it uses it."""
        async with self.database.read() as session:
            row = await session.get(VersionRow, version_id)
            held = await _held(session, version_id)
        if row is None or row.state != "ready" or row.manifest_id is None:
            return
        try:
            wanted = await asyncio.to_thread(_chunks, self.store, f"manifests/{row.manifest_id}")
        except (ObjectMissing, Problem, ValueError, KeyError, OSError):
            return  # the check names it
        places = await self._find(wanted)
        if missing := wanted.keys() - places.keys():
            await self._rebuild(held.keys() - {row.manifest_id}, wanted)
            places |= await self._find(missing)
        whole = not wanted.keys() - places.keys()
        needed = _choose(places, held)
        name = f"version {row.id} (number {row.number} of {row.kind} {row.asset_id})"
        async with self.database.write() as session:
            now = await session.get(VersionRow, version_id, with_for_update=True, populate_existing=True)
            if now is None or now.state != "ready" or await _held(session, version_id) != held:
                return  # something went on with it meanwhile: it is for the next run
            if more := needed - held.keys():
                await refer(session, version_id, more)
                self.done.append(f"{name} did not hold {len(more)} objects it needs: it does now")
            if not whole:
                return
            used = await _count(session, needed, wanted)
            if row.manifest_id not in held or {key: held[key] for key in held if key != row.manifest_id} != used:
                await settle(session, version_id, used, manifest_id=row.manifest_id)
                if not more:
                    self.done.append(f"{name} counted what it uses wrongly: counted anew")

    async def _find(self, hashes: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for group in groups(hashes, 500):
            async with self.database.read() as session:
                for digest, place in await self._places(session, group):
                    found.setdefault(digest, []).append(place)
        return found

    async def _rebuild(self, objects: Iterable[str], wanted: dict[str, int]) -> None:
        """Look for chunks in packs whose index has gaps; what is found goes into the index."""
        for object_id in sorted(set(objects) - self._searched):
            self._searched.add(object_id)
            async with self.database.read() as session:
                row = await session.get(ObjectRow, object_id)
                query = select(ChunkRow).where(ChunkRow.object_id == object_id).order_by(ChunkRow.offset)
                known = {chunk.offset: chunk for chunk in await session.scalars(query)}
            bad = self.bad.get(object_id, set())
            good = {at: chunk.size for at, chunk in known.items() if chunk.hash not in bad}
            if row is None or row.kind != "packs" or sum(good.values()) == row.size:
                continue
            try:
                data = await asyncio.to_thread(self.store.read, row.key)
            except (ObjectMissing, OSError):
                continue
            found = await asyncio.to_thread(find_chunks, data, list(wanted.items()), good)
            fresh = {digest: (at, size) for at, digest, size in found}
            if not fresh:
                continue
            async with self.database.write() as session:
                for group in groups(fresh, 500):
                    await session.execute(
                        delete(ChunkRow).where(ChunkRow.object_id == object_id, ChunkRow.hash.in_(group))
                    )
                rows = [
                    {"hash": digest, "object_id": object_id, "offset": at, "size": size}
                    for digest, (at, size) in fresh.items()
                ]
                await session.execute(insert(ChunkRow), rows)
            bad -= fresh.keys()
            if not bad:
                self.bad.pop(object_id, None)
            self.done.append(f"object {row.key}: {len(fresh)} chunks found in it that its index did not have")


def _chunks(store: ObjectStore, key: str) -> dict[str, int]:
    return {digest: size for entry in manifests.read(store.stream(key)) for digest, size in entry.chunks}


async def _held(session: AsyncSession, version_id: str) -> dict[str, int | None]:
    query = select(VersionObjectRow.object_id, VersionObjectRow.used).where(VersionObjectRow.version_id == version_id)
    return {object_id: used for object_id, used in await session.execute(query)}  # noqa: C416 - rows, not pairs


def _choose(places: dict[str, list[str]], held: dict[str, int | None]) -> set[str]:
    """Return the objects a version needs: what it holds as far as that will do."""
    needed: set[str] = set()
    for found in places.values():
        if needed.isdisjoint(found):
            needed.add(next((place for place in found if place in held), found[0]))
    # What it holds and uses it keeps, or a version told by two objects would be counted otherwise each time.
    return needed | {place for found in places.values() for place in found if held.get(place)}


async def _count(session: AsyncSession, objects: set[str], wanted: dict[str, int]) -> dict[str, int]:
    used: dict[str, int] = {}
    for object_id in objects:
        found = await session.scalars(select(ChunkRow.hash).where(ChunkRow.object_id == object_id))
        used[object_id] = sum(digest in wanted for digest in found)
    return used


def find_chunks(
    data: bytes, candidates: Sequence[tuple[str, int]], known: dict[int, int]
) -> list[tuple[int, str, int]]:
    """Return which of `candidates` (hash, size) lie in the gaps that `known` (offset: size) leaves of a pack.

    They are tried in their order first, for packs are filled in the order of the manifest.
    """
    places = {candidate: number for number, candidate in enumerate(candidates)}
    sizes = sorted({size for _, size in candidates})
    found: list[tuple[int, str, int]] = []
    at, following = 0, 0
    while at < len(data):
        if at in known:
            at += known[at]
            continue
        end = min((offset for offset in known if offset > at), default=len(data))
        gap = memoryview(data)[at:end]
        hit = candidates[following] if following < len(candidates) else None
        if hit is None or hashlib.sha256(gap[: hit[1]]).hexdigest() != hit[0] or hit[1] > len(gap):
            hit = _any_size(gap, sizes, places)
        if hit is None:  # nobody knows what lies here
            at = end
            continue
        found.append((at, *hit))
        following = places[hit] + 1
        at += hit[1]
    return found


def _any_size(gap: memoryview, sizes: list[int], places: dict[tuple[str, int], int]) -> tuple[str, int] | None:
    seen, at = hashlib.sha256(), 0
    for size in sizes:
        if size > len(gap):
            return None
        seen.update(gap[at:size])
        at = size
        if (hit := (seen.hexdigest(), size)) in places:
            return hit
    return None
