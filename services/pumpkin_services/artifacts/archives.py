"""Reading zip and tar archives nobody trusts: every name, link, size and count is checked before it counts.

Nothing is ever unpacked onto a disk: entries become chunks. What is refused is refused with a `Problem`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from pumpkin_services.artifacts.manifest import shown
from pumpkin_services.artifacts.pack import SourceFile, link_target
from pumpkin_services.problems import Invalid, TooLarge

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OnRead = Callable[[int, int], None]

MAX_ENTRIES = 500_000
MAX_BYTES = 4 << 40
RATIO = 200
RATIO_FREE = 1 << 30
"""Archives may unpack to this many bytes whatever their ratio."""
MAX_HEADER = 16 << 20
# ValueError and OverflowError: what the parsers of the standard library let through for hostile numbers and names.
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zstd.ZstdError,
    struct.error,
    ValueError,
    OverflowError,
)


def entries(
    path: Path, archive_format: Literal["zip", "tar", "file"], *, name: str = "", on_read: OnRead | None = None
) -> Iterator[SourceFile]:
    """Iterate over the files and links of the archive at `path`; each file must be read before the next.

    The format `file` is no archive: the file itself, called `name`, is all there is. Go through it, and read the
    files, inside `broken_is_invalid`. `on_read` is told the bytes read of it each time, and all there are.

    Raises:
        Invalid: for an encrypted or special entry, or a name that is not UTF-8.
        TooLarge: for too many entries, or contents out of proportion.
    """
    file = io.BufferedReader(_Told(path, on_read))
    if archive_format == "file":
        return _single(file, name)
    budget = _Budget(path.stat().st_size)
    return _zip(file, budget) if archive_format == "zip" else _tar(file, budget)


class _Told(io.FileIO):
    """A file that tells how much of it is read."""

    def __init__(self, path: Path, on_read: OnRead | None) -> None:
        super().__init__(path)
        self._on_read = on_read
        self._size = path.stat().st_size

    def readinto(self, buffer: Any, /) -> int:
        size = super().readinto(buffer)
        if self._on_read is not None:
            self._on_read(size, self._size)
        return size


def _single(file: IO[bytes], name: str) -> Iterator[SourceFile]:
    with file as content:
        yield SourceFile(path=name, content=content)


class _Budget:
    """How many entries and bytes an archive of `size` bytes may hold."""

    def __init__(self, size: int) -> None:
        self._left = min(MAX_BYTES, max(RATIO_FREE, RATIO * size))
        self._entries = 0

    def entry(self) -> None:
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise TooLarge(
                f"The archive has more than {MAX_ENTRIES} entries: pack small files together, or upload with the CLI.",
                field="archive",
                reason="too_many_entries",
            )

    def take(self, size: int) -> None:
        self._left -= size
        if size < 0 or self._left < 0:
            raise TooLarge(
                f"The archive unpacks to over {RATIO} times its size, as archives made to do harm do: "
                "upload the folder with the CLI instead.",
                field="archive",
                reason="archive_bomb",
            )


class _Counted:
    """A stream whose bytes are taken from a budget as they come, whatever its header promised."""

    def __init__(self, file: IO[bytes], budget: _Budget) -> None:
        self._file = file
        self._budget = budget

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._budget.take(len(data))
        return data


@contextmanager
def broken_is_invalid(archive_format: str) -> Generator[None]:
    """Turn what the parsers raise over a broken archive into `Invalid`."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Invalid("A name in the archive is not UTF-8.", field="archive", reason="bad_entry") from error
    except _BROKEN as error:
        raise _not_whole(archive_format, error) from error
    except OSError as error:
        if error.errno is not None and not isinstance(error, gzip.BadGzipFile):
            raise
        raise _not_whole(archive_format, error) from error
    except (NotImplementedError, RuntimeError) as error:
        raise Invalid(f"The archive is packed in a way that cannot be read here: {error}.", field="archive") from error


def _not_whole(archive_format: str, error: Exception) -> Invalid:
    return Invalid(
        f"This is not a whole {archive_format} archive ({error}): pack it again, or choose its true format.",
        field="archive",
        reason="broken_archive",
    )


def _bad(name: str, fault: str) -> Invalid:
    return Invalid(f"'{shown(name)}' {fault}: pack it again without that.", field="archive", reason="bad_entry")


def _clean(name: str) -> str:
    while name.startswith("./"):
        name = name[2:]
    return name


