"""Packs written anew without what nobody needs, while uploads, deletions and collections go on."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts import rewrite
from pumpkin_services.artifacts.access import Owned
from pumpkin_services.artifacts.collector import collect
from pumpkin_services.artifacts.tables import ObjectRow, VersionRow
from tests.unit.artifacts.support import World, make_world, manifest, principal, sha
from tests.unit.artifacts.test_deltas import delta, uses
from tests.unit.artifacts.test_store import NOW

BLOBS = [bytes([65 + number]) * (100 * number + 100) for number in range(8)]
ALL = {f"f{number}": blob for number, blob in enumerate(BLOBS)}


async def remove(world: World, version_id: str) -> None:
    async with world.database.write() as session:
        await world.artifacts.delete_version(session, version_id)


def pack_bytes(world: World) -> int:
    return sum(stored.size for stored in world.store.list("packs/"))


async def test_a_pack_that_is_mostly_dead_is_written_anew(world: World) -> None:
    owned = await world.dataset()
    first = await world.capture(owned, ALL)
    few = {"f0": BLOBS[0], "f3": BLOBS[3]}
    second = await world.capture(owned, few)
    assert pack_bytes(world) == sum(map(len, BLOBS))
    assert await rewrite.rewrite(world.artifacts.core) == 0
    await remove(world, first)
    await world.artifacts.collect(grace=NOW)
    assert pack_bytes(world) == 500
    assert await world.contents(second) == few
    assert list((await uses(world, second)).values()) == [2]
    assert (await world.artifacts.fsck()).damage == []


async def test_a_pack_of_which_several_versions_need_different_parts_stays(world: World) -> None:
    owned = await world.dataset()
    first = await world.capture(owned, ALL)
    for number in range(0, 8, 2):
        await world.capture(owned, {f"f{number}": BLOBS[number], f"f{number + 1}": BLOBS[number + 1]})
    await remove(world, first)
    assert await rewrite.rewrite(world.artifacts.core) == 0
    assert len(world.artifacts.core.needed) == 1
    assert await rewrite.candidates(world.artifacts.core) == []


async def test_who_is_reading_a_pack_finds_it_for_the_grace_time(world: World) -> None:
    owned = await world.dataset()
    first = await world.capture(owned, ALL)
    second = await world.capture(owned, {"f0": BLOBS[0]})
    async with world.database.read() as session:
        pack = await session.scalar(select(ObjectRow).where(ObjectRow.kind == "packs"))
    assert pack is not None
    await remove(world, first)
    assert await rewrite.rewrite(world.artifacts.core) > 0
    assert world.store.read(pack.key, size=100) == BLOBS[0]
    assert await world.contents(second) == {"f0": BLOBS[0]}


async def test_a_damaged_pack_is_not_written_anew(world: World) -> None:
    owned = await world.dataset()
    first = await world.capture(owned, ALL)
    await world.capture(owned, {"f0": BLOBS[0]})
    [stored] = world.store.list("packs/")
    world.store.path(stored.key).write_bytes(bytes(stored.size))
    await remove(world, first)
    assert await rewrite.rewrite(world.artifacts.core) == 0
    assert [found.key for found in world.store.list("packs/")] == [stored.key]


async def test_a_rewrite_whose_process_went_away_is_given_up(world: World) -> None:
    owned = await world.dataset()
    first = await world.capture(owned, ALL)
    second = await world.capture(owned, {"f0": BLOBS[0]})
    await remove(world, first)
    [candidate] = await rewrite.candidates(world.artifacts.core)
    assert await rewrite.plan(world.artifacts.core, candidate) is not None
    await collect(world.artifacts.core, grace=NOW, abandoned=NOW)
    assert await rewrite.rewrite(world.artifacts.core) > 0
    await collect(world.artifacts.core, grace=NOW)
    assert pack_bytes(world) == 100
    assert await world.contents(second) == {"f0": BLOBS[0]}
    assert (await world.artifacts.fsck()).orphan_objects == 0


# Every interleaving: uploads, rewrites, deletions and collections, each a step at a time.

# Not all that comes is in the pack everything begins with, or each step would give it a new user.
contents = st.sampled_from([BLOBS[0], *(b"%d" % number * 90 for number in range(20))])
trees = st.dictionaries(st.sampled_from(sorted(ALL)), contents, min_size=1, max_size=3)
some = st.integers(0, 3)
actions = {"push": trees, "begin": trees, "upload": some, "plan": some, "rewrite": some, "delete": some}
often = ["push", "begin", *["upload"] * 4, *["plan"] * 2, *["rewrite"] * 6, "delete", "collect"]
steps = st.lists(
    st.sampled_from(often).flatmap(lambda name: st.tuples(st.just(name), actions.get(name, st.none()))),
    min_size=10,
    max_size=30,
)


@dataclass
class Upload:
    """An upload on its way, as far as `step`."""

    id: str
    files: dict[str, bytes]
    step: int = 0
    missing: list[str] = field(default_factory=list[str])


class Play:
    """A world in which everything happens a step at a time; `alive` is what must be readable whenever one looks."""

    def __init__(self, world: World, owned: Owned) -> None:
        self.world = world
        self.owned = owned
        self.ann = principal("ann")
        self.alive: dict[str, dict[str, bytes]] = {}
        self.uploads: list[Upload] = []
        self.plans: list[tuple[rewrite.Plan, bool]] = []

    async def push(self, files: dict[str, bytes]) -> None:
        self.alive[await self.world.capture(self.owned, files)] = files

    async def begin(self, files: dict[str, bytes]) -> None:
        async with self.world.database.write() as session:
            made = await self.world.artifacts.uploads.create(session, self.ann, owned=self.owned)
        self.uploads.append(Upload(made.id, files))

    async def upload(self, which: int) -> None:
        if not self.uploads:
            return
        upload = self.uploads[which % len(self.uploads)]
        work = (self._ask, self._send, self._tell, self._commit)[upload.step]
        upload.step += 1
        await work(upload)

    async def _ask(self, upload: Upload) -> None:
        hashes = list({sha(data) for data in upload.files.values()})
        async with self.world.database.write() as session:
            upload.missing = await self.world.artifacts.uploads.missing(
                session, self.ann, upload_id=upload.id, owned=self.owned, hashes=hashes
            )

    async def _send(self, upload: Upload) -> None:
        if not upload.missing:
            return
        blobs = {sha(data): data for data in upload.files.values()}
        parts = [blobs[digest] for digest in upload.missing]
        request = wire.ObjectsRequest(sizes=[sum(map(len, parts))])
        async with self.world.database.write() as session:
            [target] = await self.world.artifacts.uploads.targets(
                session, upload_id=upload.id, owned=self.owned, request=request
            )
        with self.world.store.create(f"packs/{target.id}") as sink:
            sink.write(b"".join(parts))
        chunks = [wire.Chunk(hash=sha(part), size=len(part)) for part in parts]
        index = wire.PackIndex(chunks=chunks)
        await self.world.artifacts.uploads.register(upload.id, object_id=target.id, owned=self.owned, index=index)

    async def _tell(self, upload: Upload) -> None:
        async def stream(body: bytes) -> AsyncIterator[bytes]:
            yield body

        async with self.world.database.read() as session:
            rows = select(VersionRow).where(VersionRow.state == "ready").order_by(VersionRow.number.desc())
            base = await session.scalar(rows.limit(1))
        if base is None or base.number is None:
            body = manifest(upload.files)
            await self.world.artifacts.uploads.put_manifest(upload.id, owned=self.owned, stream=stream(body))
        else:
            body = delta(self.alive[base.id], upload.files)
            await self.world.artifacts.deltas.put(upload.id, owned=self.owned, base=base.number, stream=stream(body))

    async def _commit(self, upload: Upload) -> None:
        await self.world.artifacts.uploads.commit(upload.id, owned=self.owned)
        self.uploads.remove(upload)
        done = await self.world.artifacts.uploads.get(upload.id, owned=self.owned, wait=60)
        assert done.state == "ready", done.error
        self.alive[upload.id] = upload.files

    async def plan(self, which: int) -> None:
        found = await rewrite.candidates(self.world.artifacts.core)
        if found and (made := await rewrite.plan(self.world.artifacts.core, found[which % len(found)])):
            self.plans.append((made, False))

    async def rewrite(self, which: int) -> None:
        if not self.plans:
            return
        made, copied = self.plans.pop(which % len(self.plans))
        if copied:
            await rewrite.swap(self.world.artifacts.core, made)
        elif await rewrite.copy(self.world.artifacts.core, made):
            self.plans.append((made, True))

    async def delete(self, which: int) -> None:
        if self.alive:
            gone = sorted(self.alive)[which % len(self.alive)]
            del self.alive[gone]
            await remove(self.world, gone)

    async def collect(self, _: None) -> None:
        await collect(self.world.artifacts.core, grace=NOW)

    async def check(self) -> None:
        for version_id, files in self.alive.items():
            assert await self.world.contents(version_id) == files


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(script=steps)
def test_in_every_order_of_steps_versions_are_whole_and_uploads_get_ready(script: list[tuple[str, object]]) -> None:
    asyncio.run(_play(script))


async def _play(script: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with make_world(Path(folder)) as world:
            play = Play(world, await world.dataset())
            # Of everything that was pushed first, little is needed from the beginning.
            before: list[tuple[str, object]] = [("push", ALL), ("push", {"f0": BLOBS[0]}), ("delete", 0)]
            for name, value in [*before, *script]:
                await getattr(play, name)(value)
                await play.check()
            while play.uploads:
                await play.upload(0)
            while play.plans:
                await play.rewrite(0)
            await play.check()
            for version_id in play.alive:
                await uses(world, version_id)
            for _ in range(3):
                await collect(world.artifacts.core, grace=NOW, abandoned=NOW)
            await play.check()
            report = await world.artifacts.fsck()
            assert (report.damage, report.versions) == ([], len(play.alive))
            assert (report.orphan_objects, report.stray_files) == (0, 0)
            assert world.objects() == report.objects
