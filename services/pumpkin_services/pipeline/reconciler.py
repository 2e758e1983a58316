"""Moves one workload one step: looks at its row and at what runs, and does what brings the row to its target.

A step may be repeated at any time and after any crash: what it does to the runtime is idempotent per attempt, what it
writes is one transaction that names the phase it starts from.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import Database, utcnow
from pumpkin_services.events import Wakeups
from pumpkin_services.pipeline import changes
from pumpkin_services.pipeline.notebooks import Notebooks
from pumpkin_services.pipeline.outputs import Outputs
from pumpkin_services.pipeline.prepare import Prepared, Preparer
from pumpkin_services.pipeline.verdict import NO_PLACE, Hopeless, Verdict, judge
from pumpkin_services.pipeline.writes import Change, Writes
from pumpkin_services.problems import Problem
from pumpkin_services.runtimes.base import Key, Observation, Runtime
from pumpkin_services.workloads.models import ENDED, Reason
from pumpkin_services.workloads.notebooks import failure
from pumpkin_services.workloads.plan import Plan
from pumpkin_services.workloads.ports import Pins
from pumpkin_services.workloads.tables import AttemptRow, ReplicaRow, WorkloadRow

log = logging.getLogger("pumpkin.pipeline")
LOOK = select(WorkloadRow).where(WorkloadRow.id == bindparam("of"))
REPLICAS = select(ReplicaRow).where(ReplicaRow.workload == bindparam("of"), ReplicaRow.attempt == bindparam("which"))
IN_VAIN = select(func.count()).where(
    AttemptRow.workload == bindparam("of"),
    AttemptRow.number < bindparam("before"),
    or_(and_(AttemptRow.started.is_(None), AttemptRow.reason.in_(NO_PLACE)), AttemptRow.reason == "reclaimed"),
)
PREPARE_PAUSE_SECONDS, PREPARE_PAUSE_LONGEST = 0.5, 30.0
"""How long it is left alone when its inputs could not be had (a full disk, a store that is away): at first, at most."""
PLACE_PAUSE_SECONDS, PLACE_PAUSE_LONGEST = 5.0, 60.0
"""How long what found no place leaves what it held to others, before it asks again: at first, and at most."""
POLL_SECONDS = 5.0
"""How often a running workload is looked at without having been heard of."""
STARTING_SECONDS = 0.05
"""How soon a replica that is just starting is looked at again, should the hint get lost."""
MONEY_MARGIN_MS = 1500
"""Budgets end so much earlier, for the time it takes to notice and to stop."""
STOPS: dict[str, tuple[Reason, str]] = {
    "stopped_by_user": ("stopped_by_user", "It was stopped."),
    "stopped_by_admin": ("stopped_by_admin", "An admin stopped it."),
    "frozen": ("stopped_by_admin", "It was stopped because an admin froze its user's account."),
    "idle": ("idle", "It was stopped because nobody had used it for a while."),
    "server_failed": ("server_failed", "The Hub could not start the server: see the events."),
}


@dataclass(frozen=True, kw_only=True)
class View:
    """One workload's rows as a step sees them."""

    row: WorkloadRow
    plan: Plan
    attempt: AttemptRow | None
    replicas: Sequence[ReplicaRow]

    @property
    def key(self) -> Key:
        """The runtime's key of the present attempt."""
        return Key(self.row.id, self.row.attempt)

    @property
    def decided(self) -> Verdict | None:
        """How the attempt ends, if that is decided."""
        if self.attempt is None or self.attempt.phase not in ENDED:
            return None
        return Verdict(
            phase=self.attempt.phase,  # pyright: ignore[reportArgumentType]
            reason=self.attempt.reason,  # pyright: ignore[reportArgumentType]
            message=self.attempt.message,
            exit_code=self.attempt.exit_code,
        )


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
        view = await self._look(workload)
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

    async def _look(self, workload: str) -> View | None:
        async with self._database.read() as session:
            row = await session.scalar(LOOK, {"of": workload})
            if row is None:
                return None
            attempt: AttemptRow | None = None
            replicas: Sequence[ReplicaRow] = ()
            if row.attempt and row.phase not in (*ENDED, "queued"):
                # Asked for only where it matters: most steps are of short jobs, and there are many of those.
                if row.phase == "stopping" or "deadline_seconds" in row.request:
                    attempt = await session.get(AttemptRow, (workload, row.attempt))
                replicas = (await session.scalars(REPLICAS, {"of": workload, "which": row.attempt})).all()
        return View(row=row, plan=Plan.model_validate(row.plan), attempt=attempt, replicas=replicas)

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
        await self._write(view, self._ending(view, _stopped(view.row)))
        await self._ended(view)

    async def _prepare(self, view: View) -> None:
        if view.row.target != "run":
            await self._decide(view, _stopped(view.row))
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
            await self._decide(view, _stopped(view.row), seen)
            return
        verdict = judge(view.plan, _placed(view), seen)
        if verdict is None:
            verdict = await self._overdue(view)
        if verdict is not None:
            await self._decide(view, await self._explained(view, verdict), seen)
            return
        changed = _changed(view, seen)
        began = _began(seen) if view.row.phase == "preparing" else None
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
            await self._poke_sharers(view.row)
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
        return _complete(view, await self._runtime.observe(view.key))

    async def _explained(self, view: View, verdict: Verdict) -> Verdict:
        """Return the verdict in the words of the notebook's cell that failed, if one did."""
        if verdict.reason != "exit_code" or not view.row.notebook:
            return verdict
        async with self._database.read() as session:
            words = await failure(session, view.row.id)
        return verdict if words is None else replace(verdict, message=words)

    async def _overdue(self, view: View) -> Verdict | None:
        """Return the verdict on one that has run long enough or cost enough; else have it looked at in time."""
        if view.row.phase != "running":
            return None
        limit = view.plan.deadline_seconds
        if limit is not None and view.attempt is not None and view.attempt.started is not None:
            left = limit - (utcnow() - view.attempt.started).total_seconds()
            if left <= 0:
                message = f"It ran for its deadline of {limit} s: give it a longer one, or less to do."
                return Verdict(phase="failed", reason="deadline", message=message)
            self._again(view.row.id, left)
        return await self._overspent(view) if view.row.price_micro else None

    async def _poke_sharers(self, row: WorkloadRow) -> None:
        """Have those looked at whose money now lasts less long."""
        if not row.price_micro:
            return
        async with self._database.read() as session:
            others = await session.scalars(
                select(WorkloadRow.id).where(
                    WorkloadRow.workspace == row.workspace,
                    WorkloadRow.phase == "running",
                    WorkloadRow.price_micro > 0,
                )
            )
            for other in others:
                self._again(other, 0)

    async def _overspent(self, view: View) -> Verdict | None:
        grace = int(self._grace * 1000) + MONEY_MARGIN_MS
        async with self._database.read() as session:
            until = await self._billing.deadline_ms(session, workspace=view.row.workspace, grace_ms=grace)
            own = None
            if view.plan.budget_micro is not None:
                own = await self._billing.workload_deadline_ms(
                    session, workload=view.row.id, budget_micro=view.plan.budget_micro, grace_ms=grace
                )
        now = time.time_ns() // 1_000_000
        if own is not None and own <= now:
            return Verdict(phase="stopped", reason="budget", message="Its budget is spent: raise it and run it again.")
        if until is not None and until <= now:
            message = f"The money of '{view.row.workspace}' is spent: ask an admin to recharge it, then run it again."
            return Verdict(phase="stopped", reason="balance", message=message)
        for limit in (own, until):
            if limit is not None:
                self._again(view.row.id, min((limit - now) / 1000, POLL_SECONDS))
        return None

    async def _decide(self, view: View, verdict: Verdict, seen: Mapping[str, Observation] | None = None) -> None:
        """Write how the attempt ends. If nothing of it is left to stop, all of the end is written at once."""
        if view.row.phase == "preparing":
            task = self._preparing.pop(view.key, None)
            if task is not None:
                task.cancel()
        seen = await self._observe(view) if seen is None else seen
        parts: list[Change] = []
        began = _began(seen)
        if view.row.phase == "preparing" and began is not None:
            parts.append(lambda session: changes.running(session, view.row, started=began, host=""))
        parts.append(self._observed(view, _changed(view, seen), seen))
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
            await self._finish(view, verdict, seen, [self._observed(view, _changed(view, seen), seen)])
            return
        changed = _changed(view, seen)
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


