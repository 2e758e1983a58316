"""The manifest of a version: which paths are allowed, one file's entry, reading and writing the whole.

A manifest is JSON, one file per line, sorted by the UTF-8 bytes of the path, gzipped in the store. Its
canonical form (the one `encode` makes) has one hash: the version's identity.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from pumpkin_services.artifacts.blocks import Writer, lines
from pumpkin_services.artifacts.models import MAX_OBJECT, ManifestLine, RemovedLine
from pumpkin_services.problems import Invalid, TooLarge
from pumpkin_services.storage.base import Sink

MAX_FILES = 2_000_000
MAX_PATH = 1024
EMPTY = hashlib.sha256().hexdigest()
M = TypeVar("M", bound=BaseModel)
_quoted = json.JSONEncoder(ensure_ascii=False).encode
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SMALL = re.compile(
    rb'\{"path":"([^"\\\x00-\x1f\x7f]+)","size":([1-9][0-9]{0,7}),"mode":(420|493),"sha256":"([0-9a-f]{64})",'
    rb'"chunks":\[\{"hash":"\4","size":\2\}\]\}\n?'
)
"""The canonical line of a file of one chunk, its path without backslashes: nearly every line is like that, and this
is much quicker than JSON.
"""


class Entry(NamedTuple):
    """One file: `chunks` are (SHA-256, bytes) in order, none for an empty file."""

    path: str
    size: int
    mode: int
    sha256: str
    chunks: tuple[tuple[str, int], ...]


def path_fault(path: str) -> str | None:
    """Say what is wrong with a path inside a version; None when nothing is."""
    if not path:
        return "is empty"
    if _CONTROL.search(path):
        return "contains a control character"
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    if len(raw) > MAX_PATH:
        return f"is longer than {MAX_PATH} bytes"
    if path.startswith("/") or (path[1:2] == ":" and path[0].isalpha()):
        return "is absolute"
    if "\\" in path:
        return "contains a backslash"
    parts = path.split("/")
    if ".." in parts:
        return "leads out with '..'"
    if "" in parts or "." in parts:
        return "has an empty part or a '.' in it"
    if len(raw) > 255 and any(len(part.encode()) > 255 for part in parts):
        return "has a part longer than 255 bytes"
    return None


def shown(path: str) -> str:
    """Return a path fit for a sentence: escaped and cut."""
    text = path.encode("unicode_escape").decode() if not path.isprintable() else path
    return text if len(text) <= 80 else text[:77] + "…"


def encode(entry: Entry) -> bytes:
    """Return the canonical line of a file, its newline included."""
    chunks = ",".join(f'{{"hash":"{digest}","size":{size}}}' for digest, size in entry.chunks)
    line = (
        f'{{"path":{_quoted(entry.path)},"size":{entry.size},"mode":{entry.mode},"sha256":"{entry.sha256}",'
        f'"chunks":[{chunks}]}}\n'
    )
    return line.encode()


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a manifest says in sum."""

    hash: str
    files: int
    bytes: int


def write(entries: Iterable[Entry], sink: Sink) -> Summary:
    """Write the canonical gzipped manifest of sorted `entries` to `sink`."""
    writer, files, total = Writer(sink), 0, 0
    for entry in entries:
        writer.line(encode(entry))
        files += 1
        total += entry.size
    writer.end()
    return Summary(hash=writer.identity.hexdigest(), files=files, bytes=total)


def read(pieces: Iterable[bytes]) -> Iterator[Entry]:
    """Iterate over the entries of one of our own manifests."""
    for line in lines(pieces):
        yield decode(line)


def decode(line: bytes) -> Entry:
    """Return the file one of our own lines tells of."""
    if (small := _small(line)) is not None:
        return small
    value = json.loads(line)
    chunks = tuple((chunk["hash"], chunk["size"]) for chunk in value["chunks"])
    return Entry(value["path"], value["size"], value["mode"], value["sha256"], chunks)


