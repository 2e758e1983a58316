"""What the last push of a folder saw, kept on this machine: files that look the same need not be read again.

A file looks the same when its size, both its times, its number on the disk and its mode are as they were: git's
rule. One whose time was so young that it could change again without showing it is not believed the next time.
The record is a cache: it may be deleted at any time, and one that cannot be read counts as none.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pumpkin.transfer.scan import FIELDS, Listing

KEPT = 50
"""Records kept, by last use."""
SECOND = 1_000_000_000
_MAGIC = b"pumpkin-seen-1\n"
_HEAD = struct.Struct("<15s32sQQ")
"""Magic; SHA-256 of the lines, which is the version's identity; number of files; bytes of their paths."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The files of a version as they were: `identity` is its manifest's hash, `lines` are the manifest's.

    `looks` are `FIELDS` numbers for each file.
    """

    identity: str
    paths: list[str]
    looks: array[int]
    lines: list[bytes]


@dataclass(kw_only=True)
class Changes:
    """What looks other: the numbers of the files that do, and the paths that are gone.

    `lines` are those of all files as they were; that of a file that was not there is empty.
    """

    suspects: list[int]
    removed: list[str]
    lines: list[bytes]


def compare(files: Listing, seen: Seen) -> Changes:
    """Compare what is there with what was seen."""
    if files.paths == seen.paths:
        numbers = range(len(files))
        return Changes(suspects=_other(files, seen, numbers), removed=[], lines=list(seen.lines))
    known = {path: number for number, path in enumerate(seen.paths)}
    were = [known.pop(path, -1) for path in files.paths]
    lines = [seen.lines[number] if number >= 0 else b"" for number in were]
    return Changes(suspects=_other(files, seen, were), removed=list(known), lines=lines)


def _other(files: Listing, seen: Seen, were: Sequence[int]) -> list[int]:
    """Return which files do not look as the one of number `were` did."""
    if isinstance(were, range) and files.looks == seen.looks:
        return []
    found: list[int] = []
    new, old = files.looks, seen.looks
    for number, before in enumerate(were):
        here, there = number * FIELDS, before * FIELDS
        if before < 0 or new[here : here + FIELDS] != old[there : there + FIELDS]:
            found.append(number)
    return found


def load(source: Path) -> Seen | None:
    """Return what the last push of `source` saw."""
    try:
        data = memoryview(_file(source).read_bytes())
        magic, identity, count, length = _HEAD.unpack_from(data)
        looks = array("q")
        end = _HEAD.size + count * FIELDS * looks.itemsize
        looks.frombytes(data[_HEAD.size : end])
        paths = str(data[end : end + length], "utf-8").split("\n")
        text = bytes(data[end + length :])
        lines = text.splitlines(keepends=True)
        if magic != _MAGIC or hashlib.sha256(text).digest() != identity or not len(paths) == len(lines) == count:
            return None
        if sys.byteorder == "big":
            looks.byteswap()
        return Seen(identity=identity.hex(), paths=paths, looks=looks, lines=lines)
    except (OSError, ValueError, struct.error):
        return None


def save(source: Path, files: Listing, lines: Sequence[bytes], *, begun: int) -> None:
    """Keep what a push saw that began to look at `begun` (nanoseconds since 1970). Failing to is no error."""
    looks = files.looks[:]
    for number, changed in enumerate(map(max, looks[1::FIELDS], looks[2::FIELDS])):
        if changed >= begun - 2 * SECOND and not _settled(changed, begun):
            looks[number * FIELDS] = -1
    if sys.byteorder == "big":
        looks.byteswap()
    text, paths = b"".join(lines), "\n".join(files.paths).encode()
    head = _HEAD.pack(_MAGIC, hashlib.sha256(text).digest(), len(files), len(paths))
    target = _file(source)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    with suppress(OSError):
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(partial, "xb") as out:
                out.writelines((head, looks.tobytes(), paths, text))
            partial.replace(target)
            known = sorted(target.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
            for old in known[KEPT:]:
                old.unlink(missing_ok=True)
        finally:
            partial.unlink(missing_ok=True)


def _settled(changed: int, begun: int) -> bool:
    """Tell whether a time is so old that any change since `begun` shows as another."""
    # A clock of whole seconds is that of FAT, or of an old network file system; others move every few milliseconds.
    return changed < begun - (2 * SECOND if changed % SECOND == 0 else SECOND // 50)


def _file(source: Path) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    name = hashlib.sha256(os.fsencode(source.resolve())).hexdigest()[:32]
    return Path(base) / "pumpkin" / "seen" / name