def _stopped(row: WorkloadRow) -> Verdict:
    reason, message = STOPS.get(row.stop_reason, STOPS["stopped_by_user"])
    if row.stop_note:
        message = f"{message.rstrip('.')}: {row.stop_note}"
    return Verdict(phase="stopped", reason=reason, message=message)


def _placed(view: View) -> dict[str, list[str]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for replica in sorted(view.replicas, key=lambda item: item.index):
        names[replica.role].append(replica.name)
    return names


def _complete(view: View, seen: Mapping[str, Observation]) -> dict[str, Observation]:
    """Add what the runtime knows nothing of: once it ran, that is a loss (somebody removed its folder)."""
    known = dict(seen)
    for replica in view.replicas:
        item = known.get(replica.name)
        if replica.started_ms is not None and (item is None or item.state == "absent"):
            known[replica.name] = Observation(
                replica=replica.name,
                state="lost",
                started=replica.started_ms,
                ended=replica.ended_ms or time.time_ns() // 1_000_000,
            )
    return known


def _changed(view: View, seen: Mapping[str, Observation]) -> list[ReplicaRow]:
    """Return the replicas whose rows do not say yet what is true."""
    found: list[ReplicaRow] = []
    for replica in view.replicas:
        item = seen.get(replica.name)
        if item is not None and item.state not in ("absent", "starting") and item.state != replica.state:
            found.append(replica)
    return found


def _began(seen: Mapping[str, Observation]) -> datetime | None:
    """Return when the first replica began, None while none has."""
    times = [item.started for item in seen.values() if item.started is not None]
    return datetime.fromtimestamp(min(times) / 1000, UTC) if times else None