def _small(line: bytes) -> Entry | None:
    """Return the file a line tells of if the line is of the usual kind."""
    found = _SMALL.fullmatch(line)
    if found is None:
        return None
    size, sha256 = int(found[2]), found[4].decode()
    try:
        path = found[1].decode()
    except UnicodeDecodeError:
        return None
    return Entry(path, size, int(found[3]), sha256, ((sha256, size),)) if size <= MAX_OBJECT else None


def path_of(line: bytes) -> str:
    """Return the path of one of our own lines, without reading the rest of it."""
    # Inside the path each quotation mark has a backslash before it, so this can only be its end.
    quoted = line[8 : line.index(b'","size":') + 1]
    return json.loads(quoted) if b"\\" in quoted else quoted[1:-1].decode()


def read_untrusted(pieces: Iterable[bytes]) -> Iterator[Entry]:
    """Iterate over the entries of a manifest somebody sent, checking everything that needs no store.

    Raises:
        Invalid: naming the line, for anything out of order, unsafe or inconsistent.
    """
    order = Order()
    for number, line in _numbered(pieces):
        entry = _parse(number, line)
        _refuse(number, entry.path, path_fault(entry.path) or order.fault(entry.path) or _content_fault(entry))
        yield entry


def read_delta(pieces: Iterable[bytes]) -> Iterator[tuple[str, Entry | None]]:
    """Iterate over what somebody sent as the difference from another version: paths, and what is there now.

    None stands for a file that is removed. Raises `Invalid` as `read_untrusted` does.
    """
    last = ""
    for number, line in _numbered(pieces):
        if b'"chunks"' not in line:  # (in a path the quotation marks would have backslashes)
            path, entry = _model(number, line, RemovedLine).path, None
        else:
            entry = _parse(number, line)
            path = entry.path
        fault = path_fault(path) or (_content_fault(entry) if entry else None)
        if not fault and path <= last:
            fault = "is there twice, or out of order: sort by the bytes of the path"
        _refuse(number, path, fault)
        last = path
        yield path, entry


def _numbered(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(lines(pieces), start=1):
        if number > MAX_FILES:
            raise TooLarge(f"A version has {MAX_FILES} files at most: pack small files together.", field="manifest")
        yield number, line


def _parse(number: int, line: bytes) -> Entry:
    if (small := _small(line)) is not None:
        return small
    parsed = _model(number, line, ManifestLine)
    chunks = tuple((chunk.hash, chunk.size) for chunk in parsed.chunks)
    return Entry(parsed.path, parsed.size, parsed.mode, parsed.sha256, chunks)


def _model(number: int, line: bytes, model: type[M]) -> M:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"Line {number} of the manifest: {where} {first['msg']}.", field="manifest") from error


def _refuse(number: int, path: str, fault: str | None) -> None:
    if fault:
        raise Invalid(f"Line {number} of the manifest: '{shown(path)}' {fault}.", field="manifest")


def _content_fault(entry: Entry) -> str | None:
    if sum(size for _, size in entry.chunks) != entry.size:
        return "has another size than its chunks together"
    if not entry.chunks and entry.sha256 != EMPTY:
        return "is empty, its sha256 says otherwise"
    if len(entry.chunks) == 1 and entry.chunks[0][0] != entry.sha256:
        return "is one chunk, whose hash is not the file's sha256"
    return None


class Order:
    """Checks, path by path, that paths come sorted, once each, and that no file is also a folder."""

    def __init__(self) -> None:
        self._last = ""
        self._files: list[str] = []

    def fault(self, path: str) -> str | None:
        """Say what is wrong with `path` coming next; None when nothing is."""
        if self._last and path <= self._last:
            return "is there twice" if path == self._last else "is out of order: sort by the bytes of the path"
        # Everything below a file would sort directly behind it: the files that begin like this path are few.
        while self._files and not path.startswith(self._files[-1]):
            self._files.pop()
        if any(path[len(file)] == "/" for file in self._files):
            return "lies below a file as if that were a folder"
        self._files.append(path)
        self._last = path
        return None
