"""The pipeline's loops: while this replica holds the lease it schedules, reconciles, charges, samples and listens."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.hub import HubClient
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.pipeline import changes
from pumpkin_services.pipeline.cluster import Cluster
from pumpkin_services.pipeline.janitor import Janitor
from pumpkin_services.pipeline.kernels import Kernels
from pumpkin_services.pipeline.lease import Lease, LeaseLost
from pumpkin_services.pipeline.loads import Loads
from pumpkin_services.pipeline.metrics import MetricReader
from pumpkin_services.pipeline.notebooks import Notebooks
from pumpkin_services.pipeline.outputs import Models, Outputs
from pumpkin_services.pipeline.prepare import Folders, LocalPreparer, Preparer
from pumpkin_services.pipeline.queue import WorkQueue
from pumpkin_services.pipeline.reclaimer import Reclaimer
from pumpkin_services.pipeline.reconciler import STARTING_SECONDS, Reconciler
from pumpkin_services.pipeline.sampler import Sampler
from pumpkin_services.pipeline.tickets import Offers
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.problems import Problem
from pumpkin_services.runtimes.base import Key, Runtime
from pumpkin_services.schedules.firing import Firing
from pumpkin_services.workloads import scheduler
from pumpkin_services.workloads.board import Board
from pumpkin_services.workloads.ports import Pins, PrincipalOf
from pumpkin_services.workloads.scheduler import Candidate
from pumpkin_services.workloads.service import WorkloadService
from pumpkin_services.workloads.tables import WorkloadRow
from pumpkin_services.workloads.tokens import Tokens

log = logging.getLogger("pumpkin.pipeline")
WORKERS = 16
SCAN_SECONDS = 2.0
"""How long a lost wake-up, or a change made through another replica, can go unseen."""
CHARGE_SECONDS = 30.0
SAMPLE_SECONDS = 5.0
LOAD_SECONDS = 15.0
METRICS_SECONDS = 1.0
SCHEDULES_SECONDS = 1.0
EVENTS_EVERY = 5
"""Every so many looks at metrics, TensorBoard's files are looked for, too."""
HUB_SECONDS = 30.0
JANITOR_SECONDS = 30.0
THIN_SECONDS = 600.0
NODES_SECONDS = 5.0
RECLAIM_SECONDS = 5.0
NO_MONEY = "Waiting for money: the balance or budget of its workspace does not carry it."


@dataclass(frozen=True, kw_only=True)
class PipelineParts:
    """What the pipeline works with."""

    database: Database
    wakeups: Wakeups
    runtime: Runtime
    service: WorkloadService
    schedules: Firing
    board: Board
    billing: BillingService
    pins: Pins
    folders: Folders
    environments: EnvironmentService
    principal_of: PrincipalOf
    models: Models
    tokens: Tokens
    hub: HubClient
    data: Path
    url: str
    """Where workloads reach the Hub's proxy."""
    cluster: Cluster | None = None
    """Whose queue it is when not ours."""
    lease_seconds: float = 10.0
    grant_seconds: float = 120.0
    stop_grace: float = 10.0


