"""Jobs at a glance: what a side panel and a status bar show of them, in one request and few queries."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field
from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import table
from pumpkin_services.principal import Principal
from pumpkin_services.web import Call, Route, Wire
from pumpkin_services.workloads import models as wire
from pumpkin_services.workloads.models import ENDED, OPEN
from pumpkin_services.workloads.queries import WorkloadQueries, scope
from pumpkin_services.workloads.tables import MetricRow, ReplicaRow, WorkloadRow

WORKLOADS, REPLICAS, METRICS = table(WorkloadRow), table(ReplicaRow), table(MetricRow)
POINTS = 30
TAIL = 240
"""A job's newest points that are looked at: 30 of the main metric, if it is not one of more than eight."""
FRESH_SECONDS = 4.0
"""How long the points of a running job are remembered."""
REMEMBERED = 5000
"""Jobs whose points are remembered; those of ended ones change no more."""
MAIN = (r"acc", r"f1|auc|iou|bleu|rouge|r2|score|reward|return|precision|recall", r"loss|error|err\b|perplexity")
"""Which metric is a job's main one: the first of these that one's name has."""


class JobGlance(wire.WorkloadSummary):
    """A job in a few words. `values`: the newest of its main metric `metric`, oldest first."""

    running: int = Field(description="How many of its replicas run.")
    metric: str = Field(description="Empty when it has logged none.")
    values: list[float]
    forecast: wire.Forecast | None = Field(description="Set while queued.")


class Glance(Wire):
    """The newest jobs: those that run, then those that wait, in the order they start in, then those that ended."""

    running: int = Field(description="How many run, or are about to or about to end; more than are listed perhaps.")
    queued: int
    items: list[JobGlance]


class GlanceQuery(Wire):
    """Which jobs."""

    workspace: str | None = Field(default=None, max_length=255, description="All of the caller's unless given.")
    q: str | None = Field(default=None, max_length=200, description="Keep items whose name contains this text.")
    limit: int = Field(default=30, ge=1, le=100, description="Of each: running, waiting, ended.")


@dataclass(frozen=True, kw_only=True)
class Spark:
    """The newest values of a job's main metric, and what they were read at."""

    revision: int
    read: float
    metric: str = ""
    values: tuple[float, ...] = ()


def glance_route(queries: WorkloadQueries) -> Route:
    """Return the route of the glance."""
    glances = Glances(queries)

    async def endpoint(call: Call[None, GlanceQuery]) -> Glance:
        return await glances.glance(call.session, call.principal, query=call.query)

    return Route(
        method="GET",
        path="/workloads/glance",
        summary="Show jobs at a glance: counts, the newest ones, their main metric",
        scope="workloads:read",
        owner="visible",
        endpoint=endpoint,
        query=GlanceQuery,
        response=Glance,
    )


