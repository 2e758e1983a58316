"""Reads the log in a replica's folder, in part or as it grows, whoever writes it there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from pumpkin_services.runtimes.base import LogChunk

GROWTH = 1.2


def read_chunk(folder: Path, offset: int, limit: int) -> LogChunk:
    """Return part of the log in a replica's folder (blocking); see `Runtime.read_log`."""
    # In this order: a log that is final before its size is taken has its final size.
    final = (folder / "exit.json").exists() or not folder.exists()
    try:
        log = os.open(folder / "log", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return LogChunk(data=b"", offset=max(0, offset), size=0, final=final)
    try:
        size = os.fstat(log).st_size
        at = offset if offset >= 0 else max(0, size + offset)
        return LogChunk(data=os.pread(log, max(0, min(limit, size - at)), at), offset=at, size=size, final=final)
    finally:
        os.close(log)


async def follow(
    read: Callable[[int], Awaitable[LogChunk]], offset: int, *, first: float, longest: float
) -> AsyncIterator[LogChunk]:
    """Yield what `read` gives from `offset` on, as it is written; see `Runtime.follow_log`.

    What is being written now is looked at every `first` seconds, what has been silent for a while every `longest`.
    """
    pause = first
    while True:
        chunk = await read(offset)
        offset = chunk.end
        if chunk.data:
            pause = first
            yield chunk
        elif chunk.final:
            return
        else:
            await asyncio.sleep(pause)
            pause = min(pause * GROWTH, longest)
