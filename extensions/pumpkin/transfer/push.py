"""A folder into a version: hash ahead, ask what is missing, send packs, all at once (protocol: the API's uploads).

One reader goes through the files in the manifest's order and hands groups of them to a few hashing threads; what
they return is put in order again, collected into packs, and sent by a few sending threads. Queues are short, so
memory stays below about ten packs whatever the folder holds. What an earlier, broken push has sent the platform
names as present: running it again goes on where it stopped.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pumpkin._models import Upload, UploadTargets, Version
from pumpkin._protocol import OnProgress, Progress
from pumpkin._sync.transport import Transport
from pumpkin.config import Config
from pumpkin.errors import PumpkinError
from pumpkin.transfer.scan import File, scan

CHUNK = 16 << 20
"""Bytes of a chunk of a large file. The same everywhere, so that equal files are equal chunks."""
PACK = 16 << 20
"""Bytes after which a pack is sent: with the chunk that fills it, at most 32 MiB."""
PACK_CHUNKS = 8_000
"""Chunks after which a pack is sent: the platform answers at most 10,000 hashes at once."""
GROUP_FILES = 256
GROUP_BYTES = 4 << 20
WORKERS = min(4, (os.cpu_count() or 1) + 1)
OnVerified = Callable[[int], None]


@dataclass(slots=True)
class Piece:
    """A run of a file's bytes; `last` when the file ends with it. An empty file is one empty piece."""

    file: File
    data: bytes
    digest: str
    last: bool


@dataclass
class Pack:
    """Chunks collected to be sent together."""

    chunks: dict[str, bytes] = field(default_factory=dict[str, bytes])
    bytes: int = 0


def push(
    config: Config, where: str, source: Path, *, exclude: Sequence[str] = (), on_progress: OnProgress | None = None
) -> int:
    """Make a version of the thing at API path `where` from the folder `source`; return its number.

    When nothing differs from the newest version, that one's number is returned and none is made.
    """
    files = list(scan(source, exclude=exclude))
    if not files:
        raise PumpkinError(f"There is no file in '{source}': a version needs one at least.", field="source")
    transport = Transport(config, timeout=120.0)
    try:
        return _Push(transport, where, files, on_progress).run()
    finally:
        transport.close()


class _Push:
    def __init__(self, transport: Transport, where: str, files: list[File], on_progress: OnProgress | None) -> None:
        self.transport = transport
        self.where = where
        self.files = files
        self.on_progress = on_progress
        self.upload = f"{where}/uploads/" + transport.post(Upload, f"{where}/uploads").id
        self.total = sum(file.size for file in files)
        self.done = self.sent = self.done_files = 0
        self.seen: set[str] = set()
        self.lock = threading.Lock()

    def run(self) -> int:
        """Send everything; return the number of the version."""
        with (
            tempfile.TemporaryFile() as manifest,
            ThreadPoolExecutor(WORKERS, "pumpkin-hash") as hashing,
            ThreadPoolExecutor(WORKERS, "pumpkin-send") as sending,
        ):
            try:
                identity = self._send_chunks(hashing, sending, manifest)
            except BaseException:
                hashing.shutdown(wait=False, cancel_futures=True)
                sending.shutdown(wait=False, cancel_futures=True)
                raise
            self._report("finishing")
            same = self._unchanged(identity)
            if same is not None:
                self.transport.delete(self.upload)
                return same
            manifest.seek(0)
            self.transport.request("PUT", f"{self.upload}/manifest", content=manifest.read(), timeout=600.0)
        return commit(self.transport, self.upload, on_verified=self._verified)

    def _unchanged(self, identity: str) -> int | None:
        """Return the number of the newest version if this one would be the same, byte for byte."""
        try:
            newest = self.transport.get(Version, f"{self.where}/versions/latest")
        except PumpkinError as error:
            if error.status != 404:
                raise
            return None
        return newest.number if newest.manifest_hash == identity else None

    def _send_chunks(self, hashing: ThreadPoolExecutor, sending: ThreadPoolExecutor, manifest: IO[bytes]) -> str:
        flights: deque[Future[None]] = deque()
        pack = Pack()
        with gzip.GzipFile(fileobj=manifest, mode="wb", compresslevel=3, mtime=0) as lines:
            writer = _Lines(lines)
            for piece in _hashed(self.files, hashing):
                writer.add(piece)
                if piece.data and piece.digest not in self.seen:
                    self.seen.add(piece.digest)
                    pack.chunks[piece.digest] = piece.data
                    pack.bytes += len(piece.data)
                elif piece.data:
                    self._count(len(piece.data), sent=0)
                self.done_files += piece.last
                if pack.bytes >= PACK or len(pack.chunks) >= PACK_CHUNKS:
                    flights.append(sending.submit(self._send, pack))
                    pack = Pack()
                    if len(flights) > WORKERS:
                        flights.popleft().result()
        if pack.chunks:
            flights.append(sending.submit(self._send, pack))
        for flight in flights:
            flight.result()
        return writer.identity.hexdigest()

    def _send(self, pack: Pack) -> None:
        """Ask which chunks of the pack are missing, put those, register them."""
        answer = self.transport.request("POST", f"{self.upload}/missing", body={"hashes": list(pack.chunks)})
        wanted: list[str] = answer.json()["missing"]
        if wanted:
            data = b"".join(pack.chunks[digest] for digest in wanted)
            targets = self.transport.post(UploadTargets, f"{self.upload}/objects", {"sizes": [len(data)]})
            target = targets.objects[0]
            url = target.url if "://" in target.url else self.transport.config.origin + target.url
            self.transport.request("PUT", url, content=data, timeout=600.0)
            index = [{"hash": digest, "size": len(pack.chunks[digest])} for digest in wanted]
            self.transport.request("PUT", f"{self.upload}/objects/{target.id}", body={"chunks": index}, timeout=600.0)
        self._count(pack.bytes, sent=sum(len(pack.chunks[digest]) for digest in wanted))

    def _count(self, done: int, *, sent: int) -> None:
        with self.lock:
            self.done += done
            self.sent += sent
        self._report("sending")

    def _verified(self, verified: int) -> None:
        self.done = verified
        self._report("verifying")

    def _report(self, phase: str) -> None:
        if self.on_progress is not None:
            self.on_progress(
                Progress(
                    phase=phase,
                    done=self.done,
                    total=self.total,
                    files=self.done_files,
                    total_files=len(self.files),
                    sent=self.sent,
                )
            )


