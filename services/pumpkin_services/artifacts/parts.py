"""A stream of bytes taken apart again into what it was joined from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Hash = Any
"""What `hashlib.sha256` returns."""


def split(pieces: Iterable[bytes | memoryview], sizes: Iterable[int]) -> Iterator[Iterator[memoryview]]:
    """Yield one iterator over pieces for each of `sizes`, in order; exhaust it before the next. Copies nothing."""
    source, rest = iter(pieces), memoryview(b"")

    def part(size: int) -> Iterator[memoryview]:
        nonlocal rest
        while size:
            rest = rest or memoryview(next(source))
            piece, rest = rest[:size], rest[size:]
            size -= len(piece)
            yield piece

    for size in sizes:
        yield part(size)


def first_wrong(
    pieces: Iterable[bytes], chunks: Iterable[tuple[str, int]], *, also: Mapping[int, Hash] | None = None
) -> int | None:
    """Return which of the chunks (hash, size) that `pieces` are made of does not hash to its name; None if all do.

    The bytes of the chunks whose numbers are in `also` go into those hashes too.
    """
    known, further = list(chunks), also or {}
    for number, part in enumerate(split(pieces, (size for _, size in known))):
        seen, whole = hashlib.sha256(), further.get(number)
        for piece in part:
            seen.update(piece)
            if whole is not None:
                whole.update(piece)
        if seen.hexdigest() != known[number][0]:
            return number
    return None
