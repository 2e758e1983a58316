"""What comes due: each time of each schedule submits one job, once, whatever dies or whichever way the clock goes.

All that follows from a time is one transaction: the job, the line that this time had its turn, and the next time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.problems import Problem
from pumpkin_services.schedules.service import ScheduleService
from pumpkin_services.schedules.tables import ScheduleRow, ScheduleRunRow
from pumpkin_services.schedules.times import COUNTED, Timing
from pumpkin_services.web.parsing import from_validation
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.ports import PrincipalOf
from pumpkin_services.workloads.records import add_events, event

log = logging.getLogger("pumpkin.schedules")
AT_ONCE = 500
"""So many schedules are looked at in one round."""
EARLIER = 50
"""So many earlier runs are looked at for one that has not ended."""
BROKEN = "Something broke on our side; it is tried again at the next time. Tell an admin."


class Firing:
    """Finds what is due and fires it; only the holder of the pipeline's lease calls `fire`, in fenced transactions."""

    def __init__(self, *, database: Database, schedules: ScheduleService, principal_of: PrincipalOf) -> None:
        self._database = database
        self._schedules = schedules
        self._principal_of = principal_of

    async def due(self) -> Sequence[str]:
        """Return the schedules to fire now."""
        now = self._schedules.clock()
        async with self._database.read() as session:
            found = await session.scalars(
                select(ScheduleRow.id)
                .where(ScheduleRow.enabled, or_(ScheduleRow.next_run <= now, ScheduleRow.reckoned > now))
                .order_by(ScheduleRow.next_run)
                .limit(AT_ONCE)
            )
            return found.all()

    async def fire(self, session: AsyncSession, *, schedule: str) -> str:
        """Give a schedule's due time its turn; return the id of the job it made, "" when it made none.

        Of several times that have passed only the last one has its turn; the others are told as missed.
        """
        row = await session.get(ScheduleRow, schedule, with_for_update=True)
        now = self._schedules.clock()
        if row is None or not row.enabled or row.next_run is None:
            return ""
        timing = Timing(row.cron, row.timezone)
        first, row.reckoned = row.next_run, now
        row.next_run = timing.after(now)
        if first > now:  # the clock was ahead, and has gone back
            return ""
        count, due = timing.passed(first, until=now)
        done = select(ScheduleRunRow.id).where(ScheduleRunRow.schedule == row.id, ScheduleRunRow.due == due)
        if await session.scalar(done) is not None:  # before the clock went back
            return ""
        missed = _missed(timing, count - 1, first, due)
        if missed:
            session.add(ScheduleRunRow(schedule=row.id, due=None, outcome="missed", message=missed, created=now))
            await session.flush()  # its id is before that of the run
        run = ScheduleRunRow(schedule=row.id, due=due, outcome="submitted", created=now)
        await self._turn(session, row, run)
        session.add(run)
        await session.flush()
        row.last_run, row.last, row.message = due, run.id, run.message or missed
        return run.workload

    async def _turn(self, session: AsyncSession, row: ScheduleRow, run: ScheduleRunRow) -> None:
        """Submit the job of one run, or say on it why not."""
        if row.overlap == "skip" and (name := await self._unfinished(session, row.id)):
            run.outcome, run.message = "skipped", f"Skipped, because '{name}' of an earlier time has not ended."
            return
        try:
            async with session.begin_nested():
                run.workload = await self._submit(session, row, run)
        except ValidationError as error:
            run.outcome, run.message = "failed", from_validation(error).detail
        except Problem as problem:
            if problem.status >= 500:  # not about this schedule: the whole turn is tried again
                raise
            run.outcome, run.message = "failed", problem.detail
        except SQLAlchemyError:
            raise
        except Exception:
            log.exception("the schedule %s could not submit its job", row.id)
            run.outcome, run.message = "failed", BROKEN

    async def _submit(self, session: AsyncSession, row: ScheduleRow, run: ScheduleRunRow) -> str:
        principal = await self._principal_of(session, user=row.runs_as)
        request = await self._schedules.request_of(session, row)
        made = await self._schedules.workloads.submit_job(session, principal, request=request)
        assert run.due is not None
        words = f"Submitted by the schedule '{row.name}' for {_iso(run.due)}."
        detail = {"schedule": row.id, "due": _iso(run.due)}
        await add_events(session, [event(made.id, "scheduled", words, source="schedule", **detail)])
        return made.id

    async def _unfinished(self, session: AsyncSession, schedule: str) -> str:
        """Return the name of a job of an earlier run that has not ended, "" when there is none."""
        runs = select(ScheduleRunRow.workload).where(ScheduleRunRow.schedule == schedule, ScheduleRunRow.workload != "")
        earlier = await session.scalars(runs.order_by(ScheduleRunRow.id.desc()).limit(EARLIER))
        found = await self._schedules.queries.summaries(session, earlier.all())
        return next((item.name for item in found.values() if item.phase not in ENDED), "")


def _missed(timing: Timing, count: int, first: datetime, due: datetime) -> str:
    """Return in words that `count` times from `first` to before `due` had no turn, "" for none."""
    if not count:
        return ""
    many = f"At least {COUNTED}" if count >= COUNTED else str(count)
    what = "The time before" if count == 1 else f"{many} earlier times"
    since = timing.local(first) if count == 1 else f"from {timing.local(first)} on"
    verb = "was" if count == 1 else "were"
    return (
        f"{what} ({since}) {verb} missed, because the platform was not running; "
        f"only the last one, {timing.local(due)}, had its turn."
    )


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
