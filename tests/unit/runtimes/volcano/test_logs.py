"""A log is brought home whole and once, however it is cut and wherever it breaks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.volcano.api import Api
from pumpkin_services.runtimes.volcano.logs import Tail


def stamped(count: int, *, per_second: int = 7) -> list[tuple[str, bytes]]:
    """Return lines with their times, some of them out of order as of two streams."""
    lines: list[tuple[str, bytes]] = []
    for number in range(count):
        second, part = divmod(number, per_second)
        late = -1 if number % 5 == 4 else 0
        at = f"2026-11-24T17:{second // 60:02d}:{second % 60:02d}.{max(0, part * 1000 + late * 900):09d}Z"
        lines.append((at, f"line {number} \xe9\r\x1b[1m".encode() + b"x" * (number % 50) + b"\n"))
    lines[-1] = (lines[-1][0], b"the last has no end")
    return lines


class Server:
    """Serves a log as the API server does: from a second on, in pieces of any size, and breaks off."""

    def __init__(self, lines: list[tuple[str, bytes]], seed: int, *, breaks: int) -> None:
        self.lines, self.random, self.breaks = lines, random.Random(seed), breaks
        self.asked: list[Mapping[str, Any]] = []

    async def stream(self, _where: str, query: Mapping[str, Any]) -> AsyncIterator[bytes]:
        self.asked.append(query)
        since = str(query.get("sinceTime", ""))[:19]
        data = b"".join(at.encode() + b" " + line for at, line in self.lines if at[:19] >= since)
        end = len(data)
        if self.breaks:
            self.breaks -= 1
            end = self.random.randrange(len(data))
        at = 0
        while at < end:
            upto = min(end, at + self.random.randrange(1, 200))
            yield data[at:upto]
            at = upto
        if end < len(data):
            raise Unavailable("broken")


async def bring(folder: Path, server: Server, *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        await Tail(folder).follow(
            cast(Api, server), namespace="n", pod="p", container="main", ended=lambda: not server.breaks
        )


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpkin_services.runtimes.volcano.logs.FIRST_PAUSE", 0.0)
    monkeypatch.setattr("pumpkin_services.runtimes.volcano.logs.LONGEST_PAUSE", 0.0)


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_breaks_no_line_is_there_twice_or_missing(tmp_path: Path, seed: int) -> None:
    lines = stamped(300)
    server = Server(lines, seed, breaks=12)
    await bring(tmp_path, server)
    assert (tmp_path / "log").read_bytes() == b"".join(line for _, line in lines)
    assert any("sinceTime" in query for query in server.asked)


@pytest.mark.parametrize("seed", range(10))
async def test_whoever_dies_at_any_instant_another_goes_on(tmp_path: Path, seed: int) -> None:
    lines = stamped(300)
    for part in range(6):
        server = Server(lines, seed * 10 + part, breaks=1)
        task = asyncio.create_task(bring(tmp_path, server))
        for _ in range(random.Random(seed + part).randrange(60)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        with (tmp_path / "log").open("ab") as log:
            log.write(b"written, but not noted")
    await bring(tmp_path, Server(lines, seed, breaks=0))
    assert (tmp_path / "log").read_bytes() == b"".join(line for _, line in lines)


async def test_a_log_that_was_rotated_away_goes_on_with_what_is_new(tmp_path: Path) -> None:
    lines = stamped(100)
    first = Server(lines[:50], 1, breaks=0)
    await bring(tmp_path, first)
    await bring(tmp_path, Server(lines[48:], 1, breaks=0))
    assert (tmp_path / "log").read_bytes() == b"".join(line for _, line in lines)


async def test_a_log_the_disk_lost_is_fetched_again(tmp_path: Path) -> None:
    lines = stamped(30)
    await bring(tmp_path, Server(lines, 1, breaks=0))
    (tmp_path / "log").write_bytes(b"")
    await bring(tmp_path, Server(lines, 1, breaks=0))
    assert (tmp_path / "log").read_bytes() == b"".join(line for _, line in lines)


async def test_reading_to_the_end_once_more_adds_nothing(tmp_path: Path) -> None:
    lines = stamped(30)
    for _ in range(2):
        await bring(tmp_path, Server(lines, 1, breaks=0))
        assert (tmp_path / "log").read_bytes() == b"".join(line for _, line in lines)
