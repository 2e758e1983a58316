"""What a database that cannot do its work is called to the caller: the same refusals as a store's."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from pumpkin_services.problems import Problem, StorageFull, Unavailable


def busy() -> Unavailable:
    """Return what to tell a caller whose change waited too long for its turn."""
    return Unavailable("The database is busy, nothing of this was kept: try again in a moment.")


@contextmanager
def database_problems() -> Generator[None]:
    """Turn the database's refusals to work into `StorageFull` and `Unavailable`; errors of ours stay what they are."""
    try:
        yield
    except DBAPIError as error:
        problem = _problem(error)
        if problem is None:
            raise
        raise problem from error


def _problem(error: DBAPIError) -> Problem | None:
    said = str(error.orig).lower()
    if "is full" in said:  # SQLite's disk, MySQL's table
        return StorageFull("The database's disk is full, nothing of this was kept: free some space, or ask an admin.")
    if "is locked" in said:
        return busy()
    if "readonly" in said or "disk i/o error" in said:
        return Unavailable(
            "The database cannot be written right now, nothing of this was kept: tell an admin.",
            reason="database_read_only",
        )
    if error.connection_invalidated:
        return Unavailable("The database does not answer right now: try again in a moment.")
    return None
