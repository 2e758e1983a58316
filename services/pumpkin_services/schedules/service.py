"""Rules of schedules: who may make, change and run them. What comes due is `firing`'s."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from pumpkin_services.db import utcnow
from pumpkin_services.principal import PREFIX, Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound, Problem, check_revision
from pumpkin_services.schedules import models as wire
from pumpkin_services.schedules.tables import ScheduleRow, ScheduleRunRow
from pumpkin_services.schedules.times import Timing
from pumpkin_services.web import PageQuery, paginate
from pumpkin_services.workloads import documents
from pumpkin_services.workloads.models import JobRequest, WorkloadSummary
from pumpkin_services.workloads.notebook_models import dump
from pumpkin_services.workloads.queries import WorkloadQueries
from pumpkin_services.workloads.service import WorkloadService

SHOWN = 5
"""So many of the next times are shown."""


class ScheduleService:
    """Making, changing, running and deleting. Methods never commit: the caller's transaction does."""

    def __init__(
        self, *, workloads: WorkloadService, queries: WorkloadQueries, clock: Callable[[], datetime] = utcnow
    ) -> None:
        self.workloads = workloads
        self.queries = queries
        self.clock = clock

    # -- making and changing ----------------------------------------------------------------------------------

    async def create(
        self, session: AsyncSession, principal: Principal, *, request: wire.ScheduleCreate
    ) -> wire.Schedule:
        """Make a schedule; raise a `Problem` naming the field for what could not be submitted now."""
        now = self.clock()
        timing = Timing.parse(request.cron, request.timezone, now=now)
        job = await self._submittable(session, principal, request.request)
        row = ScheduleRow(
            name=request.name,
            workspace=job.workspace,
            creator=principal.name,
            runs_as=principal.name,
            cron=timing.cron,
            timezone=timing.timezone,
            request=_kept(job),
            document=_document(job),
            enabled=request.enabled,
            overlap=request.overlap,
            next_run=timing.after(now) if request.enabled else None,
            reckoned=now,
        )
        await self._require_free(session, row)
        session.add(row)
        await session.flush()
        return await self.full(session, row)

    async def edit(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        schedule: str,
        patch: wire.SchedulePatch,
        if_match: int | None,
    ) -> wire.Schedule:
        """Change a schedule. Who changes what or when it runs is who it runs as from then on."""
        row = await self._writable(session, principal, schedule=schedule)
        check_revision(row.revision, if_match)
        before = (row.cron, row.timezone, row.enabled)
        now = self.clock()
        if patch.request is not None or patch.cron is not None or patch.timezone is not None:
            timing = Timing.parse(patch.cron or row.cron, patch.timezone or row.timezone, now=now)
            kept = await self.request_of(session, row)
            job = await self._submittable(session, principal, _joined(patch.request or kept, kept))
            row.cron, row.timezone = timing.cron, timing.timezone
            row.workspace, row.runs_as = str(job.workspace), principal.name
            row.request, row.document = _kept(job), _document(job)
        row.overlap = patch.overlap or row.overlap
        if patch.enabled is not None:
            row.enabled = patch.enabled
        if patch.name is not None:
            row.name = patch.name
        await self._require_free(session, row)
        if before != (row.cron, row.timezone, row.enabled):
            row.next_run = Timing(row.cron, row.timezone).after(now) if row.enabled else None
            row.reckoned = now
        row.revision += 1
        await session.flush()
        return await self.full(session, row)

    async def delete(
        self, session: AsyncSession, principal: Principal, *, schedule: str, if_match: int | None
    ) -> ScheduleRow:
        """Remove a schedule and its list of runs; the jobs it made stay."""
        row = await self._writable(session, principal, schedule=schedule)
        check_revision(row.revision, if_match)
        await session.execute(delete(ScheduleRunRow).where(ScheduleRunRow.schedule == row.id))
        await session.delete(row)
        return row

    async def run(self, session: AsyncSession, principal: Principal, *, schedule: str) -> wire.ScheduleRun:
        """Submit its job now, in the caller's name; whether an earlier one still runs does not matter."""
        row = await self._writable(session, principal, schedule=schedule)
        _require_jobs(principal)
        request = await self.request_of(session, row)
        made = await self.workloads.submit_job(session, principal, request=request)
        run = ScheduleRunRow(schedule=row.id, asked_by=principal.name, workload=made.id, outcome="submitted")
        session.add(run)
        await session.flush()
        row.last, row.last_run = run.id, run.created
        found = await self.queries.summaries(session, [made.id])
        return _run(run, found)

    async def _submittable(self, session: AsyncSession, principal: Principal, request: JobRequest) -> JobRequest:
        """Return the request with its workspace named, once it is known that the caller could submit it now."""
        _require_jobs(principal)
        try:
            workspace = request.workspace or principal.name
            principal.require_write(workspace)
            await self.workloads.planner.job(session, principal, request, workspace)
            _require_whole(request)
        except Problem as problem:
            problem.errors = [{**error, "field": f"request.{error['field']}"} for error in problem.errors]
            raise
        return request.model_copy(update={"workspace": workspace})

    async def _require_free(self, session: AsyncSession, row: ScheduleRow) -> None:
        with session.no_autoflush:
            taken = await session.scalar(
                select(ScheduleRow.id).where(ScheduleRow.workspace == row.workspace, ScheduleRow.name == row.name)
            )
        if taken is not None and taken != row.id:
            raise Conflict(
                f"The workspace '{row.workspace}' has a schedule '{row.name}' already: choose another name.",
                field="name",
            )

    # -- looking ----------------------------------------------------------------------------------------------

    async def list(
        self, session: AsyncSession, principal: Principal, *, query: wire.ScheduleQuery
    ) -> wire.SchedulePage:
        """Return a page, newest first."""
        statement = select(ScheduleRow).options(defer(ScheduleRow.request, raiseload=True))
        for condition in _scope(principal, query):
            statement = statement.where(condition)
        if query.q:
            statement = statement.where(ScheduleRow.name.contains(query.q.lower(), autoescape=True))
        rows, following = await paginate(session, statement, key=ScheduleRow.id, query=query)
        last = await self._last(session, rows)
        return wire.SchedulePage(items=[_summary(row, last) for row in rows], next=following)

    async def get(self, session: AsyncSession, principal: Principal, *, schedule: str) -> wire.Schedule:
        """Return a schedule in full."""
        return await self.full(session, await self.visible(session, principal, schedule=schedule))

    async def runs(
        self, session: AsyncSession, principal: Principal, *, schedule: str, query: PageQuery
    ) -> wire.ScheduleRunPage:
        """Return a page of a schedule's runs, newest first; `q` searches what is said about them."""
        row = await self.visible(session, principal, schedule=schedule)
        statement = select(ScheduleRunRow).where(ScheduleRunRow.schedule == row.id)
        if query.q:
            statement = statement.where(ScheduleRunRow.message.contains(query.q, autoescape=True))
        runs, following = await paginate(session, statement, key=ScheduleRunRow.id, query=query)
        found = await self.queries.summaries(session, [run.workload for run in runs if run.workload])
        return wire.ScheduleRunPage(items=[_run(run, found) for run in runs], next=following)

    async def full(self, session: AsyncSession, row: ScheduleRow) -> wire.Schedule:
        """Return a row in full."""
        summary = _summary(row, await self._last(session, [row]))
        timing = Timing(row.cron, row.timezone)
        return wire.Schedule(
            **summary.model_dump(),
            request=JobRequest.model_validate(row.request),
            upcoming=timing.upcoming(self.clock(), count=SHOWN) if row.enabled else [],
        )

    async def request_of(self, session: AsyncSession, row: ScheduleRow) -> JobRequest:
        """Return what a schedule submits, its notebook's document included."""
        request = row.request
        if "notebook" in request:
            document = await session.scalar(select(ScheduleRow.document).where(ScheduleRow.id == row.id))
            request = request | {"notebook": {**request["notebook"], "content": json.loads(document or "null")}}
        return JobRequest.model_validate(request)

    def preview(self, request: wire.TimesRequest) -> wire.Times:
        """Return the next times of an expression; raise `Invalid` naming what is wrong with it."""
        now = self.clock()
        return wire.Times(times=Timing.parse(request.cron, request.timezone, now=now).upcoming(now, count=SHOWN))

    async def held(self, session: AsyncSession, workspace: str) -> str:
        """Return in words how many schedules a workspace has, "" for none."""
        mine = select(func.count()).select_from(ScheduleRow).where(ScheduleRow.workspace == workspace)
        count = await session.scalar(mine)
        return f"{count} schedule{'' if count == 1 else 's'}" if count else ""

    async def visible(self, session: AsyncSession, principal: Principal, *, schedule: str) -> ScheduleRow:
        """Return a schedule the caller may see; raise `NotFound`."""
        row = await session.get(ScheduleRow, schedule)
        if row is None or not (row.workspace in principal.workspaces or principal.admin("schedules")):
            raise NotFound("There is no such schedule, or it is not yours to see: list them with GET /schedules.")
        return row

    async def _writable(self, session: AsyncSession, principal: Principal, *, schedule: str) -> ScheduleRow:
        row = await self.visible(session, principal, schedule=schedule)
        if not principal.admin("schedules"):
            principal.require_write(row.workspace)
        await session.refresh(row, with_for_update=True)
        return row

    async def _last(self, session: AsyncSession, rows: Sequence[ScheduleRow]) -> dict[str, wire.ScheduleRun]:
        """Return the last run of each, by the run's id."""
        ids = [row.last for row in rows if row.last]
        if not ids:
            return {}
        runs = (await session.scalars(select(ScheduleRunRow).where(ScheduleRunRow.id.in_(ids)))).all()
        found = await self.queries.summaries(session, [run.workload for run in runs if run.workload])
        return {run.id: _run(run, found) for run in runs}