def commit(transport: Transport, upload: str, *, on_verified: OnVerified = lambda _bytes: None) -> int:
    """Commit an upload and wait until it is a version; return its number."""
    transport.post(Upload, f"{upload}/commit")
    while True:
        state = transport.get(Upload, upload, wait=20)
        on_verified(state.verified_bytes)
        if state.number is not None:
            return state.number
        if state.state in ("failed", "deleted"):
            raise PumpkinError(state.error or "The upload was given up: push again.", reason="upload_failed")


class _Lines:
    """Writes manifest lines as files get complete; `identity` is their hash, which is the version's."""

    def __init__(self, out: gzip.GzipFile) -> None:
        self.identity = hashlib.sha256()
        self._out = out
        self._whole = hashlib.sha256()
        self._chunks: list[dict[str, str | int]] = []

    def add(self, piece: Piece) -> None:
        """Take the next piece in order."""
        if piece.data:
            self._chunks.append({"hash": piece.digest, "size": len(piece.data)})
        if not (piece.last and len(self._chunks) < 2):
            self._whole.update(piece.data)
        if not piece.last:
            return
        # The hash of a file of one chunk is the chunk's.
        digest = piece.digest if len(self._chunks) < 2 else self._whole.hexdigest()
        line = {
            "path": piece.file.path,
            "size": piece.file.size,
            "mode": piece.file.mode,
            "sha256": digest,
            "chunks": self._chunks,
        }
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self.identity.update(data)
        self._out.write(data)
        self._chunks, self._whole = [], hashlib.sha256()


def _hashed(files: list[File], pool: ThreadPoolExecutor) -> Iterator[Piece]:
    """Yield the pieces of all files in order, hashed ahead by the pool."""
    ahead: deque[Future[list[Piece]]] = deque()
    for group in _groups(files):
        ahead.append(pool.submit(_read, group))
        if len(ahead) > WORKERS:
            yield from ahead.popleft().result()
    while ahead:
        yield from ahead.popleft().result()


def _groups(files: list[File]) -> Iterator[list[tuple[File, int]]]:
    """Cut the files into groups of (file, offset) worth a thread's while: many small ones, or one chunk."""
    group: list[tuple[File, int]] = []
    size = 0
    for file in files:
        if file.size > GROUP_BYTES:
            if group:
                yield group
                group, size = [], 0
            yield from ([(file, offset)] for offset in range(0, file.size, CHUNK))
            continue
        group.append((file, 0))
        size += file.size
        if size >= GROUP_BYTES or len(group) >= GROUP_FILES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _read(group: list[tuple[File, int]]) -> list[Piece]:
    pieces: list[Piece] = []
    for file, offset in group:
        length = min(CHUNK, file.size - offset)
        try:
            with open(file.source, "rb", buffering=0) as handle:
                handle.seek(offset)
                data = handle.read(length) if length else b""
                while len(data) < length and (more := handle.read(length - len(data))):
                    data += more
        except OSError as error:
            raise PumpkinError(f"'{file.path}' cannot be read: {error.strerror}.", field="source") from error
        if len(data) != length:
            raise PumpkinError(f"'{file.path}' changed while it was pushed: push again.", field="source")
        pieces.append(Piece(file, data, hashlib.sha256(data).hexdigest(), offset + length >= file.size))
    return pieces
