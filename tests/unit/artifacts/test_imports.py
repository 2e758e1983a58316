"""Versions fetched from real servers: whole or not at all, through restarts, limits and servers that misbehave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from backports import zstd
from sqlalchemy import func, select, update

from pumpkin_services.artifacts.imports import ImportSettings
from pumpkin_services.artifacts.outward import Outward
from pumpkin_services.artifacts.tables import ChunkRow, ImportRow, ObjectRow, VersionRow
from pumpkin_services.db import utcnow
from tests.unit.artifacts.elsewhere import LOOPBACK, Elsewhere, Reply, serve
from tests.unit.artifacts.support import Site, World, make_site, make_world
from tests.unit.artifacts.test_archives import info, make_tar, make_zip

BASE = "/datasets/ann/digits"
FILES = {"a.txt": b"hello", "d/b.bin": bytes(range(256)) * 100}


def packed_tar() -> bytes:
    return make_tar(*((info(name), data) for name, data in FILES.items()))


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with serve() as made:
        made.replies["/a.zip"] = Reply(make_zip(*FILES.items()))
        yield made


@asynccontextmanager
async def importing(
    root: Path,
    elsewhere: Elsewhere,
    *,
    max_bytes: int = 1 << 30,
    max_seconds: float = 60,
    outward: Outward | None = None,
) -> AsyncIterator[Site]:
    """A platform that may import from `elsewhere`, on this machine as it is, with a dataset to import into."""
    outward = outward or Outward(hosts=elsewhere.hosts, networks=LOOPBACK)
    settings = ImportSettings(outward=outward, max_bytes=max_bytes, max_seconds=max_seconds)
    async with make_world(root, imports=settings) as world, make_site(world) as site:
        await world.dataset()
        yield site


@pytest.fixture
async def site(tmp_path: Path, elsewhere: Elsewhere) -> AsyncIterator[Site]:
    async with importing(tmp_path, elsewhere) as made:
        yield made


async def ask(client: httpx.AsyncClient, **request: Any) -> dict[str, Any]:
    answer = await client.post(f"{BASE}/imports", json=request)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def ended(client: httpx.AsyncClient, import_id: str) -> dict[str, Any]:
    while (answer := await client.get(f"{BASE}/imports/{import_id}", params={"wait": 20})).json()["finished"] is None:
        assert answer.status_code == 200
    return answer.json()


async def done(site: Site, **request: Any) -> dict[str, Any]:
    """Import to the end, whichever it is."""
    async with site.client() as client:
        return await ended(client, (await ask(client, **request))["id"])


async def contents(world: World, number: int) -> dict[str, bytes]:
    async with world.database.read() as session:
        version = await session.scalar(select(VersionRow.id).where(VersionRow.number == number))
    assert version is not None
    return await world.contents(version)


async def nothing_is_left(world: World, *, broken_off: bool = False) -> None:
    """See that no trace of a version is left; of one broken off a pack may still be on its way to the collector."""
    async with world.database.read() as session:
        for table in (VersionRow, ObjectRow, ChunkRow):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
    cache = world.root / "cache"
    assert [*(cache / "incoming").glob("*"), *(cache / "imports").glob("*")] == []
    assert broken_off or list(world.store.list()) == []


async def test_archives_are_fetched_and_become_versions(site: Site, elsewhere: Elsewhere) -> None:
    elsewhere.replies["/b.tar.zst"] = Reply(zstd.compress(packed_tar()))
    elsewhere.replies["/download"] = Reply(packed_tar(), length=False)  # until the connection ends
    for number, request in enumerate(
        ({"url": elsewhere.url("/a.zip")}, {"url": elsewhere.url("/b.tar.zst")},
         {"url": elsewhere.url("/download?signature=secret"), "format": "tar"}), start=1,
    ):  # fmt: skip
        made = await done(site, **request)
        assert (made["state"], made["number"], made["error"]) == ("ready", number, None)
        assert "secret" not in str(made)
        assert await contents(site.world, number) == FILES
        assert made["total"] in (made["fetched"], None)
    async with site.client() as client:
        listed = (await client.get(f"{BASE}/imports")).json()["items"]
    assert [item["number"] for item in listed] == [3, 2, 1]
    async with site.world.database.read() as session:
        assert await session.scalar(select(ImportRow.url).where(ImportRow.number == 3)) == elsewhere.url("/download")


async def test_a_single_file_is_kept_as_it_is(site: Site, elsewhere: Elsewhere) -> None:
    elsewhere.replies["/data/gr%C3%BC%C3%9Fe.parquet"] = Reply(b"PAR1" * 10_000)
    made = await done(site, url=elsewhere.url("/data/grüße.parquet"), format="file")
    assert made["state"] == "ready"
    assert await contents(site.world, 1) == {"grüße.parquet": b"PAR1" * 10_000}
    elsewhere.replies["/packed.csv"] = Reply(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    made = await done(site, url=elsewhere.url("/packed.csv"), format="file")
    assert "comes packed with gzip" in made["error"]
    made = await done(site, url=elsewhere.url("/x/..%2f..%2fetc"), format="file")
    assert made["state"] == "failed"


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"url": "http://169.254.169.254/latest/meta-data"}, "Nothing may be imported from '169.254.169.254'"),
        ({"url": "file:///etc/passwd"}, "does not begin with http"),
        ({"url": "http://localhost:PORT/data"}, "choose the format"),
        ({"url": "http://localhost:PORT/a.zip", "ref": "main", "format": "zip"}, "Only a git repository"),
        ({"url": "http://localhost:PORT/a.git?x=1"}, "no '?'"),
        ({"url": "http://localhost:PORT/", "format": "file"}, "names no file"),
        ({"url": "http://localhost:PORT/a.git", "ref": "--upload-pack=x"}, "pattern"),
        ({"url": "http://localhost:PORT/a.git", "ref": "+a:b"}, "pattern"),
    ],
)
async def test_what_cannot_be_imported_is_refused_at_once(
    site: Site, elsewhere: Elsewhere, request_: dict[str, Any], says: str
) -> None:
    request = request_ | {"url": request_["url"].replace("PORT", str(elsewhere.port))}
    async with site.client() as client:
        answer = await client.post(f"{BASE}/imports", json=request)
        assert answer.status_code == 422
        assert says in answer.json()["detail"]
        assert (await client.get(f"{BASE}/imports")).json()["items"] == []
    assert elsewhere.asked == []


async def test_without_a_list_of_hosts_nothing_may_be_imported(tmp_path: Path) -> None:
    async with make_world(tmp_path) as world, make_site(world) as site, site.client() as client:
        await world.dataset()
        answer = await client.post(f"{BASE}/imports", json={"url": "https://example.org/a.zip"})
        assert answer.status_code == 422
        assert answer.json()["reason"] == "host_not_allowed"
        assert "are off on this platform" in answer.json()["detail"]


async def test_others_see_and_stop_no_import(site: Site, elsewhere: Elsewhere) -> None:
    made = await done(site, url=elsewhere.url("/a.zip"))
    for who, expected in (("eve", 404), ("bob", 404)):
        async with site.client(who) as client:
            one = f"{BASE}/imports/{made['id']}"
            answers = [
                await client.post(f"{BASE}/imports", json={"url": elsewhere.url("/a.zip")}),
                await client.get(f"{BASE}/imports"),
                await client.get(one),
                await client.delete(one),
            ]
            assert [answer.status_code for answer in answers] == [expected] * 4


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(status=404), "answers 404"),
        (Reply(b"PK", length=1000), "broke off"),
        (Reply(b"<html>"), "not a whole zip archive"),
        (Reply(status=302, headers={"Location": "http://127.0.0.1/x"}), "redirects elsewhere"),
        (Reply(make_zip(("../x", b"x"))), "leads out"),
        (
            Reply(make_zip(("x", b"x")), headers={"Content-Length": "5000000"}, length=False),
            "larger than 1000000 bytes",
        ),
        (Reply(lambda: iter([bytes(300_000)] * 4), length=False), "larger than 1000000 bytes"),
    ],
    ids=["absent", "short", "no zip", "redirect", "zip-slip", "long by its header", "long"],
)
async def test_an_import_that_fails_says_why_and_leaves_nothing(
    tmp_path: Path, elsewhere: Elsewhere, reply: Reply, says: str
) -> None:
    elsewhere.replies["/x.zip"] = reply
    async with importing(tmp_path, elsewhere, max_bytes=1_000_000) as site:
        made = await done(site, url=elsewhere.url("/x.zip?key=secret"))
        assert (made["state"], made["number"]) == ("failed", None)
        assert says in made["error"]
        assert "secret" not in made["error"]
        await nothing_is_left(site.world)


async def test_a_quota_stops_an_import(site: Site, elsewhere: Elsewhere) -> None:
    site.world.limits["ann"] = 10_000
    made = await done(site, url=elsewhere.url("/a.zip"))
    assert made["state"] == "failed"
    assert "may keep 10000 bytes" in made["error"]
    await nothing_is_left(site.world)


async def test_an_import_that_takes_too_long_is_stopped(tmp_path: Path, elsewhere: Elsewhere) -> None:
    with slowly(elsewhere) as slow:
        async with importing(tmp_path, elsewhere, max_seconds=0.5) as site:
            made = await done(site, url=elsewhere.url("/slow.zip"))
            assert "longer than" in made["error"]
            await nothing_is_left(site.world, broken_off=True)
        slow.go.set()


class slowly:
    """A zip at /slow.zip, whose second half comes when `go` is set."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        self.elsewhere = elsewhere
        self.go = threading.Event()
        self.data = make_zip(*FILES.items())

    def __enter__(self) -> slowly:
        self.elsewhere.replies["/slow.zip"] = Reply(self._pieces, length=len(self.data))
        return self

    def __exit__(self, *_: object) -> None:
        self.go.set()

    def _pieces(self) -> Iterator[bytes]:
        yield self.data[:100]
        self.go.wait(60)
        yield self.data[100:]