def _zip(file: IO[bytes], budget: _Budget) -> Iterator[SourceFile]:
    with file:
        _count_zip(file)
        file.seek(0)
        yield from _zip_members(file, budget)


def _zip_members(file: IO[bytes], budget: _Budget) -> Iterator[SourceFile]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        declared = _Budget(os.fstat(file.fileno()).st_size)
        for member in members:
            declared.entry()
            declared.take(member.file_size)
        for member in members:
            yield from _zip_member(archive, member, budget)


def _zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> Iterator[SourceFile]:
    name = _clean(_zip_name(member))
    mode = member.external_attr >> 16 if member.create_system == 3 else 0
    kind = stat.S_IFMT(mode)
    if member.flag_bits & 1:
        raise _bad(name, "is encrypted")
    if name.endswith("/"):
        if name.startswith("/") or ".." in name.split("/"):
            raise _bad(name, "is a folder outside the archive")
        return
    with archive.open(member) as content:
        if kind == stat.S_IFLNK:
            target = _Counted(content, budget).read(4096).decode("utf-8", "surrogateescape")
            yield SourceFile(path=name, link=link_target(name, target))
        elif kind in (0, stat.S_IFREG):
            counted: Any = _Counted(content, budget)
            yield SourceFile(path=name, executable=bool(mode & 0o111), content=counted)
        else:
            raise _bad(name, "is a device or another special file")


def _zip_name(member: zipfile.ZipInfo) -> str:
    name = member.orig_filename  # `filename` is cut at a NUL
    if member.flag_bits & 0x800:
        return name
    try:
        # Written without the UTF-8 flag: zipfile read it as code page 437. Most such names are UTF-8 all the same.
        return name.encode("cp437").decode()
    except UnicodeError as error:
        raise _bad(name, "has a name that is not UTF-8") from error


def _count_zip(file: IO[bytes]) -> None:
    """Count the central directory's entries, before zipfile makes an object of each.

    Follows APPNOTE.TXT 4.3.12, 4.3.14 and 4.3.16; what does not parse is left for zipfile to refuse.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 65_557))
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < 22:
        return
    end = size - len(tail) + found
    length = struct.unpack_from("<L", tail, found + 12)[0]
    if tail[max(0, found - 20) : found][:4] == b"PK\x06\x07":
        file.seek(end - 20 - 56)
        record = file.read(56)
        if record[:4] == b"PK\x06\x06":
            length = struct.unpack_from("<Q", record, 40)[0]
            end -= 76
    file.seek(max(0, end - length))
    budget = _Budget(size)
    while (header := file.read(46))[:4] == b"PK\x01\x02" and len(header) == 46:
        budget.entry()
        file.seek(sum(struct.unpack_from("<HHH", header, 28)), os.SEEK_CUR)


class _Guarded:
    """A tar stream that hands out no more at once than an honest header needs: tarfile reads headers whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > MAX_HEADER:
            raise TooLarge("A header in the archive is larger than 16 MiB.", field="archive", reason="archive_bomb")
        return self._file.read(size)


_OPENERS = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open, b"\x28\xb5": zstd.open}


def _tar(raw: IO[bytes], budget: _Budget) -> Iterator[SourceFile]:
    with raw:
        opener = _OPENERS.get(raw.read(2))
        raw.seek(0)
        stream: Any = opener(raw, "rb") if opener else raw
        guarded: Any = _Guarded(stream)
        with tarfile.open(fileobj=guarded, mode="r:") as archive:
            while (member := archive.next()) is not None:
                budget.entry()
                # tarfile remembers every member; nothing here looks back.
                archive.members = []  # pyright: ignore[reportAttributeAccessIssue]
                yield from _tar_member(archive, member, budget)
            guarded.seek(archive.offset)
            if guarded.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
                # tarfile takes any broken header but the first for the end.
                raise tarfile.ReadError("it does not end as it should")


def _tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo, budget: _Budget) -> Iterator[SourceFile]:
    name = _clean(member.name)
    if member.isdir():
        if name.startswith("/") or ".." in name.split("/"):
            raise _bad(name, "is a folder outside the archive")
    elif member.issym():
        yield SourceFile(path=name, link=link_target(name, member.linkname))
    elif member.islnk():
        yield SourceFile(path=name, link=_clean(member.linkname))
    elif member.isreg():
        budget.take(member.size)
        content = archive.extractfile(member)
        yield SourceFile(path=name, executable=bool(member.mode & 0o111), content=content)
    else:
        raise _bad(name, "is a device or another special file")
