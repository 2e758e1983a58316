"""A built environment on its way to the nodes of a cluster: its prefix as a tar, with the kernel it is there."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import tarfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

from pumpkin_services.images.kernels import kernel_name, kernelspec
from pumpkin_services.images.views import EnvironmentRef

ENVIRONMENT = Path("/pumpkin/environment")
"""Where pods have the environment they run in."""
PIECE = 1 << 20
JUPYTER = "share/pumpkin/jupyter"
"""In the archive: an entry of JUPYTER_PATH, with the environment as a kernel if it can be one."""


class Archive:
    """The archive of a ready version; every method but `read` blocks."""

    def __init__(self, ref: EnvironmentRef) -> None:
        assert ref.prefix is not None
        self._root = str(ref.prefix)
        self._extra: dict[str, bytes] = {}
        if ref.kernel:
            there = kernelspec(replace(ref, prefix=ENVIRONMENT, python=ENVIRONMENT / "bin/python"))
            self._extra[f"{JUPYTER}/kernels/{kernel_name(ref)}/kernel.json"] = json.dumps(there, indent=1).encode()

    def size(self) -> int:
        """Return its bytes. Prefixes never change, so this is also what `pieces` will yield."""
        headers = ((len(header), info.size) for info, header in self._entries())
        return sum(header + size + _padding(size) for header, size in headers) + 2 * tarfile.BLOCKSIZE

    def pieces(self) -> Iterator[bytes]:
        """Yield the archive, in the memory of one piece."""
        for info, header in self._entries():
            yield header
            if info.name in self._extra:
                yield self._extra[info.name]
            elif info.isreg():
                with open(os.path.join(self._root, info.name), "rb", buffering=0) as file:
                    while piece := file.read(PIECE):
                        yield piece
            yield b"\0" * _padding(info.size)
        yield b"\0" * (2 * tarfile.BLOCKSIZE)

    async def read(self) -> AsyncIterator[bytes]:
        """Iterate over the archive in pieces of about a mebibyte."""
        pieces = self.pieces()
        while piece := await asyncio.to_thread(_gather, pieces):
            yield piece

    def _entries(self) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        for name, content in self._extra.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o444
            yield info, _header(info)
        for current, folders, names in os.walk(self._root):
            folders.sort()
            links = [name for name in folders if os.path.islink(os.path.join(current, name))]
            for name in sorted(names + links):
                path = os.path.join(current, name)
                found = os.lstat(path)
                info = tarfile.TarInfo(os.path.relpath(path, self._root))
                info.mode, info.mtime = stat.S_IMODE(found.st_mode), int(found.st_mtime)
                if stat.S_ISLNK(found.st_mode):
                    info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
                elif stat.S_ISREG(found.st_mode):
                    info.size = found.st_size
                else:
                    continue
                yield info, _header(info)


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _padding(size: int) -> int:
    return -size % tarfile.BLOCKSIZE


def _gather(pieces: Iterator[bytes]) -> bytes:
    """Return the next pieces together: most files of an environment are small."""
    found = bytearray()
    while len(found) < PIECE and (piece := next(pieces, None)) is not None:
        found += piece
    return bytes(found)
