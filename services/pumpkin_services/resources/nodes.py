"""Rules of nodes: registering this machine, its heartbeat, draining, lowering what workloads may have of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database, table, utcnow
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Invalid, NotFound, check_revision
from pumpkin_services.resources.detect import detect_node
from pumpkin_services.resources.models import Accelerator, Node, NodePatch, UsageItem
from pumpkin_services.resources.shapes import NodeCapacity
from pumpkin_services.resources.tables import NodeRow
from pumpkin_services.web import Page, PageQuery, paginate

NODES = select(table(NodeRow)).order_by(table(NodeRow).c.name)
ALIVE_SECONDS = 90
"""A node whose last heartbeat is older gets no new workloads."""


class NodeService:
    """The machines that run workloads."""

    async def register_this_machine(self, database: Database, *, name: str | None = None) -> NodeCapacity:
        """Look at this machine and write down what it has; what an admin set for it stays. Returns its capacity."""
        found = await asyncio.to_thread(detect_node, name)
        async with database.write() as session:
            return await self.register(session, found)

    async def register(self, session: AsyncSession, found: NodeCapacity) -> NodeCapacity:
        """Write down what was found on a node; what an admin set for it stays."""
        row = await session.scalar(select(NodeRow).where(NodeRow.name == found.name))
        if row is None:
            row = NodeRow(name=found.name, accelerators_off=[], drained=False, revision=0)
            session.add(row)
        devices = [item.model_dump() for item in found.accelerators]
        if (row.cpu_milli, row.memory, row.accelerators) != (found.cpu_milli, found.memory, devices):
            row.cpu_milli, row.memory, row.accelerators = found.cpu_milli, found.memory, devices
            row.revision += 1
        row.heartbeat = utcnow()
        await session.flush()
        return _capacity(row)

    async def drained(self, session: AsyncSession) -> set[str]:
        """Return the names of the nodes an admin has drained."""
        rows = await session.execute(NODES)
        return {row.name for row in rows if row.drained}

    async def heartbeat(self, session: AsyncSession, *, name: str) -> None:
        """Say that a node is alive; call it at least every 30 seconds."""
        await session.execute(update(NodeRow).where(NodeRow.name == name).values(heartbeat=utcnow()))

    async def capacity(self, session: AsyncSession) -> list[NodeCapacity]:
        """Return what workloads may have of every node, by name; drained and silent ones are marked, not left out."""
        return [_capacity(row) for row in await session.execute(NODES)]

    async def list_nodes(
        self, session: AsyncSession, _principal: Principal, *, query: PageQuery, usage: Sequence[UsageItem]
    ) -> Page[Node]:
        """Return nodes with what is used of them."""
        statement = select(NodeRow)
        if query.q:
            statement = statement.where(NodeRow.name.contains(query.q, autoescape=True))
        rows, following = await paginate(session, statement, key=NodeRow.id, query=query)
        return Page(items=[_wire(row, usage) for row in rows], next=following)

    async def get_node(self, session: AsyncSession, *, name: str, usage: Sequence[UsageItem]) -> Node:
        """Return one node; raise `NotFound`."""
        return _wire(await self._row(session, name), usage)

    async def patch_node(
        self, session: AsyncSession, _principal: Principal, *, name: str, patch: NodePatch, if_match: int | None
    ) -> Node:
        """Lower (or restore) what workloads may have of a node; running ones keep what they hold."""
        row = await self._row(session, name)
        check_revision(row.revision, if_match)
        changes = patch.model_dump(exclude_unset=True)
        for field, most in (("cpu_milli_limit", row.cpu_milli), ("memory_limit", row.memory)):
            if (changes.get(field) or 0) > most:
                raise Invalid(f"The node has {most}: a limit can only lower that.", field=field)
        known = {item["index"] for item in row.accelerators}
        unknown = set(changes.get("accelerators_off", [])) - known
        if unknown:
            raise Invalid(f"The node has no accelerator {min(unknown)}.", field="accelerators_off")
        for field, value in changes.items():
            setattr(row, field, value)
        row.revision += 1
        return _wire(row, ())

    async def drain(
        self,
        session: AsyncSession,
        _principal: Principal,
        *,
        name: str,
        drained: bool,
        reason: str,
        if_match: int | None,
    ) -> Node:
        """Stop (or resume) giving a node new workloads; what runs there goes on."""
        row = await self._row(session, name)
        check_revision(row.revision, if_match)
        if (row.drained, row.drain_reason) != (drained, reason):
            row.drained, row.drain_reason = drained, reason
            row.revision += 1
        return _wire(row, ())

    async def forget(self, session: AsyncSession, _principal: Principal, *, name: str, if_match: int | None) -> None:
        """Remove a node that is gone for good; one that still beats is refused."""
        row = await self._row(session, name)
        check_revision(row.revision, if_match)
        if _alive(row):
            raise Invalid(f"The node '{name}' is alive: stop the platform on it first.", field="node")
        await session.delete(row)

    async def _row(self, session: AsyncSession, name: str) -> NodeRow:
        row = await session.scalar(select(NodeRow).where(NodeRow.name == name))
        if row is None:
            raise NotFound(f"There is no node '{name[:80]}'.", field="node")
        return row


def _alive(row: Any) -> bool:
    return utcnow() - row.heartbeat < timedelta(seconds=ALIVE_SECONDS)


def _capacity(row: Any) -> NodeCapacity:
    devices = [Accelerator.model_validate(item) for item in row.accelerators]
    return NodeCapacity(
        name=row.name,
        cpu_milli=min(row.cpu_milli, row.cpu_milli_limit or row.cpu_milli),
        memory=min(row.memory, row.memory_limit or row.memory),
        accelerators=tuple(item for item in devices if item.index not in row.accelerators_off),
        drained=row.drained,
        alive=_alive(row),
    )


def _wire(row: NodeRow, usage: Sequence[UsageItem]) -> Node:
    capacity = _capacity(row)
    here = [item for item in usage if item.node == row.name]
    return Node(
        id=row.id,
        name=row.name,
        cpu_milli=row.cpu_milli,
        memory=row.memory,
        accelerators=[Accelerator.model_validate(item) for item in row.accelerators],
        cpu_milli_limit=row.cpu_milli_limit,
        memory_limit=row.memory_limit,
        accelerators_off=row.accelerators_off,
        usable_cpu_milli=capacity.cpu_milli,
        usable_memory=capacity.memory,
        usable_accelerators=[item.index for item in capacity.accelerators],
        used_cpu_milli=sum(item.cpu_milli for item in here),
        used_memory=sum(item.memory for item in here),
        used_accelerators=sorted(index for item in here for index in item.accelerators),
        drained=row.drained,
        drain_reason=row.drain_reason,
        alive=capacity.alive,
        heartbeat=row.heartbeat,
        created=row.created,
        revision=row.revision,
    )
