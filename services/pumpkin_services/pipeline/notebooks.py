"""Notebooks and the Hub: servers are started when their grant is ready, and the two lists are kept equal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database, utcnow
from pumpkin_services.hub import HubClient, HubServer
from pumpkin_services.pipeline import changes
from pumpkin_services.pipeline.lease import LeaseLost
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.problems import Problem, Unavailable
from pumpkin_services.workloads.models import ENDED, OPEN
from pumpkin_services.workloads.tables import WorkloadRow

log = logging.getLogger("pumpkin.notebooks")
MISSES = 2
"""A server that so many lists in a row lack is gone: one list may be older than the server."""


class Notebooks:
    """Speaks to the Hub for the pipeline; every word is said in the background and may be repeated."""

    def __init__(
        self, *, database: Database, writes: Writes, hub: HubClient, again: Callable[[str, float], None]
    ) -> None:
        self._database = database
        self._writes = writes
        self._hub = hub
        self._again = again
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._missed: dict[str, int] = {}

    def close(self) -> None:
        """Break off what is being said."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def ready(self, row: WorkloadRow) -> None:
        """Have the Hub start the server of a ready grant, unless the Hub itself asked for it."""
        if row.starter == "platform":
            self._say(f"start {row.id}", self._start(row))

    def stopping(self, row: WorkloadRow) -> None:
        """Tell the Hub that a server is being stopped, so that it need not find out."""
        if row.kind == "notebook":
            self._say(f"stop {row.id}", self._stop(row.creator, row.server_name))

    def _say(self, name: str, words: Coroutine[Any, Any, None]) -> None:
        if name in self._tasks:
            words.close()
            return
        task = asyncio.create_task(words)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    async def _start(self, row: WorkloadRow) -> None:
        try:
            # The Hub keeps these, and uses all but the grant when the same server is started again.
            chosen = {name: value for name, value in row.request.items() if name != "name" and value}
            await self._hub.start_server(row.creator, row.server_name, options={**chosen, "grant": row.id})
        except Unavailable:
            self._again(row.id, 2.0)
        except Problem as problem:
            detail = problem.detail
            await self._ask_stop(row.id, reason="server_failed", message=f"The Hub could not start it: {detail}")

    async def _stop(self, user: str, server: str) -> None:
        try:
            await self._hub.stop_server(user, server)
        except Problem as problem:
            log.info("the Hub did not stop %s's server '%s': %s", user, server, problem.detail)

    async def _ask_stop(self, workload: str, *, reason: str, message: str) -> None:
        try:
            await self._writes.run(lambda session: changes.ask_stop(session, workload, reason=reason, message=message))
        except LeaseLost:
            return
        self._again(workload, 0)

    async def sync(self) -> None:
        """Compare our notebooks with the Hub's servers: end those the Hub has lost, stop those without leave."""
        async with self._database.read() as session:
            rows = await _notebooks(session)
        try:
            servers = {
                (user.name, name): server
                async for user in self._hub.active_users()
                for name, server in user.servers.items()
            }
        except Problem as problem:
            log.info("the Hub does not list its servers: %s", problem.detail)
            return
        for row in rows:
            await self._compare(row, servers.get((row.creator, row.server_name)))
        self._missed = {row.id: self._missed[row.id] for row in rows if row.id in self._missed}
        known = {(row.creator, row.server_name) for row in rows}
        for (user, name), server in servers.items():
            if (user, name) not in known and server.ready and not server.pending and await self._ours(user, name):
                log.warning("stopping %s's server '%s', which has no grant", user, name)
                self._say(f"stop {user}/{name}", self._stop(user, name))

    async def _compare(self, row: WorkloadRow, server: HubServer | None) -> None:
        if row.phase != "running" or row.target != "run":
            return
        if server is None or server.stopped:
            self._missed[row.id] = self._missed.get(row.id, 0) + 1
            if self._missed[row.id] >= MISSES and not await self._has(row):
                await self._ask_stop(row.id, reason="stopped_by_user", message="The Hub has no such server any more.")
            return
        self._missed.pop(row.id, None)
        idle = (row.plan.get("idle_seconds")) if server.ready else None
        last = _time(server.last_activity) or row.started
        if idle is not None and last is not None and row.started is not None:
            quiet = (utcnow() - max(last, row.started)).total_seconds()
            if quiet > idle:
                await self._ask_stop(row.id, reason="idle", message=f"Nobody has used it for {idle} s.")

    async def _has(self, row: WorkloadRow) -> bool:
        """Ask the Hub for one server that its lists lack; until it answers, the server counts as there."""
        try:
            user = await self._hub.user(row.creator)
        except Problem:
            return True
        server = user.servers.get(row.server_name) if user is not None else None
        return server is not None and not server.stopped

    async def _ours(self, user: str, name: str) -> bool:
        """Tell whether a server was once started with a grant of ours, which has ended."""
        async with self._database.read() as session:
            found = await session.scalar(
                select(WorkloadRow.id)
                .where(
                    WorkloadRow.creator == user,
                    WorkloadRow.kind == "notebook",
                    WorkloadRow.server_name == name,
                    WorkloadRow.phase.in_(ENDED),
                )
                .limit(1)
            )
        return found is not None


async def _notebooks(session: AsyncSession) -> Sequence[WorkloadRow]:
    rows = await session.scalars(select(WorkloadRow).where(WorkloadRow.phase.in_(OPEN), WorkloadRow.kind == "notebook"))
    return rows.all()


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
    except ValueError:
        return None
