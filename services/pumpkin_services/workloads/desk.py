"""What an admin does to the queue: hold a workload back, let it go, put some at the head."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, NotFound
from pumpkin_services.web import Call, Route
from pumpkin_services.workloads import models as wire
from pumpkin_services.workloads.queries import WorkloadQueries
from pumpkin_services.workloads.records import add_events, event
from pumpkin_services.workloads.service import WorkloadService
from pumpkin_services.workloads.tables import WorkloadRow


class Desk:
    """Changes what the scheduler reckons with. Methods never commit: the caller's transaction does."""

    async def hold(self, session: AsyncSession, principal: Principal, *, workload: str, reason: str) -> WorkloadRow:
        """Keep a queued workload from starting; raise `Conflict` for one that has started."""
        row = await _queued(session, workload)
        if row.hold != reason:
            row.hold = reason
            row.revision += 1
            await session.flush()
            await add_events(session, [event(row.id, "held", f"Held back: {reason}", source=principal.name)])
        return row

    async def release(self, session: AsyncSession, principal: Principal, *, workload: str) -> WorkloadRow:
        """Let a workload start when its turn comes; one that is not held is fine."""
        row = await _queued(session, workload)
        if row.hold:
            row.hold = ""
            row.revision += 1
            await session.flush()
            await add_events(session, [event(row.id, "released", "Not held back any more.", source=principal.name)])
        return row

    async def order(self, session: AsyncSession, *, ids: list[str]) -> None:
        """Put workloads at the head of the queue in the order of `ids`, and no others; what has started is no error."""
        pins = {workload: place for place, workload in enumerate(dict.fromkeys(ids), start=1)}
        rows = await session.scalars(
            select(WorkloadRow)
            .where(WorkloadRow.phase == "queued", or_(WorkloadRow.pin > 0, WorkloadRow.id.in_(pins)))
            .with_for_update()
        )
        for row in rows:
            pin = pins.get(row.id, 0)
            if row.pin != pin:
                row.pin = pin
                row.revision += 1
        await session.flush()


def routes(desk: Desk, *, service: WorkloadService, queries: WorkloadQueries) -> list[Route]:
    """Return the routes of admins below `/workloads`."""

    async def changed(call: Call[Any, None], row: WorkloadRow) -> wire.Workload:
        call.audit |= {"object": row.id, "owner": row.workspace, "name": row.name}
        # As something new: what is let go may start at once.
        call.after_commit(lambda: service.wake(row.id, new=True))
        return await queries.detail(call.session, row)

    async def hold(call: Call[wire.Hold, None]) -> wire.Workload:
        call.audit["reason"] = call.body.reason
        row = await desk.hold(call.session, call.principal, workload=call.path["workload"], reason=call.body.reason)
        return await changed(call, row)

    async def release(call: Call[None, None]) -> wire.Workload:
        return await changed(call, await desk.release(call.session, call.principal, workload=call.path["workload"]))

    async def order(call: Call[wire.QueueOrder, None]) -> wire.Queue:
        await desk.order(call.session, ids=call.body.ids)
        call.audit |= {"object": "queue", "ids": call.body.ids}
        return await queries.queue(call.session, call.principal)

    admin: dict[str, Any] = {"scope": "workloads:admin", "owner": "admin"}
    return [
        Route(method="PUT", path="/workloads/queue/order", summary="Put queued workloads at the head, in this order",
              endpoint=order, request=wire.QueueOrder, response=wire.Queue, **admin),
        Route(method="POST", path="/workloads/{workload}/hold", summary="Keep a queued workload from starting",
              endpoint=hold, request=wire.Hold, response=wire.Workload, **admin),
        Route(method="POST", path="/workloads/{workload}/release", summary="Let a workload start that was held back",
              endpoint=release, response=wire.Workload, **admin),
    ]  # fmt: skip


async def _queued(session: AsyncSession, workload: str) -> WorkloadRow:
    row = await session.get(WorkloadRow, workload, with_for_update=True)
    if row is None:
        raise NotFound("There is no such workload: list them with GET /workloads.")
    if row.phase != "queued" or row.target != "run":
        raise Conflict(f"'{row.name}' is {row.phase}: only what waits in the queue can be held back.", field="workload")
    return row