class Glances:
    """Looks, and remembers what cannot have changed."""

    def __init__(self, queries: WorkloadQueries) -> None:
        self._queries = queries
        self._sparks: dict[str, Spark] = {}

    async def glance(self, session: AsyncSession, principal: Principal, *, query: GlanceQuery) -> Glance:
        """Return the caller's jobs at a glance."""

        async def page(*phases: wire.Phase) -> list[wire.WorkloadSummary]:
            wanted = wire.WorkloadQuery(
                kind="job", phase=list(phases), workspace=query.workspace, q=query.q, limit=query.limit
            )
            return (await self._queries.list(session, principal, query=wanted)).items

        running = await page("preparing", "running", "stopping")
        queued = await page("queued")
        listed = [*running, *queued, *await page(*ENDED)]
        sparks = await self._newest(session, [item for item in listed if item.started])
        alive = await _alive(session, [item.id for item in running if item.replicas > 1])
        forecasts = await self._forecasts(session, queued)
        queued.sort(key=lambda item: forecasts[item.id].position if item.id in forecasts else len(forecasts) + 1)
        counts = await _counts(session, principal, query)
        return Glance(
            running=sum(count for phase, count in counts.items() if phase != "queued"),
            queued=counts.get("queued", 0),
            items=[
                JobGlance(
                    **item.model_dump(),
                    running=alive.get(item.id, int(item.phase == "running")),
                    metric=sparks[item.id].metric if item.id in sparks else "",
                    values=list(sparks[item.id].values) if item.id in sparks else [],
                    forecast=forecasts.get(item.id),
                )
                for item in [*running, *queued, *listed[len(running) + len(queued) :]]
            ],
        )

    async def _forecasts(
        self, session: AsyncSession, queued: Sequence[wire.WorkloadSummary]
    ) -> dict[str, wire.Forecast]:
        ids = [item.id for item in queued]
        rows = await session.scalars(select(WorkloadRow).where(WorkloadRow.id.in_(ids))) if ids else ()
        return {row.id: await self._queries.forecast(session, row) for row in rows}

    async def _newest(self, session: AsyncSession, jobs: Sequence[wire.WorkloadSummary]) -> dict[str, Spark]:
        """Return the sparks of `jobs`, by one query for all that are not remembered."""
        now = time.monotonic()
        sparks = {job.id: spark for job in jobs if (spark := self._known(job, now))}
        wanted = [job for job in jobs if job.id not in sparks]
        parts = [
            select(
                select(METRICS.c.workload, METRICS.c.name, METRICS.c.value, METRICS.c.id)
                .where(METRICS.c.workload == job.id)
                .order_by(METRICS.c.id.desc())
                .limit(TAIL)
                .subquery()
            )
            for job in wanted
        ]
        found: dict[str, dict[str, list[float]]] = {job.id: {} for job in wanted}
        if parts:
            rows = (await session.execute(union_all(*parts))).all()
            for workload, name, value, _id in sorted(rows, key=lambda row: row[3]):
                if value is not None:
                    found[workload].setdefault(name, []).append(value)
        for job in wanted:
            name = main_metric(found[job.id])
            values = tuple(found[job.id].get(name, [])[-POINTS:])
            sparks[job.id] = Spark(revision=job.revision, read=now, metric=name, values=values)
        if len(self._sparks) > REMEMBERED:
            self._sparks.clear()
        self._sparks |= sparks
        return sparks

    def _known(self, job: wire.WorkloadSummary, now: float) -> Spark | None:
        spark = self._sparks.get(job.id)
        if spark and (now - spark.read < FRESH_SECONDS or (job.phase in ENDED and spark.revision == job.revision)):
            return spark
        return None


def main_metric(values: Mapping[str, Sequence[float]]) -> str:
    """Return which of a job's metrics says best how it goes; "" of none. A validation's one before a training's."""

    def rank(name: str) -> tuple[int, bool, str]:
        lower = name.lower()
        kind = next((at for at, pattern in enumerate(MAIN) if re.search(pattern, lower)), len(MAIN))
        return kind, not re.search(r"val|test", lower), name

    return min(values, key=rank, default="")


async def _alive(session: AsyncSession, ids: Sequence[str]) -> dict[str, int]:
    """Return how many replicas of each workload run."""
    if not ids:
        return {}
    rows = await session.execute(
        select(REPLICAS.c.workload, func.count())
        .where(REPLICAS.c.workload.in_(ids), REPLICAS.c.held, REPLICAS.c.state == "running")
        .group_by(REPLICAS.c.workload)
    )
    return dict.fromkeys(ids, 0) | dict(rows.all())


async def _counts(session: AsyncSession, principal: Principal, query: GlanceQuery) -> dict[str, int]:
    """Return how many jobs are in each phase on the way."""
    columns: Any = WORKLOADS.c
    statement = (
        select(columns.phase, func.count())
        .where(columns.workspace.in_(scope(principal, workspace=query.workspace) or []))
        .where(columns.phase.in_(OPEN), columns.kind == "job", columns.target != "delete")
        .group_by(columns.phase)
    )
    if principal.workload is not None:
        statement = statement.where(columns.id == principal.workload)
    return dict((await session.execute(statement)).all())
