"""Which files of a folder make a version, in the order of its manifest."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pumpkin.errors import PumpkinError

LEFT_OUT = (".git", "__pycache__", ".ipynb_checkpoints", ".DS_Store")
"""Names that are never part of a version."""


@dataclass(frozen=True, slots=True)
class File:
    """One file: `path` inside the version, `source` on this machine, bytes, and whether it is executable."""

    path: str
    source: str
    size: int
    executable: bool

    @property
    def mode(self) -> int:
        """The mode a version keeps: 0755 or 0644."""
        return 0o755 if self.executable else 0o644


def scan(root: Path, *, exclude: Sequence[str] = ()) -> Iterator[File]:
    """Yield the files below `root` (or `root` itself, a file) sorted by the bytes of their paths.

    `exclude` are shell patterns matched against names and against whole paths. Links are followed as long as they
    stay inside the folder. Raises `PumpkinError` for a link out of it and for what is no file.
    """
    if root.is_file():
        info = root.stat()
        yield File(_text(root.name), str(root), info.st_size, bool(info.st_mode & stat.S_IXUSR))
        return
    yield from _folder(str(root), "", os.path.realpath(root), tuple(exclude))


def _folder(folder: str, prefix: str, root: str, exclude: tuple[str, ...]) -> Iterator[File]:
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not _left_out(entry.name, prefix + entry.name, exclude)]
    except OSError as error:
        raise PumpkinError(f"'{folder}' cannot be read: {error.strerror}.", field="source") from error
    # A folder sorts as the paths below it do, with the slash: that is the manifest's order.
    for entry in sorted(found, key=lambda entry: os.fsencode(entry.name) + (b"/" if entry.is_dir() else b"")):
        path = _text(prefix + entry.name)
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            if real != root and not real.startswith(root + os.sep):
                raise PumpkinError(f"'{path}' is a link out of the folder: copy it in or exclude it.", field="source")
            if entry.is_dir() and (os.path.realpath(folder) + os.sep).startswith(real + os.sep):
                raise PumpkinError(f"'{path}' is a link back up: exclude it.", field="source")
        if entry.is_dir():
            yield from _folder(entry.path, path + "/", root, exclude)
        elif entry.is_file():
            info = entry.stat()
            yield File(path, entry.path, info.st_size, bool(info.st_mode & stat.S_IXUSR))
        else:
            raise PumpkinError(f"'{path}' is neither file nor folder (a broken link?): exclude it.", field="source")


def _left_out(name: str, path: str, exclude: tuple[str, ...]) -> bool:
    if name in LEFT_OUT:
        return True
    return any(fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(path, pattern) for pattern in exclude)


def _text(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise PumpkinError(f"The name '{shown}' is not valid UTF-8: rename or exclude it.", field="source") from error
    return path
