"""How a part of a large chunk is verified without reading all of it each time.

A chunk's name proves only the whole. So the first part that is read of one is read with the whole, and the SHA-256 of
each mebibyte of it is remembered; later parts are read in whole mebibytes and compared with those.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator

from pumpkin_services.artifacts.chunks import Damaged
from pumpkin_services.artifacts.parts import split

BLOCK = 1 << 20
KEPT = 2000
"""Chunks remembered, by last use: at 64 MiB each about 10 MiB of hashes."""


class Blocks:
    """The SHA-256 of each block of what goes by."""

    def __init__(self) -> None:
        self._done: list[bytes] = []
        self._seen = hashlib.sha256()
        self._left = BLOCK

    def update(self, piece: memoryview) -> None:
        """Take the next bytes."""
        while piece:
            part, piece = piece[: self._left], piece[self._left :]
            self._seen.update(part)
            self._left -= len(part)
            if not self._left:
                self._end()

    def digests(self) -> list[bytes]:
        """Return the hashes; the last block may be a short one."""
        if self._left < BLOCK:
            self._end()
        return self._done

    def _end(self) -> None:
        self._done.append(self._seen.digest())
        self._seen, self._left = hashlib.sha256(), BLOCK


class Proofs:
    """The blocks of chunks that were read whole and right; from any thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, list[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str) -> list[bytes] | None:
        """Return the hashes of a chunk's blocks, None if it was not read yet."""
        with self._lock:
            if digest in self._known:
                self._known.move_to_end(digest)
            return self._known.get(digest)

    def keep(self, digest: str, blocks: Blocks) -> None:
        """Remember a chunk that was found right."""
        with self._lock:
            self._known[digest] = blocks.digests()
            if len(self._known) > KEPT:
                self._known.popitem(last=False)


def around(first: int, last: int, *, size: int) -> tuple[int, int]:
    """Return where the blocks begin and end that hold [first, last) of a chunk."""
    return first // BLOCK * BLOCK, min(-(-last // BLOCK) * BLOCK, size)


def proven(known: list[bytes], pieces: Iterator[memoryview], first: int, last: int, *, size: int) -> Iterator[bytes]:
    """Iterate over [first, last) of a chunk; `pieces` are the blocks `around` it, each handed on when it is right."""
    begin, end = around(first, last, size=size)
    sizes = [min(BLOCK, end - at) for at in range(begin, end, BLOCK)]
    for at, part in zip(range(begin, end, BLOCK), split(pieces, sizes), strict=True):
        block = b"".join(part)
        if hashlib.sha256(block).digest() != known[at // BLOCK]:
            raise Damaged("The store gave back a part of a chunk altered: try again; if it stays so, `pumpkin fsck`.")
        yield block[max(first - at, 0) : last - at]
