"""Versions told as the difference from another: what is sent, what is held, what is refused."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pumpkin.config import Config
from pumpkin.transfer import push as sdk
from pumpkin_services.artifacts import manifest as manifests
from pumpkin_services.artifacts.blocks import MEMBER, lines, members, packed
from pumpkin_services.artifacts.collector import collect
from pumpkin_services.artifacts.deltas import merge
from pumpkin_services.artifacts.manifest import Entry, Summary, encode, read_delta
from pumpkin_services.artifacts.tables import ChunkRow, ObjectRow, VersionObjectRow, VersionRow
from tests.unit.artifacts.support import Site, World, begin, manifest, push, send, sha, write_files
from tests.unit.artifacts.test_store import NOW

BASE = "/datasets/ann/digits"


def entry(path: str, data: bytes) -> Entry:
    return Entry(path, len(data), 0o644, sha(data), ((sha(data), len(data)),) if data else ())


def written(files: Mapping[str, bytes]) -> tuple[bytes, Summary]:
    sink = io.BytesIO()
    summary = manifests.write([entry(path, data) for path, data in sorted(files.items())], sink)
    return sink.getvalue(), summary


def delta(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> bytes:
    """Return the difference as a client sends it."""
    told: dict[str, bytes] = {path: encode(entry(path, data)) for path, data in new.items() if old.get(path) != data}
    told |= {path: json.dumps({"path": path, "removed": True}).encode() + b"\n" for path in old.keys() - new.keys()}
    return gzip.compress(b"".join(line for _, line in sorted(told.items())))


def merged(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> tuple[bytes, Summary]:
    base, total = written(old)
    sink = io.BytesIO()
    summary, _ = merge([base], read_delta([delta(old, new)]), sink, total=total)
    return sink.getvalue(), summary


names = st.sampled_from([f"f{number:03}" for number in range(40)])
trees = st.dictionaries(names, st.sampled_from([b"", b"x", b"y" * 9]), max_size=40)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(old=trees, new=trees, size=st.sampled_from([200, 2000, MEMBER]))
def test_a_merged_manifest_is_the_one_that_would_be_written_anew(
    old: dict[str, bytes], new: dict[str, bytes], size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pumpkin_services.artifacts.blocks.MEMBER", size)
        patch.setattr("pumpkin_services.artifacts.blocks.SCRAP", size // 8)
        made, summary = merged(old, new)
        fresh, expected = written(new)
    assert summary == expected
    assert gzip.decompress(made) == gzip.decompress(fresh) == b"".join(text for _, text in members([made]))


@pytest.mark.parametrize("piece", [1, 7, 1000, 1 << 20])
def test_members_are_found_however_the_bytes_come(piece: int) -> None:
    data, _ = written({f"f{number:05}": bytes([number % 251]) for number in range(3000)})
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    found = list(members(pieces))
    assert len(found) > 2
    assert b"".join(member for member, _ in found) == data
    assert len(list(lines(pieces))) == 3000


def test_a_manifest_from_before_members_is_read_too() -> None:
    files = {f"f{number:05}": bytes([number % 251]) for number in range(3000)}
    fresh, total = written(files)
    old = gzip.compress(gzip.decompress(fresh))
    assert packed([old]) is None
    assert b"".join(text for _, text in members([old])) == gzip.decompress(fresh)
    sink = io.BytesIO()
    changed = files | {"f01000": b"new"}
    summary, _ = merge([old], read_delta([delta(files, changed)]), sink, total=total)
    assert summary == written(changed)[1]


def test_a_small_change_leaves_most_members_as_they_are() -> None:
    files = {f"f{number:05}": bytes([number % 251]) for number in range(20_000)}
    made, _ = merged(files, files | {"f10000": b"new"})
    old, new = packed([written(files)[0]]), packed([made])
    assert old is not None
    assert new is not None
    assert len(set(old) ^ set(new)) <= 4


async def amend(
    client: httpx.AsyncClient, old: Mapping[str, bytes], new: Mapping[str, bytes], *, base: int = 1
) -> dict[str, Any]:
    """Push `new` as the difference from version `base`."""
    upload = await begin(client, BASE)
    fresh = {sha(data): data for path, data in new.items() if data and old.get(path) != data}
    sent = await send(client, BASE, upload, fresh) if fresh else 0
    answer = await client.patch(f"{BASE}/uploads/{upload}/manifest", params={"base": base}, content=delta(old, new))
    if answer.status_code != 200:
        return answer.json()
    await client.post(f"{BASE}/uploads/{upload}/commit")
    return (await client.get(f"{BASE}/uploads/{upload}", params={"wait": 20})).json() | {"sent": sent}


@pytest.fixture
async def ann(site: Site):
    async with site.client() as client:
        await site.world.dataset()
        yield client


async def uses(world: World, version_id: str) -> dict[str, int | None]:
    """Return how many chunks of each pack a version says it has, checked against its manifest."""
    async with world.database.read() as session:
        row = await session.get_one(VersionRow, version_id)
        query = (
            select(VersionObjectRow)
            .join(ObjectRow, ObjectRow.id == VersionObjectRow.object_id)
            .where(VersionObjectRow.version_id == version_id, ObjectRow.kind == "packs")
        )
        found = list(await session.scalars(query))
        chunks = {digest for file in world.artifacts.reads.entries(row) for digest, _ in file.chunks}
        for held in found:
            own = set(await session.scalars(select(ChunkRow.hash).where(ChunkRow.object_id == held.object_id)))
            assert (held.used, held.whole) == (len(own & chunks), own <= chunks)
    return {held.object_id: held.used for held in found}


async def test_a_version_told_as_a_difference_is_whole(ann: httpx.AsyncClient, site: Site) -> None:
    old = {"a": b"one", "b": b"two", "c": b"three", "d": b""}
    new = {"a": b"one", "b": b"TWO", "e/f": b"three", "g": b"one"}
    await push(ann, BASE, old)
    done = await amend(ann, old, new)
    assert (done["state"], done["number"], done["files"], done["bytes"]) == ("ready", 2, 4, 14)
    assert await site.world.contents(done["id"]) == new
    assert sum((await uses(site.world, done["id"])).values()) == 3  # pyright: ignore
    full = await push(ann, BASE, new)
    hashes = [(await ann.get(f"{BASE}/versions/{number}")).json()["manifest_hash"] for number in (2, 3)]
    assert full["number"] == 3
    assert hashes[0] == hashes[1]


async def test_packs_no_file_needs_any_more_are_let_go(ann: httpx.AsyncClient, site: Site) -> None:
    old = {"a": b"one"}
    await push(ann, BASE, old)
    second = await amend(ann, old, old | {"b": b"two"})
    third = await amend(ann, old | {"b": b"two"}, old | {"b": b"three"}, base=2)
    counts = [list((await uses(site.world, version["id"])).values()) for version in (second, third)]
    assert counts == [[1, 1], [1, 1]]
    for number in (1, 2):
        await ann.delete(f"{BASE}/versions/{number}")
    for _ in range(2):
        await collect(site.world.artifacts.core, grace=NOW)
    assert sum(1 for _ in site.world.store.list("packs/")) == 2
    assert await site.world.contents(third["id"]) == {"a": b"one", "b": b"three"}
    assert (await site.world.artifacts.fsck()).damage == []


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ({"a": b"one", "b/c": b"two", "b": b"file"}, "below a file"),
        ({"a/b": b"one", "a": b"one"}, "below a file"),
        ({"a": b"one", "../x": b"two"}, "leads out"),
        ({"a": b"one", "x\\y": b"two"}, "backslash"),
    ],
)
async def test_a_bad_difference_is_refused(ann: httpx.AsyncClient, new: dict[str, bytes], says: str) -> None:
    await push(ann, BASE, {"a": b"one"})
    answer = await amend(ann, {"a": b"one"}, new)
    assert (answer["status"], says in answer["detail"]) == (422, True)
    gone = await amend(ann, {"a": b"one", "never": b""}, {"a": b"one"})
    assert (gone["status"], "no such file" in gone["detail"]) == (422, True)
    missing = await amend(ann, {"a": b"one"}, {"a": b"two"}, base=7)
    assert (missing["status"], missing["reason"]) == (409, "base_missing")


async def test_what_differs_must_have_been_sent(ann: httpx.AsyncClient) -> None:
    await push(ann, BASE, {"a": b"one", "b": b"two"})
    upload = await begin(ann, BASE)
    body = delta({"a": b"one"}, {"a": b"never sent"})
    await ann.patch(f"{BASE}/uploads/{upload}/manifest", params={"base": 1}, content=body)
    await ann.post(f"{BASE}/uploads/{upload}/commit")
    done = (await ann.get(f"{BASE}/uploads/{upload}", params={"wait": 20})).json()
    assert (done["state"], "'a' was not sent" in done["error"]) == ("failed", True)


async def test_a_whole_manifest_is_checked_where_it_differs_from_the_newest_version(
    ann: httpx.AsyncClient, site: Site
) -> None:
    first = {f"f{number:04}": b"%d" % number for number in range(1500)}
    await push(ann, BASE, first)
    second = first | {"f0007": b"seven", "f0008": b"9"}
    done = await push(ann, BASE, second)
    await uses(site.world, done["id"])
    await ann.delete(f"{BASE}/versions/1")
    for _ in range(2):
        await collect(site.world.artifacts.core, grace=NOW)
    assert await site.world.contents(done["id"]) == second
    upload = await begin(ann, BASE)
    await ann.put(f"{BASE}/uploads/{upload}/manifest", content=manifest(second | {"f0009": b"unsent"}))
    await ann.post(f"{BASE}/uploads/{upload}/commit")
    assert (await ann.get(f"{BASE}/uploads/{upload}", params={"wait": 20})).json()["state"] == "failed"


class Pusher:
    """The SDK, pushing one folder."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.folder = folder
        self._config = Config(url=site.url.split("/services/")[0], token="pumpkin-w.ann")

    def files(self) -> dict[str, Path]:
        return {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}

    async def push(self) -> int:
        return await asyncio.to_thread(sdk.push, self._config, BASE, self.folder)


