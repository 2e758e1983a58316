"""Who builds what: claims on versions and prefixes, each with an owner and a time it ends unless renewed.

A claim is a fresh id, so that a builder that slept through its expiry can never be taken for its successor.
Every write of a build is fenced by its claim.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError

from pumpkin_services.db import Database, new_id, utcnow
from pumpkin_services.images.tables import EnvironmentPrefixRow, EnvironmentVersionRow

Version, Prefix = EnvironmentVersionRow, EnvironmentPrefixRow


class Lost(Exception):
    """The claim is gone: the version was deleted, or somebody else took over."""


class Claims:
    """Claims in the database, each good for `seconds` from its last renewal."""

    def __init__(self, *, database: Database, seconds: float) -> None:
        self.database = database
        self.seconds = seconds

    async def next_version(self) -> tuple[str, str, str | None] | None:
        """Claim the oldest version that waits for a builder; return its id, the claim, and the dead claim before it."""
        waiting = (
            select(Version)
            .where(Version.state.in_(("queued", "building")), or_(Version.owner.is_(None), Version.expires < utcnow()))
            .order_by(Version.id)
            .limit(1)
        )
        async with self.database.read() as session:
            if await session.scalar(waiting) is None:
                return None
        async with self.database.write() as session:
            row = await session.scalar(waiting.with_for_update(skip_locked=True))
            if row is None:
                return None
            claim, before = new_id(), row.owner
            row.state, row.owner, row.expires = "building", claim, self._until()
            row.started = row.started or utcnow()
            return row.id, claim, before

    async def renew(self, claim: str) -> None:
        """Renew all that `claim` holds; raise `Lost` when its version is no longer its own."""
        async with self.database.write() as session:
            for table in (Version, Prefix):
                await session.execute(update(table).where(table.owner == claim).values(expires=self._until()))
            held = select(Version.id).where(Version.owner == claim, Version.state == "building")
            if await session.scalar(held) is None:
                raise Lost

    async def write(self, claim: str, **values: Any) -> None:
        """Change the claimed version; raise `Lost` when it is no longer this claim's."""
        mine = and_(Version.owner == claim, Version.state == "building")
        async with self.database.write() as session:
            done = await session.execute(update(Version).where(mine).values(**values))
            if isinstance(done, CursorResult) and done.rowcount == 0:
                raise Lost

    async def prefix(self, digest: str, claim: str) -> Literal["mine", "busy"]:
        """Claim the prefix of `digest`, or say that somebody else has it."""
        try:
            async with self.database.write() as session:
                row = await session.scalar(select(Prefix).where(Prefix.digest == digest).with_for_update())
                if row is None:
                    row = Prefix(digest=digest, ready=False, bytes=0)
                    session.add(row)
                elif row.owner not in (None, claim) and row.expires is not None and row.expires > utcnow():
                    return "busy"
                row.owner, row.expires = claim, self._until()
                await session.flush()
        except IntegrityError:
            return "busy"  # two builders inserted it at once, the other was first
        return "mine"

    async def prefix_done(self, digest: str, claim: str, *, size: int | None) -> None:
        """Give the prefix back: built with `size` bytes, or not built (None)."""
        values: dict[str, Any] = {"owner": None, "expires": None, "ready": size is not None, "bytes": size or 0}
        async with self.database.write() as session:
            await session.execute(update(Prefix).where(Prefix.digest == digest, Prefix.owner == claim).values(**values))

    async def release(self, claim: str) -> None:
        """Give everything back unfinished, at once instead of when the claim would expire."""
        async with self.database.write() as session:
            await session.execute(
                update(Version)
                .where(Version.owner == claim, Version.state == "building")
                .values(owner=None, expires=None, state="queued")
            )
            await session.execute(update(Prefix).where(Prefix.owner == claim).values(owner=None, expires=None))

    def _until(self) -> datetime:
        return utcnow() + timedelta(seconds=self.seconds)
