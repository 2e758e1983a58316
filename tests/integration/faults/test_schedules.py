"""`kill -9` of the service while schedules come due: each minute's job is submitted, and once."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from tests.integration.faults.books import until
from tests.integration.house import House, User

SCHEDULES = 25
MINUTES = 2
KILLS = 3


def rows(house: House, statement: str) -> list[Any]:
    with closing(sqlite3.connect(house.data / "platform.sqlite", timeout=30)) as connection:
        return connection.execute(statement).fetchall()


def ran(house: House, minute: datetime) -> list[Any]:
    """Return (schedule, outcome, workload) of every turn the minute had."""
    return rows(
        house,
        f"SELECT schedule, outcome, workload FROM schedule_runs WHERE due LIKE '{minute:%Y-%m-%d %H:%M}%'",
    )


def next_minute() -> datetime:
    return datetime.fromtimestamp((time.time() // 60 + 1) * 60, UTC)


def kill_again_and_again(house: House, rng: random.Random) -> None:
    """Kill the service as often as it comes up, soon after it did."""
    for _ in range(KILLS):
        for pid in until(lambda: house.pids("service"), house=house, seconds=60, pause=0.01):
            os.kill(pid, signal.SIGKILL)
        until(lambda: house.pids("service"), house=house, seconds=60, pause=0.01)
        time.sleep(rng.uniform(0.1, 2.5))


def test_a_minute_has_one_job_of_each_schedule_whatever_is_killed(busy_house: tuple[House, User]) -> None:
    house, ann = busy_house
    rng = random.Random(11)
    for number in range(SCHEDULES):
        job = {"name": f"tick-{number}", "spec": "slot", "command": "true"}
        made = {"name": f"every-minute-{number}", "cron": "* * * * *", "overlap": "queue", "request": job}
        answer = ann.api.post("/schedules", json=made)
        assert answer.status_code == 201, answer.text
    for _ in range(MINUTES):
        minute = next_minute()
        time.sleep(max(minute.timestamp() - time.time() + rng.uniform(-0.3, 1.2), 0))
        kill_again_and_again(house, rng)
        until(lambda m=minute: len(ran(house, m)) == SCHEDULES, house=house, seconds=60)
    turns = rows(house, "SELECT schedule, due, outcome, workload FROM schedule_runs WHERE due IS NOT NULL")
    assert len({(schedule, due) for schedule, due, _, _ in turns}) == len(turns)
    assert {outcome for _, _, outcome, _ in turns} == {"submitted"}
    jobs = [item for (item,) in rows(house, "SELECT id FROM workloads WHERE name LIKE 'tick-%'")]
    assert sorted(jobs) == sorted(workload for _, _, _, workload in turns)
    assert rows(house, "SELECT id FROM schedule_runs WHERE due IS NULL") == []
