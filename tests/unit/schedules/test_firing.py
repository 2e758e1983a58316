"""What comes due: once each, the last of several missed, and what is said when no job can be made."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from pumpkin_services.accounts.tables import UserRow
from pumpkin_services.billing.models import Adjustment
from pumpkin_services.models.models import Lineage
from pumpkin_services.problems import Invalid
from pumpkin_services.schedules.tables import ScheduleRow
from pumpkin_services.schedules.times import Timing
from pumpkin_services.web import PageQuery
from pumpkin_services.workloads.tables import WorkloadRow
from tests.unit.schedules.conftest import Hall
from tests.unit.schedules.test_times import timings
from tests.unit.workloads.house import built, user

OCLOCK = datetime.fromisoformat


async def end(hall: Hall, workload: str) -> None:
    """Have a job ended, which no pipeline does here."""
    async with hall.house.parts.database.write() as session:
        await session.execute(update(WorkloadRow).where(WorkloadRow.id == workload).values(phase="succeeded"))


async def test_a_due_time_makes_one_job_and_the_next_time_is_told(hall: Hall) -> None:
    made = await hall.create("30 * * * *")
    assert made.next_run == OCLOCK("2026-03-01T12:30+00:00")
    assert made.upcoming[:2] == [OCLOCK("2026-03-01T12:30+00:00"), OCLOCK("2026-03-01T13:30+00:00")]
    assert await hall.later(minutes=29, seconds=59) == []
    [job] = await hall.later(seconds=2)
    assert await hall.tick() == []
    found = await hall.get(made.id)
    assert (found.next_run, found.message) == (OCLOCK("2026-03-01T13:30+00:00"), "")
    assert found.last is not None
    assert found.last.workload is not None
    assert (found.last.due, found.last.outcome, found.last.workload.id) == (made.next_run, "submitted", job)
    row = await hall.house.row(job)
    assert row is not None
    assert (row.creator, row.name, row.phase) == ("ann", "job", "queued")
    async with hall.house.parts.database.read() as session:
        page = await hall.house.parts.queries.events(session, workload=job, query=PageQuery())
    [event] = [item for item in page.items if item.type == "scheduled"]
    assert event.message == "Submitted by the schedule 'nightly' for 2026-03-01T12:30:00Z."
    assert event.detail == {"schedule": made.id, "due": "2026-03-01T12:30:00Z"}


async def test_of_the_times_missed_the_last_one_is_run_and_the_others_are_told(hall: Hall) -> None:
    made = await hall.create("0 * * * *", timezone="Asia/Shanghai")
    assert len(await hall.later(hours=5, minutes=10)) == 1
    missed, run = await hall.runs(made.id)
    assert (missed.outcome, missed.due, missed.workload) == ("missed", None, None)
    assert missed.message == (
        "4 earlier times (from 2026-03-01 21:00 on) were missed, because the platform was not running; "
        "only the last one, 2026-03-02 01:00, had its turn."
    )
    assert (run.outcome, run.due) == ("submitted", OCLOCK("2026-03-01T17:00+00:00"))
    assert (await hall.get(made.id)).message == missed.message
    assert run.workload is not None
    await end(hall, run.workload.id)
    assert len(await hall.later(minutes=50)) == 1
    assert (await hall.get(made.id)).message == ""


async def test_years_of_missed_minutes_are_one_run(hall: Hall) -> None:
    made = await hall.create("* * * * *")
    assert len(await hall.later(days=4000)) == 1
    missed, run = await hall.runs(made.id)
    assert missed.message.startswith("At least 100 earlier times (from 2026-03-01 12:01 on) were missed")
    assert run.due == hall.now.replace(second=0)


async def test_a_paused_schedule_does_nothing_and_makes_nothing_up(hall: Hall) -> None:
    made = await hall.create()
    paused = await hall.edit(made.id, enabled=False)
    assert (paused.next_run, paused.upcoming) == (None, [])
    assert await hall.later(hours=3, minutes=1) == []
    resumed = await hall.edit(made.id, enabled=True)
    assert resumed.next_run == OCLOCK("2026-03-01T16:00+00:00")
    assert await hall.tick() == []
    assert len(await hall.later(minutes=59)) == 1


async def test_renaming_one_that_is_due_does_not_take_its_turn_away(hall: Hall) -> None:
    made = await hall.create()
    hall.now += timedelta(hours=1)
    await hall.edit(made.id, name="other", overlap="queue")
    assert len(await hall.tick()) == 1


@pytest.mark.parametrize("overlap", ["skip", "queue"])
async def test_while_the_job_of_an_earlier_time_runs(hall: Hall, overlap: str) -> None:
    made = await hall.create(overlap=overlap)
    [first] = await hall.later(hours=1)
    second = await hall.later(hours=1)
    run = (await hall.runs(made.id))[-1]
    if overlap == "queue":
        assert len(second) == 1
        return
    assert (second, run.outcome, run.workload) == ([], "skipped", None)
    assert run.message == "Skipped, because 'job' of an earlier time has not ended."
    assert (await hall.get(made.id)).message == run.message
    await end(hall, first)
    assert len(await hall.later(hours=1)) == 1


async def test_a_frozen_user_an_empty_balance_and_a_model_that_is_gone_are_said_and_break_nothing(
    hall: Hall, tmp_path: Path
) -> None:
    parts = hall.house.parts
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.bin").write_bytes(b"weights")
    await parts.models.publish(
        tmp_path / "out", workspace="ann", creator="ann", name="digits", source="s", lineage=Lineage()
    )
    poor = await hall.create(name="poor", job={"spec": "paid"})
    gone = await hall.create(name="gone", job={"models": ["digits"]})
    fine = await hall.create(name="fine", overlap="queue")
    async with parts.database.write() as session:
        await parts.models.delete(session, user("ann"), workspace="ann", name="digits")
        all_of_it = Adjustment(workspace="ann", amount_micro=-1_000_000, note="spent")
        await parts.billing.adjust(session, user("root", admin=True), request=all_of_it)
    assert len(await hall.later(hours=1)) == 1
    for schedule, word in ((poor, "¥0.00 left"), (gone, "digits")):
        found = await hall.get(schedule.id)
        assert found.last is not None
        assert (found.last.outcome, found.last.workload) == ("failed", None)
        assert word in found.message
        assert found.message == found.last.message
        assert found.next_run == OCLOCK("2026-03-01T14:00+00:00")
    assert (await hall.get(fine.id)).message == ""
    async with parts.database.write() as session:
        await session.execute(update(UserRow).where(UserRow.name == "ann").values(frozen=True, frozen_reason="left"))
    assert await hall.later(hours=1) == []
    assert (await hall.get(fine.id)).message == "The account 'ann' is frozen (left): ask an admin to thaw it."
    async with parts.database.read() as session:
        assert len((await session.scalars(select(WorkloadRow.id))).all()) == 1


async def test_a_request_that_is_none_any_more_is_said(hall: Hall) -> None:
    made = await hall.create()
    async with hall.house.parts.database.write() as session:
        await session.execute(update(ScheduleRow).values(request={"name": "job", "nonsense": 1}))
    assert await hall.later(hours=1) == []
    row = await hall.row(made.id)
    assert "nonsense" in row.message


async def test_what_is_broken_on_our_side_is_said_too_and_not_tried_every_second(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await hall.create()
    monkeypatch.setattr(hall.house.parts.workloads, "submit_job", None)
    assert await hall.later(hours=1) == []
    [run] = await hall.runs(made.id)
    assert (run.outcome, run.message.partition(";")[0]) == ("failed", "Something broke on our side")


async def test_a_crash_before_the_commit_leaves_nothing_and_the_turn_is_taken_after_it(hall: Hall) -> None:
    made = await hall.create()
    hall.now += timedelta(hours=1)
    parts = hall.house.parts
    firing = parts.pipeline.parts.schedules

    async def half() -> None:
        async with parts.database.write() as session:
            assert await firing.fire(session, schedule=made.id)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await half()
    assert await hall.rows() == []
    assert len(await hall.tick()) == 1
    assert await hall.tick() == []


async def test_two_replicas_that_both_believe_to_lead_make_one_job(hall: Hall) -> None:
    made = await hall.create()
    hall.now += timedelta(hours=1)
    async with built(hall.house.data, fresh=False) as other:
        other.parts.schedules.clock = lambda: hall.now
        both = [hall, dataclasses.replace(hall, house=other)]
        done = await asyncio.gather(*(replica.tick() for replica in both * 3))
    assert sum(map(len, done)) == 1
    assert [run.outcome for run in await hall.runs(made.id)] == ["submitted"]


async def test_the_pipeline_itself_fires_and_the_job_runs(hall: Hall) -> None:
    await hall.house.start_pipeline()
    made = await hall.create()
    hall.now += timedelta(hours=1)

    async def ran() -> bool:
        last = (await hall.get(made.id)).last
        return last is not None and last.workload is not None and last.workload.phase == "succeeded"

    await hall.house.until(ran)


jumps = st.lists(
    st.one_of(
        st.floats(0.5, 200).map(lambda minutes: timedelta(minutes=minutes)),
        st.floats(-2000, 2000).map(lambda minutes: timedelta(minutes=minutes)),
        st.floats(-400, 400).map(lambda days: timedelta(days=days)),
    ),
    min_size=2,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(timing=timings, jumps=jumps)
def test_whatever_the_clock_does_a_time_has_one_turn_and_the_last_missed_one_has_it(
    in_a_hall: Callable[[Callable[[Hall], Awaitable[None]]], None], timing: Timing, jumps: list[timedelta]
) -> None:
    async def body(hall: Hall) -> None:
        try:
            Timing.parse(timing.cron, timing.timezone, now=hall.now)
        except Invalid:
            return
        made = await hall.create(timing.cron, timezone=timing.timezone, overlap="queue")
        seen = hall.now
        for jump in jumps:
            before = {run.due for run in await hall.rows()}
            await hall.later(seconds=jump.total_seconds())
            new = [run.due for run in await hall.rows() if run.due is not None and run.due not in before]
            # What came between the last look and this one: its last time has had its turn, now or before.
            due = _between(timing, seen, hall.now)
            if due:
                assert new == [due[-1]] or (not new and due[-1] in before)
            else:
                assert not new
            seen = hall.now
            row = await hall.row(made.id)
            assert row.next_run == timing.after(hall.now)
        turns = Counter(run.due for run in await hall.rows() if run.due is not None)
        assert set(turns.values()) <= {1}
        async with hall.house.parts.database.read() as session:
            jobs = len((await session.scalars(select(WorkloadRow.id))).all())
        assert jobs == len(turns)

    in_a_hall(body)


def _between(timing: Timing, start: datetime, end: datetime) -> list[datetime]:
    """Return the last time in (start, end], as a list of one or none."""
    first = timing.after(start)
    return [timing.passed(first, until=end)[1]] if first is not None and first <= end else []
