"""Tar and zip archives written as they are sent: nothing is kept, neither on disk nor in memory."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Literal

from pumpkin_services.artifacts.manifest import Entry

Contents = Callable[[Entry], Iterable[bytes]]
FLUSH = 1 << 20


class ArchiveWriter:
    """Writes one archive; `add` and `end` return what is to be sent next. Entries carry the time `modified`."""

    def __init__(self, archive_format: Literal["tar", "zip"], *, modified: datetime) -> None:
        self._modified = modified
        self._buffer = _Buffer()
        self._zip = zipfile.ZipFile(self._buffer, "w") if archive_format == "zip" else None  # pyright: ignore[reportArgumentType, reportCallIssue]

    def add(self, entries: Iterable[Entry], contents: Contents) -> Iterator[bytes]:
        """Append `entries`."""
        for entry in entries:
            write = self._zip_entry if self._zip is not None else self._tar_entry
            for _ in write(entry, contents):
                if self._buffer.size >= FLUSH:
                    yield self._buffer.take()
        if self._buffer.size:
            yield self._buffer.take()

    def end(self) -> bytes:
        """Close the archive."""
        if self._zip is not None:
            self._zip.close()
        else:
            self._buffer.write(tarfile.NUL * tarfile.BLOCKSIZE * 2)
        return self._buffer.take()

    def _tar_entry(self, entry: Entry, contents: Contents) -> Iterator[None]:
        info = tarfile.TarInfo(entry.path)
        info.size, info.mode, info.mtime = entry.size, entry.mode, int(self._modified.timestamp())
        self._buffer.write(info.tobuf(tarfile.PAX_FORMAT))
        for piece in contents(entry):
            self._buffer.write(piece)
            yield
        self._buffer.write(tarfile.NUL * (-entry.size % tarfile.BLOCKSIZE))
        yield

    def _zip_entry(self, entry: Entry, contents: Contents) -> Iterator[None]:
        assert self._zip is not None
        info = zipfile.ZipInfo(entry.path, self._modified.timetuple()[:6])
        info.external_attr = (0o100000 | entry.mode) << 16
        info.file_size = entry.size
        with self._zip.open(info, "w", force_zip64=entry.size >= 1 << 31) as file:
            for piece in contents(entry):
                file.write(piece)
                yield
        yield


class _Buffer:
    """What zipfile takes for a file that can only be written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        self.size = 0
        return data