@pytest.fixture
def pusher(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pusher:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_files(tmp_path / "out", {f"d{number % 5}/f{number}": b"%d" % number for number in range(500)})
    for path in (tmp_path / "out").rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return Pusher(site, tmp_path / "out")


async def test_a_second_push_reads_and_tells_only_what_looks_other(
    ann: httpx.AsyncClient, site: Site, pusher: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await pusher.push() == 1
    monkeypatch.delattr(sdk, "_push_all")
    noise = random.Random(3)
    for round_ in range(4):
        files = pusher.files()
        some = noise.sample(sorted(files), 4)
        files[some[0]].write_bytes(b"changed %d" % round_)
        files[some[1]].unlink()
        files[some[2]].rename(pusher.folder / f"moved{round_}")
        files[some[3]].chmod(0o755)
        number = await pusher.push()
        assert number == round_ + 2
        version = (await ann.get(f"{BASE}/versions/{number}")).json()
        expected = {
            str(path.relative_to(pusher.folder)): path.read_bytes()
            for path in pusher.folder.rglob("*")
            if path.is_file()
        }
        assert await site.world.contents(version["id"]) == expected
        await uses(site.world, version["id"])
    assert await pusher.push() == 5


async def test_a_touched_file_makes_no_version(ann: httpx.AsyncClient, pusher: Pusher) -> None:
    await pusher.push()
    (pusher.folder / "d0/f0").touch()
    assert await pusher.push() == 1
    assert (await ann.get(f"{BASE}/uploads")).json()["items"] == []


async def test_a_push_after_somebody_elses_or_a_deleted_version_sends_the_whole(
    ann: httpx.AsyncClient, site: Site, pusher: Pusher
) -> None:
    await pusher.push()
    await push(ann, BASE, {"other": b"x"})
    (pusher.folder / "d0/f0").write_bytes(b"changed")
    assert await pusher.push() == 3
    await ann.delete(f"{BASE}/versions/3")
    assert await pusher.push() == 4
    version = (await ann.get(f"{BASE}/versions/4")).json()
    assert (await site.world.contents(version["id"]))["d0/f0"] == b"changed"


async def test_a_record_that_is_damaged_counts_as_none(ann: httpx.AsyncClient, pusher: Pusher, tmp_path: Path) -> None:
    await pusher.push()
    [record] = (tmp_path / "cache/pumpkin/seen").iterdir()
    data = bytearray(record.read_bytes())
    for damage in (data[:-100], data[:50], b"", bytes([*data[:-50], data[-50] ^ 1, *data[-49:]])):
        record.write_bytes(damage)
        assert await pusher.push() == 1
