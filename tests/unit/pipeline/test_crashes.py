"""Whatever is cut off, and wherever: every workload ends exactly once, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from sqlalchemy import text

from pumpkin_services.pipeline.lease import Lease, LeaseLost
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.runtimes.base import Key, Launch, ReplicaSpec
from tests.unit.workloads.house import House, built

COUNT = 'echo "$PUMPKIN_WORKLOAD $PUMPKIN_ATTEMPT" >> $PUMPKIN_HOME/ran; sleep 0.1'


async def test_a_job_outlives_the_service(tmp_path: Path) -> None:
    async with built(tmp_path / "data") as house:
        await house.start_pipeline()
        job = await house.submit("sleep 1; echo through")
        await house.phase(job, "running")
        await house.stop_pipeline()
        async with built(tmp_path / "data", fresh=False) as later:
            await later.start_pipeline()
            done = await later.ended(job)
            assert (done.phase, done.attempt) == ("succeeded", 1)
            assert await later.log(job) == "through\n"


@pytest.mark.parametrize("pause", [0.01, 0.05, 0.11, 0.23, 0.37])
async def test_a_pipeline_cut_off_at_any_time_runs_nothing_twice(empty_house: House, pause: float) -> None:
    house = empty_house
    jobs = [await house.submit(COUNT) for _ in range(12)]
    for _ in range(6):
        # Cancelled in the middle of whatever it is at: the database keeps what was committed, the runtime what runs.
        await house.start_pipeline(lease_seconds=0.3)
        await asyncio.sleep(pause)
        await house.stop_pipeline()
    await house.start_pipeline(lease_seconds=0.3)
    for job in jobs:
        assert (await house.ended(job)).phase == "succeeded"
    ran = (house.data / "homes/ann/ran").read_text().splitlines()
    assert sorted(ran) == sorted(f"{job} 1" for job in jobs)
    assert await house.held() == []


async def test_what_no_row_knows_is_removed(empty_house: House) -> None:
    house = empty_house
    key = Key("01stranger", 1)
    await house.parts.runtime.launch(Launch(key=key, replicas=[ReplicaSpec(role="r", index=0, argv=["sleep", "100"])]))
    await house.start_pipeline()

    async def gone() -> bool:
        return key not in await house.parts.runtime.list()

    await house.until(gone)


async def test_a_replica_whose_supervisor_was_killed_is_lost_and_tried_again(house: House) -> None:
    job = await house.submit("test $PUMPKIN_ATTEMPT = 2 || sleep 100", retries=1, backoff_seconds=0)
    await house.phase(job, "running")
    import json
    import os
    import signal

    started = json.loads((house.data / "runs" / job / "1/main-0/started.json").read_text())
    os.kill(started["supervisor"], signal.SIGKILL)
    done = await house.ended(job, seconds=30)
    assert (done.phase, done.attempt) == ("succeeded", 2)
    assert (done.attempts[0].phase, done.attempts[0].reason) == ("failed", "lost")


async def test_of_two_pipelines_one_acts(empty_house: House) -> None:
    house = empty_house
    await house.start_pipeline(lease_seconds=0.5)
    second = house.make_pipeline(lease_seconds=0.5)
    task = asyncio.create_task(second.run())
    try:
        jobs = [await house.submit(COUNT) for _ in range(8)]
        await asyncio.sleep(0.2)
        assert not second.leads
        await house.stop_pipeline()
        for job in jobs:
            assert (await house.ended(job)).phase == "succeeded"
        assert second.leads
        assert len((house.data / "homes/ann/ran").read_text().splitlines()) == 8
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_deposed_pipeline_cannot_write(empty_house: House) -> None:
    database = empty_house.parts.database
    old, new = Lease(database, seconds=30), Lease(database, seconds=30)
    assert await old.acquire()
    assert not await new.acquire()
    writes = Writes(database, old)
    worker = asyncio.create_task(writes.work())
    assert await writes.run(lambda session: session.scalar(text("SELECT 1"))) == 1
    async with database.write() as session:  # its clock was wrong, or it slept too long
        await session.execute(text("UPDATE leases SET expires = '2000-01-01 00:00:00.000000'"))
    assert await new.acquire()
    with pytest.raises(LeaseLost):
        await writes.run(lambda session: session.execute(text("INSERT INTO workload_labels VALUES ('x', 'y')")))
    with contextlib.suppress(LeaseLost):
        await worker
    assert not old.held
    assert new.held
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM workload_labels")) == 0


async def test_a_change_that_fails_does_not_take_its_group_along(empty_house: House) -> None:
    lease = Lease(empty_house.parts.database, seconds=30)
    await lease.acquire()
    writes = Writes(empty_house.parts.database, lease)
    good = "INSERT INTO workload_labels VALUES ('{}', 'w')"
    changes = [good.format("a"), "INSERT INTO nowhere VALUES (1)", good.format("b")]
    waiting = [asyncio.create_task(writes.run(lambda s, sql=sql: s.execute(text(sql)))) for sql in changes]
    await asyncio.sleep(0)
    worker = asyncio.create_task(writes.work())
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(item, Exception) for item in results] == [False, True, False]
    async with empty_house.parts.database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM workload_labels")) == 2
    worker.cancel()
