"""What nodes' workloads used over time: the pipeline adds to it, admins look at it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import new_id, table, utcnow
from pumpkin_services.resources.models import NodeLoad, NodeLoads
from pumpkin_services.resources.tables import LoadRow

ADD_LOADS = insert(table(LoadRow))
FRESH = timedelta(seconds=60)
"""What is older tells nothing of now."""
IN_FULL = timedelta(hours=2)
KEPT = timedelta(days=30)
MOST = 500
"""Points one answer has at most, near enough."""


async def add_loads(session: AsyncSession, loads: Sequence[NodeLoad], *, keep: bool) -> None:
    """Add one sample of each node; `keep` those that stay when the others are thinned."""
    if loads:
        await session.execute(ADD_LOADS, [{**load.model_dump(), "id": new_id(), "keep": keep} for load in loads])


async def thin_loads(session: AsyncSession) -> None:
    """Remove what is too old, and of what is no longer shown in full all but the kept."""
    now = utcnow()
    for kept, before in ((False, now - IN_FULL), (True, now - KEPT)):
        await session.execute(
            delete(LoadRow)
            .where(LoadRow.keep.is_(kept), LoadRow.time < before)
            .execution_options(synchronize_session=False)
        )


async def latest_loads(session: AsyncSession) -> list[NodeLoad]:
    """Return the newest sample of each node, without those that are not of now."""
    rows = await session.scalars(select(LoadRow).where(LoadRow.time > utcnow() - FRESH).order_by(LoadRow.time))
    return list({row.node: _wire(row) for row in rows}.values())


async def node_loads(session: AsyncSession, *, node: str, hours: int) -> NodeLoads:
    """Return the samples of one node."""
    span = timedelta(hours=hours)
    wanted: list[Any] = [LoadRow.node == node, LoadRow.time > utcnow() - span]
    if span > IN_FULL:
        wanted.append(LoadRow.keep)
    rows = (await session.scalars(select(LoadRow).where(*wanted).order_by(LoadRow.time))).all()
    # From the newest back, so that the last one shown is the last there is.
    return NodeLoads(items=[_wire(row) for row in rows[:: -max(1, -(-len(rows) // MOST))]][::-1])


def _wire(row: LoadRow) -> NodeLoad:
    return NodeLoad.model_validate({name: getattr(row, name) for name in NodeLoad.model_fields})
