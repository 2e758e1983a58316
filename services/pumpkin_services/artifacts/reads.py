"""Reading versions: lists, trees, files and ranges, archives, differences, signed URLs for bulk reads."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts import manifest as manifests
from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.access import Owned
from pumpkin_services.artifacts.chunks import Damaged, Location, groups, locate, runs
from pumpkin_services.artifacts.core import Core
from pumpkin_services.artifacts.diffs import differences
from pumpkin_services.artifacts.index import Index, Indexes
from pumpkin_services.artifacts.manifest import Entry
from pumpkin_services.artifacts.parts import split
from pumpkin_services.artifacts.proofs import Blocks, Proofs, around, proven
from pumpkin_services.artifacts.streams import ArchiveWriter
from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.db import utcnow
from pumpkin_services.problems import Invalid, NotFound
from pumpkin_services.storage.base import ObjectMissing
from pumpkin_services.storage.threads import in_thread
from pumpkin_services.web.paging import Page, decode_cursor, encode_cursor, paginate

URL_LIFETIME = timedelta(minutes=15)
URLS = 16
"""Signed URLs handed out at once: no more than are used while they are good."""
ENTRIES = 1000
VERIFIED = 4 << 20
"""Bytes of a chunk up to which a part of it is always read with the whole, to be verified."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of a chunk (`first` to `last`) and what is `read` for it: the blocks around it if they are
    `known`, else the whole, whose `blocks` are hashed on the way if they may be of use."""

    digest: str
    size: int
    read: Location
    first: int
    last: int
    known: list[bytes] | None
    blocks: Blocks | None


class Reads:
    """Reads versions that are ready."""

    def __init__(self, core: Core, *, indexes: Indexes) -> None:
        self.core = core
        self._indexes = indexes
        self._proofs = Proofs()

    async def list(self, session: AsyncSession, *, owned: Owned, query: wire.VersionQuery) -> Page[wire.Version]:
        """List the versions of a thing, newest first."""
        ready = select(VersionRow).where(VersionRow.asset_id == owned.asset_id, VersionRow.state == "ready")
        rows, following = await paginate(session, ready, key=VersionRow.id, query=query)
        return Page[wire.Version](items=[wire.Version.model_validate(row) for row in rows], next=following)

    async def find(self, session: AsyncSession, *, owned: Owned, number: str, field: str = "version") -> VersionRow:
        """Return the version with this number, or the `latest`; raise `NotFound` or `Invalid` naming `field`."""
        query = select(VersionRow).where(VersionRow.asset_id == owned.asset_id, VersionRow.state == "ready")
        if number == "latest":
            query = query.order_by(VersionRow.number.desc()).limit(1)
        elif number.isascii() and number.isdigit() and len(number) <= 9:
            query = query.where(VersionRow.number == int(number))
        else:
            raise Invalid("A version is a number from 1 up, or 'latest'.", field=field)
        row = await session.scalar(query)
        if row is None:
            what = "no version yet" if number == "latest" else f"no version {number}"
            raise NotFound(f"{owned.workspace}/{owned.name} has {what}.", field=field)
        return row

    async def tree(self, version: VersionRow, *, query: wire.TreeQuery) -> Page[wire.TreeEntry]:
        """List one folder by name."""
        folder = query.folder.strip("/")
        after = decode_cursor(query.cursor) if query.cursor else None
        index = await self._index(version)
        found = await asyncio.to_thread(index.folder, folder, after=after, limit=query.limit + 1)
        if not found and folder and await asyncio.to_thread(index.stat, folder) is None:
            raise NotFound(f"This version has no folder '{manifests.shown(folder)}'.", field="folder")
        following = encode_cursor(found[query.limit - 1].name) if len(found) > query.limit else None
        return Page[wire.TreeEntry](items=found[: query.limit], next=following)

    async def stat(self, version: VersionRow, *, path: str) -> wire.TreeEntry:
        """Describe a file or folder."""
        found = await asyncio.to_thread((await self._index(version)).stat, path.rstrip("/"))
        if found is None:
            raise NotFound(f"This version has no file or folder '{manifests.shown(path)}'.", field="path")
        return found

    async def file(self, version: VersionRow, *, path: str) -> Entry:
        """Return what the manifest says of a file."""
        found = await asyncio.to_thread((await self._index(version)).file, path)
        if found is None:
            raise NotFound(f"This version has no file '{manifests.shown(path)}'.", field="path")
        return found

    async def read_file(self, version: VersionRow, *, entry: Entry, start: int, end: int) -> AsyncIterator[bytes]:
        """Iterate over the bytes of a file from `start` to `end`, exclusive."""
        wanted: list[tuple[str, int, int]] = []
        position = 0
        for digest, size in entry.chunks:
            first, last = max(start - position, 0), min(end - position, size)
            if first < last:
                wanted.append((digest, first, last))
            position += size
        async with self.core.database.read() as session:
            places = await locate(session, version.id, [digest for digest, _, _ in wanted])
        async for piece in in_thread(self._pieces(wanted, places)):
            yield piece

    def _pieces(self, wanted: list[tuple[str, int, int]], places: dict[str, Location]) -> Iterator[bytes]:
        """Iterate over parts (hash, first, last) of chunks; of each its last piece comes only if it is right."""
        parts: list[Part] = []
        for digest, first, last in wanted:
            place = places.get(digest)
            if place is None:
                raise _lost(f"chunk {digest}")
            partial = place.size > VERIFIED and last - first < place.size
            known = self._proofs.get(digest) if partial else None
            begin, end = (0, place.size) if known is None else around(first, last, size=place.size)
            read = Location(place.object_id, place.offset + begin, end - begin)
            parts.append(Part(digest, place.size, read, first, last, known, Blocks() if partial else None))
        for part, pieces in zip(parts, split(self._joined(parts), [part.read.size for part in parts]), strict=True):
            if part.known is not None:
                yield from proven(part.known, pieces, part.first, part.last, size=part.size)
            else:
                yield from _verified(part, pieces)
                if part.blocks is not None:
                    self._proofs.keep(part.digest, part.blocks)

    def _joined(self, parts: list[Part]) -> Iterator[bytes]:
        for run in runs(part.read for part in parts):
            try:
                yield from self.core.store.stream(run.key, offset=run.offset, size=run.size)
            except ObjectMissing as error:
                raise _lost(f"object {run.key}") from error

    async def archive(
        self, version: VersionRow, *, archive_format: Literal["tar", "zip"], folder: str
    ) -> AsyncIterator[bytes]:
        """Iterate over an archive of a version, or of one folder of it."""
        prefix = folder.strip("/") + "/" if folder.strip("/") else ""
        writer = ArchiveWriter(archive_format, modified=version.committed or version.created)
        batches = groups((entry for entry in self.entries(version) if entry.path.startswith(prefix)), ENTRIES)
        while batch := await asyncio.to_thread(next, batches, None):
            async with self.core.database.read() as session:
                places = await locate(session, version.id, {digest for entry in batch for digest, _ in entry.chunks})

            def contents(entry: Entry, places: dict[str, Location] = places) -> Iterator[bytes]:
                return self._pieces([(digest, 0, size) for digest, size in entry.chunks], places)

            async for piece in in_thread(writer.add(batch, contents)):
                yield piece
        yield writer.end()

    def manifest(self, version: VersionRow) -> AsyncIterator[bytes]:
        """Iterate over the gzipped manifest."""
        return in_thread(self.core.store.stream(f"manifests/{version.manifest_id}"))

    async def objects(
        self, session: AsyncSession, version: VersionRow, *, creator: str, query: wire.VersionQuery
    ) -> Page[wire.ReadObject]:
        """List the objects a version is made of, with signed URLs: those all of whose bytes the caller may see.

        Files with chunks in other objects are read one by one.
        """
        whole = (
            select(VersionObjectRow.object_id)
            .join(VersionRow, VersionRow.id == VersionObjectRow.version_id)
            .where(VersionRow.asset_id == version.asset_id, VersionRow.state == "ready", VersionObjectRow.whole)
        )
        shown = (
            select(ObjectRow)
            .join(VersionObjectRow, VersionObjectRow.object_id == ObjectRow.id)
            .where(VersionObjectRow.version_id == version.id, ObjectRow.kind == "packs")
            .where(ObjectRow.id.in_(whole) | (ObjectRow.creator == creator))
        )
        page = query.model_copy(update={"limit": min(query.limit, URLS)})
        rows, following = await paginate(session, shown, key=ObjectRow.id, query=page)
        chunks: dict[str, list[wire.ReadChunk]] = {row.id: [] for row in rows}
        found = select(ChunkRow).where(ChunkRow.object_id.in_(chunks)).order_by(ChunkRow.object_id, ChunkRow.offset)
        for chunk in await session.scalars(found):
            chunks[chunk.object_id].append(wire.ReadChunk(hash=chunk.hash, offset=chunk.offset, size=chunk.size))
        expires = utcnow() + URL_LIFETIME
        items = [
            wire.ReadObject(
                id=row.id,
                url=self.core.store.presign_get(row.key, expires=expires),
                size=row.size,
                expires=expires,
                chunks=chunks[row.id],
            )
            for row in rows
        ]
        return Page[wire.ReadObject](items=items, next=following)

    async def diff(self, old: VersionRow, new: VersionRow, *, query: wire.DiffQuery) -> wire.Diff:
        """Compare two versions by path, content and mode."""
        after = decode_cursor(query.cursor) if query.cursor else ""
        return await asyncio.to_thread(
            differences, self.entries(old), self.entries(new), after=after, limit=query.limit
        )

    def entries(self, version: VersionRow) -> Iterator[Entry]:
        """Iterate over the manifest, in order of path; blocks."""
        return manifests.read(self.core.store.stream(f"manifests/{version.manifest_id}"))

    async def _index(self, version: VersionRow) -> Index:
        assert version.manifest_hash is not None
        return await asyncio.to_thread(self._indexes.get, version.manifest_hash, lambda: self.entries(version))


def _verified(part: Part, pieces: Iterator[memoryview]) -> Iterator[bytes]:
    seen, at, held = hashlib.sha256(), 0, memoryview(b"")
    for piece in pieces:
        seen.update(piece)
        if part.blocks is not None:
            part.blocks.update(piece)
        wanted = piece[max(part.first - at, 0) : max(part.last - at, 0)]
        at += len(piece)
        if wanted:
            if held:
                yield bytes(held)
            held = wanted
    if seen.hexdigest() != part.digest:
        raise Damaged(
            f"The store gave back chunk {part.digest} altered: try again; if it stays so, run `pumpkin fsck`."
        )
    if held:
        yield bytes(held)


def _lost(what: str) -> Damaged:
    return Damaged(f"The store has lost a part of this version ({what}): tell an admin to run `pumpkin fsck`.")
