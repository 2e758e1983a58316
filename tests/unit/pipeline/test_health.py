"""How the platform tells that it is well, what its nodes did, and who does nothing with what he holds."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from pumpkin_services.db import utcnow
from pumpkin_services.pipeline.lag import lag
from pumpkin_services.pipeline.loads import Loads
from pumpkin_services.pipeline.sampler import Sampler
from pumpkin_services.pipeline.tables import LeaseRow
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.resources.load import IN_FULL, KEPT, add_loads, latest_loads, node_loads, thin_loads
from pumpkin_services.resources.models import NodeLoad
from tests.unit.workloads.house import House, user


def load(**changes: object) -> NodeLoad:
    values = {"node": "here", "time": utcnow(), "cpu_milli": 1, "memory": 2, "held_cpu_milli": 3, "held_memory": 4}
    return NodeLoad.model_validate({**values, "accelerators": [], **changes})


async def test_each_part_is_really_asked(house: House) -> None:
    async def passed() -> bool:
        async with house.parts.database.read() as session:
            return (await lag(session)).passed_seconds is not None

    await house.until(passed)
    health = await house.parts.health.look()
    # On a busy machine they may be slow.
    assert "down" not in (health.database.state, health.store.state, health.pipeline.state)
    assert health.database.milliseconds
    assert health.store.milliseconds
    assert health.store.free_bytes
    assert health.pipeline.unhandled == 0
    # There is no Hub in this house.
    assert health.hub.state == "down"
    assert health.hub.error
    assert list(house.parts.store.list()) == []


async def test_a_store_that_cannot_be_written_is_down_and_says_why(empty_house: House) -> None:
    empty_house.parts.store.root.parent.mkdir(exist_ok=True)
    empty_house.parts.store.root.write_text("no folder")
    light = (await empty_house.parts.health.look()).store
    assert light.state == "down"
    assert light.error


async def test_without_a_pipeline_its_light_is_down_and_counts_what_was_asked(empty_house: House) -> None:
    job = await empty_house.submit("true")
    async with empty_house.parts.database.write() as session:
        await empty_house.parts.workloads.stop(session, user("ann"), workload=job)
    light = (await empty_house.parts.health.look()).pipeline
    assert (light.state, light.passed_seconds, light.unhandled) == ("down", None, 1)
    assert light.oldest_seconds is not None


async def test_a_lease_that_has_run_out_is_nobodys(house: House) -> None:
    async with house.parts.database.write() as session:
        await session.execute(update(LeaseRow).values(expires=utcnow() - timedelta(hours=1)))
        assert not (await lag(session)).led


async def test_a_nodes_load_is_what_its_replicas_use_and_the_busy_are_noted(house: House) -> None:
    job = await house.submit("while :; do :; done")
    idle = await house.submit("sleep 100")
    await house.phase(job, "running")
    await house.phase(idle, "running")
    assert house.pipeline is not None
    sampler: Sampler = house.pipeline._sampler  # pyright: ignore[reportPrivateUsage]
    writes: Writes = house.pipeline._writes  # pyright: ignore[reportPrivateUsage]
    loads = Loads(database=house.parts.database, writes=writes, sampler=sampler, resources=house.parts.resources)

    async def noted() -> bool:
        await sampler.sample(await house.pipeline._running())  # pyright: ignore
        await loads.sample()
        async with house.parts.database.read() as session:
            busy = {item.workload: item.busy for item in await house.parts.queries.holdings(session)}
            [now] = await latest_loads(session)
        assert now.held_cpu_milli == 200
        # To start a shell on a busy machine is work, too, so the idle one may have been busy once.
        last, once = busy[job], busy[idle]
        return last is not None and (once is None or once < last) and now.cpu_milli > 0

    await house.until(noted)


async def test_loads_are_shown_in_full_for_two_hours_then_thinned_then_forgotten(empty_house: House) -> None:
    now = utcnow()
    times = {"now": now, "old": now - IN_FULL * 2, "ancient": now - KEPT * 2}
    async with empty_house.parts.database.write() as session:
        for keep in (True, False):
            for time in times.values():
                await add_loads(session, [load(time=time)], keep=keep)
        await thin_loads(session)
        shown = (await node_loads(session, node="here", hours=2)).items
        assert [item.time for item in shown] == [now, now]
        longer = (await node_loads(session, node="here", hours=720)).items
        assert [item.time for item in longer] == [times["old"], now]
        assert (await node_loads(session, node="elsewhere", hours=720)).items == []


async def test_one_answer_has_no_more_points_than_a_picture_and_the_last(empty_house: House) -> None:
    now = utcnow()
    async with empty_house.parts.database.write() as session:
        await add_loads(session, [load(time=now - timedelta(seconds=at)) for at in range(1300)], keep=True)
        shown = (await node_loads(session, node="here", hours=1)).items
    assert 400 < len(shown) <= 500
    assert shown[-1].time == now
    assert shown == sorted(shown, key=lambda item: item.time)
