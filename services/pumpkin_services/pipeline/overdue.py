"""Ends what has run long enough or cost enough."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import select

from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import Database, utcnow
from pumpkin_services.pipeline.verdict import Verdict
from pumpkin_services.pipeline.view import View
from pumpkin_services.workloads.tables import WorkloadRow

POLL_SECONDS = 5.0
"""How often a running workload is looked at without having been heard of."""
MONEY_MARGIN_MS = 1500
"""Budgets end so much earlier, for the time it takes to notice and to stop."""


class Overdue:
    """Knows deadlines, budgets and balances; `again(workload, seconds)` has one looked at again when one is reached."""

    def __init__(
        self, *, database: Database, billing: BillingService, grace: float, again: Callable[[str, float], None]
    ) -> None:
        self._database = database
        self._billing = billing
        self._grace = grace
        self._again = again

    async def verdict(self, view: View) -> Verdict | None:
        """Return the verdict on one that has run long enough or cost enough; else have it looked at in time."""
        if view.row.phase != "running":
            return None
        limit = view.plan.deadline_seconds
        if limit is not None and view.attempt is not None and view.attempt.started is not None:
            left = limit - (utcnow() - view.attempt.started).total_seconds()
            if left <= 0:
                message = f"It ran for its deadline of {limit} s: give it a longer one, or less to do."
                return Verdict(phase="failed", reason="deadline", message=message)
            self._again(view.row.id, left)
        return await self._overspent(view) if view.row.price_micro else None

    async def poke_sharers(self, row: WorkloadRow) -> None:
        """Have those looked at whose money now lasts less long."""
        if not row.price_micro:
            return
        async with self._database.read() as session:
            others = await session.scalars(
                select(WorkloadRow.id).where(
                    WorkloadRow.workspace == row.workspace,
                    WorkloadRow.phase == "running",
                    WorkloadRow.price_micro > 0,
                )
            )
            for other in others:
                self._again(other, 0)

    async def _overspent(self, view: View) -> Verdict | None:
        grace = int(self._grace * 1000) + MONEY_MARGIN_MS
        async with self._database.read() as session:
            until = await self._billing.deadline_ms(session, workspace=view.row.workspace, grace_ms=grace)
            own = None
            if view.plan.budget_micro is not None:
                own = await self._billing.workload_deadline_ms(
                    session, workload=view.row.id, budget_micro=view.plan.budget_micro, grace_ms=grace
                )
        now = time.time_ns() // 1_000_000
        if own is not None and own <= now:
            return Verdict(phase="stopped", reason="budget", message="Its budget is spent: raise it and run it again.")
        if until is not None and until <= now:
            message = f"The money of '{view.row.workspace}' is spent: ask an admin to recharge it, then run it again."
            return Verdict(phase="stopped", reason="balance", message=message)
        for limit in (own, until):
            if limit is not None:
                self._again(view.row.id, min((limit - now) / 1000, POLL_SECONDS))
        return None
