"""Reading and following logs, events and metrics; adding metrics."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, NotFound, RangeNotSatisfiable
from pumpkin_services.runtimes.base import Key, Runtime
from pumpkin_services.web import Call, ServerSentEvent
from pumpkin_services.workloads import models as wire
from pumpkin_services.workloads import notebooks, views
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.queries import WorkloadQueries
from pumpkin_services.workloads.records import Point, add_points
from pumpkin_services.workloads.service import WorkloadService
from pumpkin_services.workloads.tables import EventRow, MetricRow, MetricSourceRow, ReplicaRow, WorkloadRow

LOG_CHUNK = 1 << 20
POLL_SECONDS = 2.0
"""How long a lost wake-up can hold up a stream."""
BATCH = 500
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

Fetch = Callable[[AsyncSession, str], Awaitable[Sequence[Any]]]


class WorkloadStreams:
    """Logs come from the runtime, the rest from the database."""

    def __init__(
        self,
        *,
        database: Database,
        service: WorkloadService,
        queries: WorkloadQueries,
        runtime: Runtime,
        wakeups: Wakeups,
    ) -> None:
        self.queries = queries
        self._database = database
        self._service = service
        self._runtime = runtime
        self._wakeups = wakeups

    async def seen(self, call: Call[Any, Any]) -> WorkloadRow:
        """Return the call's workload, if the caller may see it."""
        row = await self._service.visible(call.session, call.principal, workload=call.path["workload"])
        _note(call, row)
        return row

    async def opened(self, call: Call[Any, Any]) -> WorkloadRow:
        """Do the same for a route that opens no session."""
        async with self._database.read() as session:
            row = await self._service.visible(session, call.principal, workload=call.path["workload"])
        _note(call, row)
        return row

    # -- events and metrics -----------------------------------------------------------------------------------

    def follow_events(self, workload: str, *, after: str) -> AsyncIterator[ServerSentEvent]:
        """Yield every event after the id `after`, then `end` once the workload has ended."""

        async def fetch(session: AsyncSession, last: str) -> Sequence[Any]:
            rows = await session.scalars(
                select(EventRow)
                .where(EventRow.workload == workload, EventRow.id > last)
                .order_by(EventRow.id)
                .limit(BATCH)
            )
            return [views.event(row) for row in rows]

        return self._follow(workload, "event", after, fetch)

    def follow_metrics(self, workload: str, *, after: str) -> AsyncIterator[ServerSentEvent]:
        """Yield every point after the id `after`, then `end` once the workload has ended."""

        async def fetch(session: AsyncSession, last: str) -> Sequence[Any]:
            rows = await session.scalars(
                select(MetricRow)
                .where(MetricRow.workload == workload, MetricRow.id > last)
                .order_by(MetricRow.id)
                .limit(BATCH)
            )
            return [views.metric(row) for row in rows]

        return self._follow(workload, "metric", after, fetch)

    async def _follow(
        self, workload: str, kind: str, after: str, fetch: Fetch, *, key: str = "id"
    ) -> AsyncIterator[ServerSentEvent]:
        last = after
        while True:
            async with self._database.read() as session:
                # The phase first: what is added before it says "ended" is then found by the fetch.
                row = await session.get(WorkloadRow, workload)
                found = await fetch(session, last)
            for item in found:
                assert isinstance(item, BaseModel)
                last = str(getattr(item, key))
                yield ServerSentEvent(id=last, event=kind, data=item.model_dump_json())
            if found:
                continue
            if row is None or row.phase in ENDED:
                yield ServerSentEvent(event="end", data=json.dumps({"phase": row.phase if row else "deleted"}))
                return
            await self._wakeups.wait(f"workload:{workload}", timeout=POLL_SECONDS)

    async def add_metrics(self, session: AsyncSession, *, workload: str, lines: wire.MetricLines) -> None:
        """Add what a running workload sends."""
        row = await session.get(WorkloadRow, workload)
        if row is None or row.phase in ENDED:
            raise Conflict("This workload has ended: its metrics are closed.")
        fresh = await _fresh(session, row, lines) if lines.source else lines.lines
        now = time.time()
        points = [
            Point(name=name, step=line.step, value=value, time=now if line.time is None else line.time)
            for line in fresh
            for name, value in line.values.items()
        ]
        await add_points(session, workload=workload, attempt=row.attempt, points=points)

    def follow_cells(self, workload: str, *, after: int) -> AsyncIterator[ServerSentEvent]:
        """Yield every cell that changes after the revision `after`, then `end` once the workload has ended."""

        async def fetch(session: AsyncSession, last: str) -> Sequence[Any]:
            return await notebooks.after(session, workload, int(last), limit=BATCH)

        return self._follow(workload, "cell", str(after), fetch, key="revision")

    def added(self, workload: str) -> None:
        """Wake those who follow."""
        self._wakeups.ring(f"workload:{workload}")

    # -- logs -------------------------------------------------------------------------------------------------

    async def log(self, call: Call[None, wire.LogQuery], row: WorkloadRow) -> AsyncIterator[bytes]:
        """Return the bytes of a log that were asked for, by Range header or by query."""
        key = await self._key(row, replica=call.path["replica"], attempt=call.query.attempt)
        replica = call.path["replica"]
        size = (await self._runtime.read_log(key, replica, offset=0, limit=1)).size
        ranged = call.handler.request.headers.get("Range")
        start, end = _span(ranged, call.query, size)
        if ranged:
            call.handler.set_status(206)
            call.handler.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        call.handler.set_header("Accept-Ranges", "bytes")
        call.handler.set_header("Content-Length", str(end - start))
        call.handler.set_header("X-Log-Offset", str(start))
        call.handler.set_header("X-Log-Size", str(size))
        return self._read(key, replica, start=start, end=end)

    async def _read(self, key: Key, replica: str, *, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            chunk = await self._runtime.read_log(key, replica, offset=start, limit=min(LOG_CHUNK, end - start))
            if not chunk.data:
                return
            start = chunk.end
            yield chunk.data

    async def follow_log(
        self, row: WorkloadRow, *, replica: str, attempt: int | None, offset: int
    ) -> AsyncIterator[ServerSentEvent]:
        """Yield `{"offset", "text"}` as it is written, each with the offset after it as its id; then `end`.

        Waits for a workload that has not started. `offset` below zero counts from the present end.
        """
        key = await self._started(row, replica=replica, attempt=attempt)
        if key is None:
            yield ServerSentEvent(event="end", data=json.dumps({"offset": 0}))
            return
        if offset < 0:
            size = (await self._runtime.read_log(key, replica, offset=0, limit=1)).size
            offset = max(size + offset, 0)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        async for chunk in self._runtime.follow_log(key, replica, offset=offset):
            text = decoder.decode(chunk.data)
            # What ends in the middle of a character is told with the next chunk, and resumed from before it.
            held = len(decoder.getstate()[0])
            if text:
                data = json.dumps({"offset": offset, "text": text}, ensure_ascii=False)
                offset = chunk.end - held
                yield ServerSentEvent(id=str(offset), event="log", data=data)
        yield ServerSentEvent(event="end", data=json.dumps({"offset": offset}))

    async def _started(self, row: WorkloadRow, *, replica: str, attempt: int | None) -> Key | None:
        """Wait for the attempt to be launched; None when the workload ended without one."""
        # While it is being prepared there is no log yet, and what is not there looks as if it had ended.
        while attempt is None and (row.phase == "preparing" or (row.phase == "queued" and row.attempt == 0)):
            await self._wakeups.wait(f"workload:{row.id}", timeout=POLL_SECONDS)
            async with self._database.read() as session:
                found = await session.get(WorkloadRow, row.id)
            if found is None:
                return None
            row = found
        return None if row.attempt == 0 else await self._key(row, replica=replica, attempt=attempt)

    async def _key(self, row: WorkloadRow, *, replica: str, attempt: int | None) -> Key:
        number = attempt or row.attempt
        async with self._database.read() as session:
            found = await session.get(ReplicaRow, (row.id, number, replica))
            if found is None:
                names = (
                    await session.scalars(
                        select(ReplicaRow.name).where(ReplicaRow.workload == row.id, ReplicaRow.attempt == number)
                    )
                ).all()
                raise NotFound(
                    f"Attempt {number} has no replica '{replica[:80]}'"
                    + (f": it has {', '.join(sorted(names)[:10])}." if names else ": it has not started yet."),
                    field="replica",
                )
        return Key(row.id, number)


async def _fresh(session: AsyncSession, row: WorkloadRow, lines: wire.MetricLines) -> list[wire.MetricLine]:
    """Return the lines that were not taken before; how far their file is taken is kept with the points."""
    source = hashlib.sha256(f"sent/{lines.source}".encode()).hexdigest()
    known = await session.get(MetricSourceRow, (row.id, row.attempt, source), with_for_update=True)
    if known is None:
        known = MetricSourceRow(workload=row.id, attempt=row.attempt, source=source, position=0)
        session.add(known)
    taken = known.position
    known.position = max([taken, *(line.position or 0 for line in lines.lines)])
    return [line for line in lines.lines if line.position is None or line.position > taken]


def _span(ranged: str | None, query: wire.LogQuery, size: int) -> tuple[int, int]:
    """Return the bytes asked for as `[start, end)`; raise `RangeNotSatisfiable`."""
    if ranged:
        match = _RANGE.fullmatch(ranged.strip())
        if match is None or not (match[1] or match[2]):
            raise RangeNotSatisfiable("Ask for one range: 'bytes=0-1023', 'bytes=1024-' or 'bytes=-1024'.")
        if match[1]:
            start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
        else:
            start, end = max(size - int(match[2]), 0), size
        if start >= size or start >= end:
            raise RangeNotSatisfiable(f"The log has {size} bytes.", size=size)
        return start, end
    start = min(query.offset, size) if query.offset >= 0 else max(size + query.offset, 0)
    return start, size if query.limit is None else min(start + query.limit, size)


def _note(call: Call[Any, Any], row: WorkloadRow) -> None:
    principal: Principal = call.principal
    if principal.workload is None and row.workspace not in principal.workspaces:
        call.audit |= {"object": row.id, "owner": row.workspace}
