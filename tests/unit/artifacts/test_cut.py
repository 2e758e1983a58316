"""Chunks cut by content: the same on both sides, the same tomorrow, and few new ones for a small change."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
from itertools import accumulate
from pathlib import Path

import pytest

from pumpkin.config import Config
from pumpkin.transfer import cut as sdk
from pumpkin.transfer.push import push
from pumpkin_services.artifacts import cut as service
from tests.unit.artifacts.support import Site, World, sha

BASE = "/datasets/ann/digits"
DATA = random.Random(20_261_129).randbytes(24 << 20)


def pattern(size: int) -> bytes:
    """Return bytes that any language makes alike: SHA-256 of 0, 1, 2, … as eight bytes, the largest first."""
    blocks = (hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(-(-size // 32)))
    return b"".join(blocks)[:size]


def test_the_sdk_and_the_platform_cut_alike() -> None:
    ours = list(sdk.cut(io.BytesIO(DATA)))
    assert b"".join(ours) == DATA
    assert list(service.cut(io.BytesIO(DATA))) == ours
    assert all(len(chunk) >= sdk.SMALLEST for chunk in ours[:-1])
    assert max(map(len, ours)) <= sdk.LARGEST
    rule = ("CUT_FROM", "SMALLEST", "USUAL", "LARGEST")
    assert [getattr(sdk, name) for name in rule] == [getattr(service, name) for name in rule]


def test_the_cut_is_the_one_the_format_names() -> None:
    # From docs/artifact-format.md: if this fails, versions pushed from now on share nothing with those kept.
    ends = list(accumulate(map(len, service.cut(io.BytesIO(pattern(4 << 20))))))
    assert ends == [580554, 803939, 1009302, 1650721, 2351727, 2557088, 2844280, 3641730, 4194304]


@pytest.mark.parametrize("size", [0, 1, service.CUT_FROM - 1])
def test_a_small_file_is_one_chunk_and_an_empty_one_none(size: int) -> None:
    assert list(service.cut(io.BytesIO(DATA[:size]))) == ([DATA[:size]] if size else [])


class Dribbling(io.BytesIO):
    """A file that gives less than it is asked for, as pipes and decompressors do."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 70_001))


def test_how_much_comes_at_once_does_not_move_the_cuts() -> None:
    data = DATA[: 5 << 20]
    assert list(service.cut(Dribbling(data))) == list(service.cut(io.BytesIO(data)))


async def sent(site: Site, folder: Path, data: bytes) -> int:
    """Push a folder of one file through the SDK; return how many bytes of packs reached the store for it."""
    config = Config(url=site.url.split("/services/")[0], token="pumpkin-w.ann")
    before = pack_bytes(site.world)
    folder.mkdir(exist_ok=True)
    (folder / "model.bin").write_bytes(data)
    number = await asyncio.to_thread(push, config, BASE, folder)
    async with site.client() as ann:
        assert sha((await ann.get(f"{BASE}/versions/{number}/files/model.bin")).content) == sha(data)
    return pack_bytes(site.world) - before


def pack_bytes(world: World) -> int:
    return sum(stored.size for stored in world.store.list("packs/"))


async def test_a_change_in_the_middle_sends_little(site: Site, tmp_path: Path) -> None:
    await site.world.dataset()
    assert await sent(site, tmp_path / "out", DATA) == len(DATA)
    middle = len(DATA) // 2
    changed = DATA[:middle] + random.Random(1).randbytes(240 << 10) + DATA[middle + (240 << 10) :]
    assert 240 << 10 < await sent(site, tmp_path / "out", changed) <= 4 * sdk.LARGEST


async def test_a_byte_at_the_front_sends_little(site: Site, tmp_path: Path) -> None:
    await site.world.dataset()
    await sent(site, tmp_path / "out", DATA)
    assert 0 < await sent(site, tmp_path / "out", b"!" + DATA) <= 2 * sdk.LARGEST


async def test_what_a_job_left_shares_chunks_with_what_was_pushed(site: Site, tmp_path: Path) -> None:
    owned = await site.world.dataset()
    await sent(site, tmp_path / "out", DATA)
    before = pack_bytes(site.world)
    await site.world.capture(owned, {"other.bin": b"?" + DATA})
    assert 0 < pack_bytes(site.world) - before <= 2 * sdk.LARGEST
