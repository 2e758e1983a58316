"""The routes of schedules."""

from __future__ import annotations

from typing import Any

from pumpkin_services.schedules import models as wire
from pumpkin_services.schedules.service import ScheduleService
from pumpkin_services.web import Call, PageQuery, Route

READ, WRITE = "schedules:read", "schedules:write"
MAX_JOB = 12 << 20
"""Bytes of a body that carries a notebook."""


def routes(service: ScheduleService) -> list[Route]:
    """Return the routes below `/schedules`."""
    do = _Endpoints(service)
    read: dict[str, Any] = {"scope": READ, "owner": "visible"}
    write: dict[str, Any] = {"scope": WRITE, "owner": "member"}
    one = "/schedules/{schedule}"
    return [
        Route(method="GET", path="/schedules", summary="List schedules, newest first", endpoint=do.list,
              query=wire.ScheduleQuery, response=wire.SchedulePage, **read),
        Route(method="POST", path="/schedules", summary="Submit a job at the times of a cron expression",
              endpoint=do.create, request=wire.ScheduleCreate, response=wire.Schedule, status=201, max_body=MAX_JOB,
              **write),
        Route(method="POST", path="/schedules/preview", summary="Tell the next times of a cron expression",
              endpoint=do.preview, request=wire.TimesRequest, response=wire.Times, asks=True, scope=READ,
              owner="any"),
        Route(method="GET", path=one, summary="Show a schedule", endpoint=do.get, response=wire.Schedule, **read),
        Route(method="PATCH", path=one, summary="Change, pause or resume a schedule", endpoint=do.edit,
              request=wire.SchedulePatch, response=wire.Schedule, max_body=MAX_JOB, **write),
        Route(method="DELETE", path=one, summary="Remove a schedule; the jobs it made stay", endpoint=do.delete,
              **write),
        Route(method="POST", path=f"{one}/run", summary="Submit a schedule's job now", endpoint=do.run,
              response=wire.ScheduleRun, status=201, **write),
        Route(method="GET", path=f"{one}/runs", summary="List what a schedule's times came to, newest first",
              endpoint=do.runs, query=PageQuery, response=wire.ScheduleRunPage, **read),
    ]  # fmt: skip


class _Endpoints:
    def __init__(self, service: ScheduleService) -> None:
        self._service = service

    async def list(self, call: Call[None, wire.ScheduleQuery]) -> wire.SchedulePage:
        if call.query.everything:
            call.audit["object"] = "schedules"
        return await self._service.list(call.session, call.principal, query=call.query)

    async def create(self, call: Call[wire.ScheduleCreate, None]) -> wire.Schedule:
        return _noted(call, await self._service.create(call.session, call.principal, request=call.body))

    async def preview(self, call: Call[wire.TimesRequest, None]) -> wire.Times:
        return self._service.preview(call.body)

    async def get(self, call: Call[None, None]) -> wire.Schedule:
        found = await self._service.get(call.session, call.principal, schedule=call.path["schedule"])
        return found if found.workspace in call.principal.workspaces else _noted(call, found)

    async def edit(self, call: Call[wire.SchedulePatch, None]) -> wire.Schedule:
        changed = await self._service.edit(
            call.session,
            call.principal,
            schedule=call.path["schedule"],
            patch=call.body,
            if_match=call.if_match,
        )
        return _noted(call, changed)

    async def delete(self, call: Call[None, None]) -> None:
        row = await self._service.delete(
            call.session, call.principal, schedule=call.path["schedule"], if_match=call.if_match
        )
        call.audit |= {"object": row.id, "owner": row.workspace, "name": row.name}

    async def run(self, call: Call[None, None]) -> wire.ScheduleRun:
        run = await self._service.run(call.session, call.principal, schedule=call.path["schedule"])
        made = run.workload
        assert made is not None
        call.audit |= {"object": made.id, "owner": made.workspace, "name": made.name}
        call.after_commit(lambda: self._service.workloads.wake(made.id, new=True))
        return run

    async def runs(self, call: Call[None, PageQuery]) -> wire.ScheduleRunPage:
        return await self._service.runs(call.session, call.principal, schedule=call.path["schedule"], query=call.query)


def _noted(call: Call[Any, Any], schedule: wire.Schedule) -> wire.Schedule:
    call.audit |= {"object": schedule.id, "owner": schedule.workspace, "name": schedule.name}
    return schedule
