"""What an object store is to the code above it. Methods block: call them from worker threads."""

from __future__ import annotations

import errno
import re
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pumpkin_services.problems import Problem, StorageFull, Unavailable
from pumpkin_services.storage.signed import Signer

KEY = re.compile(r"[a-z]+/[0-9a-z]{26}")
"""What a key looks like: `packs/01j…`."""


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object as it lies in the store: its key, size in bytes, and when it was written."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, kw_only=True)
class SignedPut:
    """Where one object may be PUT, and the headers the request must carry. The URL may be a path of our own API."""

    url: str
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Sink(Protocol):
    """An object being written."""

    def write(self, data: bytes, /) -> object:
        """Append `data`."""
        ...


class ObjectMissing(Exception):
    """The store has no object under this key, or not as many bytes of it."""


class ObjectStore(Protocol):
    """Whole objects under keys such as `packs/01j…`. Written once, never changed, seen only when whole.

    Writing raises `StorageFull` or `Unavailable` when the store is full or cannot be written; a write that
    fails leaves nothing. `signer` signs the URLs of our own API by which clients may reach the store through us.
    """

    @property
    def signer(self) -> Signer:
        """The signer of `storage.api`'s URLs."""
        ...

    @property
    def page_target(self) -> str:
        """The origin some pages send objects to themselves, for their policy to name; empty if none does."""
        ...

    def admits(self, origin: str) -> bool:
        """Tell whether pages of `origin` may be given targets that lead straight to the store."""
        ...

    def open(self) -> None:
        """Make what the store needs and has not yet; raise a `Problem` if it cannot be used."""
        ...

    def create(self, key: str) -> AbstractContextManager[Sink]:
        """Write an object; it appears, durably, when the block ends without an exception."""
        ...

    def read(self, key: str, *, offset: int = 0, size: int | None = None) -> bytes:
        """Return `size` bytes from `offset` (the rest unless given); raise `ObjectMissing` if they are not there."""
        ...

    def stream(self, key: str, *, offset: int = 0, size: int | None = None) -> Iterator[bytes]:
        """Iterate over the same bytes in pieces of about a mebibyte."""
        ...

    def stat(self, key: str) -> StoredObject | None:
        """Describe an object, or return None."""
        ...

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Iterate over the objects whose key begins with `prefix`, in no order."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; that it is not there is no error."""
        ...

    def room(self) -> tuple[int, int] | None:
        """Return how many bytes are free, and of how many; None where that is not known."""
        ...

    def sweep(self, *, before: datetime) -> int:
        """Remove what unfinished writes older than `before` left; return how many."""
        ...

    def presign_put(
        self, key: str, *, size: int, sha256: str | None, expires: datetime, once: bool = False
    ) -> SignedPut:
        """Return a target that takes one object of exactly `size` bytes until `expires`.

        Only with their SHA-256, or if it takes an object `once`, may it lead past us, straight to a store that sees
        to that: else somebody could replace an object by another of the same size after we have looked at it.
        """
        ...

    def checksum(self, key: str) -> str | None:
        """Return the SHA-256 the store itself found of an object when it was written; None if it did not look."""
        ...

    def presign_get(self, key: str, *, expires: datetime) -> str:
        """Return a URL that answers GET, ranges included, until `expires`."""
        ...


FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


def storage_problem(error: OSError) -> Problem | None:
    """Return what to tell a caller about a write that failed with `error`; None if it is something else."""
    if error.errno in FULL:
        return StorageFull("The storage is full, nothing of this was kept: free some space, or ask an admin to.")
    if error.errno in READ_ONLY:
        return Unavailable(
            "The storage cannot be written right now, nothing of this was kept: tell an admin.",
            reason="storage_read_only",
        )
    return None


@contextmanager
def storage_problems() -> Generator[None]:
    """Turn the operating system's refusals to write into `StorageFull` and `Unavailable`."""
    try:
        yield
    except OSError as error:
        problem = storage_problem(error)
        if problem is None:
            raise
        raise problem from error
