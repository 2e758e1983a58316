"""The gzipped form of a manifest: a row of gzip members, each of whole lines, each telling its own length.

To any reader of gzip it is one stream (RFC 1952, 2.2). Whoever knows of the members can pass over those two
versions have in common without unpacking them, and make a version that differs little out of the other's.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

from pumpkin_services.problems import Invalid
from pumpkin_services.storage.base import Sink

MEMBER = 128 << 10
"""Bytes of lines after which a member ends."""
SCRAP = 16 << 10
"""Fewer bytes of lines than this are not made a member of their own where it can be helped."""
MAX_LINE = 64 << 20
"""Bytes of a line: enough for a file of some 450 GB."""
_LEVEL = 4
_HEADER = struct.Struct("<4sIBBHBBHI")
"""Magic, method and flags; time; extra flags; system; length of the extra field: `Pk`, 4, bytes of the member."""
_MAGIC = b"\x1f\x8b\x08\x04"
_TRAILER = struct.Struct("<II")


def _pack(text: bytes) -> bytes:
    """Return `text` as one member."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    body = packer.compress(text) + packer.flush()
    size = _HEADER.size + len(body) + _TRAILER.size
    head = _HEADER.pack(_MAGIC, 0, 0, 255, 8, ord("P"), ord("k"), 4, size)
    return b"".join((head, body, _TRAILER.pack(zlib.crc32(text), len(text))))


def _size(head: bytes) -> int | None:
    """Return how long the member that begins with `head` is; None if it does not say."""
    magic, _, _, _, extra, first, second, length, size = _HEADER.unpack(head)
    ours = (magic, extra, bytes((first, second)), length) == (_MAGIC, 8, b"Pk", 4)
    return size if ours and size > _HEADER.size + _TRAILER.size else None


class Writer:
    """Writes a manifest line by line; `identity` is the hash of its lines so far."""

    def __init__(self, sink: Sink) -> None:
        self.identity = hashlib.sha256()
        self._sink = sink
        self._lines: list[bytes] = []
        self._held = 0

    @property
    def scrap(self) -> bool:
        """Whether what waits is too little to be a member of its own."""
        return 0 < self._held < SCRAP

    def line(self, line: bytes) -> None:
        """Append a line, its newline included."""
        self._lines.append(line)
        self._held += len(line)
        if self._held >= MEMBER:
            self.end()

    def member(self, member: bytes, text: bytes) -> None:
        """Append a whole member of another manifest, whose lines are `text`, as it is."""
        self.end()
        self.identity.update(text)
        self._sink.write(member)

    def end(self) -> None:
        """Write what waits."""
        if self._lines:
            text = b"".join(self._lines)
            self.identity.update(text)
            self._sink.write(_pack(text))
            self._lines, self._held = [], 0


def members(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Iterate over the members of one of our own manifests and their lines: (member, text).

    Of a manifest made before there were members, and where damage hides them, the member is empty.
    """
    for member in _cut(pieces):
        if isinstance(member, bytes):
            yield member, unpack(member)
        else:
            text: list[bytes] = []
            for line in lines(member):
                text.append(line + b"\n")
                if len(text) >= 1000:
                    yield b"", b"".join(text)
                    text = []
            if text:
                yield b"", b"".join(text)


def packed(pieces: Iterable[bytes]) -> Iterator[bytes] | None:
    """Iterate over the members of a manifest without unpacking them; None if it is one from before."""
    cut = _cut(pieces)
    first = next(cut, None)
    if not isinstance(first, bytes):
        return None
    return chain([first], (member for member in cut if isinstance(member, bytes)))


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes | Iterator[bytes]]:
    """Yield member after member, or, from where there are none, what is left as it comes."""
    stream, rest = iter(pieces), b""
    while True:
        while len(rest) < _HEADER.size and (piece := next(stream, b"")):
            rest += piece
        size = _size(rest[: _HEADER.size]) if len(rest) >= _HEADER.size else None
        if size is None:
            if rest:
                yield chain([rest], stream)
            return
        parts, held = [rest], len(rest)
        while held < size and (piece := next(stream, b"")):
            parts.append(piece)
            held += len(piece)
        rest = b"".join(parts)
        yield rest[:size]
        rest = rest[size:]


def unpack(member: bytes) -> bytes:
    """Return the lines of a member; raise `Invalid` if it is damaged."""
    unpacker = zlib.decompressobj(31)
    try:
        text = unpacker.decompress(member)
    except zlib.error as error:
        raise Invalid("The manifest is not gzip: send it gzipped.", field="manifest") from error
    if not unpacker.eof:
        raise Invalid("The manifest is cut off.", field="manifest")
    return text


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack a gzipped stream into its lines, never holding more than one longest line.

    Raises:
        Invalid: if it is not gzip, is cut off, or has a line that is too long.
    """
    unpacker = zlib.decompressobj(31)
    rest = b""
    try:
        for piece in pieces:
            data = piece
            while data:
                if unpacker.eof:  # the next member begins
                    unpacker = zlib.decompressobj(31)
                rest += unpacker.decompress(data, 1 << 20)
                data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                *whole, rest = rest.split(b"\n")
                yield from whole
                if len(rest) > MAX_LINE:
                    raise Invalid(f"A line of the manifest is longer than {MAX_LINE} bytes.", field="manifest")
    except zlib.error as error:
        raise Invalid("The manifest is not gzip: send it gzipped.", field="manifest") from error
    if not unpacker.eof or rest:
        raise Invalid("The manifest is cut off: send it again, with a newline after each line.", field="manifest")
