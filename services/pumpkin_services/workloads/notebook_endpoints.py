"""The endpoints of jobs that run notebooks."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pumpkin_services.problems import Forbidden
from pumpkin_services.web import Call, ServerSentEvent
from pumpkin_services.workloads import notebook_models as wire
from pumpkin_services.workloads import notebooks
from pumpkin_services.workloads.service import WorkloadService
from pumpkin_services.workloads.streams import WorkloadStreams


class NotebookRuns:
    """What the job itself, its watchers and the notebook it came from ask for."""

    def __init__(self, service: WorkloadService, streams: WorkloadStreams) -> None:
        self._service = service
        self._streams = streams

    async def list(self, call: Call[None, wire.NotebookRunQuery]) -> wire.NotebookRunPage:
        """GET /workloads/notebook-runs."""
        return await notebooks.runs(call.session, call.principal, query=call.query)

    async def executed(self, call: Call[None, None]) -> wire.NotebookDocument:
        """GET /workloads/{workload}/notebook."""
        return await notebooks.executed(call.session, await self._streams.seen(call))

    async def source(self, call: Call[None, None]) -> wire.NotebookRun:
        """GET /workloads/{workload}/notebook/source."""
        return await notebooks.run_of(call.session, await self._streams.seen(call))

    async def cells(self, call: Call[None, wire.CellQuery]) -> wire.CellPage:
        """GET /workloads/{workload}/cells."""
        return await notebooks.page(call.session, await self._streams.seen(call), query=call.query)

    async def follow(self, call: Call[None, None]) -> AsyncIterator[ServerSentEvent]:
        """GET /workloads/{workload}/cells/stream."""
        row = await self._streams.opened(call)
        sent = call.last_event_id
        after = int(sent) if sent and sent.isascii() and sent.isdigit() and len(sent) < 17 else 0
        return self._streams.follow_cells(row.id, after=after)

    async def take(self, call: Call[wire.CellUpdates, None]) -> None:
        """POST /workloads/{workload}/cells."""
        workload = call.path["workload"]
        if call.principal.workload != workload:
            raise Forbidden("Only the workload itself sends its results: send the token in its PUMPKIN_TOKEN.")
        await notebooks.take(call.session, workload=workload, updates=call.body.cells)
        call.after_commit(lambda: self._streams.added(workload))

    async def land(self, call: Call[None, None]) -> None:
        """POST /workloads/{workload}/landed."""
        row = await self._service.writable(call.session, call.principal, workload=call.path["workload"])
        call.audit |= {"object": row.id, "owner": row.workspace, "name": row.name}
        await notebooks.land(call.session, call.principal, row)
