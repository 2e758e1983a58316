"""How far the pipeline is behind, as the database tells it: any replica can say so, whoever holds the lease."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import utcnow
from pumpkin_services.pipeline.tables import LeaseRow
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.tables import EventRow, WorkloadRow


@dataclass(frozen=True, kw_only=True)
class Lag:
    """`passed_seconds` since all was looked at (None: never), and what was asked for and not begun meanwhile."""

    led: bool
    """Whether some replica holds the lease."""
    passed_seconds: float | None
    unhandled: int
    """Workloads to stop or to delete that nothing was done about yet."""
    oldest_seconds: float | None
    """How long the first of those to stop has waited."""


async def lag(session: AsyncSession) -> Lag:
    """Look it up."""
    now = utcnow()
    lease = await session.get(LeaseRow, "pipeline")
    waiting = (
        WorkloadRow.active,
        WorkloadRow.target != "run",
        WorkloadRow.phase != "stopping",
        or_(WorkloadRow.target == "delete", WorkloadRow.phase.not_in(ENDED)),
    )
    unhandled = await session.scalar(select(func.count()).select_from(WorkloadRow).where(*waiting))
    oldest = await session.scalar(
        select(func.min(EventRow.time))
        .join(WorkloadRow, WorkloadRow.id == EventRow.workload)
        .where(*waiting, EventRow.type == "stop")
    )
    return Lag(
        led=lease is not None and lease.expires > now,
        passed_seconds=(now - lease.passed).total_seconds() if lease and lease.passed else None,
        unhandled=unhandled or 0,
        oldest_seconds=(now - oldest).total_seconds() if oldest else None,
    )
