"""The manifest of a version: which paths are allowed, one file's entry, reading and writing the whole.

A manifest is JSON, one file per line, sorted by the UTF-8 bytes of the path, gzipped in the store. Its
canonical form (the one `encode` makes) has one hash: the version's identity.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from pumpkin_services.artifacts.models import ManifestLine
from pumpkin_services.problems import Invalid, TooLarge
from pumpkin_services.storage.base import Sink

MAX_FILES = 2_000_000
MAX_PATH = 1024
MAX_LINE = 32 << 20
EMPTY = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
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
    if "\x00" in path or any(ord(letter) < 32 or ord(letter) == 127 for letter in path):
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
    if any(len(part.encode()) > 255 for part in parts):
        return "has a part longer than 255 bytes"
    return None


def shown(path: str) -> str:
    """Return a path fit for a sentence: escaped and cut."""
    text = path.encode("unicode_escape").decode() if not path.isprintable() else path
    return text if len(text) <= 80 else text[:77] + "…"


def encode(entry: Entry) -> bytes:
    """Return the canonical line of a file, its newline included."""
    line = {
        "path": entry.path,
        "size": entry.size,
        "mode": entry.mode,
        "sha256": entry.sha256,
        "chunks": [{"hash": digest, "size": size} for digest, size in entry.chunks],
    }
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a manifest says in sum."""

    hash: str
    files: int
    bytes: int


def write(entries: Iterable[Entry], sink: Sink) -> Summary:
    """Write the canonical gzipped manifest of sorted `entries` to `sink`."""
    identity, files, total = hashlib.sha256(), 0, 0
    # Written through zlib itself: the gzip module wants a seekable file for its header's sake.
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    for entry in entries:
        line = encode(entry)
        identity.update(line)
        files += 1
        total += entry.size
        if packed := packer.compress(line):
            sink.write(packed)
    sink.write(packer.flush())
    return Summary(hash=identity.hexdigest(), files=files, bytes=total)


def read(pieces: Iterable[bytes]) -> Iterator[Entry]:
    """Iterate over the entries of one of our own manifests."""
    for line in lines(pieces):
        value = json.loads(line)
        chunks = tuple((chunk["hash"], chunk["size"]) for chunk in value["chunks"])
        yield Entry(value["path"], value["size"], value["mode"], value["sha256"], chunks)


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack a gzipped stream into its lines, never holding more than one longest line.

    Raises:
        Invalid: if it is not gzip, is cut off, or has a line that is too long.
    """
    unpacker = zlib.decompressobj(31)
    rest = b""
    try:
        for piece in pieces:
            data = piece
            while data and not unpacker.eof:
                rest += unpacker.decompress(data, 1 << 20)
                data = unpacker.unconsumed_tail
                *whole, rest = rest.split(b"\n")
                yield from whole
                if len(rest) > MAX_LINE:
                    raise Invalid(f"A line of the manifest is longer than {MAX_LINE} bytes.", field="manifest")
    except zlib.error as error:
        raise Invalid("The manifest is not gzip: send it gzipped.", field="manifest") from error
    if not unpacker.eof or rest:
        raise Invalid("The manifest is cut off: send it again, with a newline after each line.", field="manifest")


def read_untrusted(pieces: Iterable[bytes]) -> Iterator[Entry]:
    """Iterate over the entries of a manifest somebody sent, checking everything that needs no store.

    Raises:
        Invalid: naming the line, for anything out of order, unsafe or inconsistent.
    """
    order = Order()
    for number, line in enumerate(lines(pieces), start=1):
        if number > MAX_FILES:
            raise TooLarge(f"A version has {MAX_FILES} files at most: pack small files together.", field="manifest")
        try:
            parsed = ManifestLine.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Invalid(f"Line {number} of the manifest: {where} {first['msg']}.", field="manifest") from error
        chunks = tuple((chunk.hash, chunk.size) for chunk in parsed.chunks)
        entry = Entry(parsed.path, parsed.size, parsed.mode, parsed.sha256, chunks)
        fault = path_fault(entry.path) or order.fault(entry.path) or _content_fault(entry)
        if fault:
            raise Invalid(f"Line {number} of the manifest: '{shown(entry.path)}' {fault}.", field="manifest")
        yield entry


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