class Pipeline:
    """`run` it as long as the service runs; it acts only while it holds the lease."""

    def __init__(self, parts: PipelineParts) -> None:
        self.parts = parts
        self._lease = Lease(parts.database, seconds=parts.lease_seconds)
        self._told_no_money: set[str] = set()
        self._looks = 0
        self._fresh()
        parts.service.on_change = self._hint

    def _fresh(self) -> None:
        """Build what belongs to one tenure."""
        parts = self.parts
        self._queue = WorkQueue()
        self._writes = Writes(parts.database, self._lease)
        self._writes.set_last(self._schedule, self._scheduled)
        preparer = parts.cluster.preparer if parts.cluster is not None else self._local_preparer()
        self._offers = self._make_offers()
        self._reader = MetricReader(
            database=parts.database, writes=self._writes, preparer=preparer, wakeups=parts.wakeups
        )
        self._sampler = Sampler(runtime=parts.runtime, writes=self._writes)
        self._loads = Loads(
            database=parts.database, writes=self._writes, sampler=self._sampler, resources=parts.board.resources
        )
        self._notebooks = Notebooks(
            database=parts.database, writes=self._writes, hub=parts.hub, again=self._queue.add_after
        )
        self._janitor = Janitor(database=parts.database, runtime=parts.runtime, writes=self._writes)
        self._reconciler = Reconciler(
            database=parts.database,
            writes=self._writes,
            runtime=parts.runtime,
            preparer=preparer,
            outputs=Outputs(database=parts.database, preparer=preparer, models=parts.models, reader=self._reader),
            billing=parts.billing,
            pins=parts.pins,
            wakeups=parts.wakeups,
            grace=parts.stop_grace,
            notebooks=self._notebooks,
            again=self._queue.add_after,
            # A cluster tells of each change; only what that misses has to be looked for.
            starting_seconds=STARTING_SECONDS if parts.cluster is None else 1.0,
        )

    def _local_preparer(self) -> Preparer:
        parts = self.parts
        return LocalPreparer(
            data=parts.data,
            environments=parts.environments,
            kernels=Kernels(database=parts.database, environments=parts.environments, principal_of=parts.principal_of),
            folders=parts.folders,
            tokens=parts.tokens,
            url=parts.url,
        )

    def _make_offers(self) -> Offers | None:
        cluster = self.parts.cluster
        if cluster is None:
            return None
        return Offers(
            database=self.parts.database,
            board=self.parts.board,
            tickets=cluster.tickets,
            preparer=cluster.preparer,
            payable=self._payable,
            writes=self._writes,
            started=self._writes.request_last,
        )

    def _reclaimer(self, offers: Offers) -> Reclaimer:
        return Reclaimer(
            database=self.parts.database,
            resources=self.parts.board.resources,
            board=self.parts.board,
            offered=offers.waiting,
            writes=self._writes,
            again=self._queue.add,
        )

    @property
    def leads(self) -> bool:
        """Whether this replica holds the lease."""
        return self._lease.held

    def _hint(self, workload: str, new: bool) -> None:
        if not self._lease.held:
            return
        if not new:
            self._queue.add(workload)
        elif self._offers is not None:
            self._offers.wake()
        else:
            self._writes.request_last()

    async def run(self) -> None:
        """Seek the lease, and act while it is held, until cancelled; then hand it on."""
        try:
            while True:
                if await self._acquire():
                    log.info("this replica runs the pipeline now")
                    await self._tenure()
                    log.warning("this replica does not run the pipeline any more")
                await asyncio.sleep(self.parts.lease_seconds / 3)
        finally:
            await asyncio.shield(self._lease.release())

    async def _acquire(self) -> bool:
        try:
            return await self._lease.acquire()
        except Exception:
            log.exception("the lease cannot be read")
            return False

    async def _tenure(self) -> None:
        self._fresh()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew())
                group.create_task(self._writes.work())
                await self._recover()
                for _ in range(WORKERS):
                    group.create_task(self._worker())
                group.create_task(self._listen())
                if self._offers is not None and self.parts.cluster is not None:
                    group.create_task(self._offers.run(SCAN_SECONDS))
                    group.create_task(self._every(RECLAIM_SECONDS, self._reclaimer(self._offers).look))
                    group.create_task(self._every(NODES_SECONDS, self.parts.cluster.sync))
                for pause, work in (
                    (SCAN_SECONDS, self._scan),
                    (CHARGE_SECONDS, self._charge),
                    (SAMPLE_SECONDS, self._sample),
                    (METRICS_SECONDS, self._metrics),
                    (SCHEDULES_SECONDS, self._fire),
                    (HUB_SECONDS, self._notebooks.sync),
                    (JANITOR_SECONDS, self._janitor.look),
                    (LOAD_SECONDS, self._loads.sample),
                    (THIN_SECONDS, self._sampler.thin),
                    (THIN_SECONDS, self._loads.thin),
                ):
                    group.create_task(self._every(pause, work))
        except* LeaseLost:
            pass
        except* Problem as errors:
            # Taking over needs the disk and the database; when they are away it is tried again.
            log.warning("the pipeline begins again: %s", "; ".join(str(error) for error in errors.exceptions))
        finally:
            self._reconciler.close()
            self._notebooks.close()
            self._queue.close()

    # -- keeping the lease, taking over -----------------------------------------------------------------------

    async def _renew(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(self.parts.lease_seconds / 3)
            try:
                if not await self._lease.acquire():
                    raise LeaseLost
                last = time.monotonic()
            except LeaseLost:
                raise
            except Exception as error:
                # The database may be away for a moment; every write is fenced anyway.
                log.warning("the lease could not be renewed: %s", error)
                if time.monotonic() - last > self.parts.lease_seconds:
                    raise LeaseLost from error

    async def _recover(self) -> None:
        """Look at everything that is not at its end."""
        async with self.parts.database.read() as session:
            active = await session.execute(select(WorkloadRow.id, WorkloadRow.phase).where(WorkloadRow.active))
            for workload, phase in active.all():
                if phase != "queued":
                    self._queue.add(workload)
        self._writes.request_last()

    # -- reconciling ------------------------------------------------------------------------------------------

    async def _worker(self) -> None:
        while True:
            workload = await self._queue.get()
            try:
                await self._reconciler.step(workload)
            except LeaseLost:
                raise
            except Exception as error:
                pause = self._queue.failed(workload)
                log.log(
                    logging.INFO if isinstance(error, Problem) else logging.ERROR,
                    "%s is tried again in %.1f s: %s",
                    workload,
                    pause,
                    error,
                    exc_info=not isinstance(error, Problem),
                )
            else:
                self._queue.done(workload)

    async def _listen(self) -> None:
        while True:
            for key in await self.parts.runtime.wait_change(SCAN_SECONDS):
                self._queue.add(key.workload)

    async def _scan(self) -> None:
        """See what changed without our hearing of it."""
        async with self.parts.database.read() as session:
            changed = await session.scalars(
                select(WorkloadRow.id).where(WorkloadRow.active, WorkloadRow.target != "run")
            )
            for workload in changed:
                self._queue.add(workload)
        self._writes.request_last()
        self._lease.passed()

    # -- scheduling -------------------------------------------------------------------------------------------

    async def _schedule(self, session: AsyncSession) -> list[str]:
        """Start what fits, within the transaction that just freed room or heard of something new."""
        board = self.parts.board
        if await board.full(session) if self._offers is None else not await self._offers.due():
            return []
        position = await board.position(session, startable=True)
        if not position.candidates:
            return []
        if self._offers is not None:
            starts = await self._offers.starts(position.candidates)
        else:
            candidates = await self._payable(session, position.candidates)
            starts = scheduler.schedule(
                candidates,
                nodes=position.nodes,
                held=position.held,
                now=time.time(),
                caps=await board.caps(session, candidates),
            )
        plans = {start.id: board.roles(start.id) for start in starts}
        return await changes.start(session, starts, roles=plans, grant_seconds=self.parts.grant_seconds)

    def _scheduled(self, started: list[str]) -> None:
        if started and self._offers is not None:
            self._offers.wake()
        for workload in started:
            self._told_no_money.discard(workload)
            self._queue.add(workload)
            self.parts.wakeups.ring(f"workload:{workload}")

    async def _payable(self, session: AsyncSession, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Leave out what its workspace cannot pay for now; it waits, and says so."""
        answers: dict[tuple[str, int], bool] = {}
        found: list[Candidate] = []
        for item in candidates:
            question = (item.workspace, item.price_micro)
            if item.price_micro and question not in answers:
                answers[question] = await self.parts.billing.can_start(
                    session, workspace=item.workspace, price_micro=item.price_micro
                )
            if answers.get(question, True):
                found.append(item)
            elif item.id not in self._told_no_money:
                self._told_no_money.add(item.id)
                await session.execute(update(WorkloadRow).where(WorkloadRow.id == item.id).values(message=NO_MONEY))
                await changes.note(session, item.id, "no_money", NO_MONEY)
        return found

    # -- what happens now and then ----------------------------------------------------------------------------

    async def _every(self, pause: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except LeaseLost:
                raise
            except Exception:
                log.exception("a part of the pipeline failed; it is tried again")
            await asyncio.sleep(pause)

    async def _charge(self) -> None:
        now = time.time_ns() // 1_000_000

        async def change(session: AsyncSession) -> None:
            await self.parts.billing.charge_running(session, until_ms=now)

        await self._writes.run(change)

    async def _fire(self) -> None:
        """Submit the jobs of the schedules that are due; what fails for one does not keep the others."""
        for schedule in await self.parts.schedules.due():
            try:
                workload = await self._writes.run(partial(self.parts.schedules.fire, schedule=schedule))
            except LeaseLost:
                raise
            except Exception:
                log.exception("the schedule %s did not get its turn; it is tried again", schedule)
            else:
                if workload:
                    self.parts.service.wake(workload, new=True)

    async def _running(self) -> list[Key]:
        async with self.parts.database.read() as session:
            rows = await session.execute(
                select(WorkloadRow.id, WorkloadRow.attempt).where(WorkloadRow.phase == "running")
            )
            return [Key(workload, attempt) for workload, attempt in rows]

    async def _sample(self) -> None:
        await self._sampler.sample(await self._running())

    async def _metrics(self) -> None:
        self._looks += 1
        for key in await self._running():
            await self._reader.read(key, events=self._looks % EVENTS_EVERY == 0)
