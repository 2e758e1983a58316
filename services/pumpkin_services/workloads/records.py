"""Adding to what is only ever appended: events, metrics, usage samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import new_id, table, utcnow
from pumpkin_services.workloads.tables import EventRow, MetricRow

ADD_EVENTS = insert(table(EventRow))
ADD_POINTS = insert(table(MetricRow))


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value of one metric; `time` in Unix seconds."""

    name: str
    step: int
    value: float | None
    time: float


def event(workload: str, type_: str, message: str, *, source: str, **detail: Any) -> dict[str, Any]:
    """Return an event to add."""
    return {
        "id": new_id(),
        "workload": workload,
        "time": utcnow(),
        "source": source,
        "type": type_,
        "message": message,
        "detail": detail,
    }


async def add_events(session: AsyncSession, events: Sequence[dict[str, Any]]) -> None:
    """Add events, in their order."""
    if events:
        await session.execute(ADD_EVENTS, list(events))


async def add_points(session: AsyncSession, *, workload: str, attempt: int, points: Iterable[Point]) -> None:
    """Add points of metrics, in their order; what is not finite is kept as a gap."""
    rows = [
        {
            "id": new_id(),
            "workload": workload,
            "attempt": attempt,
            "name": point.name[:255],
            "step": point.step,
            "value": point.value if point.value is not None and math.isfinite(point.value) else None,
            "time": datetime.fromtimestamp(point.time, UTC),
        }
        for point in points
    ]
    if rows:
        await session.execute(ADD_POINTS, rows)
