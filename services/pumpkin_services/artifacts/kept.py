"""What is kept: the bytes of workspaces, the same that count against `storage_bytes`, and the versions of a thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.chunks import groups
from pumpkin_services.artifacts.models import Version
from pumpkin_services.artifacts.tables import ObjectRow, PinRow, VersionObjectRow, VersionRow

_NEEDED = exists().where(VersionObjectRow.object_id == ObjectRow.id)


async def kept_bytes(session: AsyncSession, workspaces: Sequence[str] | None = None) -> dict[str, int]:
    """Return the bytes each workspace keeps (of `workspaces`, or of all); those that keep nothing are left out."""
    found: dict[str, int] = {}
    for condition in _within(ObjectRow.workspace, workspaces):
        sums = select(ObjectRow.workspace, func.sum(ObjectRow.size)).where(_NEEDED, *condition)
        for workspace, size in await session.execute(sums.group_by(ObjectRow.workspace)):
            found[workspace] = int(size)
    return found


async def kept_versions(session: AsyncSession, workspaces: Sequence[str] | None = None) -> dict[str, int]:
    """Return how many versions each workspace has; those without one are left out."""
    found: dict[str, int] = {}
    for condition in _within(VersionRow.workspace, workspaces):
        counts = select(VersionRow.workspace, func.count()).where(VersionRow.state == "ready", *condition)
        for workspace, count in await session.execute(counts.group_by(VersionRow.workspace)):
            found[workspace] = count
    return found


async def kept_by_people(session: AsyncSession, workspace: str) -> dict[str, int]:
    """Return how many of a workspace's bytes were sent by whom."""
    sums = select(ObjectRow.creator, func.sum(ObjectRow.size)).where(ObjectRow.workspace == workspace, _NEEDED)
    return {creator: int(size) for creator, size in await session.execute(sums.group_by(ObjectRow.creator))}


def _within(column: Any, workspaces: Sequence[str] | None) -> list[list[ColumnElement[bool]]]:
    """Return the conditions of as many queries as it takes to ask for `workspaces`."""
    return [[]] if workspaces is None else [[column.in_(group)] for group in groups(workspaces, 500)]


async def versions_of(session: AsyncSession, asset_id: str) -> list[Version]:
    """Return the versions of a thing, newest first."""
    ready = select(VersionRow).where(VersionRow.asset_id == asset_id, VersionRow.state == "ready")
    rows = await session.scalars(ready.order_by(VersionRow.number.desc()))
    return [Version.model_validate(row) for row in rows]


async def held_of(session: AsyncSession, asset_id: str) -> set[str]:
    """Return the ids of the versions of a thing that somebody holds: a workload that waits or runs."""
    held = select(PinRow.version_id).join(VersionRow, VersionRow.id == PinRow.version_id)
    return set(await session.scalars(held.where(VersionRow.asset_id == asset_id)))


async def there_among(session: AsyncSession, version_ids: Sequence[str]) -> set[str]:
    """Return those of `version_ids` that are not deleted."""
    found: set[str] = set()
    for group in groups(version_ids, 500):
        there = select(VersionRow.id).where(VersionRow.id.in_(group), VersionRow.state == "ready")
        found.update(await session.scalars(there))
    return found
