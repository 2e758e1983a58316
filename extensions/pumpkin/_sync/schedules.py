# Made from pumpkin/_async/schedules.py by `make models`; change that file, not this one.
"""Schedules: a job submitted again and again, at the times of a cron expression."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from pumpkin import _models as models
from pumpkin._protocol import given
from pumpkin._sync.transport import Transport
from pumpkin.errors import PumpkinError

_ID = re.compile(r"[0-9A-Za-z]{26}")


class Schedules:
    """A schedule is named by its id, or by its name: then the newest one of that name."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        q: str | None = None,
        workspace: str | None = None,
        everything: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[models.ScheduleSummary]:
        """Yield schedules the caller may see, newest first; `everything` is other people's too, for admins."""
        query = {"q": q, "workspace": workspace, "everything": everything or None}
        yield from self._transport.pages(models.ScheduleSummary, "/schedules", limit=limit, **query)

    def get(self, schedule: str) -> models.Schedule:
        """Return one in full, with what it runs and its next five times."""
        return self._transport.get(models.Schedule, self._path(schedule))

    def create(
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
        return self._transport.post(models.Schedule, "/schedules", body)

    def update(self, schedule: str, *, revision: int | None = None, **changes: Any) -> models.Schedule:
        """Change `name`, `cron`, `timezone`, `request`, `overlap` or `enabled`.

        Who changes what or when it runs is who it runs as from then on.
        """
        path = self._path(schedule)
        return self._transport.change(models.Schedule, "PATCH", path, given(**changes), revision=revision)

    def pause(self, schedule: str) -> models.Schedule:
        """Have it submit nothing; times that pass meanwhile are not made up for."""
        return self.update(schedule, enabled=False)

    def resume(self, schedule: str) -> models.Schedule:
        """Have it go on."""
        return self.update(schedule, enabled=True)

    def run(self, schedule: str) -> models.ScheduleRun:
        """Submit its job now, in the caller's name."""
        return self._transport.post(models.ScheduleRun, f"{self._path(schedule)}/run")

    def runs(self, schedule: str, *, limit: int | None = None) -> Iterator[models.ScheduleRun]:
        """Yield what its times came to, newest first."""
        path = self._path(schedule)
        yield from self._transport.pages(models.ScheduleRun, f"{path}/runs", limit=limit)

    def delete(self, schedule: str) -> None:
        """Remove it and its list of runs; the jobs it made stay."""
        self._transport.delete(self._path(schedule))

    def preview(self, cron: str, *, timezone: str | None = None) -> list[datetime]:
        """Return the next five times of an expression."""
        body = {"cron": cron, **given(timezone=timezone)}
        return (self._transport.post(models.Times, "/schedules/preview", body)).times

    def resolve(self, schedule: str) -> str:
        """Return the id that an id or a name means."""
        if _ID.fullmatch(schedule):
            return schedule
        for item in self.list(q=schedule):
            if item.name == schedule:
                return item.id
        raise PumpkinError(f"There is no schedule '{schedule}' that you may see.", reason="not_found", status=404)

    def _path(self, schedule: str) -> str:
        return f"/schedules/{self.resolve(schedule)}"
