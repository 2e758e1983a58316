"""Files of several chunks, hashed as a whole while their packs are looked at one after another.

That saves the verification of a version from reading them once more. What is known here is known to this process
only, and a pack that comes out of order ends it: whoever finds nothing reads the file.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.manifest import Entry
from pumpkin_services.artifacts.parts import Hash

UPLOADS = 64
"""Uploads whose files are followed at once; the one that was quiet the longest is forgotten for another."""
FILES = 10_000
"""Files of an upload that are followed: a few megabytes."""


@dataclass(slots=True)
class _File:
    """A file up to `end`: its hash, and that of its chunks' names."""

    end: int = 0
    whole: Hash = field(default_factory=hashlib.sha256)
    names: Hash = field(default_factory=hashlib.sha256)


class Reading:
    """The files that one pack carries on, while its bytes are read."""

    def __init__(self, files: dict[int, _File], parts: Sequence[wire.FilePart]) -> None:
        self._files = files
        self._parts = parts
        self._wholes: list[Hash] = []

    def hashes(self) -> dict[int, Hash]:
        """Return, for the number of each chunk, the hash its bytes go into. Begins anew with each call."""
        self._wholes = [self._files[part.file].whole.copy() for part in self._parts]
        return {
            number: whole
            for part, whole in zip(self._parts, self._wholes, strict=True)
            for number in range(part.first, part.first + part.chunks)
        }

    def done(self, chunks: Sequence[wire.Chunk]) -> None:
        """Keep what the last `hashes` became: every one of `chunks`, the pack's, was right."""
        for part, whole in zip(self._parts, self._wholes, strict=True):
            file = self._files[part.file]
            if file.end != part.offset:
                continue  # another pack was said to lie here, and was quicker: its bytes are those hashed
            own = chunks[part.first : part.first + part.chunks]
            file.whole, file.end = whole, file.end + sum(chunk.size for chunk in own)
            file.names.update("".join(chunk.hash for chunk in own).encode())


class Joins:
    """What is known of the files of unfinished uploads. Belongs to one event loop."""

    def __init__(self) -> None:
        self._uploads: OrderedDict[str, dict[int, _File]] = OrderedDict()

    def reading(self, upload_id: str, parts: Sequence[wire.FilePart]) -> Reading:
        """Return what of `parts` can be followed: what begins a file, or where the packs before have ended."""
        if not parts:
            return Reading({}, ())
        files = self._uploads.setdefault(upload_id, {})
        self._uploads.move_to_end(upload_id)
        if len(self._uploads) > UPLOADS:
            self._uploads.popitem(last=False)
        followed: dict[int, wire.FilePart] = {}
        for part in parts:
            if part.offset == 0 and len(files) < FILES:
                files.setdefault(part.file, _File())
            file = files.get(part.file)
            if file is not None and file.end == part.offset:
                followed.setdefault(part.file, part)
        return Reading(files, list(followed.values()))

    def take(self, upload_id: str) -> Joined:
        """Return what was seen of an upload, and forget it: it has ended."""
        files = self._uploads.pop(upload_id, {}).values()
        return Joined(frozenset((file.names.digest(), file.whole.hexdigest()) for file in files))


@dataclass(frozen=True)
class Joined:
    """Which chunks were seen to make which files: hashes of the chunks' names, and SHA-256 of the files."""

    seen: frozenset[tuple[bytes, str]] = frozenset()

    def proves(self, entry: Entry) -> bool:
        """Tell whether a file's chunks, in this order, were seen to make its SHA-256."""
        names = hashlib.sha256("".join(digest for digest, _ in entry.chunks).encode()).digest()
        return (names, entry.sha256) in self.seen
