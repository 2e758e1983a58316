"""A version into a folder: what is not there yet is fetched object by object, in parallel, each chunk verified.

A file grows under a name of its own (`<name>.pumpkin-part`) and gets its real one when it is whole. Running a pull
again keeps every file and every chunk that is already right.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import threading
import zlib
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path, PurePosixPath

from pumpkin._models import ReadObject
from pumpkin._protocol import OnProgress, Progress
from pumpkin._sync.transport import Transport
from pumpkin.config import Config
from pumpkin.errors import PumpkinError

WORKERS = 4
PART = ".pumpkin-part"
SPAN = 64 << 20
"""Bytes fetched by one request at most."""
SILENCE = 60.0
"""Seconds without a byte after which an object is asked for again."""
GAP = 256 << 10
"""Unneeded bytes that are fetched along rather than asked around."""


@dataclass(slots=True)
class Growing:
    """A file on its way: how many of its chunks have not been written yet."""

    path: Path
    mode: int
    left: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk belongs."""

    file: Growing
    offset: int


def pull(config: Config, where: str, folder: str | PathLike[str], *, on_progress: OnProgress | None = None) -> None:
    """Write the version at API path `where` into `folder`."""
    transport = Transport(config, timeout=120.0)
    try:
        _Pull(transport, where, Path(folder).expanduser(), on_progress).run()
    finally:
        transport.close()


