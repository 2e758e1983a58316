"""Queued workloads in the queue of a cluster: put there in our order, started here when the cluster admits them.

Whom we offer (money, limits, holds, whose turn it is) is decided here; what fits where is the cluster's to decide. Only
a window of the line is in its queues, so that admins can still put others before the rest.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.pipeline import changes
from pumpkin_services.pipeline.cluster import ClusterPreparer
from pumpkin_services.pipeline.verdict import Hopeless
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.problems import Problem
from pumpkin_services.runtimes.base import Key, Tickets
from pumpkin_services.workloads import scheduler
from pumpkin_services.workloads.board import Board
from pumpkin_services.workloads.plan import Plan
from pumpkin_services.workloads.scheduler import Candidate, Start
from pumpkin_services.workloads.tables import WorkloadRow

log = logging.getLogger("pumpkin.tickets")
WINDOW = 200
"""Tickets that wait in the queue of one pool at most: enough to fill what becomes free within a second."""
PATIENCE_SECONDS = 120.0
"""A ticket overtaken by later ones for so long closes its pool to new ones, until it has got in."""
AT_ONCE = 16
LOOK_SECONDS = 0.05
"""Between two looks at the line: with a thousand in it each costs as much as some starts."""
BUILD_SECONDS = 1.0
"""Between two looks at an environment that is built."""
STARTS_SECONDS = 1.0
"""How long it is believed that nobody starts whom the cluster has not admitted since."""

Payable = Callable[[AsyncSession, Sequence[Candidate]], Awaitable[list[Candidate]]]


class Offers:
    """Keeps the cluster's queues filled. `payable` leaves out those who cannot be paid."""

    def __init__(
        self,
        *,
        database: Database,
        board: Board,
        tickets: Tickets,
        preparer: ClusterPreparer,
        payable: Payable,
        writes: Writes,
        started: Callable[[], None],
    ) -> None:
        self._database = database
        self._board = board
        self._tickets = tickets
        self._preparer = preparer
        self._payable = payable
        self._writes = writes
        self._started = started
        self._known: dict[Key, bool] = {}
        self._admitted: set[Key] = set()
        self._asked = -STARTS_SECONDS
        """When `starts` was asked last, in monotonic seconds, and who had been admitted then."""
        self._hopeless: set[str] = set()
        self._unbuilt: dict[str, float] = {}
        """When each whose environment is built was looked at last, in monotonic seconds."""
        self._since: dict[str, float] = {}
        """When each that waits was offered first, in monotonic seconds."""
        self._overtaken: set[str] = set()
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """Have the line looked at soon."""
        self._wanted.set()

    async def run(self, pause: float) -> None:
        """Look at the line when woken, and every `pause` seconds."""
        while True:
            try:
                await self.look()
            except Problem as problem:
                log.warning("the cluster's queues are filled later: %s", problem)
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with asyncio.timeout(pause):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()

    def waiting(self) -> set[str]:
        """Return who waits in the cluster's queues."""
        return {key.workload for key, admitted in self._known.items() if not admitted}

    async def due(self) -> bool:
        """Tell whether `starts` is worth asking, which costs as much as the line is long."""
        if self._hopeless or time.monotonic() > self._asked + STARTS_SECONDS:
            return True
        return any(yes and key not in self._admitted for key, yes in (await self._tickets.tickets()).items())

    async def starts(self, candidates: Sequence[Candidate]) -> list[Start]:
        """Return the candidates that start now: those admitted, and those that cannot be offered, to say why."""
        self._known = await self._tickets.tickets()
        self._admitted, self._asked = {key for key, yes in self._known.items() if yes}, time.monotonic()
        self._note_overtaking({key.workload for key in self._admitted})
        return [
            scheduler.everywhere(item)
            for item in candidates
            if self._known.get(_next(item)) or item.id in self._hopeless
        ]

    async def look(self) -> None:
        """Offer who comes next; take back tickets of those who do not wait any more."""
        self._known = await self._tickets.tickets()
        async with self._database.read() as session:
            position = await self._board.position(session, startable=True)
            going = await _going(session)
            caps = await self._board.caps(session, position.candidates)
        waiting = {_next(item): item for item in position.candidates}
        stale = [key for key in self._known if key not in waiting and key not in going]
        offered = {item.id for key, item in waiting.items() if key in self._known}
        await self._each(self._tickets.withdraw, stale)
        built = time.monotonic() - BUILD_SECONDS
        candidates = [item for item in position.candidates if self._unbuilt.get(item.id, 0.0) < built]
        if any(item.price_micro and item.id not in offered for item in candidates):
            candidates = await self._writes.run(lambda session: self._payable(session, candidates))
        chosen = scheduler.offer(
            candidates,
            nodes=position.nodes,
            held=position.held,
            offered=offered,
            window=WINDOW,
            closed=self._closed(candidates, offered),
            caps=caps,
        )
        self._forget(position.candidates)
        await self._each(self._offer, chosen)
        if chosen or any(self._known.get(key) for key in waiting):
            self._started()

    async def _each(self, call: Callable[..., Awaitable[None]], items: Sequence[Key] | Sequence[str]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(item: Key | str) -> None:
            async with gate:
                try:
                    await call(item)
                except Problem as problem:
                    log.warning("%s has to wait: %s", item, problem)

        # Together: Volcano goes by the second of creation, then by name; an order within a second is lost anyway.
        await asyncio.gather(*(one(item) for item in items))

    async def _offer(self, workload: str) -> None:
        async with self._database.read() as session:
            row = await session.get(WorkloadRow, workload)
        if row is None or row.phase != "queued" or row.target != "run" or row.hold:
            return
        try:
            launch = await self._preparer.offered(row, Plan.model_validate(row.plan))
        except Hopeless:
            self._hopeless.add(workload)
            self._started()
            return
        if launch is None:
            if workload not in self._unbuilt:
                await self._writes.run(lambda session: _note_build(session, row))
            self._unbuilt[workload] = time.monotonic()
            return
        await self._tickets.offer(launch)
        self._since.setdefault(workload, time.monotonic())

    # -- who waits too long -----------------------------------------------------------------------------------

    def _note_overtaking(self, admitted: Collection[str]) -> None:
        """Note those who still wait though somebody offered later is in."""
        latest = max((self._since[one] for one in admitted if one in self._since), default=0.0)
        self._overtaken |= {one for one, since in self._since.items() if one not in admitted and since < latest}

    def _closed(self, candidates: Sequence[Candidate], offered: Collection[str]) -> set[str]:
        long_ago = time.monotonic() - PATIENCE_SECONDS
        return {
            item.pool
            for item in candidates
            if item.id in offered and item.id in self._overtaken and self._since.get(item.id, long_ago) <= long_ago
        }

    def _forget(self, candidates: Sequence[Candidate]) -> None:
        there = {item.id for item in candidates}
        self._since = {one: since for one, since in self._since.items() if one in there}
        self._unbuilt = {one: at for one, at in self._unbuilt.items() if one in there}
        self._overtaken &= there
        self._hopeless &= there


def _next(candidate: Candidate) -> Key:
    return Key(candidate.id, candidate.attempt + 1)


async def _note_build(session: AsyncSession, row: WorkloadRow) -> None:
    environment = Plan.model_validate(row.plan).environment_ref
    await changes.note(session, row.id, "waiting", f"Its environment {environment} is being built.")


async def _going(session: AsyncSession) -> set[Key]:
    """Return the keys of what runs or is about to."""
    rows = await session.execute(
        select(WorkloadRow.id, WorkloadRow.attempt).where(WorkloadRow.phase.in_(("preparing", "running", "stopping")))
    )
    return {Key(workload, attempt) for workload, attempt in rows}
