"""Rows of schedules and of what each of their times came to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import LONG_TEXT, Base, new_id, utcnow


class ScheduleRow(Base):
    __tablename__ = "schedules"
    __table_args__ = (
        UniqueConstraint("workspace", "name"),
        Index("ix_schedules_enabled", "enabled", "next_run"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(63))
    workspace: Mapped[str]
    creator: Mapped[str]
    runs_as: Mapped[str]
    """In whose name it submits: whoever last said what or when it runs, so that nobody's name runs another's code."""
    cron: Mapped[str]
    timezone: Mapped[str] = mapped_column(String(63))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Without the document of its notebook, if it runs one."""
    document: Mapped[str] = mapped_column(LONG_TEXT, default="", deferred=True)
    """That document, as JSON: megabytes, which whoever looks at a schedule must not read."""
    enabled: Mapped[bool] = mapped_column(default=True)
    overlap: Mapped[str] = mapped_column(String(16))
    next_run: Mapped[datetime | None]
    reckoned: Mapped[datetime]
    """When `next_run` was found: should the clock be before it, it was wrong then, and `next_run` may be, too."""
    last_run: Mapped[datetime | None]
    """The due time, or when somebody asked, of the last run."""
    last: Mapped[str] = mapped_column(String(26), default="")
    """The last run's row."""
    message: Mapped[str] = mapped_column(Text, default="")
    """Why the last time brought no job, or what was missed before it; empty when all is well."""
    created: Mapped[datetime] = mapped_column(default=utcnow)
    revision: Mapped[int] = mapped_column(default=1)


class ScheduleRunRow(Base):
    __tablename__ = "schedule_runs"
    # What makes a time come once: over every crash, replica and clock that goes back.
    __table_args__ = (
        UniqueConstraint("schedule", "due"),
        Index("ix_schedule_runs_schedule", "schedule", "id"),
        Index("ix_schedule_runs_workload", "workload"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    schedule: Mapped[str] = mapped_column(String(26))
    due: Mapped[datetime | None]
    """NULL for a run somebody asked for, and for a line about missed times."""
    asked_by: Mapped[str] = mapped_column(default="")
    workload: Mapped[str] = mapped_column(String(26), default="")
    outcome: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=utcnow)
