from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from pumpkin_services.db import Database, utcnow
from pumpkin_services.problems import Invalid, NotFound, PreconditionFailed
from pumpkin_services.resources.models import LimitQuery, LimitValues, NodePatch, UsageItem
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.resources.tables import NodeRow
from tests.unit.resources.conftest import GIB, machine, person

ADMIN = person("root", admin=True)


async def test_what_an_admin_lowered_stays_when_the_machine_registers_again(
    database: Database, resources: ResourceService
) -> None:
    async with database.write() as session:
        await resources.nodes.register(session, machine(gpus=4))
        patch = NodePatch(cpu_milli_limit=4000, memory_limit=8 * GIB, accelerators_off=[1, 3])
        await resources.nodes.patch_node(session, ADMIN, name="here", patch=patch, if_match=1)
    async with database.write() as session:
        capacity = await resources.nodes.register(session, machine(gpus=4, cores=6))
    assert (capacity.cpu_milli, capacity.memory) == (4000, 8 * GIB)
    assert [item.index for item in capacity.accelerators] == [0, 2]
    async with database.write() as session:
        node = await resources.nodes.patch_node(
            session, ADMIN, name="here", patch=NodePatch(cpu_milli_limit=None), if_match=None
        )
        assert (node.usable_cpu_milli, node.usable_memory) == (6000, 8 * GIB)


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        (NodePatch(cpu_milli_limit=9000), "cpu_milli_limit"),
        (NodePatch(memory_limit=33 * GIB), "memory_limit"),
        (NodePatch(accelerators_off=[0, 7]), "accelerators_off"),
    ],
)
async def test_a_node_cannot_be_made_more_than_it_is(
    database: Database, resources: ResourceService, patch: NodePatch, field: str
) -> None:
    async with database.write() as session:
        await resources.nodes.register(session, machine(gpus=1))
        with pytest.raises(Invalid) as caught:
            await resources.nodes.patch_node(session, ADMIN, name="here", patch=patch, if_match=None)
        assert caught.value.errors[0]["field"] == field


async def test_a_silent_node_is_not_alive_and_may_be_forgotten(database: Database, resources: ResourceService) -> None:
    async with database.write() as session:
        await resources.nodes.register(session, machine())
        with pytest.raises(Invalid, match="is alive"):
            await resources.nodes.forget(session, ADMIN, name="here", if_match=None)
        await session.execute(update(NodeRow).values(heartbeat=utcnow() - timedelta(minutes=5)))
        assert [node.alive for node in await resources.capacity(session)] == [False]
        await resources.nodes.heartbeat(session, name="here")
        assert [node.alive for node in await resources.capacity(session)] == [True]
        await session.execute(update(NodeRow).values(heartbeat=utcnow() - timedelta(minutes=5)))
        await resources.nodes.forget(session, ADMIN, name="here", if_match=None)
        with pytest.raises(NotFound):
            await resources.nodes.get_node(session, name="here", usage=[])


async def test_a_node_shows_what_is_used_of_it(database: Database, resources: ResourceService) -> None:
    used = UsageItem(
        workload="w", name="n", kind="job", workspace="lab", creator="ann", replica="main-0", node="here", spec="s",
        cpu_milli=1500, memory=GIB, accelerators=[2],
    )  # fmt: skip
    async with database.write() as session:
        await resources.nodes.register(session, machine(gpus=4))
        node = await resources.nodes.get_node(session, name="here", usage=[used, used.model_copy(update={"node": "x"})])
        assert (node.used_cpu_milli, node.used_memory, node.used_accelerators) == (1500, GIB, [2])


async def test_draining_twice_changes_it_once(database: Database, resources: ResourceService) -> None:
    async with database.write() as session:
        await resources.nodes.register(session, machine())
        for _ in range(2):
            node = await resources.nodes.drain(session, ADMIN, name="here", drained=True, reason="x", if_match=None)
        assert (node.drained, node.drain_reason, node.revision) == (True, "x", 2)


@pytest.mark.parametrize(
    ("default", "own", "effective"),
    [
        (None, None, (None, None)),
        (LimitValues(running=5, queued=50), None, (5, 50)),
        (LimitValues(running=5, queued=50), LimitValues(running=9), (9, 50)),
        (LimitValues(running=5), LimitValues(running=0, queued=1), (0, 1)),
        (None, LimitValues(queued=3), (None, 3)),
    ],
)
async def test_an_exception_takes_its_gaps_from_the_default(
    database: Database,
    resources: ResourceService,
    default: LimitValues | None,
    own: LimitValues | None,
    effective: tuple[int | None, int | None],
) -> None:
    async with database.write() as session:
        for subject, values in (("*", default), ("ann", own)):
            if values is not None:
                await resources.limits.set_limit(
                    session, ADMIN, kind="user", subject=subject, values=values, if_match=None
                )
        found = await resources.limits.limit(session, kind="user", subject="ann")
        assert (found.running, found.queued) == effective
        other = await resources.limits.limit(session, kind="workspace", subject="ann")
        assert other == LimitValues()


async def test_limits_are_edited_by_revision_and_listed_by_kind(database: Database, resources: ResourceService) -> None:
    async with database.write() as session:
        for kind in ("user", "workspace"):
            made = await resources.limits.set_limit(
                session, ADMIN, kind=kind, subject="lab", values=LimitValues(running=1), if_match=None
            )
        with pytest.raises(PreconditionFailed):
            await resources.limits.set_limit(
                session, ADMIN, kind="user", subject="lab", values=LimitValues(), if_match=made.revision + 1
            )
        with pytest.raises(Invalid, match="'user' or a 'workspace'"):
            await resources.limits.set_limit(
                session, ADMIN, kind="planet", subject="lab", values=LimitValues(), if_match=None
            )
        listed = await resources.limits.list_limits(session, ADMIN, query=LimitQuery(kind="user"))
        assert [limit.subject for limit in listed.items] == ["lab"]
        mine = await resources.limits.mine(session, person("bob", lab="member"))
        assert mine.workspaces["lab"].running == 1
        assert mine.workspaces["bob"].running is None
        await resources.limits.unset_limit(session, ADMIN, kind="user", subject="lab", if_match=None)
        assert (await resources.limits.limit(session, kind="user", subject="lab")).running is None