def _scope(principal: Principal, query: wire.ScheduleQuery) -> list[ColumnElement[bool]]:
    admin = principal.admin("schedules")
    if query.everything and not admin:
        raise Forbidden("Only admins list other people's schedules: leave 'everything' out.", field="everything")
    if query.workspace is not None:
        if query.workspace not in principal.workspaces and not admin:
            raise Forbidden(
                f"You do not belong to the workspace '{query.workspace}': ask one of its owners to add you.",
                field="workspace",
            )
        return [ScheduleRow.workspace == query.workspace]
    return [] if query.everything else [ScheduleRow.workspace.in_(list(principal.workspaces))]


def _require_jobs(principal: Principal) -> None:
    if not principal.has("workloads:write"):
        raise Forbidden(f"A schedule submits jobs: the token needs the scope {PREFIX}workloads:write, too.")


def _kept(request: JobRequest) -> dict[str, Any]:
    return request.model_dump(mode="json", exclude_defaults=True, exclude={"notebook": {"content"}})


def _document(request: JobRequest) -> str:
    return "" if request.notebook is None else dump(request.notebook.content)


def _joined(request: JobRequest, kept: JobRequest) -> JobRequest:
    """Return a changed request; a notebook that comes without its document keeps the one there is."""
    if request.notebook is None or request.notebook.content is not None or kept.notebook is None:
        return request
    notebook = request.notebook.model_copy(update={"content": kept.notebook.content})
    return request.model_copy(update={"notebook": notebook})


def _require_whole(request: JobRequest) -> None:
    if request.notebook is None:
        return
    if request.notebook.content is None:
        raise Invalid("Send the notebook to run.", field="notebook.content")
    documents.rows("", request.notebook)  # refuses cells to run that it does not have


def _summary(row: ScheduleRow, last: dict[str, wire.ScheduleRun]) -> wire.ScheduleSummary:
    values = {name: getattr(row, name) for name in wire.ScheduleSummary.model_fields if name != "last"}
    return wire.ScheduleSummary(**values, last=last.get(row.last))


def _run(run: ScheduleRunRow, found: dict[str, WorkloadSummary]) -> wire.ScheduleRun:
    values = {name: getattr(run, name) for name in wire.ScheduleRun.model_fields if name != "workload"}
    return wire.ScheduleRun(**values, workload=found.get(run.workload))
