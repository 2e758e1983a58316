"""A container's log, brought home while it is written: no line twice, none missing, whatever breaks in between."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.volcano.api import Api, Refused, path
from pumpkin_services.runtimes.volcano.records import read

SAVE_SECONDS = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
TRIES = 6
"""So often the log of a container that has ended is asked for; a lost node never answers."""
NOT_FOUND = 404
P = ParamSpec("P")
T = TypeVar("T")


class Tail:
    """Keeps one log: `log` has the bytes, `log.json` how far they go in the container's own.

    Kubernetes gives each line a time and can begin at a second. So what is kept is how many lines were seen of the last
    two seconds (two, for lines of two streams can be out of order): on going on, these are asked for again and passed
    over. Of bytes written after the last note, all are written again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, int] = {}
        self._latest = b""
        self._size = 0
        self._file = -1
        self._saved = 0.0

    async def follow(self, api: Api, *, namespace: str, pod: str, container: str, ended: Callable[[], bool]) -> None:
        """Bring the log home until it has ended; `ended` tells whether the container writes no more."""
        where = f"{path('Pod', namespace, pod)}/log"
        tries, pause = 0, FIRST_PAUSE
        try:
            await _to_its_end(self._open)
            while True:
                over = ended()  # asked first: what ended before the log was read is in it to its last line
                try:
                    size = self._size
                    await self._read(api, where, container, follow=not over)
                    if over:
                        return
                    if self._size > size:
                        pause = FIRST_PAUSE
                except Refused as error:
                    if error.code == NOT_FOUND or (over and (tries := tries + 1) >= TRIES):
                        return
                except Unavailable:
                    if over and (tries := tries + 1) >= TRIES:
                        return
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LONGEST_PAUSE)
        finally:
            self._close()

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(self._folder / "log", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        note = read(self._folder / "log.json") or {"size": 0, "latest": "", "seen": {}}
        if os.fstat(self._file).st_size >= note["size"]:  # else the disk lost some: all is fetched again
            self._size, self._latest, self._seen = note["size"], note["latest"].encode(), note["seen"]
        os.ftruncate(self._file, self._size)

    def _close(self) -> None:
        if self._file >= 0:
            self._save()
            os.close(self._file)
            self._file = -1

    async def _read(self, api: Api, where: str, container: str, *, follow: bool) -> None:
        lines = _Lines(self._seen, self._latest)
        query: dict[str, Any] = {"container": container, "timestamps": "true"}
        if follow:
            query["follow"] = "true"
        since = _since(self._seen)
        if since:
            query["sinceTime"] = since
        # Only whole lines count: one that broke off, as the last of all may, is written again from its start.
        at = self._size
        async for chunk in api.stream(where, query):
            data = lines.feed(chunk)
            if data or lines.whole:
                at = await _to_its_end(self._write, data, at, lines)

    def _write(self, data: bytes, at: int, lines: _Lines) -> int:
        rest = memoryview(data)
        position = at
        while rest:
            written = os.pwrite(self._file, rest, position)
            rest, position = rest[written:], position + written
        self._size = position - lines.open_bytes
        self._seen, self._latest = lines.seen, lines.latest
        if time.monotonic() > self._saved + SAVE_SECONDS:
            self._save()
        return position

    def _save(self) -> None:
        note = {"size": self._size, "latest": self._latest.decode(), "seen": self._seen}
        draft = self._folder / ".log.json"
        try:
            draft.write_text(json.dumps(note), encoding="utf-8")
            os.replace(draft, self._folder / "log.json")
        except FileNotFoundError:
            pass  # the attempt was deleted meanwhile
        self._saved = time.monotonic()


async def _to_its_end(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run it in a thread; who is cancelled meanwhile waits for it, lest it write to a file that is closed by then."""
    running = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


class _Lines:
    """Takes the times off the lines of a stream, and passes over those seen before."""

    def __init__(self, seen: dict[str, int], latest: bytes) -> None:
        self.seen = dict(seen)
        self.latest = latest
        self.open_bytes = 0
        """Bytes given out of a line that has not ended."""
        self.whole = False
        self._skip = sum(seen.values())
        self._known = latest
        self._rest = b""
        self._stamp: bytes | None = None
        self._keep = True

    def feed(self, chunk: bytes) -> bytes:
        """Return what of a chunk is new."""
        data, at, found = self._rest + chunk, 0, bytearray()
        self._rest, self.whole = b"", False
        while at < len(data):
            if self._stamp is None:
                space = data.find(b" ", at)
                if space < 0:
                    self._rest = data[at:]
                    break
                self._begin(data[at:space])
                at = space + 1
            end = data.find(b"\n", at)
            upto = len(data) if end < 0 else end + 1
            if self._keep:
                found += data[at:upto]
                self.open_bytes += upto - at
            if end >= 0:
                self._end()
            at = upto
        return bytes(found)

    def _begin(self, stamp: bytes) -> None:
        self._stamp = stamp
        # A log that was rotated meanwhile has fewer of the old lines: a later one is certainly new.
        self._keep = self._skip <= 0 or stamp > self._known
        self._skip -= 1

    def _end(self) -> None:
        stamp, self._stamp = self._stamp, None
        if not self._keep or stamp is None:
            return
        self.whole, self.open_bytes = True, 0
        second = (stamp[:19] + stamp[29:]).decode()
        self.seen[second] = self.seen.get(second, 0) + 1
        self.latest = max(self.latest, stamp)
        if len(self.seen) > 1:
            self.seen = _last_two(self.seen, self.latest)


def _last_two(seen: dict[str, int], latest: bytes) -> dict[str, int]:
    """Leave the counts of the latest second and the one before it."""
    second = (latest[:19] + latest[29:]).decode()
    return {one: count for one, count in seen.items() if one in (second, _before(second))}


def _before(second: str) -> str:
    earlier = datetime.fromisoformat(second.replace("Z", "+00:00")) - timedelta(seconds=1)
    return earlier.isoformat().replace("+00:00", "Z" if second.endswith("Z") else "+00:00")


def _since(seen: dict[str, int]) -> str:
    """Return the second to go on from, empty for the beginning."""
    return min(seen) if seen else ""
