"""What an object store is to the code above it. Methods block: call them from worker threads."""

from __future__ import annotations

import errno
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pumpkin_services.problems import Problem, StorageFull, Unavailable


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object as it lies in the store: its key, size in bytes, and when it was written."""

    key: str
    size: int
    modified: datetime


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
    fails leaves nothing.
    """

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

    def sweep(self, *, before: datetime) -> int:
        """Remove what unfinished writes older than `before` left; return how many."""
        ...

    def presign_put(self, key: str, *, size: int, expires: datetime) -> str:
        """Return a URL that takes one PUT of exactly `size` bytes until `expires`."""
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
