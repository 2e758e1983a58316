"""The platform's nodes and pools, kept equal to a cluster's nodes and queues."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.resources.models import Accelerator
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.resources.shapes import NodeCapacity
from pumpkin_services.runtimes.base import Machine, Machines, Share


class MachineSync:
    """Nodes come from the cluster; pools, and which nodes take nothing new, are the admins' of the platform."""

    def __init__(self, *, database: Database, resources: ResourceService, machines: Machines) -> None:
        self._database = database
        self._resources = resources
        self._machines = machines
        self._pools: dict[str, Share] = {}

    async def sync(self) -> None:
        """Make both sides agree. A node that does not answer gets no heartbeat, and after a while no workloads."""
        found = {machine.name: machine for machine in await self._machines.machines()}
        async with self._database.write() as session:
            await self._register(session, list(found.values()))
            drained = await self._resources.nodes.drained(session)
            pools = await self._resources.pool_shares(session)
        for name, machine in found.items():
            if name in drained and not machine.closed:
                await self._machines.close(name, closed=True)
            elif name not in drained and machine.closed and machine.ours:
                await self._machines.close(name, closed=False)
        shares = {
            name: Share(
                machines=tuple(found[node] for node in sorted(pool.nodes) if node in found),
                parent=pool.parent,
                guarantee_percent=pool.guarantee_percent,
                deserved_percent=pool.deserved_percent,
            )
            for name, pool in sorted(pools.items())
        }
        if shares != self._pools:
            await self._machines.set_pools(shares)
            self._pools = shares

    async def _register(self, session: AsyncSession, machines: list[Machine]) -> None:
        usable = [machine for machine in machines if machine.ready and (machine.ours or not machine.closed)]
        for machine in usable:
            await self._resources.nodes.register(session, _capacity(machine))
        if usable:
            # A new platform's specs suit its largest node.
            largest = max(usable, key=lambda machine: (sum(machine.accelerators.values()), machine.cpu_milli))
            await self._resources.seed(session, node=_capacity(largest))


def _capacity(machine: Machine) -> NodeCapacity:
    types = [kind for kind, number in sorted(machine.accelerators.items()) for _ in range(number)]
    return NodeCapacity(
        name=machine.name,
        cpu_milli=machine.cpu_milli,
        memory=machine.memory,
        accelerators=tuple(Accelerator(index=index, type=kind) for index, kind in enumerate(types)),
    )
