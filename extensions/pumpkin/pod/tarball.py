"""A folder as a stream of tar, whatever its size, in the memory of one block."""

from __future__ import annotations

import os
import posixpath
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

BLOCK = 1 << 20
INSIDE = "/model"
"""What the folder is called in the workload's own container: absolute links begin with it."""

Say = Callable[[str], None]


def stream(folder: Path, *, say: Say) -> Iterator[bytes]:
    """Yield the tar of all files below `folder`; raise `OSError` for one that changes meanwhile.

    Links to files inside are sent as copies of them. Links out or to folders, and what is neither file nor folder, are
    left out, each told to `say` in one line.
    """
    root = os.path.realpath(folder)
    for path in files(root, say):
        opened = _opened(root, path, say)
        if opened is None:
            continue
        with os.fdopen(opened, "rb", buffering=0) as content:
            info = os.fstat(opened)
            header = tarfile.TarInfo(path)
            header.size, header.mtime = info.st_size, int(info.st_mtime)
            header.mode = 0o755 if info.st_mode & stat.S_IXUSR else 0o644
            yield header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
            left = info.st_size
            while left:
                data = content.read(min(BLOCK, left))
                if not data:
                    raise OSError(f"'{path}' became shorter while it was sent")
                left -= len(data)
                yield data
            yield b"\0" * (-info.st_size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def files(root: str, say: Say) -> Iterator[str]:
    """Yield the paths of everything below `root` that is no folder, links to folders included."""

    def unreadable(error: OSError) -> None:
        say(f"'{error.filename}' cannot be read ({error.strerror}): it is left out")

    for current, folders, names in os.walk(root, onerror=unreadable):
        base = os.path.relpath(current, root)
        prefix = "" if base == "." else base + "/"
        links = [name for name in folders if os.path.islink(os.path.join(current, name))]
        folders[:] = sorted(set(folders) - set(links))
        yield from (prefix + name for name in sorted(names + links))


def _opened(root: str, path: str, say: Say) -> int | None:
    """Return a descriptor of the file at `path`, None when it is left out."""
    real = os.path.join(root, path)
    try:
        if stat.S_ISLNK(os.lstat(real).st_mode):
            real = _target(root, path, os.readlink(real))
            if not real.startswith(root + "/"):
                say(f"'{path}' is a link out of the output folder: it is left out")
                return None
        mode = os.stat(real).st_mode
        if not stat.S_ISREG(mode):
            what = "a link to a folder" if stat.S_ISDIR(mode) else "no file"
            say(f"'{path}' is {what}: it is left out")
            return None
        return os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        say(f"'{path}' cannot be read ({error.strerror}): it is left out")
        return None


def _target(root: str, path: str, target: str) -> str:
    if target.startswith(INSIDE + "/"):
        return os.path.realpath(os.path.join(root, target[len(INSIDE) + 1 :]))
    return os.path.realpath(posixpath.join(root, posixpath.dirname(path), target))
