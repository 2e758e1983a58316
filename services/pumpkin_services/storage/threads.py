"""Blocking iterators, from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress


async def in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Iterate over a blocking iterator, one step at a time in a worker thread."""
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            # A caller who went away may leave the thread inside the iterator: it ends by itself then.
            with suppress(ValueError):
                close()
