"""Schedules: a job submitted again and again, at the times of a cron expression."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Literal

from pumpkin import _models as models
from pumpkin._async.transport import AsyncTransport
from pumpkin._protocol import given
from pumpkin.errors import PumpkinError

_ID = re.compile(r"[0-9A-Za-z]{26}")


class AsyncSchedules:
    """A schedule is named by its id, or by its name: then the newest one of that name."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(
        self,
        *,
        q: str | None = None,
        workspace: str | None = None,
        everything: bool | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.ScheduleSummary]:
        """Yield schedules the caller may see, newest first; `everything` is other people's too, for admins."""
        query = {"q": q, "workspace": workspace, "everything": everything or None}
        async for item in self._transport.pages(models.ScheduleSummary, "/schedules", limit=limit, **query):
            yield item

    async def get(self, schedule: str) -> models.Schedule:
        """Return one in full, with what it runs and its next five times."""
        return await self._transport.get(models.Schedule, await self._path(schedule))

    async def create(
        self,
        name: str,
        cron: str,
        request: models.JobRequest | Mapping[str, Any],
        *,
        timezone: str | None = None,
        overlap: Literal["skip", "queue"] | None = None,
        enabled: bool | None = None,
    ) -> models.Schedule:
        """Have a job (`jobs.request` returns that of one there is) submitted at the times of `cron`, five fields.

        `timezone` is an IANA name, UTC unless given. `overlap` says what becomes of a time at which the job before has
        not ended: `skip` leaves it out (the default), `queue` submits its job all the same.
        """
        if isinstance(request, models.JobRequest):
            request = request.model_dump(mode="json", exclude_unset=True)
        body = {"name": name, "cron": cron, "request": dict(request)}
        body |= given(timezone=timezone, overlap=overlap, enabled=enabled)
        return await self._transport.post(models.Schedule, "/schedules", body)

    async def update(self, schedule: str, *, revision: int | None = None, **changes: Any) -> models.Schedule:
        """Change `name`, `cron`, `timezone`, `request`, `overlap` or `enabled`.

        Who changes what or when it runs is who it runs as from then on.
        """
        path = await self._path(schedule)
        return await self._transport.change(models.Schedule, "PATCH", path, given(**changes), revision=revision)

    async def pause(self, schedule: str) -> models.Schedule:
        """Have it submit nothing; times that pass meanwhile are not made up for."""
        return await self.update(schedule, enabled=False)

    async def resume(self, schedule: str) -> models.Schedule:
        """Have it go on."""
        return await self.update(schedule, enabled=True)

    async def run(self, schedule: str) -> models.ScheduleRun:
        """Submit its job now, in the caller's name."""
        return await self._transport.post(models.ScheduleRun, f"{await self._path(schedule)}/run")

    async def runs(self, schedule: str, *, limit: int | None = None) -> AsyncIterator[models.ScheduleRun]:
        """Yield what its times came to, newest first."""
        path = await self._path(schedule)
        async for item in self._transport.pages(models.ScheduleRun, f"{path}/runs", limit=limit):
            yield item

    async def delete(self, schedule: str) -> None:
        """Remove it and its list of runs; the jobs it made stay."""
        await self._transport.delete(await self._path(schedule))

    async def preview(self, cron: str, *, timezone: str | None = None) -> list[datetime]:
        """Return the next five times of an expression."""
        body = {"cron": cron, **given(timezone=timezone)}
        return (await self._transport.post(models.Times, "/schedules/preview", body)).times

    async def resolve(self, schedule: str) -> str:
        """Return the id that an id or a name means."""
        if _ID.fullmatch(schedule):
            return schedule
        async for item in self.list(q=schedule):
            if item.name == schedule:
                return item.id
        raise PumpkinError(f"There is no schedule '{schedule}' that you may see.", reason="not_found", status=404)

    async def _path(self, schedule: str) -> str:
        return f"/schedules/{await self.resolve(schedule)}"
