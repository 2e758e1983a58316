"""Where a file is cut into chunks: by what is in it, so that bytes put in or taken out move only the cuts around them.

The rule is `fastcdc-1` of docs/artifact-format.md; the platform cuts what it takes in itself by the same one. It is
no matter of taste: whoever cuts otherwise shares nothing with what is stored already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pyfastcdc import FastCDC

CUT_FROM = 1 << 20
"""Files of so many bytes or more are cut; a smaller one is one chunk."""
SMALLEST, USUAL, LARGEST = 128 << 10, 512 << 10, 2 << 20
"""FastCDC's minimum, average and maximum: bytes of a chunk."""


class Readable(Protocol):
    """What a file is read through."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill `buffer` as far as there is something; return how many bytes that were, 0 at the end."""
        ...


def cutter() -> FastCDC:
    """Return what cuts by the rule."""
    return FastCDC(USUAL, min_size=SMALLEST, max_size=LARGEST, normalized_chunking=1, seed=0)


def cut(file: Readable) -> Iterator[bytes]:
    """Yield the chunks of a file of `CUT_FROM` bytes or more, in order; blocks while it reads."""
    for chunk in cutter().cut_stream(file):  # pyright: ignore[reportArgumentType] - asks for an int where None never comes
        yield bytes(chunk.data)
