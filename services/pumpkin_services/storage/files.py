"""The folder store: each object is a file, written under a temporary name, synced and renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pumpkin_services.db import new_id
from pumpkin_services.storage.base import KEY, ObjectMissing, SignedPut, Sink, StoredObject, storage_problems
from pumpkin_services.storage.signed import Signer

PIECE = 1 << 20


class FolderStore:
    """An `ObjectStore` in one folder, whose presigned URLs are routes of our own API (`storage.api`).

    `base_url` is the path of the API (`/services/pumpkin/api/v1`), `secret` signs the URLs.
    """

    def __init__(self, root: Path, *, base_url: str, secret: bytes) -> None:
        self.root = root
        self.signer = Signer(base_url=base_url, secret=secret)
        self._temporary = root / "tmp"

    @property
    def page_target(self) -> str:
        """Return nothing: the way to a folder is through us."""
        return ""

    def admits(self, origin: str) -> bool:
        """Return False; see `page_target`."""
        return False

    def open(self) -> None:
        """Do nothing: folders are made when something is written to them."""

    def path(self, key: str) -> Path:
        """Return the file of `key`; two levels keep folders small."""
        if not KEY.fullmatch(key):
            raise ObjectMissing(key)
        kind, name = key.split("/")
        return self.root / kind / name[-2:] / name

    @contextmanager
    def create(self, key: str) -> Generator[Sink]:
        """Write an object; see `ObjectStore.create`."""
        target = self.path(key)
        partial = self._temporary / new_id()
        with storage_problems():
            self._temporary.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with open(partial, "xb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(partial, target)
                _sync_folder(target.parent)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise

    def read(self, key: str, *, offset: int = 0, size: int | None = None) -> bytes:
        """Return bytes of an object; see `ObjectStore.read`."""
        return b"".join(self.stream(key, offset=offset, size=size))

    def stream(self, key: str, *, offset: int = 0, size: int | None = None) -> Iterator[bytes]:
        """Iterate over bytes of an object; see `ObjectStore.stream`."""
        try:
            file = open(self.path(key), "rb")  # noqa: SIM115 - closed below, a generator may be left early
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        with file:
            file.seek(offset)
            left = size
            while left is None or left > 0:
                piece = file.read(PIECE if left is None else min(PIECE, left))
                if not piece:
                    break
                yield piece
                if left is not None:
                    left -= len(piece)
            if left:
                raise ObjectMissing(f"{key} ends {left} bytes too early")

    def stat(self, key: str) -> StoredObject | None:
        """Describe an object, or return None."""
        try:
            found = self.path(key).stat()
        except FileNotFoundError:
            return None
        return StoredObject(key=key, size=found.st_size, modified=datetime.fromtimestamp(found.st_mtime, UTC))

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Iterate over the objects whose key begins with `prefix`."""
        for path in self.root.glob("*/*/*"):
            key = f"{path.parent.parent.name}/{path.name}"
            if key.startswith(prefix) and KEY.fullmatch(key):
                with suppress(FileNotFoundError):
                    found = path.stat()
                    modified = datetime.fromtimestamp(found.st_mtime, UTC)
                    yield StoredObject(key=key, size=found.st_size, modified=modified)

    def delete(self, key: str) -> None:
        """Remove an object; that it is not there is no error."""
        with storage_problems():
            self.path(key).unlink(missing_ok=True)

    def room(self) -> tuple[int, int] | None:
        """Return how much of the file system is free; see `ObjectStore.room`."""
        with storage_problems():
            self.root.mkdir(parents=True, exist_ok=True)
            found = shutil.disk_usage(self.root)
        return found.free, found.total

    def sweep(self, *, before: datetime) -> int:
        """Remove what unfinished writes older than `before` left; return how many."""
        removed = 0
        for path in self._temporary.glob("*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    removed += 1
        return removed

    def checksum(self, key: str) -> str | None:
        """Return None: a folder does not look at what it is given."""
        return None

    def presign_put(
        self, key: str, *, size: int, sha256: str | None, expires: datetime, once: bool = False
    ) -> SignedPut:
        """Return a target for one PUT; see `ObjectStore.presign_put`."""
        return SignedPut(url=self.signer.url("PUT", key, size=size, expires=expires))

    def presign_get(self, key: str, *, expires: datetime) -> str:
        """Return a URL that answers GET, ranges included, until `expires`."""
        return self.signer.url("GET", key, expires=expires)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
