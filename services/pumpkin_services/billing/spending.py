"""What a workspace spent, by day and by the member who started it, and on storage: what the charts show."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from pydantic import Field
from sqlalchemy import case, func
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.billing.ledger import period, uses
from pumpkin_services.billing.models import StatementQuery
from pumpkin_services.billing.money import DAY_MS
from pumpkin_services.billing.tables import LedgerRow, MeterRow
from pumpkin_services.problems import Invalid
from pumpkin_services.web import Wire

LONGEST = timedelta(days=366)


class SpentDay(Wire):
    """What one member's workloads, or what is kept, cost on one day (UTC)."""

    day: date
    kind: Literal["workload", "storage"]
    creator: str = Field(description="Empty for storage, which nobody started.")
    cost_micro: int


class Spending(Wire):
    """What a workspace spent in a period; days and members that spent nothing are left out."""

    workspace: str
    start: datetime
    end: datetime
    currency: str
    spent_micro: int
    items: list[SpentDay] = Field(description="Oldest first.")


async def spending(session: AsyncSession, *, query: StatementQuery, currency: str) -> Spending:
    """Return what `query.workspace` spent in a period of at most 366 days (the present month, UTC, unless said)."""
    start, end = period(query)
    if end - start > LONGEST:
        raise Invalid("This looks at 366 days at most: ask for a shorter period.", field="start")
    # A refund takes time back: it belongs to the day that was charged.
    # A day of storage ends where the next begins.
    stored = LedgerRow.kind == "storage"
    backwards = LedgerRow.end_ms < LedgerRow.start_ms
    last = case((backwards | stored, LedgerRow.start_ms), else_=LedgerRow.end_ms)
    day = (last // DAY_MS).label("day")
    creator = func.coalesce(MeterRow.creator, "").label("creator")
    kind = case((stored, "storage"), else_="workload").label("kind")
    rows = await session.execute(
        uses(query.workspace, start, end, day, kind, creator, func.sum(LedgerRow.amount_micro).label("amount"))
        .group_by(day, kind, creator)
        .order_by(day, kind, creator)
    )
    items = [
        SpentDay(
            day=datetime.fromtimestamp(int(at) * 86_400, UTC).date(), kind=what, creator=who, cost_micro=-int(amount)
        )
        for at, what, who, amount in rows
        if amount
    ]
    total = sum(item.cost_micro for item in items)
    return Spending(workspace=query.workspace, start=start, end=end, currency=currency, spent_micro=total, items=items)
