"""Which files of a folder make a version, in the order of its manifest."""

from __future__ import annotations

import fnmatch
import os
import stat
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from pumpkin.errors import PumpkinError

LEFT_OUT = frozenset((".git", "__pycache__", ".ipynb_checkpoints", ".DS_Store"))
"""Names that are never part of a version."""

FIELDS = 5
"""How a file looks without being read: bytes, two times in nanoseconds, its number on the disk, its mode."""


@dataclass(slots=True)
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


class Listing(Sequence[File]):
    """The files of a folder, sorted by the bytes of their paths: in few objects, for there may be millions."""

    def __init__(self, root: str) -> None:
        self.root = root
        """What comes before each path on this machine, its slash included."""
        self.paths: list[str] = []
        self.looks = array("q")
        """`FIELDS` numbers for each file."""

    @overload
    def __getitem__(self, index: int) -> File: ...
    @overload
    def __getitem__(self, index: slice) -> list[File]: ...
    def __getitem__(self, index: int | slice) -> File | list[File]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        path = self.paths[index]
        size, _, _, _, mode = self.looks[index * FIELDS : index * FIELDS + FIELDS]
        return File(path, self.root + path, size, bool(mode & stat.S_IXUSR))

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def bytes(self) -> int:
        """The bytes of all files."""
        return sum(self.looks[::FIELDS])


def scan(root: Path, *, exclude: Sequence[str] = ()) -> Listing:
    """Return the files below `root` (or `root` itself, a file).

    `exclude` are shell patterns matched against names and against whole paths. Links are followed as long as they
    stay inside the folder. Raises `PumpkinError` for a link out of it and for what is no file.
    """
    if root.is_file():
        files = Listing(str(root)[: -len(root.name)])
        files.paths.append(_text(root.name))
        files.looks.extend(_look(root.stat()))
    else:
        files = Listing(os.path.join(root, ""))
        _folder(files, str(root), "", os.path.realpath(root), tuple(exclude))
    return files


def _folder(files: Listing, folder: str, prefix: str, root: str, exclude: tuple[str, ...]) -> None:
    try:
        with os.scandir(folder) as entries:
            # A folder sorts as the paths below it do, with the slash: that is the manifest's order. (Text sorts as
            # its UTF-8 does.) This loop meets every file of every push: what is rare is looked at afterwards.
            found = sorted(
                (entry.name + "/" if entry.is_dir() else entry.name, entry)
                for entry in entries
                if entry.name not in LEFT_OUT
            )
    except OSError as error:
        raise PumpkinError(f"'{folder}' cannot be read: {error.strerror}.", field="source") from error
    for name, entry in found:
        path = prefix + name
        if exclude and _excluded(entry.name, prefix + entry.name, exclude):
            continue
        if not path.isascii():
            _text(path)
        if entry.is_symlink():
            _check_link(entry, prefix + entry.name, folder, root)
        if name[-1] == "/":
            _folder(files, entry.path, path, root, exclude)
        elif entry.is_file():
            files.paths.append(path)
            files.looks.extend(_look(entry.stat()))
        else:
            raise PumpkinError(f"'{path}' is neither file nor folder (a broken link?): exclude it.", field="source")


def _look(info: os.stat_result) -> tuple[int, int, int, int, int]:
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_mode


def _check_link(entry: os.DirEntry[str], path: str, folder: str, root: str) -> None:
    real = os.path.realpath(entry.path)
    if real != root and not real.startswith(root + os.sep):
        raise PumpkinError(f"'{path}' is a link out of the folder: copy it in or exclude it.", field="source")
    if entry.is_dir() and (os.path.realpath(folder) + os.sep).startswith(real + os.sep):
        raise PumpkinError(f"'{path}' is a link back up: exclude it.", field="source")


def _excluded(name: str, path: str, exclude: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(path, pattern) for pattern in exclude)


def _text(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise PumpkinError(f"The name '{shown}' is not valid UTF-8: rename or exclude it.", field="source") from error
    return path
