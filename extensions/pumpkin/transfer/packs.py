"""Chunks sent many at a time: packs, put into the store and registered there (protocol: the API's uploads)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from pumpkin._models import UploadTargets
from pumpkin._sync.transport import Transport
from pumpkin.errors import PumpkinError
from pumpkin.transfer.cut import SMALLEST, USUAL

PACK = 16 << 20
"""Bytes after which a pack is sent: with the chunk that fills it, at most 18 MiB."""
PACK_CHUNKS = 8_000
"""Chunks after which a pack is sent: the platform answers at most 10,000 hashes at once."""


@dataclass
class Pack:
    """Chunks to be sent together.

    `parts` tell which of them make files of several chunks (the API's `FilePart`); when the first of these goes on
    with a file, what comes before lies in the pack `before`.
    """

    before: Pack | None = None
    chunks: dict[str, bytes | memoryview] = field(default_factory=dict[str, bytes | memoryview])
    parts: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    size: int = 0
    whole: bool = False
    """Whether it was sent with every chunk, and so were those before it."""
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def full(self) -> bool:
        """Whether it is time to send it."""
        return self.size >= PACK or len(self.chunks) >= PACK_CHUNKS

    def add(self, digest: str, data: bytes | memoryview, *, file: int, offset: int) -> None:
        """Append a chunk, which lies at `offset` of the file of this number."""
        last = self.parts[-1] if self.parts else None
        if last is not None and last["file"] == file:
            last["chunks"] += 1
        else:
            self.parts.append({"file": file, "offset": offset, "first": len(self.chunks), "chunks": 1})
        self.chunks[digest] = data
        self.size += len(data)


class Packs:
    """Sends the packs of the upload at API path `upload`; `count` is told how many bytes are done, and were sent."""

    def __init__(self, transport: Transport, upload: str, count: Callable[[int, int], None]) -> None:
        self._transport = transport
        self._upload = upload
        self._count = count

    def send(self, pack: Pack) -> None:
        """Ask which chunks of the pack are missing, put those, register them."""
        try:
            sizes = {digest: len(data) for digest, data in pack.chunks.items()}
            wanted: list[str] = []
            if sizes:
                answer = self._transport.request("POST", f"{self._upload}/missing", body={"hashes": list(sizes)})
                wanted = answer.json()["missing"]
            if wanted:
                self._put(pack, wanted)
            self._count(pack.size, sum(sizes[digest] for digest in wanted))
        finally:
            pack.chunks.clear()
            pack.before = None
            pack.over.set()

    def _put(self, pack: Pack, wanted: list[str]) -> None:
        index = [{"hash": digest, "size": len(pack.chunks[digest])} for digest in wanted]
        parts = pack.parts if len(wanted) == len(pack.chunks) else []
        data = _joined([pack.chunks[digest] for digest in wanted])
        pack.chunks.clear()  # small ones are in `data` now: once is enough
        trouble: PumpkinError | None = None
        for last in (False, False, True):  # a bit may turn on the way
            try:
                target, trouble = self._put_object(data, wanted)
                if parts and parts[0]["offset"] and pack.before is not None:
                    # The platform follows a file whose packs come one after another.
                    pack.before.over.wait()
                    if not pack.before.whole:
                        parts = [part for part in parts if not part["offset"]]
                body = {"chunks": index} | ({"parts": parts} if parts else {})
                self._transport.request("PUT", f"{self._upload}/objects/{target}", body=body, timeout=600.0)
            except PumpkinError as error:
                if error.reason == "object_missing" and trouble is not None:
                    raise trouble from error
                if last or not (error.field or "").endswith(".hash"):
                    raise
            else:
                break
        pack.whole = len(parts) == len(pack.parts) > 0

    def _put_object(self, data: list[bytes | memoryview], wanted: list[str]) -> tuple[str, PumpkinError | None]:
        """Send a pack to a new place; return its id, and what went wrong if it may be there nevertheless."""
        size = sum(map(len, data))
        # Hashing a pack as well as its chunks would cost more than sending it.
        asked = {"sizes": [size]} | ({"sha256": wanted} if len(wanted) == 1 else {"once": True})
        target = self._transport.post(UploadTargets, f"{self._upload}/objects", asked).objects[0]
        url = target.url if "://" in target.url else self._transport.config.origin + target.url
        headers = target.headers | {"Content-Length": str(size)}
        try:
            self._transport.request("PUT", url, content=data, headers=headers, timeout=600.0)
        except PumpkinError as error:
            # What was sent again because the answer was lost is refused, which may look like a broken connection.
            if error.status not in (0, 412):
                raise
            return target.id, error
        return target.id, None


def _joined(data: list[bytes | memoryview]) -> list[bytes | memoryview]:
    """Return `data` in pieces that are worth a system call each."""
    size = sum(map(len, data))
    if size >= len(data) * SMALLEST:
        return data
    whole = memoryview(b"".join(data))
    return [whole[at : at + USUAL] for at in range(0, size, USUAL)]
