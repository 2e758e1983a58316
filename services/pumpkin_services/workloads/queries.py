"""Reading workloads: lists, details, the queue, what is free, and when something would start."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import Select, false, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import utcnow
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Forbidden
from pumpkin_services.resources.models import Kind, UsageItem
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.resources.shapes import place_one
from pumpkin_services.web import PageQuery, paginate
from pumpkin_services.web.paging import decode_cursor, encode_cursor
from pumpkin_services.workloads import models as wire
from pumpkin_services.workloads import scheduler, views
from pumpkin_services.workloads.board import Board, Position
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.service import WorkloadService
from pumpkin_services.workloads.tables import (
    AttemptRow,
    EventRow,
    MetricRow,
    ReplicaRow,
    UsageRow,
    WorkloadLabelRow,
    WorkloadRow,
)

HISTORY = 200
"""How many starts of a spec are looked at to tell how long the next one waits."""
BRANCHES = 64
PLACES_SECONDS = 1.0
"""How long places in the queue and past waits are remembered: reckoning them for every reader would not scale."""


class WorkloadQueries:
    """What people look at."""

    def __init__(
        self,
        *,
        service: WorkloadService,
        board: Board,
        resources: ResourceService,
        billing: BillingService,
        base_url: str = "/",
    ) -> None:
        """`base_url` is the Hub's: running notebooks are below it."""
        self._service = service
        self._board = board
        self._resources = resources
        self._billing = billing
        self._base_url = base_url
        self._places: tuple[float, dict[str, int]] = (-PLACES_SECONDS, {})
        self._waited: dict[str, tuple[float, list[float]]] = {}

    # -- lists and details ------------------------------------------------------------------------------------

    async def list(
        self, session: AsyncSession, principal: Principal, *, query: wire.WorkloadQuery
    ) -> wire.WorkloadPage:
        """Return a page, newest first, with the live cost of what runs."""
        places = scope(principal, workspace=query.workspace, everything=query.everything)
        rows = list((await session.scalars(_page(query, places, principal))).all())
        following = encode_cursor(rows[query.limit - 1].id) if len(rows) > query.limit else None
        rows = rows[: query.limit]
        costs = await self._live([row for row in rows if row.phase not in ENDED], session)
        return wire.WorkloadPage(
            items=[views.summary(row, cost_micro=costs.get(row.id)) for row in rows], next=following
        )

    async def detail(self, session: AsyncSession, row: WorkloadRow) -> wire.Workload:
        """Return a workload in full."""
        attempts: Sequence[AttemptRow] = ()
        replicas: Sequence[ReplicaRow] = ()
        if row.attempt:
            tries = select(AttemptRow).where(AttemptRow.workload == row.id).order_by(AttemptRow.number)
            attempts = (await session.scalars(tries)).all()
            last = select(ReplicaRow).where(ReplicaRow.workload == row.id, ReplicaRow.attempt == row.attempt)
            replicas = (await session.scalars(last.order_by(ReplicaRow.role, ReplicaRow.index))).all()
        return views.full(
            row,
            base_url=self._base_url,
            attempts=attempts,
            replicas=replicas,
            cost_micro=(await self._live([row], session)).get(row.id),
            forecast=await self.forecast(session, row) if row.phase == "queued" else None,
        )

    async def summaries(self, session: AsyncSession, workloads: Sequence[str]) -> dict[str, wire.WorkloadSummary]:
        """Return those of these workloads that there still are, by id; whoever asks knows that they may be seen."""
        if not workloads:
            return {}
        rows = (await session.scalars(select(WorkloadRow).where(WorkloadRow.id.in_(workloads)))).all()
        costs = await self._live(rows, session)
        return {row.id: views.summary(row, cost_micro=costs.get(row.id)) for row in rows if row.target != "delete"}

    async def _live(self, rows: Sequence[WorkloadRow], session: AsyncSession) -> dict[str, int]:
        running = [row.id for row in rows if row.phase not in ENDED and row.attempt]
        return await self._billing.costs(session, running) if running else {}

    # -- the queue --------------------------------------------------------------------------------------------

    async def queue(self, session: AsyncSession, principal: Principal) -> wire.Queue:
        """Return the caller's queued workloads with their places, and what is free to them."""
        position = await self._board.position(session)
        places = self._reckon(position)
        mine = select(WorkloadRow).where(WorkloadRow.phase == "queued", WorkloadRow.target == "run")
        if not principal.admin("workloads"):
            mine = mine.where(WorkloadRow.workspace.in_(list(principal.workspaces)))
        if principal.workload is not None:
            mine = mine.where(WorkloadRow.id == principal.workload)
        rows = (await session.scalars(mine.order_by(WorkloadRow.id).limit(1000))).all()
        waits: dict[str, list[float]] = {}
        items: list[wire.QueueItem] = []
        for row in rows:
            if row.spec not in waits:
                waits[row.spec] = await self._waits(session, row.spec)
            items.append(
                wire.QueueItem(
                    id=row.id,
                    kind=row.kind,  # pyright: ignore[reportArgumentType]
                    name=row.name,
                    workspace=row.workspace,
                    creator=row.creator,
                    spec=row.spec,
                    replicas=row.replicas,
                    priority=row.priority,
                    pool=_pool(row),
                    hold=views.held(row),
                    pinned=row.pin > 0,
                    created=row.created,
                    forecast=_forecast(places.get(row.id, len(places) + 1), waits[row.spec], since=row.queued),
                )
            )
        items.sort(key=lambda item: (bool(item.hold), item.forecast.position))
        free = await self.free_specs(session, principal, kind="job", position=position)
        return wire.Queue(length=len(position.candidates), items=items, free_specs=free)

    async def forecast(self, session: AsyncSession, row: WorkloadRow) -> wire.Forecast:
        """Return the place of a queued workload and when it is expected to start."""
        read, places = self._places
        # One that is new since is behind all the others, near enough: to reckon anew for each submit would cost as much
        # as the queue is long.
        if time.monotonic() - read > PLACES_SECONDS:
            places = self._reckon(await self._board.position(session))
        place = places.get(row.id, len(places) + 1)
        return _forecast(place, await self._waits(session, row.spec), since=row.queued)

    async def free_specs(
        self, session: AsyncSession, principal: Principal, *, kind: Kind, position: Position | None = None
    ) -> list[wire.FreeSpec]:
        """Return the specs the caller may use that would start at once, smallest first."""
        position = position or await self._board.position(session)
        free = position.free()
        offers = await self._resources.offers(session, principal, kind=kind)
        return [
            wire.FreeSpec.model_validate(offer.spec.model_dump(include=set(wire.FreeSpec.model_fields)))
            for offer in offers
            if any(place_one(node, offer.demand) for node in free)
        ]

    async def estimate(
        self, session: AsyncSession, principal: Principal, *, request: wire.EstimateRequest
    ) -> wire.Estimate:
        """Return what a request costs and when it would start; refuse what a submit would refuse."""
        asked = request.job or request.notebook
        assert asked is not None
        workspace = asked.workspace or principal.name
        principal.require_write(workspace)
        if request.job is not None:
            plan = await self._service.planner.job(session, principal, request.job, workspace)
        else:
            assert request.notebook is not None
            plan = await self._service.planner.notebook(session, principal, request.notebook, workspace)
        position = await self._board.position(session)
        fits = scheduler.fits(await self._board.groups(session, plan), position.free())
        place = len(position.candidates) + 1
        forecast = _forecast(place, await self._waits(session, plan.main.spec), since=utcnow())
        if fits and place == 1:
            forecast = wire.Forecast(position=1, p50_seconds=0, p90_seconds=0)
        balance = (await self._billing.balance(session, principal, workspace=workspace)).balance_micro
        price = plan.price_micro
        return wire.Estimate(
            price_micro=price,
            balance_micro=balance,
            hours=max(balance, 0) / price if price else None,
            starts_now=fits and place == 1,
            forecast=forecast,
            free_specs=await self.free_specs(
                session, principal, kind="job" if request.job else "notebook", position=position
            ),
        )

    def _reckon(self, position: Position) -> dict[str, int]:
        places = scheduler.positions(position.candidates, nodes=position.nodes, held=position.held)
        self._places = (time.monotonic(), places)
        return places

    async def _waits(self, session: AsyncSession, spec: str) -> list[float]:
        """Return how long the last starts of a spec waited, in seconds, shortest first."""
        read, waits = self._waited.get(spec, (-PLACES_SECONDS, []))
        if time.monotonic() - read > PLACES_SECONDS:
            rows = await session.execute(
                select(WorkloadRow.created, WorkloadRow.started)
                .where(WorkloadRow.spec == spec, WorkloadRow.started.is_not(None))
                .order_by(WorkloadRow.id.desc())
                .limit(HISTORY)
            )
            waits = sorted((started - created).total_seconds() for created, started in rows if started is not None)
            self._waited[spec] = (time.monotonic(), waits)
        return waits

    # -- what a workload leaves -------------------------------------------------------------------------------

    async def events(self, session: AsyncSession, *, workload: str, query: PageQuery) -> wire.EventPage:
        """Return a page of events, newest first."""
        statement = select(EventRow).where(EventRow.workload == workload)
        rows, following = await paginate(session, statement, key=EventRow.id, query=query)
        return wire.EventPage(items=[views.event(row) for row in rows], next=following)

    async def metrics(self, session: AsyncSession, *, workload: str, query: wire.MetricQuery) -> wire.MetricPage:
        """Return a page of points, oldest first."""
        statement = select(MetricRow).where(MetricRow.workload == workload)
        if query.cursor is not None:
            statement = statement.where(MetricRow.id > decode_cursor(query.cursor))
        if query.name is not None:
            statement = statement.where(MetricRow.name == query.name)
        if query.attempt is not None:
            statement = statement.where(MetricRow.attempt == query.attempt)
        rows = (await session.scalars(statement.order_by(MetricRow.id).limit(query.limit))).all()
        following = encode_cursor(rows[-1].id) if rows else query.cursor
        return wire.MetricPage(items=[views.metric(row) for row in rows], next=following)

    async def usage(self, session: AsyncSession, row: WorkloadRow, *, query: wire.UsageQuery) -> wire.UsageSamples:
        """Return the newest samples of one attempt, oldest first."""
        statement = select(UsageRow).where(
            UsageRow.workload == row.id, UsageRow.attempt == (query.attempt or row.attempt)
        )
        if query.replica is not None:
            statement = statement.where(UsageRow.replica == query.replica)
        rows = (await session.scalars(statement.order_by(UsageRow.id.desc()).limit(query.limit))).all()
        return views.samples(reversed(rows))

    async def holdings(self, session: AsyncSession) -> list[UsageItem]:
        """Return what every replica holds right now; `ResourceService.usage` is set to this."""
        rows = await session.execute(
            select(ReplicaRow, WorkloadRow)
            .join(WorkloadRow, WorkloadRow.id == ReplicaRow.workload)
            .where(ReplicaRow.held)
            .order_by(ReplicaRow.workload, ReplicaRow.name)
        )
        return [
            UsageItem(
                workload=row.id,
                name=row.name,
                kind=row.kind,  # pyright: ignore[reportArgumentType]
                workspace=row.workspace,
                creator=row.creator,
                replica=replica.name,
                node=replica.node,
                spec=replica.spec,
                cpu_milli=replica.cpu_milli,
                memory=replica.memory,
                accelerators=replica.accelerators,
                since=views.moment(replica.started_ms),
                busy=views.moment(replica.busy_ms),
            )
            for replica, row in rows
        ]


