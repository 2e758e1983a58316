"""A built environment on a node: the tar the platform sends, unpacked."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pumpkin.errors import PumpkinError

SOURCE = "images/"
"""What the sources of environments begin with."""
BLOCK = 1 << 20


class Stream(io.RawIOBase):
    """Pieces of bytes as a file; `read_bytes` counts what was read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")
        self.read_bytes = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""
        found = bytearray()
        while len(found) < size:
            if not self._piece:
                self._piece = memoryview(next(self._pieces, b""))
                if not self._piece:
                    break
            taken = self._piece[: size - len(found)]
            found += taken
            self._piece = self._piece[len(taken) :]
        self.read_bytes += len(found)
        return bytes(found)


def unpack(stream: Stream, folder: Path, *, progress: Callable[[int], None]) -> None:
    """Fill `folder`, emptied first, with the files and links of a tar; tell `progress` the bytes read so far.

    By hand, since the Python of Debian 12 has no extraction filters.

    Raises:
        PumpkinError: if it is no such tar.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=BLOCK) as tar:
            for member in tar:
                _extract(tar, member, folder)
                progress(stream.read_bytes)
    except tarfile.TarError as error:
        raise PumpkinError(f"the platform sent no whole archive ({error})", reason="unreachable") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    parts = Path(member.name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise PumpkinError(f"'{member.name}' does not belong in an environment", reason="invalid")
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        path.symlink_to(member.linkname)
        return
    content = tar.extractfile(member)
    if content is None:
        raise PumpkinError(f"'{member.name}' is neither a file nor a link", reason="invalid")
    with content, path.open("xb") as file:
        shutil.copyfileobj(content, file, BLOCK)
    path.chmod(member.mode | 0o200)
    # Bytecode is good for the time its source has.
    os.utime(path, (member.mtime, member.mtime))
