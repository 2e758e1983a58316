"""Where a file is cut into chunks: the rule `fastcdc-1` of docs/artifact-format.md, by which the SDK cuts too.

Chunks are kept under their hash alone: a rule that differs in anything would share nothing with what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from pyfastcdc import FastCDC

CUT_FROM = 1 << 20
"""Files of so many bytes or more are cut; a smaller one is one chunk."""
SMALLEST, USUAL, LARGEST = 128 << 10, 512 << 10, 2 << 20
"""FastCDC's minimum, average and maximum: bytes of a chunk."""


def cut(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a file whose size nobody knows yet, in order: none if it is empty. Blocks."""
    head = _read(file, CUT_FROM)
    if len(head) < CUT_FROM:
        if head:
            yield head
        return
    cutter = FastCDC(USUAL, min_size=SMALLEST, max_size=LARGEST, normalized_chunking=1, seed=0)
    for chunk in cutter.cut_stream(_Joined(head, file)):
        yield bytes(chunk.data)


class _Joined:
    """What was read of a file already, and the rest of it."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def read(self, n: int) -> bytes:
        if self._head:
            data, self._head = self._head[:n], self._head[n:]
            return data
        return self._rest.read(min(n, 1 << 20))


def _read(file: IO[bytes], size: int) -> bytes:
    """Read exactly `size` bytes unless the file ends."""
    parts: list[bytes] = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
