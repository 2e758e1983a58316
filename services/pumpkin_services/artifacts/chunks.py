"""Where chunks lie and who may know that they are there: the queries, in batches every database takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.db import table
from pumpkin_services.problems import Problem

T = TypeVar("T")
MANY = 250_000
"""Chunks that are read at once at most: some 100 MiB in memory."""
UNFINISHED = ("uploading", "verifying")
MayRead = Callable[[set[str]], Awaitable[set[str]]]


class Location(NamedTuple):
    """`size` bytes at `offset` of the pack `object_id`."""

    object_id: str
    offset: int
    size: int

    @property
    def key(self) -> str:
        """The key of the pack in the object store."""
        return f"packs/{self.object_id}"


class Damaged(Problem):
    """The store lacks what a version needs, or has it wrong."""

    status = 500
    reason = "damaged"
    title = "The store is damaged"


def groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut `items` into lists of at most `size`."""
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def runs(places: Iterable[Location]) -> Iterator[Location]:
    """Join places that lie one behind the other in a pack: a file cut into many chunks is then read in few requests."""
    run: Location | None = None
    for place in places:
        if run is not None and (place.object_id, place.offset) == (run.object_id, run.offset + run.size):
            run = Location(run.object_id, run.offset, run.size + place.size)
            continue
        if run is not None:
            yield run
        run = place
    if run is not None:
        yield run


async def locate(session: AsyncSession, version_id: str, hashes: Iterable[str]) -> dict[str, Location]:
    """Return where chunks lie, as far as they are in objects the version holds."""
    return await Usage(version_id).add(session, hashes)


class Usage:
    """Finds chunks in the objects a version holds, and counts how many of its chunks each of the objects has."""

    def __init__(self, version_id: str) -> None:
        self._needed: set[str] = set()
        self._used: defaultdict[str, set[bytes]] = defaultdict(set)
        self._held = (
            select(ChunkRow.hash, ChunkRow.object_id, ChunkRow.offset, ChunkRow.size)
            .join(VersionObjectRow, VersionObjectRow.object_id == ChunkRow.object_id)
            .where(VersionObjectRow.version_id == version_id)
        )
        self._all: dict[str, list[Location]] | None = None

    async def load(self, session: AsyncSession) -> None:
        """Read all there is at once, unless it is very much: for who will ask for nearly all of it."""
        count, places = 0, defaultdict[str, list[Location]](list)
        found = await session.stream(self._held.limit(MANY + 1))
        async for rows in found.partitions(1000):  # others get their turn in between
            count += len(rows)
            for digest, object_id, offset, size in rows:
                places[digest].append(Location(object_id, offset, size))
        if count <= MANY:
            self._all = places

    async def add(self, session: AsyncSession, hashes: Iterable[str]) -> dict[str, Location]:
        """Return where chunks lie, as far as they are there."""
        found: dict[str, Location] = {}
        async for digest, places in self._look(session, set(hashes)):
            for place in places:
                self._used[place.object_id].add(bytes.fromhex(digest))
                known = found.get(digest)
                # The same choice every time, so that the fewest objects are needed.
                if known is None or place.object_id < known.object_id:
                    found[digest] = place
        self._needed.update(place.object_id for place in found.values())
        return found

    async def _look(self, session: AsyncSession, hashes: set[str]) -> AsyncIterator[tuple[str, list[Location]]]:
        if self._all is not None:
            for digest in hashes & self._all.keys():
                yield digest, self._all[digest]
            return
        for group in groups(hashes, 500):
            rows = await session.execute(self._held.where(ChunkRow.hash.in_(group)))
            for digest, object_id, offset, size in rows:
                yield digest, [Location(object_id, offset, size)]

    def counts(self) -> dict[str, int]:
        """Return the objects that are needed for what was found, and how much of what was asked for each has."""
        return {object_id: len(self._used[object_id]) for object_id in self._needed}


