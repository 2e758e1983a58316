"""Large files in blocks: each of whole chunks, sent as one pack out of the buffer it was read into, copied nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from pyfastcdc import FastCDC

from pumpkin.transfer.cut import LARGEST, cutter
from pumpkin.transfer.pieces import changed, reading
from pumpkin.transfer.scan import File

LARGE = 16 << 20
"""Bytes from which on a file is read in blocks."""
BLOCK = 32 << 20
"""Bytes of a block at most, but for the chunk it ends with. A larger one saves requests and costs memory."""


@dataclass(kw_only=True)
class Block:
    """`data` at `offset` of a file, made of chunks of `sizes` bytes. Give it back with `free` once it is used."""

    offset: int
    data: memoryview
    sizes: list[int]
    _buffer: bytearray
    _spare: list[bytearray]

    def chunks(self) -> Iterator[memoryview]:
        """Iterate over the chunks."""
        end = 0
        for size in self.sizes:
            yield self.data[end : end + size]
            end += size

    def free(self) -> None:
        """Let the buffer be filled anew."""
        self._spare.append(self._buffer)


class Blocks:
    """The blocks of one file; when they have all been taken, `sha256` is the file's."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._whole = hashlib.sha256()
        # A fresh buffer costs as much as hashing half of it: the kernel hands out no page that it has not wiped.
        self._spare: list[bytearray] = []

    @property
    def sha256(self) -> str:
        """The SHA-256 of what has been taken."""
        return self._whole.hexdigest()

    def __iter__(self) -> Iterator[Block]:
        rest, start, ended = b"", 0, False
        with reading(self._file) as handle:
            while not ended:
                buffer = self._spare.pop() if self._spare else bytearray(BLOCK + LARGEST)
                view = memoryview(buffer)
                view[: len(rest)] = rest
                filled = len(rest)
                while filled < len(view) and not ended:
                    read = handle.readinto(view[filled:])
                    filled += read
                    ended = not read
                sizes = _sizes(cutter(), view[:filled], ended=ended)
                size = sum(sizes)
                rest = bytes(view[size:filled])
                self._whole.update(view[:size])
                if size:
                    yield Block(offset=start, data=view[:size], sizes=sizes, _buffer=buffer, _spare=self._spare)
                start += size
        if start != self._file.size:
            raise changed(self._file)


def _sizes(cut: FastCDC, data: memoryview, *, ended: bool) -> list[int]:
    """Return the sizes of the chunks that no byte behind `data` can change; all, if the file has `ended`."""
    sizes: list[int] = []
    end = 0
    chunks = cut.cut_buf(data)
    while end < len(data) and (ended or len(data) - end >= LARGEST):
        size = next(chunks).length
        sizes.append(size)
        end += size
    return sizes
