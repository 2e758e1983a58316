"""What admins do to the queue and why they stop something: the owner reads it, the scheduler heeds it."""

from __future__ import annotations

import pytest

from pumpkin_services.problems import Conflict, NotFound
from pumpkin_services.workloads.desk import Desk
from tests.unit.workloads.house import House, user

ROOT = user("root", admin=True)


async def full(house: House) -> str:
    """Take the whole machine; whoever comes next waits."""
    job = await house.submit("sleep 100", spec="whole")
    await house.phase(job, "running")
    return job


async def hold(house: House, job: str, reason: str) -> None:
    async with house.parts.database.write() as session:
        await Desk().hold(session, ROOT, workload=job, reason=reason)


async def release(house: House, job: str) -> None:
    async with house.parts.database.write() as session:
        await Desk().release(session, ROOT, workload=job)
    house.parts.workloads.wake(job, new=True)


async def order(house: House, *ids: str) -> None:
    async with house.parts.database.write() as session:
        await Desk().order(session, ids=list(ids))


async def line(house: House) -> list[str]:
    async with house.parts.database.read() as session:
        return [item.id for item in (await house.parts.queries.queue(session, ROOT)).items if not item.hold]


async def test_what_is_held_waits_though_there_is_room_and_tells_its_owner_why(house: House) -> None:
    whole = await full(house)
    job = await house.submit("true")
    await hold(house, job, "the exam comes first")
    await house.stop(whole)
    await house.ended(whole)
    other = await house.submit("true")
    assert (await house.ended(other)).phase == "succeeded"  # there was room for it
    waiting = await house.detail(job)
    assert (waiting.phase, waiting.hold) == ("queued", "the exam comes first")
    assert waiting.message == "An admin holds it back: the exam comes first"
    await release(house, job)
    done = await house.ended(job)
    assert (done.phase, done.hold) == ("succeeded", "")
    assert await house.events(job) == ["queued", "held", "released", "placed", "running", "succeeded"]


async def test_what_is_held_can_be_stopped(house: House) -> None:
    await full(house)
    job = await house.submit("true")
    await hold(house, job, "why not")
    await house.stop(job)
    assert (await house.ended(job)).phase == "stopped"


async def test_what_has_started_cannot_be_held_and_what_is_not_there_neither(house: House) -> None:
    whole = await full(house)
    with pytest.raises(Conflict, match="is running: only what waits"):
        await hold(house, whole, "too late")
    with pytest.raises(NotFound):
        await hold(house, "0" * 26, "nobody")


async def test_an_admins_order_is_the_order_they_start_in_and_ends_with_the_start(house: House) -> None:
    whole = await full(house)
    first, second, third = [await house.submit("true", spec="whole") for _ in range(3)]
    assert await line(house) == [first, second, third]
    await order(house, third, first, whole)  # what runs already is no error
    assert await line(house) == [third, first, second]
    await order(house, second)
    assert await line(house) == [second, first, third]
    await house.stop(whole)
    started = {job: (await house.ended(job)).started for job in (first, second, third)}
    assert sorted(started, key=lambda job: str(started[job])) == [second, first, third]
    row = await house.row(second)
    assert row is not None
    assert row.pin == 0


async def test_none_put_first_brings_the_rules_back(house: House) -> None:
    await full(house)
    first, second = [await house.submit("true") for _ in range(2)]
    await order(house, second)
    await order(house)
    assert await line(house) == [first, second]


async def test_the_owner_reads_why_an_admin_stopped_a_job(house: House) -> None:
    job = await full(house)
    async with house.parts.database.write() as session:
        await house.parts.workloads.stop(session, ROOT, workload=job, note="the machine is needed for an exam")
    house.parts.workloads.wake(job)
    done = await house.ended(job)
    assert (done.phase, done.reason) == ("stopped", "stopped_by_admin")
    assert done.message == "An admin stopped it: the machine is needed for an exam"