async def holders(session: AsyncSession, hashes: Iterable[str], objects: Iterable[str]) -> dict[str, set[str]]:
    """Return which of `objects` have which of `hashes`."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    among = set(objects)
    for group in groups(set(hashes), 500):
        for digest, object_id in await session.execute(
            select(ChunkRow.hash, ChunkRow.object_id).where(ChunkRow.hash.in_(group))
        ):
            if object_id in among:
                found[object_id].add(digest)
    return found


async def hold(session: AsyncSession, draft: VersionRow, hashes: Sequence[str], *, may_read: MayRead) -> list[str]:
    """Hold for `draft` every object that has one of `hashes` and that its creator may know of; return the rest.

    An object is known to whoever may read a version it is a whole part of, and to who sent it, as long as
    a version of theirs refers to it. A pack that a readable version uses in part only may hold other
    people's bytes: it does not count.
    """
    wanted = dict.fromkeys(hashes)
    objects: defaultdict[str, list[str]] = defaultdict(list)
    for group in groups(wanted, 500):
        query = select(ChunkRow.hash, ChunkRow.object_id).where(ChunkRow.hash.in_(group))
        for digest, object_id in await session.execute(query):
            objects[object_id].append(digest)
    known = await _known(session, draft, set(objects), may_read=may_read)
    # The fullest first: a version should need few objects.
    present: set[str] = set()
    needed: set[str] = set()
    for object_id in sorted(known, key=lambda object_id: (-len(objects[object_id]), object_id)):
        if not present.issuperset(objects[object_id]):
            present.update(objects[object_id])
            needed.add(object_id)
    await refer(session, draft.id, needed)
    return [digest for digest in wanted if digest not in present]


async def _known(session: AsyncSession, draft: VersionRow, objects: set[str], *, may_read: MayRead) -> set[str]:
    own: set[str] = set()
    by_asset: defaultdict[str, set[str]] = defaultdict(set)
    for group in groups(objects, 500):
        query = (
            select(
                VersionObjectRow.object_id,
                VersionObjectRow.whole,
                VersionRow.asset_id,
                VersionRow.state,
                VersionRow.creator,
                ObjectRow.creator,
            )
            .join(VersionRow, VersionRow.id == VersionObjectRow.version_id)
            .join(ObjectRow, ObjectRow.id == VersionObjectRow.object_id)
            .where(VersionObjectRow.object_id.in_(group), ObjectRow.registered)
            .distinct()
        )
        for object_id, whole, asset_id, state, creator, sender in await session.execute(query):
            if state == "ready" and (whole or sender == draft.creator):
                by_asset[asset_id].add(object_id)
            elif state in UNFINISHED and creator == sender == draft.creator:
                own.add(object_id)
    readable = await may_read(set(by_asset))
    return own.union(*(by_asset[asset_id] for asset_id in readable))


async def refer(session: AsyncSession, version_id: str, objects: set[str]) -> None:
    """Make a version refer to objects that something refers to already: nobody takes them away then."""
    held: set[str] = set()
    for group in groups(objects, 500):
        query = select(VersionObjectRow.object_id).where(
            VersionObjectRow.version_id == version_id, VersionObjectRow.object_id.in_(group)
        )
        held.update(await session.scalars(query))
        await session.execute(update(ObjectRow).where(ObjectRow.id.in_(group)).values(doomed=None))
    rows = [{"version_id": version_id, "object_id": object_id} for object_id in sorted(objects - held)]
    if rows:
        await session.execute(insert(VersionObjectRow), rows)


async def new_object(session: AsyncSession, draft: VersionRow, *, kind: str, size: int) -> ObjectRow:
    """Make the row of an object to be sent for `draft`, referred to from its first moment."""
    row = ObjectRow(kind=kind, workspace=draft.workspace, creator=draft.creator, size=size)
    session.add(row)
    await session.flush()
    session.add(VersionObjectRow(version_id=draft.id, object_id=row.id))
    await session.flush()
    return row


async def record(session: AsyncSession, object_id: str, chunks: Iterable[tuple[str, int]]) -> None:
    """Record what a pack holds, chunk after chunk; of a chunk that is in it twice, the first place counts."""
    rows: dict[str, dict[str, object]] = {}
    offset = 0
    for digest, size in chunks:
        rows.setdefault(digest, {"hash": digest, "object_id": object_id, "offset": offset, "size": size})
        offset += size
    await session.execute(insert(table(ChunkRow)), list(rows.values()))
    await session.execute(update(ObjectRow).where(ObjectRow.id == object_id).values(registered=True))


async def settle(session: AsyncSession, version_id: str, used: dict[str, int], *, manifest_id: str) -> None:
    """Leave `version_id` referring to exactly the packs it uses and its manifest.

    `used` maps packs to how many of their chunks, all counted, the version has.
    """
    counts: dict[str, int] = {}
    for group in groups(used, 500):
        query = (
            select(ChunkRow.object_id, func.count()).where(ChunkRow.object_id.in_(group)).group_by(ChunkRow.object_id)
        )
        counts.update((object_id, count) for object_id, count in await session.execute(query))
    await release(session, version_id)
    rows: list[dict[str, object]] = [
        {"version_id": version_id, "object_id": object_id, "whole": count == counts[object_id], "used": count}
        for object_id, count in sorted(used.items())
    ]
    rows.append({"version_id": version_id, "object_id": manifest_id, "whole": False, "used": None})
    await session.execute(insert(VersionObjectRow), rows)


async def release(session: AsyncSession, version_id: str) -> None:
    """Let go of everything a version refers to; the collector takes what nobody else needs."""
    await session.execute(delete(VersionObjectRow).where(VersionObjectRow.version_id == version_id))
