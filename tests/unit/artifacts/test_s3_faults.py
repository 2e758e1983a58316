"""Versions on a store that is not well: whole or absent, and never other bytes than were sent."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from pumpkin import Progress
from pumpkin.config import Config
from pumpkin.transfer.pull import pull
from pumpkin.transfer.push import push as push_folder
from pumpkin_services.artifacts.chunks import Damaged
from pumpkin_services.db import new_id
from pumpkin_services.problems import Unavailable
from pumpkin_services.storage.s3 import S3Store
from pumpkin_services.storage.settings import S3
from tests import s3
from tests.s3_faults import Fault, Faults, faulty
from tests.unit.artifacts.support import (
    BASE_URL,
    Site,
    World,
    begin,
    make_site,
    make_world,
    manifest,
    push,
    send,
    sha,
    write_files,
)

BASE = "/datasets/ann/digits"
FILES = {"a": random.Random(1).randbytes(3 << 20), "b/c": b"small", "d": random.Random(2).randbytes(100_000)}


@pytest.fixture
def faults(s3_server: s3.Server) -> Iterator[Faults]:
    with faulty(s3_server.endpoint) as made:
        yield made


@pytest.fixture
async def world(
    s3_server: s3.Server, faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    monkeypatch.setattr("pumpkin_services.storage.s3.TRIES", 3)
    settings = S3(endpoint=faults.endpoint, region=s3.REGION, bucket=f"test-{new_id()}", timeout=0.5, **s3_server.keys)
    store = S3Store(settings, base_url=BASE_URL, secret=b"s" * 32)
    store.open()
    async with make_world(tmp_path, store=store) as made:
        yield made


@pytest.fixture
async def ann(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with make_site(world) as site, site.client() as client:
        await client.post("/datasets", json={"name": "digits"})
        yield client


async def test_a_bit_that_turns_is_never_handed_on(world: World, faults: Faults) -> None:
    made = await world.capture(await world.dataset(), FILES)
    faults.inject("flip", method="GET", times=2)  # the manifest, whose identity is checked, comes first
    try:
        folder = await world.artifacts.materialise(made, holder="x")
    except Exception:
        faults.heal()
        folder = await world.artifacts.materialise(made, holder="x")
    assert {path: (folder / path).read_bytes() for path in FILES} == FILES


async def test_a_file_read_through_the_api_is_whole_or_breaks_off(ann: httpx.AsyncClient, faults: Faults) -> None:
    assert (await push(ann, BASE, FILES))["number"] == 1
    assert (await ann.get(f"{BASE}/versions/1/files/a")).content == FILES["a"]  # the index is made now
    for headers in ({}, {"Range": "bytes=100-2000000"}):
        faults.inject("flip", method="GET")
        with pytest.raises(httpx.RemoteProtocolError):
            await ann.get(f"{BASE}/versions/1/files/a", headers=headers)
    part = await ann.get(f"{BASE}/versions/1/files/a", headers={"Range": "bytes=100-2000000"})
    assert part.content == FILES["a"][100:2_000_001]


async def test_a_part_of_a_large_chunk_is_verified_too_and_costs_the_whole_only_once(
    ann: httpx.AsyncClient, faults: Faults
) -> None:
    large = random.Random(3).randbytes((16 << 20) - 5)  # a browser cuts at 16 MiB
    assert (await push(ann, BASE, {"large": large}))["number"] == 1
    where, costs = f"{BASE}/versions/1/files/large", list[int]()
    await ann.get(f"{BASE}/versions/1/stat/large")  # the index is made now
    for first, last in ((3, 10), (5 << 20, (7 << 20) + 8), ((16 << 20) - 9, (16 << 20) - 5)):
        faults.inject("flip", method="GET")
        with pytest.raises((httpx.RemoteProtocolError, httpx.HTTPStatusError)) as error:
            (await ann.get(where, headers={"Range": f"bytes={first}-{last - 1}"})).raise_for_status()
        if isinstance(error.value, httpx.HTTPStatusError):  # nothing of it was on its way yet
            assert error.value.response.json()["reason"] == "damaged"
        before = faults.answered
        answer = await ann.get(where, headers={"Range": f"bytes={first}-{last - 1}"})
        assert answer.content == large[first:last]
        costs.append(faults.answered - before)
    assert costs[0] >= len(large)
    assert max(costs[1:]) <= 3 << 20


@pytest.mark.parametrize("fault", ["503", "cut", "flip"])
async def test_a_version_sent_while_the_store_is_not_well_is_whole(
    ann: httpx.AsyncClient, faults: Faults, fault: Fault
) -> None:
    faults.inject(fault, method="GET")
    done = await push(ann, BASE, FILES)
    assert (done["state"], done["number"]) == ("ready", 1), done
    for path, data in FILES.items():
        assert (await ann.get(f"{BASE}/versions/1/files/{path}")).content == data


async def test_while_the_store_is_away_no_version_appears(world: World, faults: Faults) -> None:
    owned = await world.dataset()
    faults.inject("503", method="PUT", times=1000)
    with pytest.raises(Unavailable, match="try again in a minute"):
        await world.capture(owned, FILES)
    assert (await world.artifacts.fsck()).versions == 0
    faults.heal()
    made = await world.capture(owned, FILES)
    faults.inject("503", method="GET", times=1000)
    with pytest.raises((Unavailable, Damaged)):
        await world.artifacts.materialise(made, holder="x")
    faults.heal()
    folder = await world.artifacts.materialise(made, holder="x")
    assert (folder / "a").read_bytes() == FILES["a"]
    assert (await world.artifacts.fsck()).whole


async def test_a_store_that_is_away_while_a_version_is_verified_costs_time_but_not_the_upload(
    ann: httpx.AsyncClient, world: World, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a": FILES["a"]}
    upload = f"{BASE}/uploads/{await begin(ann, BASE)}"
    chunks = {sha(part): part for part in (FILES["a"][at : at + (1 << 20)] for at in range(0, 3 << 20, 1 << 20))}
    await send(ann, BASE, upload.rpartition("/")[2], chunks)
    answer = await ann.put(f"{upload}/manifest", content=manifest(files, cut=1 << 20))
    assert answer.status_code == 200, answer.text
    faults.inject("503", method="GET", times=1000)
    assert (await ann.post(f"{upload}/commit")).json()["state"] == "verifying"
    await asyncio.gather(*world.artifacts.core.tasks)
    assert (await ann.get(upload)).json()["state"] == "verifying"
    faults.heal()
    monkeypatch.setattr("pumpkin_services.artifacts.uploads.STALE_VERIFICATION", timedelta(0))
    done = (await ann.get(upload, params={"wait": 20})).json()
    assert (done["state"], done["number"]) == ("ready", 1), done


@pytest.mark.parametrize(
    ("fault", "method"),
    [("503", "PUT"), ("flip sent", "PUT"), ("lose answer", "PUT"), ("503", "GET"), ("cut", "GET"), ("flip", "GET")],
)
async def test_the_sdk_sends_and_reads_through_trouble_straight_to_the_store(
    world: World, faults: Faults, tmp_path: Path, fault: Fault, method: str
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    write_files(source, FILES)
    async with make_site(world) as site, site.client() as client:
        await client.post("/datasets", json={"name": "digits"})
        config = config_of(site)
        if method == "PUT":
            faults.inject(fault, method=method)
        assert await asyncio.to_thread(push_folder, config, BASE, source) == 1
        if method == "GET":
            faults.inject(fault, method=method, times=2)
        await asyncio.to_thread(pull, config, f"{BASE}/versions/1", target)
    assert faults.seen
    assert {path: (target / path).read_bytes() for path in FILES} == FILES


async def test_a_pull_that_takes_longer_than_its_urls_live_asks_for_new_ones(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    monkeypatch.setattr("pumpkin.transfer.pull.WORKERS", 1)
    monkeypatch.setattr("pumpkin_services.artifacts.reads.URL_LIFETIME", timedelta(seconds=1))
    slept: list[int] = []

    def slowly(progress: Progress) -> None:
        if progress.done and not slept:
            slept.append(progress.done)
            time.sleep(2.5)

    async with make_site(world) as site, site.client() as client:
        await client.post("/datasets", json={"name": "digits"})
        for number in range(1, 6):  # what came with each push lies in an object of its own
            (source / f"{number}").write_bytes(random.Random(number).randbytes(50_000))
            assert await asyncio.to_thread(push_folder, config_of(site), BASE, source) == number
        await asyncio.to_thread(pull, config_of(site), f"{BASE}/versions/5", target, on_progress=slowly)
    assert slept == [50_000]
    assert all((target / f"{number}").read_bytes() == (source / f"{number}").read_bytes() for number in range(1, 6))


async def test_a_version_of_many_small_files_is_laid_out_by_few_requests(world: World, faults: Faults) -> None:
    noise = random.Random(5)
    files = {f"d{number % 7}/{number}": noise.randbytes(noise.randrange(20_000)) for number in range(2000)}
    made = await world.capture(await world.dataset(), files)
    before = faults.requests
    folder = await world.artifacts.materialise(made, holder="x")
    assert {path: (folder / path).read_bytes() for path in files} == files
    assert faults.requests - before < 10


def config_of(site: Site) -> Config:
    return Config(url=site.url.split("/services/")[0], token="pumpkin-w.ann")