class _Pull:
    def __init__(self, transport: Transport, where: str, folder: Path, on_progress: OnProgress | None) -> None:
        self.transport = transport
        self.where = where
        self.folder = folder
        self.on_progress = on_progress
        self.wanted: defaultdict[str, list[Place]] = defaultdict(list)
        self.urls: dict[str, str] = {}
        """Where objects are, by their ids, once what was said first has expired."""
        self.lock = threading.Lock()
        self.total = self.done = self.fetched = self.files = self.done_files = 0

    def run(self) -> None:
        """Fetch what is missing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        manifest = self._manifest()
        with gzip.open(io.BytesIO(manifest)) as lines:
            for line in lines:
                self._plan(json.loads(line))
        self._report("receiving")
        with ThreadPoolExecutor(WORKERS, "pumpkin-pull") as pool:
            flights: deque[Future[None]] = deque()
            try:
                for spec, chunks in self._spans():
                    flights.append(pool.submit(self._fetch, spec, chunks))
                    if len(flights) > WORKERS:
                        flights.popleft().result()
                for flight in flights:
                    flight.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if self.wanted:
            raise PumpkinError("The platform did not hand out all of this version: pull again.", reason="incomplete")

    def _manifest(self) -> bytes:
        """Return the gzipped manifest, verified before anything is done by it."""
        for _ in range(3):  # a bit may turn on the way
            answer = self.transport.request("GET", f"{self.where}/manifest", timeout=SILENCE)
            manifest, identity = answer.content, answer.headers.get("X-Manifest-Hash")
            seen = hashlib.sha256()
            with suppress(OSError, EOFError, zlib.error), gzip.open(io.BytesIO(manifest)) as lines:
                while piece := lines.read(1 << 20):
                    seen.update(piece)
            if identity in (seen.hexdigest(), None):
                return manifest
        raise PumpkinError("What arrived is not this version's list of files: pull again.", reason="damaged")

    def _plan(self, line: dict[str, object]) -> None:
        """Note which chunks of a file are missing; finish it at once when none is."""
        path = PurePosixPath(str(line["path"]))
        if path.is_absolute() or ".." in path.parts or "\x00" in str(path):
            raise PumpkinError(f"The version names a file outside of the folder ('{path}'): it is not written.")
        target, size, mode = self.folder / path, int(str(line["size"])), int(str(line["mode"]))
        chunks: list[dict[str, object]] = line["chunks"]  # pyright: ignore[reportAssignmentType]
        self.files += 1
        self.total += size
        if _is(target, size, str(line["sha256"])):
            self.done += size
            self.done_files += 1
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        file, offset, missing = Growing(target, mode, 0), 0, list[tuple[str, int]]()
        with open(_part(target), "a+b") as handle:
            for chunk in chunks:
                length, digest = int(str(chunk["size"])), str(chunk["hash"])
                handle.seek(offset)
                if hashlib.sha256(handle.read(length)).hexdigest() == digest:
                    self.done += length
                else:
                    missing.append((digest, offset))
                offset += length
            handle.truncate(size)
        file.left = len(missing)
        for digest, start in missing:
            self.wanted[digest].append(Place(file, start))
        if not missing:
            self._finish(file)

    def _spans(self) -> Iterator[tuple[ReadObject, list[tuple[str, int, int]]]]:
        """Yield runs of needed chunks (hash, offset, size) that lie close together in one object."""
        asked: set[str] = set()
        for item in self.transport.pages(ReadObject, f"{self.where}/objects"):
            run: list[tuple[str, int, int]] = []
            for chunk in sorted(item.chunks, key=lambda chunk: chunk.offset):
                if chunk.hash not in self.wanted or chunk.hash in asked:
                    continue
                end = run[-1][1] + run[-1][2] if run else chunk.offset
                if run and (chunk.offset - end > GAP or chunk.offset + chunk.size - run[0][1] > SPAN):
                    yield item, run
                    run = []
                run.append((chunk.hash, chunk.offset, chunk.size))
                asked.add(chunk.hash)
            if run:
                yield item, run

    def _fetch(self, item: ReadObject, chunks: list[tuple[str, int, int]]) -> None:
        first, end = chunks[0][1], chunks[-1][1] + chunks[-1][2]
        wanted = {} if (first, end) == (0, item.size) else {"Range": f"bytes={first}-{end - 1}"}
        for _ in range(3):  # a bit may turn on the way
            data = memoryview(self._get(item, wanted))
            parts = [(digest, data[offset - first : offset - first + size]) for digest, offset, size in chunks]
            if all(hashlib.sha256(content).hexdigest() == digest for digest, content in parts):
                break
        else:
            raise PumpkinError("What arrived is not what the version holds: pull again.", reason="damaged")
        for digest, content in parts:
            self._write(digest, content)

    def _get(self, item: ReadObject, headers: dict[str, str]) -> bytes:
        url = self.urls.get(item.id, item.url)
        try:
            return self._read(url, headers)
        except PumpkinError as error:
            if error.status != 403:
                raise
        with self.lock:  # it has expired: so have, or soon will, its neighbours
            if self.urls.get(item.id, item.url) == url:
                pages = self.transport.pages(ReadObject, f"{self.where}/objects")
                self.urls.update((again.id, again.url) for again in pages)
        return self._read(self.urls.get(item.id, url), headers)

    def _read(self, url: str, headers: dict[str, str]) -> bytes:
        place = url if "://" in url else self.transport.config.origin + url
        return self.transport.request("GET", place, headers=headers, timeout=SILENCE).content

    def _write(self, digest: str, content: memoryview) -> None:
        with self.lock:
            places = self.wanted.pop(digest)
        for place in places:
            with open(_part(place.file.path), "r+b") as handle:
                handle.seek(place.offset)
                handle.write(content)
            with self.lock:
                place.file.left -= 1
                whole = place.file.left == 0
                self.done += len(content)
            if whole:
                self._finish(place.file)
        with self.lock:
            self.fetched += len(content)
        self._report("receiving")

    def _finish(self, file: Growing) -> None:
        os.chmod(_part(file.path), file.mode)
        _part(file.path).replace(file.path)
        with self.lock:
            self.done_files += 1

    def _report(self, phase: str) -> None:
        if self.on_progress is not None:
            self.on_progress(
                Progress(
                    phase=phase,
                    done=self.done,
                    total=self.total,
                    files=self.done_files,
                    total_files=self.files,
                    sent=self.fetched,
                )
            )


def _part(path: Path) -> Path:
    return path.with_name(path.name + PART)


def _is(path: Path, size: int, sha256: str) -> bool:
    """Tell whether the file is there already, whole and right."""
    try:
        if path.is_symlink() or path.stat().st_size != size:
            return False
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest() == sha256
    except OSError:
        return False
