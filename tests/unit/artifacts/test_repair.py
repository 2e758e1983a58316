"""What `pumpkin fsck --repair` mends, and what it names because it cannot."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from pumpkin_services.artifacts.collector import collect
from pumpkin_services.artifacts.fsck import main as fsck
from pumpkin_services.artifacts.repair import find_chunks
from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionObjectRow, VersionRow
from tests.unit.artifacts.support import World, sha
from tests.unit.artifacts.test_deltas import uses
from tests.unit.artifacts.test_store import NOW

FILES = {"a": b"1" * 1000, "b/c": b"2" * 2000, "b/d": b"3" * 500, "e": b""}


async def pack_of(world: World, version_id: str) -> ObjectRow:
    async with world.database.read() as session:
        query = select(ObjectRow).join(VersionObjectRow, VersionObjectRow.object_id == ObjectRow.id)
        query = query.where(VersionObjectRow.version_id == version_id, ObjectRow.kind == "packs")
        [row] = await session.scalars(query)
    return row


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", ["bit", "cut", "gone"])
async def test_what_another_pack_has_whole_is_taken_from_there(world: World, damage: str) -> None:
    ours = await world.capture(await world.dataset(), FILES)
    await world.capture(await world.dataset("theirs", who="bob"), FILES | {"more": b"9"})
    path = world.store.path((await pack_of(world, ours)).key)
    if damage == "bit":
        flip(path, 1500)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:1200])
    else:
        path.unlink()
    assert not (await world.artifacts.fsck()).whole
    mended = await world.artifacts.fsck(repair=True)
    assert mended.damage == []
    assert any("lie whole in others" in line for line in mended.repaired)
    assert await world.contents(ours) == FILES
    await collect(world.artifacts.core, grace=NOW)
    again = await world.artifacts.fsck(repair=True)
    assert (again.damage, again.repaired) == ([], [])


async def test_a_lost_index_is_rebuilt_from_the_pack(world: World) -> None:
    made = await world.capture(await world.dataset(), FILES)
    async with world.database.write() as session:
        await session.execute(delete(ChunkRow))
    assert "'a', 'b/c', 'b/d'" in (await world.artifacts.fsck()).damage[0]
    mended = await world.artifacts.fsck(repair=True)
    assert (mended.damage, len(mended.repaired)) == ([], 1)
    assert await world.contents(made) == FILES
    await uses(world, made)


async def test_an_index_that_is_wrong_is_made_right(world: World) -> None:
    made = await world.capture(await world.dataset(), FILES)
    async with world.database.write() as session:
        await session.execute(update(ChunkRow).where(ChunkRow.hash == sha(FILES["b/c"])).values(offset=7))
    assert not (await world.artifacts.fsck()).whole
    assert (await world.artifacts.fsck(repair=True)).damage == []
    assert await world.contents(made) == FILES


async def test_lost_references_and_wrong_counts_are_made_again(world: World) -> None:
    owned = await world.dataset()
    first = await world.capture(owned, FILES)
    second = await world.capture(owned, {"a": FILES["a"]})
    async with world.database.write() as session:
        await session.execute(delete(VersionObjectRow).where(VersionObjectRow.version_id == first))
        counted = update(VersionObjectRow).where(VersionObjectRow.version_id == second)
        await session.execute(counted.where(VersionObjectRow.used.is_not(None)).values(used=3, whole=True))
    assert len((await world.artifacts.fsck()).damage) == 2
    assert (await world.artifacts.fsck(repair=True)).damage == []
    await collect(world.artifacts.core, grace=NOW)
    assert await world.contents(first) == FILES
    assert list((await uses(world, second)).values()) == [1]
    assert (await world.artifacts.fsck(repair=True)).repaired == []


async def test_what_a_version_that_is_no_more_held_is_let_go(world: World) -> None:
    made = await world.capture(await world.dataset(), FILES)
    async with world.database.write() as session:
        await session.execute(update(VersionRow).where(VersionRow.id == made).values(state="deleted"))
    mended = await world.artifacts.fsck(repair=True)
    assert (mended.damage, len(mended.repaired), mended.orphan_objects) == ([], 1, 2)
    await collect(world.artifacts.core, grace=NOW)
    assert world.objects() == 0


async def test_what_cannot_be_mended_is_named_and_nothing_is_forgotten(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await world.capture(await world.dataset(), FILES)
    path = world.store.path((await pack_of(world, made)).key)
    flip(path, 1500)
    command = ["--data", str(world.root), "--repair"]
    assert await asyncio.to_thread(fsck, command) == 1
    said = capsys.readouterr().out
    assert "no object it holds can give back what is in 'b/c'\n" in said
    assert f"version {made} (number 1 of dataset" in said
    moved = path.rename(path.with_suffix(".away"))
    assert await asyncio.to_thread(fsck, command) == 1
    moved.rename(path)
    flip(path, 1500)
    assert await asyncio.to_thread(fsck, command) == 0
    assert await world.contents(made) == FILES


def test_chunks_are_found_in_gaps_in_any_order() -> None:
    parts = [bytes([65 + number]) * (10 + number) for number in range(6)]
    data = b"".join(parts)
    candidates = [(sha(part), len(part)) for part in parts]
    offsets = [sum(map(len, parts[:number])) for number in range(6)]
    everything = [(at, sha(part), len(part)) for at, part in zip(offsets, parts, strict=True)]
    assert find_chunks(data, candidates, {}) == everything
    assert find_chunks(data, candidates[::-1], {}) == everything
    known = {offsets[2]: len(parts[2])}
    without = [item for item in everything if item[0] not in (offsets[1], offsets[2])]
    assert find_chunks(data, [pair for pair in candidates if pair[0] != sha(parts[1])], known) == without
