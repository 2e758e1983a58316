"""Files of moderate size, read whole and hashed ahead by a few threads; what comes of them is in order again."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from pumpkin.errors import PumpkinError
from pumpkin.transfer.cut import CUT_FROM, cut
from pumpkin.transfer.scan import File

GROUP_FILES = 256
GROUP_BYTES = 4 << 20
AHEAD_BYTES = 24 << 20
"""Bytes of files that are read before it is their turn."""
_quoted = json.JSONEncoder(ensure_ascii=False).encode
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)


@dataclass(slots=True)
class Piece:
    """A chunk, at `offset` of its file. An empty file is one empty piece."""

    file: File
    offset: int
    data: bytes
    digest: str

    @property
    def last(self) -> bool:
        """Whether the file ends with it."""
        return self.offset + len(self.data) == self.file.size


def hashed(files: Iterable[File], pool: ThreadPoolExecutor, *, ahead: int) -> Iterator[Piece]:
    """Yield the pieces of all files in order, hashed by the pool, at most `ahead` groups in advance."""
    flights: deque[tuple[int, Future[list[Piece]]]] = deque()
    held = 0
    for group in _groups(files):
        size = sum(file.size for file in group)
        while flights and (len(flights) > ahead or held + size > AHEAD_BYTES):
            done, flight = flights.popleft()
            held -= done
            yield from flight.result()
        flights.append((size, pool.submit(_read, group)))
        held += size
    for _, flight in flights:
        yield from flight.result()


def _groups(files: Iterable[File]) -> Iterator[list[File]]:
    """Gather the files in groups worth a thread's while."""
    group: list[File] = []
    size = 0
    for file in files:
        if group and (size + file.size > GROUP_BYTES or len(group) >= GROUP_FILES):
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield group


def _read(group: list[File]) -> list[Piece]:
    pieces: list[Piece] = []
    for file in group:
        end = 0
        for data in _parts(file) if file.size >= CUT_FROM else (_whole(file),):
            pieces.append(Piece(file, end, data, hashlib.sha256(data).hexdigest()))
            end += len(data)
        if end != file.size:
            raise changed(file)
    return pieces


def _parts(file: File) -> Iterator[bytes]:
    with reading(file) as handle:
        yield from cut(handle)


def _whole(file: File) -> bytes:
    """Read a file by bare system calls: to make an object for it costs more than a small file's content."""
    try:
        handle = os.open(file.source, _READ)
        try:
            data = os.read(handle, file.size)
            while len(data) < file.size and (more := os.read(handle, file.size - len(data))):
                data += more
        finally:
            os.close(handle)
    except OSError as error:
        raise _unreadable(file, error) from error
    return data


@contextmanager
def reading(file: File) -> Generator[io.FileIO]:
    """Open a file; raise `PumpkinError` if it cannot be read."""
    try:
        with open(file.source, "rb", buffering=0) as handle:
            yield handle
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: File, error: OSError) -> PumpkinError:
    """Return what to raise of a file the system does not give."""
    return PumpkinError(f"'{file.path}' cannot be read: {error.strerror}.", field="source")


def changed(file: File) -> PumpkinError:
    """Return what to raise of a file that is not as it was seen."""
    return PumpkinError(f"'{file.path}' changed while it was pushed: push again.", field="source")


def manifest_line(file: File, sha256: str, chunks: Sequence[tuple[str, int]]) -> bytes:
    """Return the manifest's line of a file that is made of `chunks` (hash, size)."""
    parts = ",".join(f'{{"hash":"{digest}","size":{size}}}' for digest, size in chunks)
    line = (
        f'{{"path":{_quoted(file.path)},"size":{file.size},"mode":{file.mode},"sha256":"{sha256}",'
        f'"chunks":[{parts}]}}\n'
    )
    return line.encode()
