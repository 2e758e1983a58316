"""What runs for no workload's present attempt is ended and told of; what runs as it should is left alone."""

from __future__ import annotations

import asyncio

import pytest

from pumpkin_services.pipeline.janitor import Janitor
from pumpkin_services.pipeline.lease import Lease
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.runtimes.base import Key, Launch, ReplicaSpec
from tests.unit.workloads.house import House


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpkin_services.pipeline.pipeline.JANITOR_SECONDS", 0.1)


async def launch(house: House, key: Key, command: str = "echo stray; exec sleep 100") -> None:
    replica = ReplicaSpec(role="main", index=0, argv=["sh", "-c", command])
    await house.parts.runtime.launch(Launch(key=key, replicas=[replica]))


async def begun(house: House, key: Key) -> None:
    async def there() -> bool:
        return key in await house.parts.runtime.alive() and await house.log(key.workload, attempt=key.attempt) != ""

    await house.until(there)


@pytest.mark.usefixtures("eager")
async def test_a_stranger_that_comes_while_the_pipeline_works_is_removed(house: House) -> None:
    job = await house.submit("sleep 1; echo through")
    await house.phase(job, "running")
    stranger = Key("01stranger", 1)
    await launch(house, stranger)

    async def gone() -> bool:
        return stranger not in await house.parts.runtime.list()

    await house.until(gone)
    done = await house.ended(job)
    assert (done.phase, done.attempt) == ("succeeded", 1)
    assert await house.log(job) == "through\n"


@pytest.mark.usefixtures("eager")
async def test_what_runs_for_a_job_that_has_ended_is_ended_and_told_of_and_its_log_stays(house: House) -> None:
    job = await house.submit("true")
    assert (await house.ended(job)).phase == "succeeded"
    stray = Key(job, 2)  # as if somebody who does not lead any more had just launched it
    await launch(house, stray)

    async def told() -> bool:
        return "tidied" in await house.events(job)

    async def over() -> bool:
        seen = (await house.parts.runtime.observe(stray))["main-0"]
        return seen.state == "exited" and stray not in await house.parts.runtime.alive()

    await house.until(told)
    await house.until(over)
    assert (await house.detail(job)).phase == "succeeded"
    assert await house.log(job, attempt=2) == "stray\n"
    await house.delete(job)
    await house.gone(job)
    assert await house.parts.runtime.list() == [], "the stray's folder goes with its job"


@pytest.mark.usefixtures("eager")
async def test_who_is_tried_again_is_left_alone(house: House) -> None:
    job = await house.submit("sleep 0.5; test $PUMPKIN_ATTEMPT = 3", retries=3, backoff_seconds=0.3)
    done = await house.ended(job)
    assert (done.phase, done.attempt) == ("succeeded", 3)
    assert "tidied" not in await house.events(job)


async def test_what_has_only_just_ended_has_until_the_next_look(empty_house: House) -> None:
    house, runtime = empty_house, empty_house.parts.runtime
    lease = Lease(house.parts.database, seconds=30)
    await lease.acquire()
    writes = Writes(house.parts.database, lease)
    worker = asyncio.create_task(writes.work())
    janitor = Janitor(database=house.parts.database, runtime=runtime, writes=writes)
    job = await house.submit("true")  # queued: its first attempt may be about to begin, there is no second
    present, over = Key(job, 1), Key(job, 0)
    await launch(house, present)
    await launch(house, over)
    await begun(house, present)
    await begun(house, over)
    await janitor.look()
    assert await runtime.alive() == [over, present]
    await janitor.look()

    async def ended() -> bool:
        return await runtime.alive() == [present]

    await house.until(ended)
    assert await house.events(job) == ["queued", "tidied"]
    await runtime.delete(present)
    worker.cancel()
