"""Manifests as the difference from another one: what both have is passed over, most of it without unpacking it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pumpkin_services.artifacts.blocks import Writer, members, packed, unpack
from pumpkin_services.artifacts.manifest import MAX_FILES, Entry, Summary, decode, encode, path_of, shown
from pumpkin_services.problems import Invalid, TooLarge
from pumpkin_services.storage.base import ObjectStore, Sink

MUCH = 50_000
"""Differing lines from which on two manifests are no longer compared: looking at all costs no more."""
_CHUNK = re.compile(rb'\{"hash":"([0-9a-f]{64})"')
"""A chunk in a line: a path cannot look like it, for its quotation marks have backslashes before them."""
Delta = Iterator[tuple[str, Entry | None]]


@dataclass(kw_only=True)
class _Sum:
    files: int
    bytes: int
    new_paths: bool = False


def merge(base: Iterable[bytes], delta: Delta, sink: Sink, *, total: Summary) -> tuple[Summary, bool]:
    """Write the manifest that `delta` makes of `base` (in sum: `total`); return its summary, and if paths were added.

    Raises:
        Invalid: when something is to be removed that is not there.
    """
    writer, summed = Writer(sink), _Sum(files=total.files, bytes=total.bytes)
    change = next(delta, None)
    for member, text in members(base):
        if member and not writer.scrap and (change is None or change[0] > _last_path(text)):
            writer.member(member, text)
            continue
        for line in text.splitlines(keepends=True):
            path = path_of(line)
            while change is not None and change[0] < path:
                _add(*change, writer, summed)
                change = next(delta, None)
            if change is None or change[0] != path:
                writer.line(line)
                continue
            summed.files -= 1
            summed.bytes -= decode(line).size
            if (entry := change[1]) is not None:
                summed.files += 1
                summed.bytes += entry.size
                writer.line(encode(entry))
            change = next(delta, None)
    while change is not None:
        _add(*change, writer, summed)
        change = next(delta, None)
    writer.end()
    if summed.files > MAX_FILES:
        raise TooLarge(f"A version has {MAX_FILES} files at most: pack small files together.", field="manifest")
    summary = Summary(hash=writer.identity.hexdigest(), files=summed.files, bytes=summed.bytes)
    return summary, summed.new_paths


def _last_path(text: bytes) -> str:
    return path_of(text[text.rfind(b"\n", 0, -1) + 1 :])


def _add(path: str, entry: Entry | None, writer: Writer, summed: _Sum) -> None:
    if entry is None:
        raise Invalid(f"'{shown(path)}' is to be removed, but the other version has no such file.", field="manifest")
    writer.line(encode(entry))
    summed.files += 1
    summed.bytes += entry.size
    summed.new_paths = True


@dataclass(frozen=True, kw_only=True)
class Differences:
    """The lines one manifest has and the other has not."""

    removed: list[Entry]
    added: list[Entry]
    added_lines: frozenset[bytes]


def differences(store: ObjectStore, old: str, new: str) -> Differences | None:
    """Compare the manifests under two keys; None when they differ so much that it does not pay. Blocks."""
    theirs, ours = packed(store.stream(old)), packed(store.stream(new))
    if theirs is None or ours is None:
        return None
    both = {hashlib.sha256(member).digest() for member in ours}
    seen: set[bytes] = set()
    before: set[bytes] = set()
    for member in theirs:
        digest = hashlib.sha256(member).digest()
        seen.add(digest)
        if digest not in both:
            before.update(unpack(member).splitlines())
            if len(before) > MUCH:
                return None
    after: set[bytes] = set()
    for member in packed(store.stream(new)) or ():
        if hashlib.sha256(member).digest() not in seen:
            after.update(unpack(member).splitlines())
            if len(after) > MUCH:
                return None
    return Differences(
        removed=[decode(line) for line in before - after],
        added=[decode(line) for line in after - before],
        added_lines=frozenset(after - before),
    )


def occurring(store: ObjectStore, key: str, wanted: set[str], *, besides: frozenset[bytes]) -> set[str]:
    """Return which of `wanted` chunks a manifest names in other lines than `besides`. Blocks."""
    if not wanted:
        return set()
    marks = {b'{"hash":"' + digest.encode(): digest for digest in wanted}
    found: set[str] = set()
    for _, text in members(store.stream(key)):
        # A search for a few is quicker than a look at all.
        hit = any(mark in text for mark in marks) if len(marks) <= 8 else not wanted.isdisjoint(_chunks(text))
        if hit:
            rest = b"\n".join(line for line in text.splitlines() if line not in besides)
            found |= wanted & _chunks(rest)
    return found


def _chunks(text: bytes) -> set[str]:
    return {digest.decode() for digest in _CHUNK.findall(text)}