def scope(principal: Principal, *, workspace: str | None, everything: bool = False) -> list[str] | None:
    """Return the workspaces to look in, None for all; refuse those the caller may not look into."""
    admin = principal.admin("workloads")
    if everything and not admin:
        raise Forbidden("Only admins list other people's workloads: leave 'everything' out.", field="everything")
    if workspace is not None:
        if workspace not in principal.workspaces and not admin:
            raise Forbidden(
                f"You do not belong to the workspace '{workspace}': ask one of its owners to add you.",
                field="workspace",
            )
        return [workspace]
    return None if everything else list(principal.workspaces)


def _page(query: wire.WorkloadQuery, scope: list[str] | None, principal: Principal) -> Select[WorkloadRow]:
    """Return the select of one page (and one row more).

    Each workspace and phase is read by itself, newest first and only as far as needed, and the few rows found are
    merged: an IN would make the database sort all that match, which grows with the table.
    """
    phases: list[str | None] = list(dict.fromkeys(query.phase)) if query.phase else [None]
    spaces: list[str | None] = [None] if scope is None else [*scope]
    branches: list[Select[Any]]
    if len(phases) * len(spaces) <= BRANCHES:
        branches = [_branch(query, workspace=space, phase=phase) for space, phase in product(spaces, phases)]
    else:
        one = _branch(query, workspace=None, phase=None).where(WorkloadRow.workspace.in_(scope or []))
        branches = [one.where(WorkloadRow.phase.in_(query.phase)) if query.phase else one]
    if principal.workload is not None:
        branches = [branch.where(WorkloadRow.id == principal.workload) for branch in branches]
    parts = [select(branch.order_by(WorkloadRow.id.desc()).limit(query.limit + 1).subquery()) for branch in branches]
    found = select(WorkloadRow).order_by(WorkloadRow.id.desc()).limit(query.limit + 1)
    return found.where(WorkloadRow.id.in_(union_all(*parts))) if parts else found.where(false())


