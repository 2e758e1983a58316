"""Which versions are kept for how long: a thing's rule, what it would remove, and the loop that removes it.

A version goes when no part of the rule keeps it. Whatever the rule says, these stay: the newest version, what a
workload that waits or runs holds, and what a model that is still there was made from.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.access import Owned
from pumpkin_services.artifacts.kept import held_of, versions_of
from pumpkin_services.artifacts.models import Version
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.assets.tables import AssetRow
from pumpkin_services.db import utcnow
from pumpkin_services.problems import Conflict
from pumpkin_services.web.audit import note
from pumpkin_services.web.wire import Wire

log = logging.getLogger("pumpkin.assets")
LOOK_SECONDS = 600.0
BATCH = 50
"""Versions removed in one transaction."""
SHOWN = 500

Ancestors = Callable[[AsyncSession, Owned], Awaitable[set[int]]]
"""Tells the numbers of a thing's versions that models which are still there were made from."""


class RetentionRule(Wire):
    """Keeps the last `keep_last` versions, and those younger than `keep_days`; both null keep all."""

    keep_last: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    keep_days: Annotated[int, Field(ge=1, le=36_500)] | None = None


class Fate(Wire):
    """A version the rule does not keep, and why it stays all the same (null: it goes)."""

    number: int
    bytes: int
    committed: datetime | None
    stays: Literal["in_use", "lineage"] | None = Field(
        description="`in_use`: a workload that waits or runs holds it; `lineage`: a model was made from it."
    )


class RetentionPreview(Wire):
    """What a rule would remove now. Data that other versions share is not freed with it."""

    removed: int
    removed_bytes: int
    staying: int
    items: list[Fate] = Field(description="What the rule does not keep, newest first; 500 at most.")


@dataclass(frozen=True)
class Verdict:
    """A version the rule does not keep, and what keeps it nevertheless."""

    version: Version
    stays: Literal["in_use", "lineage"] | None


def outside(versions: Sequence[Version], rule: RetentionRule, *, now: datetime) -> list[Version]:
    """Return those of `versions` (newest first) that `rule` does not keep; never the newest."""
    if rule.keep_last is None and rule.keep_days is None:
        return []
    found = versions[rule.keep_last or 1 :]
    if rule.keep_days is None:
        return list(found)
    oldest = now - timedelta(days=rule.keep_days)
    return [version for version in found if (version.committed or version.created) <= oldest]


async def judge(
    session: AsyncSession, owned: Owned, rule: RetentionRule, *, ancestors: Ancestors, now: datetime
) -> list[Verdict]:
    """Return what `rule` does not keep of a thing, and what stays of it, newest first."""
    found = outside(await versions_of(session, owned.asset_id), rule, now=now)
    if not found:
        return []
    held, used = await held_of(session, owned.asset_id), await ancestors(session, owned)
    return [
        Verdict(version, "in_use" if version.id in held else "lineage" if version.number in used else None)
        for version in found
    ]


async def preview(
    session: AsyncSession, owned: Owned, rule: RetentionRule, *, ancestors: Ancestors
) -> RetentionPreview:
    """Return what `rule` would remove of a thing now."""
    verdicts = await judge(session, owned, rule, ancestors=ancestors, now=utcnow())
    going = [verdict.version for verdict in verdicts if verdict.stays is None]
    return RetentionPreview(
        removed=len(going),
        removed_bytes=sum(version.bytes for version in going),
        staying=len(verdicts) - len(going),
        items=[
            Fate(
                number=verdict.version.number or 0,
                bytes=verdict.version.bytes,
                committed=verdict.version.committed,
                stays=verdict.stays,
            )
            for verdict in verdicts[:SHOWN]
        ],
    )


class Retention:
    """Removes what the rules do not keep."""

    def __init__(self, *, artifacts: ArtifactService, ancestors: Ancestors) -> None:
        self._artifacts = artifacts
        self._ancestors = ancestors

    async def run(self) -> None:
        """Apply every rule, for ever."""
        while True:
            try:
                await self.apply(now=utcnow())
            except Exception:
                log.exception("applying the retention rules failed; it is tried again")
            await asyncio.sleep(LOOK_SECONDS)

    async def apply(self, *, now: datetime) -> int:
        """Apply every rule once; return how many versions went. One thing's trouble does not keep the others."""
        ruled = select(AssetRow.id).where(or_(AssetRow.keep_last.is_not(None), AssetRow.keep_days.is_not(None)))
        async with self._artifacts.database.read() as session:
            assets = list(await session.scalars(ruled))
        removed = 0
        for asset_id in assets:
            try:
                removed += await self._apply(asset_id, now)
            except Exception:
                log.exception("the retention rule of %s failed; it is tried again", asset_id)
        return removed

    async def _apply(self, asset_id: str, now: datetime) -> int:
        async with self._artifacts.database.read() as session:
            row = await session.get(AssetRow, asset_id)
            if row is None or not await self._going(session, row, now):
                return 0
        removed = 0
        while True:
            async with self._artifacts.database.write() as session:
                gone = await self._some(session, asset_id, now)
            removed += gone
            if gone < BATCH:
                return removed

    async def _going(self, session: AsyncSession, row: AssetRow, now: datetime) -> list[Version]:
        verdicts = await judge(session, _owned(row), rule_of(row), ancestors=self._ancestors, now=now)
        return [verdict.version for verdict in reversed(verdicts) if verdict.stays is None]

    async def _some(self, session: AsyncSession, asset_id: str, now: datetime) -> int:
        """Remove the oldest versions that are to go, each with its audit line; return how many went.

        The thing is locked meanwhile: neither another replica nor a change of its rule comes between.
        """
        row = await session.scalar(select(AssetRow).where(AssetRow.id == asset_id).with_for_update())
        if row is None:
            return 0
        gone = 0
        for version in (await self._going(session, row, now))[:BATCH]:
            try:
                await self._artifacts.delete_version(session, version.id)
            except Conflict:
                continue  # a workload took it just now
            gone += 1
            note(
                session,
                f"RETENTION /{row.kind}s/{{workspace}}/{{name}}/versions/{{version}}",
                object=f"{row.workspace}/{row.name}/{version.number}",
                owner=row.workspace,
                version=version.id,
                bytes=version.bytes,
                keep_last=row.keep_last,
                keep_days=row.keep_days,
            )
        return gone


def rule_of(row: AssetRow) -> RetentionRule:
    """Return a thing's rule."""
    return RetentionRule(keep_last=row.keep_last, keep_days=row.keep_days)


def _owned(row: AssetRow) -> Owned:
    return Owned(kind=row.kind, asset_id=row.id, workspace=row.workspace, name=row.name)  # pyright: ignore[reportArgumentType]
