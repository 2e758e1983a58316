"""Files of several chunks, registered in order, are not read again by the commit; lies are found out."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from pumpkin.config import Config
from pumpkin.transfer import blocks
from pumpkin.transfer.push import push as push_folder
from tests.unit.artifacts.support import Site, begin, place, sha, write_files

BASE = "/datasets/ann/digits"
ONE, TWO, THREE = (random.Random(number).randbytes(200_000) for number in range(3))


@pytest.fixture
async def ann(site: Site):
    async with site.client() as client:
        await client.post("/datasets", json={"name": "digits"})
        yield client


@pytest.fixture
def read(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the keys of the packs that are read from now on, one for each time."""
    store, seen = site.world.store, list[str]()
    stream = store.stream

    def noted(key: str, **where: Any) -> Any:
        if key.startswith("packs/"):
            seen.append(key)
        return stream(key, **where)

    monkeypatch.setattr(store, "stream", noted)
    return seen


def part(offset: int, *, file: int = 0, first: int = 0, chunks: int = 1) -> dict[str, int]:
    return {"file": file, "offset": offset, "first": first, "chunks": chunks}


async def register(ann: httpx.AsyncClient, upload: str, pack: list[bytes], parts: list[dict[str, int]]) -> int:
    asked = {"sizes": [sum(map(len, pack))], "once": True}
    target = (await ann.post(f"{upload}/objects", json=asked)).json()["objects"][0]
    await ann.put(place(ann, target["url"]), content=b"".join(pack), headers=target["headers"])
    body = {"chunks": [{"hash": sha(chunk), "size": len(chunk)} for chunk in pack], "parts": parts}
    return (await ann.put(f"{upload}/objects/{target['id']}", json=body)).status_code


async def commit(ann: httpx.AsyncClient, upload: str, chunks: list[bytes], *, whole: bytes) -> dict[str, Any]:
    line = {
        "path": "f",
        "size": sum(map(len, chunks)),
        "sha256": sha(whole),
        "chunks": [{"hash": sha(chunk), "size": len(chunk)} for chunk in chunks],
    }
    sent = await ann.put(f"{upload}/manifest", content=gzip.compress(json.dumps(line).encode() + b"\n"))
    assert sent.status_code == 200, sent.text
    await ann.post(f"{upload}/commit")
    return (await ann.get(upload, params={"wait": 20})).json()


async def test_packs_in_order_are_read_once(ann: httpx.AsyncClient, read: list[str]) -> None:
    upload = f"{BASE}/uploads/{await begin(ann, BASE)}"
    assert await register(ann, upload, [ONE, TWO], [part(0, chunks=2)]) == 204
    assert await register(ann, upload, [THREE], [part(400_000)]) == 204
    done = await commit(ann, upload, [ONE, TWO, THREE], whole=ONE + TWO + THREE)
    assert (done["state"], done["number"]) == ("ready", 1), done
    assert len(read) == len(set(read)) == 2


async def test_a_file_whose_packs_came_out_of_order_is_read_again(ann: httpx.AsyncClient, read: list[str]) -> None:
    upload = f"{BASE}/uploads/{await begin(ann, BASE)}"
    await register(ann, upload, [THREE], [part(400_000)])
    await register(ann, upload, [ONE, TWO], [part(0, chunks=2)])
    done = await commit(ann, upload, [ONE, TWO, THREE], whole=ONE + TWO + THREE)
    assert done["state"] == "ready", done
    assert len(read) == 4


@pytest.mark.parametrize(
    ("packs", "whole"),
    [
        ([([ONE, TWO], [part(0, chunks=2)])], TWO + ONE),
        ([([ONE, TWO], [part(0)])], ONE),  # less than the file has
        ([([ONE], [part(0)]), ([TWO], [part(0)])], TWO),  # two beginnings
        ([([ONE, TWO], [part(0), part(0, first=1)])], TWO),
        ([([ONE, TWO], [part(0), part(200_000, file=1, first=1)])], ONE),
    ],
)
async def test_no_parts_make_a_wrong_hash_right(
    ann: httpx.AsyncClient, packs: list[tuple[list[bytes], list[dict[str, int]]]], whole: bytes
) -> None:
    upload = f"{BASE}/uploads/{await begin(ann, BASE)}"
    for pack, parts in packs:
        assert await register(ann, upload, pack, parts) == 204
    done = await commit(ann, upload, [ONE, TWO], whole=whole)
    assert done["state"] == "failed"
    assert "do not make the file" in done["error"]


async def test_parts_that_overlap_are_refused(ann: httpx.AsyncClient) -> None:
    upload = f"{BASE}/uploads/{await begin(ann, BASE)}"
    for parts in ([part(0, chunks=2), part(0, file=1, first=1)], [part(0, first=1, chunks=2)]):
        assert await register(ann, upload, [ONE, TWO], parts) == 422


async def test_what_the_sdk_sends_is_read_once(
    site: Site, ann: httpx.AsyncClient, read: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 4 << 20)
    noise = random.Random(7)
    large = noise.randbytes(20 << 20)
    files = {
        "a": noise.randbytes(5 << 20),
        "b": large,
        "c": b"c",
        "d/e": noise.randbytes(15 << 20),
    }
    write_files(tmp_path / "source", files)
    config = Config(url=site.url.split("/services/")[0], token="pumpkin-w.ann")
    assert await asyncio.to_thread(push_folder, config, BASE, tmp_path / "source") == 1
    assert len(read) == len(set(read)) >= 7
    for path, data in files.items():
        assert (await ann.get(f"{BASE}/versions/1/files/{path}")).content == data

    # Some chunks of these are there already, or many times: their packs do not tell of the whole.
    changed = {"b": large[: 10 << 20] + b"!" + large[10 << 20 :], "f": bytes(9 << 20), "g": bytes(40 << 20)}
    write_files(tmp_path / "source", changed)
    assert await asyncio.to_thread(push_folder, config, BASE, tmp_path / "source") == 2
    for path, data in changed.items():
        assert sha((await ann.get(f"{BASE}/versions/2/files/{path}")).content) == sha(data)
