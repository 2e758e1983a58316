"""Leave to start notebook servers, as the Hub's spawners ask for it (DESIGN §5): the queue is never in the Hub."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.problems import Conflict, Invalid, NotFound
from pumpkin_services.workloads import models as wire
from pumpkin_services.workloads import views
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.ports import PrincipalOf
from pumpkin_services.workloads.queries import WorkloadQueries
from pumpkin_services.workloads.records import add_events, event
from pumpkin_services.workloads.service import WorkloadService
from pumpkin_services.workloads.tables import WorkloadRow

ASK_SECONDS = 2.0
"""How long a spawn waits to learn whether there is room at once."""
CLAIM_SECONDS = 300.0
"""How long a claim waits for its inputs, its environment and its process."""

PodOf = Callable[[WorkloadRow], Awaitable[dict[str, Any]]]
"""Returns the `models.Pod` of a notebook that has been given room."""


class GrantService:
    """Grants. Each method has its own transactions, for it may wait in between."""

    def __init__(
        self,
        *,
        database: Database,
        service: WorkloadService,
        queries: WorkloadQueries,
        principal_of: PrincipalOf,
        wakeups: Wakeups,
        pod_of: PodOf | None = None,
    ) -> None:
        self._database = database
        self._service = service
        self._queries = queries
        self._principal_of = principal_of
        self._wakeups = wakeups
        self._pod_of = pod_of

    async def ask(self, request: wire.GrantRequest) -> wire.Grant:
        """Find the server's notebook, or queue one; wait a moment to see whether there is room at once.

        If there is none, the grant stays queued, and the platform starts the server when its turn comes.
        """
        async with self._database.write() as session:
            row = await self._find(session, request)
            if row is None:
                principal = await self._principal_of(session, user=request.user, field="user")
                row = await self._service.submit_notebook(
                    session, principal, request=_notebook(request), starter="spawner"
                )
            workload, waits = row.id, row.phase == "queued" and row.starter == "spawner"
        self._service.wake(workload, new=True)
        if waits:
            await self._until(workload, "preparing", "running", seconds=ASK_SECONDS)
            async with self._database.write() as session:
                await session.execute(
                    update(WorkloadRow)
                    .where(WorkloadRow.id == workload, WorkloadRow.phase == "queued")
                    .values(starter="platform")
                )
        return await self.get(workload)

    async def get(self, workload: str) -> wire.Grant:
        """Return how a grant stands; raise `NotFound`."""
        async with self._database.read() as session:
            return await self._view(session, await _row(session, workload))

    async def claim(self, workload: str, claim: wire.Claim) -> wire.Grant:
        """Start the server of a ready grant; return when it runs, or has ended already, unless not asked to wait.

        Claiming one that runs is no error: the answer says where. A grant that is queued or has ended is a `Conflict`.
        """
        async with self._database.write() as session:
            row = await _row(session, workload, lock=True)
            if row.phase == "queued" or row.phase in ENDED or row.target != "run":
                raise _not_ready(row)
            if self._pod_of is None and not claim.command:
                raise Invalid("This platform starts notebooks as processes: say how.", field="command")
            if row.phase == "preparing" and row.claim is None:
                row.claim = claim.model_dump(mode="json")
                await session.flush()
                await add_events(session, [event(row.id, "claimed", "The server is being started.", source="hub")])
        self._service.wake(workload)
        if claim.wait:
            await self._until(workload, "running", "stopping", seconds=CLAIM_SECONDS)
        return await self.get(workload)

    async def pod(self, workload: str) -> wire.Pod:
        """Return the pod to make for a grant that is ready; a `Conflict` where notebooks are processes."""
        if self._pod_of is None:
            raise Conflict("This platform starts notebooks as processes.", reason="no_pods")
        async with self._database.read() as session:
            row = await _row(session, workload)
            if _state(row) in ("queued", "ended"):
                raise _not_ready(row)
        return wire.Pod.model_validate(await self._pod_of(row))

    async def release(self, workload: str) -> None:
        """Stop the server and give back what it holds; returns when nothing runs any more (or after a while)."""
        async with self._database.write() as session:
            row = await _row(session, workload, lock=True)
            if row.phase not in ENDED and row.target == "run":
                row.target, row.stop_reason = "stop", "stopped_by_user"
                row.revision += 1
                await session.flush()
                await add_events(session, [event(row.id, "stop", "The Hub stopped the server.", source="hub")])
        self._service.wake(workload)
        await self._until(workload, seconds=30)

    async def _find(self, session: AsyncSession, request: wire.GrantRequest) -> WorkloadRow | None:
        named = request.options.get("grant")
        row = await session.get(WorkloadRow, str(named)) if named else None
        if row is None or row.phase in ENDED:
            return await self._service.active_notebook(session, user=request.user, server_name=request.server_name)
        if row.creator != request.user or row.server_name != request.server_name or row.kind != "notebook":
            raise NotFound("This grant is for another server.", field="options.grant")
        return row

    async def _until(self, workload: str, *phases: str, seconds: float) -> None:
        """Wait until a workload is in one of `phases`, or has ended."""
        give_up = time.monotonic() + seconds
        while (left := give_up - time.monotonic()) > 0:
            waiting = asyncio.create_task(self._wakeups.wait(f"workload:{workload}", timeout=min(left, 0.5)))
            try:
                # Looked at after the waiting began, so that nothing happens unseen in between.
                await asyncio.sleep(0)
                async with self._database.read() as session:
                    row = await session.get(WorkloadRow, workload)
                if row is None or row.phase in phases or row.phase in ENDED:
                    return
                await waiting
            finally:
                waiting.cancel()

    async def _view(self, session: AsyncSession, row: WorkloadRow) -> wire.Grant:
        grant = wire.Grant(
            workload=row.id,
            user=row.creator,
            server_name=row.server_name,
            state=_state(row),
            host=row.host,
            port=row.port,
            exit_code=row.exit_code,
            reason=row.reason,  # pyright: ignore[reportArgumentType]
            message=views.message(row),
        )
        if grant.state == "ready":
            grant.expires = row.not_before
        if grant.state == "queued":
            forecast = await self._queries.forecast(session, row)
            grant.position = forecast.position
            grant.expected_seconds, grant.expected_p90_seconds = forecast.p50_seconds, forecast.p90_seconds
            principal = await self._principal_of(session, user=row.creator)
            grant.free_specs = await self._queries.free_specs(session, principal, kind="notebook")
        return grant


async def _row(session: AsyncSession, workload: str, *, lock: bool = False) -> WorkloadRow:
    row = await session.get(WorkloadRow, workload, with_for_update=lock)
    if row is None or row.kind != "notebook":
        raise NotFound("There is no such grant.", field="workload")
    return row


def _not_ready(row: WorkloadRow) -> Conflict:
    return Conflict(f"This grant is {_state(row)}: ask for a new one.", reason="grant_not_ready")


def _state(row: WorkloadRow) -> Literal["queued", "ready", "running", "ended"]:
    if row.phase in ENDED:
        return "ended"
    if row.phase == "queued":
        return "queued"
    return "ready" if row.phase == "preparing" else "running"


def _notebook(request: wire.GrantRequest) -> wire.NotebookRequest:
    options = {name: value for name, value in request.options.items() if name not in ("grant", "name")}
    try:
        return wire.NotebookRequest.model_validate({**options, "name": request.server_name})
    except ValidationError as error:
        raise Invalid.many(
            [
                {"field": ".".join(["options", *(str(part) for part in item["loc"])]), "message": item["msg"]}
                for item in error.errors(include_url=False, include_input=False, include_context=False)[:20]
            ]
        ) from error
