"""Reading build logs: byte ranges, and following one that still grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

PIECE = 1 << 16


def size(path: Path) -> int:
    """Return the bytes of a log; 0 for one that was never begun."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


async def read(path: Path, *, start: int, end: int) -> AsyncIterator[bytes]:
    """Iterate over the bytes from `start` to `end` (exclusive)."""
    while start < end:
        piece = await asyncio.to_thread(_piece, path, start, min(PIECE, end - start))
        if not piece:
            return
        yield piece
        start += len(piece)


async def follow(
    path: Path, *, start: int, ended: Callable[[], Awaitable[bool]], poll: float = 0.1
) -> AsyncIterator[tuple[int, str]]:
    """Iterate over (offset of what comes next, text) from byte `start` until `ended()` and all is read.

    Text is cut behind whole lines, so never within a character, except behind a line longer than 64 KiB.
    """
    while True:
        # Asked before reading: what was written before the end is then surely read.
        over = await ended()
        while piece := await asyncio.to_thread(_piece, path, start, PIECE):
            whole = piece if over or (len(piece) == PIECE and b"\n" not in piece) else piece[: piece.rfind(b"\n") + 1]
            if not whole:
                break
            start += len(whole)
            yield start, whole.decode(errors="replace")
        if over:
            return
        await asyncio.sleep(poll)


def _piece(path: Path, start: int, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(length)
    except FileNotFoundError:
        return b""
