"""A folder on this machine as the source of a version, written by a job nobody trusts."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from pathlib import Path

from pumpkin_services.artifacts.pack import SourceFile, link_target


def entries(folder: Path) -> Iterator[SourceFile]:
    """Iterate over the files and links below `folder`, in any order; each file must be read before the next.

    No link is followed on the way, at no level: what the folder's owner could not read cannot be read through
    us. Sockets, pipes and devices are passed over.
    """
    root = str(folder.resolve())
    for current, _, names, descriptor in _walk(root):
        base = posixpath.relpath(current, root)
        prefix = "" if base == "." else base + "/"
        for name in sorted(names):
            yield from _entry(prefix + name, name, descriptor, root)


def _walk(root: str) -> Iterator[tuple[str, list[str], list[str], int]]:
    def stop(error: OSError) -> None:
        raise error

    for current, folders, names, descriptor in os.fwalk(root, follow_symlinks=False, onerror=stop):
        # fwalk counts links to folders as folders; here they are links.
        links = [name for name in folders if stat.S_ISLNK(os.lstat(name, dir_fd=descriptor).st_mode)]
        folders[:] = sorted(set(folders) - set(links))
        yield current, folders, names + links, descriptor


def _entry(path: str, name: str, folder: int, root: str) -> Iterator[SourceFile]:
    try:
        mode = os.lstat(name, dir_fd=folder).st_mode
        if stat.S_ISLNK(mode):
            target = os.readlink(name, dir_fd=folder)
            if target.startswith(root + "/"):
                yield SourceFile(path=path, link=posixpath.normpath(target[len(root) + 1 :]))
            else:
                yield SourceFile(path=path, link=link_target(path, target))
            return
        if not stat.S_ISREG(mode):
            return
        # Without O_NOFOLLOW a link put there since the look would be followed; without O_NONBLOCK a pipe would wait.
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):  # it went, or became a link, since the look
            return
        raise
    with os.fdopen(descriptor, "rb") as content:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            yield SourceFile(path=path, executable=bool(mode & 0o111), content=content)
