"""Gives pools back what they deserve and have lent, where an admin has allowed that."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.pipeline import changes
from pumpkin_services.pipeline.verdict import Verdict
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.workloads.board import Board
from pumpkin_services.workloads.plan import Plan
from pumpkin_services.workloads.reclaim import Taken, Tenant, reclaim
from pumpkin_services.workloads.scheduler import Holding
from pumpkin_services.workloads.tables import WorkloadRow


class Reclaimer:
    """Ends jobs that run on what others deserve; they wait again at the head of their queue.

    `offered` tells who waits in the cluster's queues, so that nobody is ended for what may not start; `again` has a
    workload looked at.
    """

    def __init__(
        self,
        *,
        database: Database,
        resources: ResourceService,
        board: Board,
        offered: Callable[[], Collection[str]],
        writes: Writes,
        again: Callable[[str], None],
    ) -> None:
        self._database = database
        self._resources = resources
        self._board = board
        self._offered = offered
        self._writes = writes
        self._again = again

    async def look(self) -> None:
        """Take back what is due. It costs little where no pool lends."""
        async with self._database.read() as session:
            pools = await self._resources.pool_shares(session)
            lends = any(share.reclaimable for share in pools.values())
            if not lends or not any(share.deserved_percent for share in pools.values()):
                return
            position = await self._board.position(session, startable=True)
            tenants = await _tenants(session, position.held)
        offered = self._offered()
        taken = reclaim(
            [one for one in position.candidates if one.id in offered],
            nodes=position.nodes,
            tenants=tenants,
            pools=pools,
            now=time.time(),
        )
        for item in taken:
            if await self._writes.run(partial(_end, item=item)):
                self._again(item.workload)


async def _tenants(session: AsyncSession, held: Collection[Holding]) -> list[Tenant]:
    holdings: dict[str, list[Holding]] = {}
    for item in held:
        holdings.setdefault(item.workload, []).append(item)
    rows = await session.scalars(select(WorkloadRow).where(WorkloadRow.phase.in_(("preparing", "running", "stopping"))))
    return [
        Tenant(
            id=row.id,
            pool=Plan.model_validate(row.plan).main.pool,
            kind=row.kind,
            started=(row.started or row.queued).timestamp(),
            ending=row.phase == "stopping" or row.target != "run",
            holdings=tuple(holdings.get(row.id, ())),
        )
        for row in rows
    ]


async def _end(session: AsyncSession, *, item: Taken) -> bool:
    """Decide that it ends; tell whether it still ran."""
    row = await session.get(WorkloadRow, item.workload)
    if row is None or row.phase not in ("preparing", "running") or row.target != "run":
        return False
    message = f"Its place was given back to the pool {item.pool}, which deserves it."
    await changes.decide(session, row, Verdict(phase="failed", reason="reclaimed", message=message))
    return True