async def shown(client: httpx.AsyncClient, import_id: str, **values: Any) -> dict[str, Any]:
    """Wait until an import shows `values`."""
    while True:
        found = (await client.get(f"{BASE}/imports/{import_id}", params={"wait": 1})).json()
        if values.items() <= found.items():
            return found
        assert found["finished"] is None, found


async def test_progress_is_shown_and_a_removed_import_stops(site: Site, elsewhere: Elsewhere) -> None:
    with slowly(elsewhere) as slow:
        async with site.client() as client:
            made = await ask(client, url=elsewhere.url("/slow.zip"))
            assert (made["state"], made["fetched"]) == ("waiting", 0)
            await shown(client, made["id"], state="fetching", fetched=100, total=len(slow.data))
            assert (await client.delete(f"{BASE}/imports/{made['id']}")).status_code == 204
            assert (await client.get(f"{BASE}/imports/{made['id']}")).status_code == 404
            await asyncio.gather(*site.world.artifacts.core.tasks)
    await nothing_is_left(site.world, broken_off=True)


async def test_an_import_broken_off_by_a_stop_is_begun_anew_by_the_next_process(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    with slowly(elsewhere) as slow:
        async with importing(tmp_path, elsewhere) as site, site.client() as client:
            made = await ask(client, url=elsewhere.url("/slow.zip"))
            await shown(client, made["id"], fetched=100)
        slow.go.set()
        settings = ImportSettings(outward=Outward(hosts=elsewhere.hosts, networks=LOOPBACK))
        async with make_world(tmp_path, imports=settings) as world, make_site(world) as site, site.client() as client:
            assert (await client.get(f"{BASE}/imports/{made['id']}")).json()["state"] == "waiting"
            await world.artifacts.imports.recover()
            assert (await ended(client, made["id"]))["state"] == "ready"
            assert await contents(world, 1) == FILES
    assert [path for path, _ in elsewhere.asked] == ["/slow.zip"] * 2


async def test_an_import_whose_process_was_killed_is_taken_over_once_its_claim_is_stale(
    site: Site, elsewhere: Elsewhere
) -> None:
    """What a kill leaves: a row that says fetching, half a version and a folder."""
    world = site.world
    async with site.client() as client:
        first = await done(site, url=elsewhere.url("/a.zip"))
        async with world.database.write() as session:
            asset = await session.scalar(select(ImportRow.asset_id))
            whose = {"kind": "dataset", "asset_id": asset, "workspace": "ann", "creator": "ann"}
            what = {"name": "digits", "url": elsewhere.url("/a.zip"), "format": "zip", "ref": ""}
            row = ImportRow(**whose, **what, state="unpacking", attempt=1)
            session.add(row)
            await session.flush()
            half = VersionRow(**whose, source=f"import:{row.id}")
            session.add(half)
        left = world.root / "cache" / "imports"
        (left / row.id).mkdir(parents=True)
        (left / first["id"]).mkdir()
        await world.artifacts.imports.recover()
        assert world.artifacts.core.tasks == set()
        assert [path.name for path in left.iterdir()] == [row.id]
        async with world.database.write() as session:
            await session.execute(
                update(ImportRow).where(ImportRow.id == row.id).values(touched=utcnow() - timedelta(minutes=2))
            )
        await world.artifacts.imports.recover()
        assert (await ended(client, row.id))["number"] == 2
        async with world.database.read() as session:
            assert await session.get(VersionRow, half.id) is None
            assert await session.scalar(select(ImportRow.attempt).where(ImportRow.id == row.id)) == 2


async def test_an_import_that_breaks_the_platform_again_and_again_is_given_up(site: Site, elsewhere: Elsewhere) -> None:
    async with site.client() as client:
        with slowly(elsewhere) as slow:
            made = await ask(client, url=elsewhere.url("/slow.zip"))
            await shown(client, made["id"], fetched=100)
            await site.world.artifacts.stop()
            slow.go.set()
        async with site.world.database.write() as session:
            await session.execute(update(ImportRow).values(attempt=5))
        await site.world.artifacts.imports.recover()
        assert "broke off 5 times" in (await ended(client, made["id"]))["error"]


async def test_a_deposed_process_makes_no_version(site: Site, elsewhere: Elsewhere) -> None:
    with slowly(elsewhere) as slow:
        async with site.client() as client:
            made = await ask(client, url=elsewhere.url("/slow.zip"))
            await shown(client, made["id"], fetched=100)
            async with site.world.database.write() as session:
                await session.execute(update(ImportRow).values(attempt=9))
            slow.go.set()
            await asyncio.gather(*site.world.artifacts.core.tasks)
    await nothing_is_left(site.world, broken_off=True)


async def test_imports_go_with_the_thing_they_were_for(site: Site, elsewhere: Elsewhere) -> None:
    with slowly(elsewhere) as slow:
        async with site.client() as client:
            made = await ask(client, url=elsewhere.url("/slow.zip"))
            await shown(client, made["id"], fetched=100)
            assert (await client.delete(BASE)).status_code == 204
            slow.go.set()
            await asyncio.gather(*site.world.artifacts.core.tasks)
    await nothing_is_left(site.world, broken_off=True)
    async with site.world.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(ImportRow)) == 0


async def test_a_workspace_has_so_many_imports_waiting_and_no_more(
    site: Site, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pumpkin_services.artifacts.imports.WAITING", 2)
    with slowly(elsewhere):
        async with site.client() as client:
            for _ in range(2):
                await ask(client, url=elsewhere.url("/slow.zip"))
            answer = await client.post(f"{BASE}/imports", json={"url": elsewhere.url("/slow.zip")})
            assert (answer.status_code, answer.json()["reason"]) == (409, "too_many")
