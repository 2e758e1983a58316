"""Wire models of schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from pumpkin_services.names import Name
from pumpkin_services.web import Page, PageQuery, Wire
from pumpkin_services.workloads.models import JobRequest, WorkloadSummary

Cron = Annotated[
    str, Field(min_length=1, max_length=200, description="Minute, hour, day of month, month, day of week.")
]
Timezone = Annotated[str, Field(min_length=1, max_length=63, description="An IANA name: Asia/Shanghai, UTC.")]
Overlap = Literal["skip", "queue"]
Outcome = Literal["submitted", "failed", "skipped", "missed"]
OVERLAP = (
    "When the job of an earlier time has not ended: `skip` leaves this time out, `queue` submits its job all the same."
)


class ScheduleCreate(Wire):
    """Submit `request` at the times of `cron`. It belongs to the request's workspace."""

    name: Name
    cron: Cron
    timezone: Timezone = "UTC"
    request: JobRequest
    overlap: Overlap = Field(default="skip", description=OVERLAP)
    enabled: bool = True


class SchedulePatch(Wire):
    """Changes what is given; a notebook sent without `content` keeps the one there is.

    Who changes `request`, `cron` or `timezone` is who it runs as from then on.
    """

    name: Name | None = None
    cron: Cron | None = None
    timezone: Timezone | None = None
    request: JobRequest | None = None
    overlap: Overlap | None = Field(default=None, description=OVERLAP)
    enabled: bool | None = Field(
        default=None, description="False pauses it; times that pass meanwhile are not made up."
    )


class ScheduleRun(Wire):
    """What one time came to: a job was `submitted`, or that `failed`, or was `skipped`; or times were `missed`.

    `due` is null for a run `asked_by` somebody, and for a line about missed times. `workload` is null where no job was
    made, or where it has been deleted since.
    """

    id: str
    due: datetime | None
    asked_by: str
    outcome: Outcome
    message: str
    created: datetime
    workload: WorkloadSummary | None


class ScheduleSummary(Wire):
    """A schedule in a list. `message` tells why its last time brought no job, or what it missed."""

    id: str
    name: str
    workspace: str
    creator: str
    runs_as: str = Field(description="In whose name it submits: who last said what or when it runs.")
    cron: str
    timezone: str
    enabled: bool
    overlap: Overlap
    last_run: datetime | None
    next_run: datetime | None = Field(description="Null while it is paused.")
    message: str
    last: ScheduleRun | None = Field(description="The last run.")
    created: datetime
    revision: int


class Schedule(ScheduleSummary):
    """A schedule in full."""

    request: JobRequest = Field(description="Without the document of its notebook, if it runs one.")
    upcoming: list[datetime] = Field(description="The next five times; none while it is paused.")


class SchedulePage(Page[ScheduleSummary]):
    """A page of schedules."""


class ScheduleRunPage(Page[ScheduleRun]):
    """A page of a schedule's runs, newest first."""


class ScheduleQuery(PageQuery):
    """Filters of the list; `q` searches names."""

    workspace: str | None = Field(default=None, max_length=255)
    everything: bool = Field(default=False, description="Other people's too (admins only).")


class TimesRequest(Wire):
    """Asks when a cron expression would be due."""

    cron: Cron
    timezone: Timezone = "UTC"


class Times(Wire):
    """The next five times, in UTC."""

    times: list[datetime]
