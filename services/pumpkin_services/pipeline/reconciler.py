"""Moves one workload one step: looks at its row and at what runs, and does what brings the row to its target.

A step may be repeated at any time and after any crash: what it does to the runtime is idempotent per attempt, what it
writes is one transaction that names the phase it starts from.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import Database, utcnow
from pumpkin_services.events import Wakeups
from pumpkin_services.pipeline import changes
from pumpkin_services.pipeline.notebooks import Notebooks
from pumpkin_services.pipeline.outputs import Outputs
from pumpkin_services.pipeline.overdue import POLL_SECONDS, Overdue
from pumpkin_services.pipeline.prepare import Prepared, Preparer
from pumpkin_services.pipeline.verdict import NO_PLACE, Hopeless, Verdict, judge
from pumpkin_services.pipeline.view import View, complete, first_start, look, placed, stopped, unwritten
from pumpkin_services.pipeline.writes import Change, Writes
from pumpkin_services.problems import Problem
from pumpkin_services.runtimes.base import Key, Observation, Runtime
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.notebooks import failure
from pumpkin_services.workloads.ports import Pins
from pumpkin_services.workloads.tables import AttemptRow, ReplicaRow, WorkloadRow

log = logging.getLogger("pumpkin.pipeline")
IN_VAIN = select(func.count()).where(
    AttemptRow.workload == bindparam("of"),
    AttemptRow.number < bindparam("before"),
    or_(and_(AttemptRow.started.is_(None), AttemptRow.reason.in_(NO_PLACE)), AttemptRow.reason == "reclaimed"),
)
PREPARE_PAUSE_SECONDS, PREPARE_PAUSE_LONGEST = 0.5, 30.0
"""How long it is left alone when its inputs could not be had (a full disk, a store that is away): at first, at most."""
PLACE_PAUSE_SECONDS, PLACE_PAUSE_LONGEST = 5.0, 60.0
"""How long what found no place leaves what it held to others, before it asks again: at first, and at most."""
STARTING_SECONDS = 0.05
"""How soon a replica that is just starting is looked at again, should the hint get lost."""


class Reconciler:
    """Does the steps. `again(workload, seconds)` has one looked at again, `grace` is what a stop allows in seconds."""

    def __init__(
        self,
        *,
        database: Database,
        writes: Writes,
        runtime: Runtime,
        preparer: Preparer,
        outputs: Outputs,
        billing: BillingService,
        pins: Pins,
        wakeups: Wakeups,
        grace: float,
        notebooks: Notebooks,
        again: Callable[[str, float], None],
        starting_seconds: float = STARTING_SECONDS,
    ) -> None:
        self._database = database
        self._writes = writes
        self._runtime = runtime
        self._preparer = preparer
        self._outputs = outputs
        self._billing = billing
        self._overdue = Overdue(database=database, billing=billing, grace=grace, again=again)
        self._pins = pins
        self._wakeups = wakeups
        self._grace = grace
        self._notebooks = notebooks
        self._again = again
        self._starting_seconds = starting_seconds
        self._told: dict[Key, str] = {}
        """What each is said to wait for."""
        self._preparing: dict[Key, asyncio.Task[Prepared]] = {}
        self._held_up: dict[Key, tuple[int, float]] = {}
        """How often preparing each has failed in vain, and until when (monotonic) it is left alone."""
        self._launched: set[Key] = set()
        """What this process has launched already; what is not in it is launched again, which does no harm."""

    def close(self) -> None:
        """Break off what is being prepared; whoever holds the lease next begins it anew."""
        for task in self._preparing.values():
            task.cancel()
        self._preparing.clear()

    async def step(self, workload: str) -> None:
        """Look at one workload and move it on."""
        view = await look(self._database, workload)
        if view is None:
            return
        try:
            if view.row.phase in ENDED:
                if view.row.target == "delete":
                    await self._remove(view)
            elif view.row.phase == "queued":
                await self._queued(view)
            elif view.row.phase == "preparing":
                await self._prepare(view)
            elif view.row.phase == "running":
                await self._watch(view)
            else:
                await self._stop(view)
        except changes.Stale:
            self._again(workload, 0)

    async def _write(self, view: View, *parts: Change) -> None:
        """Make the changes in one transaction, then tell those who watch."""

        async def change(session: AsyncSession) -> None:
            for part in parts:
                await part(session)

        await self._writes.run(change)
        self._wakeups.ring(f"workload:{view.row.id}")

    # -- queued, preparing ------------------------------------------------------------------------------------

    async def _queued(self, view: View) -> None:
        """Nothing to do but to be stopped: starting is the scheduler's."""
        if view.row.target == "run":
            self._writes.request_last()
            return
        await self._write(view, self._ending(view, stopped(view.row)))
        await self._ended(view)

    async def _prepare(self, view: View) -> None:
        if view.row.target != "run":
            await self._decide(view, stopped(view.row))
            return
        if view.key in self._launched:
            await self._watch(view)
            return
        try:
            ready = await self._ready(view)
        except Hopeless as error:
            await self._decide(view, error.verdict)
            return
        if view.row.kind == "notebook" and view.row.claim is None and ready is not None:
            await self._await_claim(view)
            return
        if ready is None:
            return
        self._preparer.make_folders(view.key, view.row.creator)
        self._preparing.pop(view.key, None)
        await self._runtime.launch(self._preparer.launch(view.row, view.plan, view.replicas, ready))
        self._launched.add(view.key)
        await self._watch(view)

    async def _ready(self, view: View) -> Prepared | None:
        """Return what was prepared, None while that goes on; a build or a download holds up nobody else."""
        task = self._preparing.get(view.key)
        failures, until = self._held_up.get(view.key, (0, 0.0))
        if task is None:
            if (left := until - time.monotonic()) > 0:
                self._again(view.row.id, left)
                return None
            task = asyncio.create_task(self._preparer.prepare(view.row, view.plan))
            self._preparing[view.key] = task
            # Most is there already: then no time is lost with being called again.
            await asyncio.wait({task}, timeout=0.5)
            if not task.done():
                task.add_done_callback(lambda _: self._again(view.row.id, 0))
                if not failures:
                    await self._tell(view, "preparing", "Preparing its inputs.")
        if not task.done():
            return None
        if task.cancelled():
            self._preparing.pop(view.key, None)
            return None
        error = task.exception()
        if error is not None:
            self._preparing.pop(view.key, None)
        if isinstance(error, Problem):
            pause = min(PREPARE_PAUSE_SECONDS * 2 ** min(failures, 30), PREPARE_PAUSE_LONGEST)
            self._held_up[view.key] = failures + 1, time.monotonic() + pause
            log.info("%s is prepared again in %.1f s: %s", view.row.id, pause, error)
            await self._tell(view, "waiting", error.detail)
            self._again(view.row.id, pause)
            return None
        return task.result()

    async def _await_claim(self, view: View) -> None:
        expires = view.row.not_before
        left = (expires - utcnow()).total_seconds() if expires is not None else 0.0
        if left > 0:
            self._notebooks.ready(view.row)
            self._again(view.row.id, left)
            return
        message = "The server was not started in time, so its place was given to others: ask again."
        await self._decide(view, Verdict(phase="stopped", reason="grant_expired", message=message))

    # -- running ----------------------------------------------------------------------------------------------

    async def _watch(self, view: View) -> None:
        """Write what has become of the replicas; decide when that ends the attempt."""
        seen = await self._observe(view)
        if view.row.phase == "running" and view.row.target != "run":
            self._notebooks.stopping(view.row)
            await self._decide(view, stopped(view.row), seen)
            return
        verdict = judge(view.plan, placed(view), seen)
        if verdict is None:
            verdict = await self._overdue.verdict(view)
        if verdict is not None:
            await self._decide(view, await self._explained(view, verdict), seen)
            return
        changed = unwritten(view, seen)
        began = first_start(seen) if view.row.phase == "preparing" else None
        if changed or began is not None:
            parts: list[Change] = [self._observed(view, changed, seen)]
            if began is not None:
                host = next((item.host for item in seen.values() if item.host), "")
                parts.insert(0, lambda session: changes.running(session, view.row, started=began, host=host))
            await self._write(view, *parts)
            if any(item.final for item in seen.values()):
                self._writes.request_last()
        if began is not None and (view.row.price_micro or view.plan.deadline_seconds is not None):
            self._again(view.row.id, 0)
            await self._overdue.poke_sharers(view.row)
        elif any(item.state in ("starting", "absent") for item in seen.values()):
            if all(item.state == "absent" for item in seen.values()):
                self._launched.discard(view.key)
            await self._tell_waiting(view, seen)
            self._again(view.row.id, self._starting_seconds)
        else:
            self._again(view.row.id, POLL_SECONDS)

    async def _tell_waiting(self, view: View, seen: Mapping[str, Observation]) -> None:
        """Note what it waits for, if that has changed."""
        words = next((item.waiting for item in seen.values() if item.waiting), "")
        if words:
            await self._tell(view, "waiting", words)

    async def _tell(self, view: View, event: str, words: str) -> None:
        """Note an event, if it is not what was said last."""
        if self._told.get(view.key) != words:
            self._told[view.key] = words
            await self._write(view, lambda session: changes.note(session, view.row.id, event, words))

    async def _observe(self, view: View) -> dict[str, Observation]:
        return complete(view, await self._runtime.observe(view.key))

    async def _explained(self, view: View, verdict: Verdict) -> Verdict:
        """Return the verdict in the words of the notebook's cell that failed, if one did."""
        if verdict.reason != "exit_code" or not view.row.notebook:
            return verdict
        async with self._database.read() as session:
            words = await failure(session, view.row.id)
        return verdict if words is None else replace(verdict, message=words)

    async def _decide(self, view: View, verdict: Verdict, seen: Mapping[str, Observation] | None = None) -> None:
        """Write how the attempt ends. If nothing of it is left to stop, all of the end is written at once."""
        if view.row.phase == "preparing":
            task = self._preparing.pop(view.key, None)
            if task is not None:
                task.cancel()
        seen = await self._observe(view) if seen is None else seen
        parts: list[Change] = []
        began = first_start(seen)
        if view.row.phase == "preparing" and began is not None:
            parts.append(lambda session: changes.running(session, view.row, started=began, host=""))
        parts.append(self._observed(view, unwritten(view, seen), seen))
        if all(item.final or item.state == "absent" for item in seen.values()):
            await self._finish(view, verdict, seen, parts)
            return
        parts.append(lambda session: changes.decide(session, view.row, verdict))
        await self._write(view, *parts)
        await self._runtime.stop(view.key, grace=self._grace)
        self._again(view.row.id, POLL_SECONDS)

    # -- stopping, the end ------------------------------------------------------------------------------------

    async def _stop(self, view: View) -> None:
        verdict = view.decided
        assert verdict is not None, f"{view.row.id} is stopping for no reason"
        seen = await self._observe(view)
        if all(item.final or item.state == "absent" for item in seen.values()):
            await self._finish(view, verdict, seen, [self._observed(view, unwritten(view, seen), seen)])
            return
        changed = unwritten(view, seen)
        if changed:
            await self._write(view, self._observed(view, changed, seen))
        await self._runtime.stop(view.key, grace=self._grace)
        self._again(view.row.id, POLL_SECONDS)

    async def _finish(self, view: View, verdict: Verdict, seen: Mapping[str, Observation], parts: list[Change]) -> None:
        """Nothing runs any more: collect what it left, give back what it held, then end it or queue the next try."""
        row, plan = view.row, view.plan
        self._launched.discard(view.key)
        self._told.pop(view.key, None)
        self._held_up.pop(view.key, None)
        unused = any(replica.name not in seen or not seen[replica.name].final for replica in view.replicas)
        parts = [*parts, lambda session: changes.released(session, row, verdict, unused=unused)]
        await self._outputs.collect_metrics(view.key)
        if verdict.phase == "succeeded" and plan.output_model:
            if row.phase != "stopping":
                parts.append(lambda session: changes.decide(session, row, verdict))
            await self._write(view, *parts)
            self._writes.request_last()
            await self._publish(view, verdict)
            return
        began = any(item.started is not None for item in seen.values())
        tries, vain = await self._tries(row) if verdict.retryable and row.target == "run" else (0, 0)
        head = verdict.reason == "reclaimed" or (verdict.reason in NO_PLACE and not began)
        if tries and (head or tries <= plan.retries):
            pause = (
                min(PLACE_PAUSE_SECONDS * 2**vain, PLACE_PAUSE_LONGEST)
                if head
                else plan.backoff_seconds * 2 ** min(tries - 1, 16)
            )
            parts.append(lambda session: changes.requeue(session, row, verdict, pause=pause, head=head))
            self._writes.request_last()
            await self._write(view, *parts)
            self._again(row.id, pause)
            return
        parts.append(self._ending(view, verdict))
        # In the same transaction the next one may get the place that becomes free.
        self._writes.request_last()
        await self._write(view, *parts)
        await self._ended(view)

    async def _tries(self, row: WorkloadRow) -> tuple[int, int]:
        """Return how often it has been tried, this time included, and how many earlier attempts were in vain."""
        async with self._database.read() as session:
            vain = await session.scalar(IN_VAIN, {"of": row.id, "before": row.attempt}) or 0
        return row.attempt - vain, vain

    async def _publish(self, view: View, verdict: Verdict) -> None:
        try:
            published = await self._outputs.publish(view.row, view.plan, verdict.exit_code)
        except Problem as problem:
            if problem.status == 503:
                raise
            message = f"It ran well, but its output could not be kept: {problem.detail}"
            verdict = Verdict(phase="failed", reason="output_failed", message=message, exit_code=verdict.exit_code)
            published = ("", "")
        await self._write(view, self._ending(view, verdict, output=published))
        await self._ended(view)

    async def _ended(self, view: View) -> None:
        await self._preparer.release(view.row.id)
        if view.row.target == "delete":
            self._again(view.row.id, 0)

    async def _remove(self, view: View) -> None:
        """Remove every trace of one that has ended."""
        for attempt in range(1, view.row.attempt + 2):  # the next one may have had a ticket
            await self._runtime.delete(Key(view.row.id, attempt))
        await asyncio.to_thread(shutil.rmtree, self._preparer.output(view.key).parent.parent, ignore_errors=True)
        await self._write(view, lambda session: changes.remove(session, view.row.id))

    # -- parts of transactions --------------------------------------------------------------------------------

    def _observed(self, view: View, changed: Sequence[ReplicaRow], seen: Mapping[str, Observation]) -> Change:
        return lambda session: changes.observed(session, self._billing, view.row, changed, seen)

    def _ending(self, view: View, verdict: Verdict, *, output: tuple[str, str] = ("", "")) -> Change:
        return lambda session: changes.end(session, self._billing, self._pins, view.row, verdict, output=output)