def _branch(query: wire.WorkloadQuery, *, workspace: str | None, phase: str | None) -> Select[Any]:
    statement = select(WorkloadRow.id).where(WorkloadRow.target != "delete")
    if workspace is not None:
        statement = statement.where(WorkloadRow.workspace == workspace)
    if phase is not None:
        statement = statement.where(WorkloadRow.phase == phase)
    if query.kind is not None:
        statement = statement.where(WorkloadRow.kind == query.kind)
    if query.creator is not None:
        statement = statement.where(WorkloadRow.creator == query.creator)
    if query.label is not None:
        statement = statement.join(WorkloadLabelRow, WorkloadLabelRow.workload == WorkloadRow.id).where(
            WorkloadLabelRow.label == query.label
        )
    if query.q:
        statement = statement.where(WorkloadRow.name.contains(query.q.lower(), autoescape=True))
    if query.cursor is not None:
        statement = statement.where(WorkloadRow.id < decode_cursor(query.cursor))
    return statement


def _pool(row: WorkloadRow) -> str:
    """Return the main role's pool; a queue is long, so not all of each plan is checked for it."""
    roles = row.plan["roles"]
    return str(next((role for role in roles if role.get("is_main")), roles[0])["pool"])


def _forecast(position: int, waits: Sequence[float], *, since: datetime) -> wire.Forecast:
    """Return the quantiles of what is left to wait, among past waits longer than this one already is."""
    waited = max((utcnow() - since).total_seconds(), 0)
    left = [wait - waited for wait in waits if wait > waited]
    if not left:
        return wire.Forecast(position=position)
    return wire.Forecast(
        position=position,
        p50_seconds=round(left[(len(left) - 1) // 2], 1),
        p90_seconds=round(left[(len(left) - 1) * 9 // 10], 1),
    )
