"""A folder into a version: hash ahead, ask what is missing, send packs, all at once (protocol: the API's uploads).

One reader goes through the files in the manifest's order: a large one it cuts into blocks, the others it hands to a
few hashing threads in groups and collects what they return into packs; blocks and packs are sent by a few sending
threads. Queues are short, so memory stays below 256 MiB whatever the folder holds. What an earlier, broken push has
sent the platform names as present: running it again goes on where it stopped.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from pumpkin._models import Upload, Version
from pumpkin._protocol import OnProgress, Progress
from pumpkin._sync.transport import Transport
from pumpkin.config import Config
from pumpkin.errors import PumpkinError
from pumpkin.transfer import seen as seen_files
from pumpkin.transfer.blocks import LARGE, Block, Blocks
from pumpkin.transfer.packs import Pack, Packs
from pumpkin.transfer.pieces import Piece, hashed, manifest_line
from pumpkin.transfer.scan import File, Listing, scan
from pumpkin.transfer.seen import Seen

WORKERS = min(4, (os.cpu_count() or 1) + 1)
OnVerified = Callable[[int], None]


def push(
    config: Config, where: str, source: Path, *, exclude: Sequence[str] = (), on_progress: OnProgress | None = None
) -> int:
    """Make a version of the thing at API path `where` from the folder `source`; return its number.

    When nothing differs from the newest version, that one's number is returned and none is made. When the newest
    version is what the last push of the folder made, only files that look other than then are read.
    """
    begun = time.time_ns()
    files = scan(source, exclude=exclude)
    if not files:
        raise PumpkinError(f"There is no file in '{source}': a version needs one at least.", field="source")
    transport = Transport(config, timeout=120.0)
    try:
        newest = newest_version(transport, where)
        seen = seen_files.load(source) if newest is not None else None
        if newest is not None and seen is not None and seen.identity == newest.manifest_hash:
            with suppress(_BaseGone):
                return _push_changes(transport, where, source, files, seen, newest, begun, on_progress)
        return _push_all(transport, where, source, files, newest, begun, on_progress)
    finally:
        transport.close()


class _BaseGone(Exception):
    """The version to differ from was deleted meanwhile."""


def newest_version(transport: Transport, where: str) -> Version | None:
    """Return the newest version of the thing at API path `where`; None when it has none yet."""
    try:
        return transport.get(Version, f"{where}/versions/latest")
    except PumpkinError as error:
        if error.status != 404:
            raise
        return None


def _push_all(
    transport: Transport,
    where: str,
    source: Path,
    files: Listing,
    newest: Version | None,
    begun: int,
    on_progress: OnProgress | None,
) -> int:
    push = _Push(transport, where, files, on_progress)
    with tempfile.TemporaryFile() as manifest:
        lines = push.send()
        identity = hashlib.sha256()
        with gzip.GzipFile(fileobj=manifest, mode="wb", compresslevel=1, mtime=0) as out:
            for line in lines:
                identity.update(line)
                out.write(line)
        save = partial(seen_files.save, source, files, lines, begun=begun)
        if newest is not None and newest.number is not None and newest.manifest_hash == identity.hexdigest():
            push.give_up()
            save()
            return newest.number
        manifest.seek(0)
        return push.finish("PUT", f"{push.upload}/manifest", manifest.read(), meanwhile=save)


def _push_changes(
    transport: Transport,
    where: str,
    source: Path,
    files: Listing,
    seen: Seen,
    newest: Version,
    begun: int,
    on_progress: OnProgress | None,
) -> int:
    """Push what looks other than in `seen`, which is the version `newest`."""
    assert newest.number is not None, "a version that is there has its number"
    changes = seen_files.compare(files, seen)
    if not changes.suspects and not changes.removed:
        return newest.number
    suspects = [files[number] for number in changes.suspects]
    rest = files.bytes - sum(file.size for file in suspects)
    push = _Push(transport, where, suspects, on_progress, besides=(len(files) - len(suspects), rest))
    delta = [(path, _removed(path)) for path in changes.removed]
    lines = changes.lines
    for number, line in zip(changes.suspects, push.send(), strict=True):
        if line != lines[number]:
            delta.append((files.paths[number], line))
            lines[number] = line
    save = partial(seen_files.save, source, files, lines, begun=begun)
    if not delta:
        push.give_up()
        save()
        return newest.number
    body = gzip.compress(b"".join(line for _, line in sorted(delta)), 1)
    try:
        return push.finish("PATCH", f"{push.upload}/manifest?base={newest.number}", body, meanwhile=save)
    except PumpkinError as error:
        if error.reason != "base_missing":
            raise
        push.give_up()
        raise _BaseGone from error


def _removed(path: str) -> bytes:
    return json.dumps({"path": path, "removed": True}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class _Push:
    """One upload: `send` the files, then `finish` with a manifest or `give_up`."""

    def __init__(
        self,
        transport: Transport,
        where: str,
        files: Sequence[File],
        on_progress: OnProgress | None,
        *,
        besides: tuple[int, int] = (0, 0),
    ) -> None:
        """Begin an upload of `files`; with them so many files and bytes `besides` make a version, already there."""
        self.transport = transport
        self.files = files
        self.on_progress = on_progress
        self.upload = f"{where}/uploads/" + transport.post(Upload, f"{where}/uploads").id
        self.done_files, self.done = besides
        size = files.bytes if isinstance(files, Listing) else sum(file.size for file in files)
        self.total, self.total_files = self.done + size, self.done_files + len(files)
        self.sent = 0
        self.seen: set[str] = set()
        self.lock = threading.Lock()
        self.packs = Packs(transport, self.upload, self._count)

    def send(self) -> list[bytes]:
        """Send what is missing of the files; return the manifest's lines for them."""
        with (
            ThreadPoolExecutor(WORKERS, "pumpkin-hash") as hashing,
            ThreadPoolExecutor(WORKERS, "pumpkin-send") as sending,
        ):
            try:
                return self._send_files(hashing, sending)
            except BaseException:
                hashing.shutdown(wait=False, cancel_futures=True)
                sending.shutdown(wait=False, cancel_futures=True)
                raise

    def finish(self, method: str, path: str, manifest: bytes, *, meanwhile: Callable[[], None]) -> int:
        """Send the manifest, commit, and wait for the version (do `meanwhile` first); return its number."""
        self._report("finishing")
        self.transport.request(method, path, content=manifest, timeout=600.0)
        return commit(self.transport, self.upload, meanwhile=meanwhile, on_verified=self._verified)

    def give_up(self) -> None:
        """End the upload without a version."""
        self._report("finishing")
        self.transport.delete(self.upload)

    def _send_files(self, hashing: ThreadPoolExecutor, sending: ThreadPoolExecutor) -> list[bytes]:
        lines: list[bytes] = []
        flights: deque[Future[Any]] = deque()
        late: list[tuple[int, Callable[[], bytes]]] = []

        def fly(work: Future[Any]) -> None:
            flights.append(work)
            if len(flights) >= WORKERS:
                flights.popleft().result()

        for large, files in groupby(self.files, key=lambda file: file.size >= LARGE):
            if large:
                for file in files:
                    late.append((len(lines), self._send_blocks(file, len(lines), sending, fly)))
                    lines.append(b"")
            else:
                self._send_pieces(hashed(files, hashing, ahead=WORKERS), lines, sending, fly)
        for flight in flights:
            flight.result()
        for number, made in late:
            lines[number] = made()
        return lines

    def _send_pieces(
        self,
        pieces: Iterator[Piece],
        lines: list[bytes],
        sending: ThreadPoolExecutor,
        fly: Callable[[Future[Any]], None],
    ) -> None:
        """Have the pieces of files sent, and append the files' lines."""
        pack, chunks, whole, gaps = Pack(), list[tuple[str, int]](), hashlib.sha256(), False
        for piece in pieces:
            size = len(piece.data)
            if size:
                chunks.append((piece.digest, size))
            several = not piece.last or len(chunks) > 1
            if several:
                whole.update(piece.data)
            if size and piece.digest not in self.seen:
                self.seen.add(piece.digest)
                if several and not gaps:
                    pack.add(piece.digest, piece.data, file=len(lines), offset=piece.offset)
                else:
                    pack.chunks[piece.digest] = piece.data
                    pack.size += size
            elif size:
                gaps = True
                self._count(size)
            if piece.last:
                # The hash of a file of one chunk is the chunk's.
                lines.append(manifest_line(piece.file, whole.hexdigest() if several else piece.digest, chunks))
                chunks, whole, gaps = [], hashlib.sha256(), False
                self.done_files += 1
            if pack.full:
                fly(sending.submit(self.packs.send, pack))
                pack = Pack(before=pack)
        if pack.chunks:
            fly(sending.submit(self.packs.send, pack))

    def _send_blocks(
        self, file: File, number: int, sending: ThreadPoolExecutor, fly: Callable[[Future[Any]], None]
    ) -> Callable[[], bytes]:
        """Have a large file sent; return what gives its line once that is done."""
        blocks, pack = Blocks(file), None
        sent: list[Future[list[tuple[str, int]]]] = []
        for block in blocks:
            pack = Pack(before=pack)
            sent.append(sending.submit(self._send_block, block, number, pack))
            fly(sent[-1])
        self.done_files += 1
        return lambda: manifest_line(file, blocks.sha256, [chunk for flight in sent for chunk in flight.result()])

    def _send_block(self, block: Block, number: int, pack: Pack) -> list[tuple[str, int]]:
        """Send what is new of a block; return its chunks (hash, size)."""
        try:
            chunks: list[tuple[str, int]] = []
            offset, known = block.offset, 0
            for data in block.chunks():
                digest = hashlib.sha256(data).hexdigest()
                with self.lock:
                    new = digest not in self.seen
                    self.seen.add(digest)
                if new:
                    pack.add(digest, data, file=number, offset=offset)
                else:
                    known += len(data)
                chunks.append((digest, len(data)))
                offset += len(data)
            if known:
                pack.parts.clear()
                self._count(known)
            self.packs.send(pack)
            return chunks
        finally:
            pack.over.set()
            block.free()

    def _count(self, done: int, sent: int = 0) -> None:
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
                    total_files=self.total_files,
                    sent=self.sent,
                    upload=self.upload,
                )
            )


def commit(
    transport: Transport,
    upload: str,
    *,
    meanwhile: Callable[[], None] = lambda: None,
    on_verified: OnVerified = lambda _bytes: None,
) -> int:
    """Commit an upload and wait until it is a version; return its number."""
    transport.post(Upload, f"{upload}/commit")
    meanwhile()
    while True:
        state = transport.get(Upload, upload, wait=20)
        on_verified(state.verified_bytes)
        if state.number is not None:
            return state.number
        if state.state in ("failed", "deleted"):
            raise PumpkinError(state.error or "The upload was given up: push again.", reason="upload_failed")
