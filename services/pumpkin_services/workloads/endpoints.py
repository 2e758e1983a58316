"""The endpoints behind the routes: unpack a call, ask the service, wake the pipeline once it is committed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pumpkin_services.problems import Forbidden
from pumpkin_services.web import Call, PageQuery, ServerSentEvent
from pumpkin_services.workloads import models as wire
from pumpkin_services.workloads import notebooks
from pumpkin_services.workloads.grants import GrantService
from pumpkin_services.workloads.queries import WorkloadQueries
from pumpkin_services.workloads.service import WorkloadService, job_yaml
from pumpkin_services.workloads.streams import WorkloadStreams
from pumpkin_services.workloads.tables import WorkloadRow


class Endpoints:
    """Asking for workloads, looking at them, changing them."""

    def __init__(self, service: WorkloadService, queries: WorkloadQueries) -> None:
        self._service = service
        self._queries = queries

    async def submit_job(self, call: Call[wire.JobRequest, None]) -> wire.Workload:
        """POST /workloads/jobs."""
        return await self._made(
            call, await self._service.submit_job(call.session, call.principal, request=call.body), new=True
        )

    async def submit_yaml(self, call: Call[wire.YamlDocument, None]) -> wire.Workload:
        """POST /workloads/jobs/yaml."""
        return await self._made(
            call, await self._service.submit_yaml(call.session, call.principal, text=call.body.yaml), new=True
        )

    async def submit_notebook(self, call: Call[wire.NotebookRequest, None]) -> wire.Workload:
        """POST /workloads/notebooks."""
        return await self._made(
            call, await self._service.submit_notebook(call.session, call.principal, request=call.body), new=True
        )

    async def rerun(self, call: Call[None, None]) -> wire.Workload:
        """POST /workloads/{workload}/rerun."""
        return await self._made(
            call, await self._service.rerun(call.session, call.principal, workload=call.path["workload"]), new=True
        )

    async def estimate(self, call: Call[wire.EstimateRequest, None]) -> wire.Estimate:
        """POST /workloads/estimate."""
        return await self._queries.estimate(call.session, call.principal, request=call.body)

    async def list(self, call: Call[None, wire.WorkloadQuery]) -> wire.WorkloadPage:
        """GET /workloads."""
        if call.query.everything:
            call.audit["object"] = "workloads"
        return await self._queries.list(call.session, call.principal, query=call.query)

    async def queue(self, call: Call[None, None]) -> wire.Queue:
        """GET /workloads/queue."""
        return await self._queries.queue(call.session, call.principal)

    async def get(self, call: Call[None, None]) -> wire.Workload:
        """GET /workloads/{workload}."""
        return await self._queries.detail(call.session, await self._seen(call))

    async def request(self, call: Call[None, None]) -> wire.JobRequest:
        """GET /workloads/jobs/{workload}/request."""
        return await notebooks.request_of(call.session, await self._seen(call))

    async def yaml(self, call: Call[None, None]) -> wire.YamlDocument:
        """GET /workloads/jobs/{workload}/yaml."""
        return wire.YamlDocument(yaml=job_yaml(await notebooks.request_of(call.session, await self._seen(call))))

    async def edit(self, call: Call[wire.WorkloadPatch, None]) -> wire.Workload:
        """PATCH /workloads/{workload}."""
        row = await self._service.edit(
            call.session,
            call.principal,
            workload=call.path["workload"],
            patch=call.body,
            if_match=call.if_match,
        )
        return await self._made(call, row)

    async def stop(self, call: Call[wire.Stop, None]) -> wire.Workload:
        """POST /workloads/{workload}/stop."""
        if call.body.reason:
            call.audit["reason"] = call.body.reason
        row = await self._service.stop(
            call.session, call.principal, workload=call.path["workload"], note=call.body.reason
        )
        return await self._made(call, row)

    async def delete(self, call: Call[None, None]) -> None:
        """DELETE /workloads/{workload}."""
        row = await self._service.delete(
            call.session, call.principal, workload=call.path["workload"], if_match=call.if_match
        )
        self._noted(call, row)

    async def batch(self, call: Call[wire.Batch, None]) -> wire.BatchResult:
        """POST /workloads/batch."""
        result = await self._service.batch(call.session, call.principal, batch=call.body)
        done = [item.id for item in result.items if item.done]
        call.audit |= {"object": f"{len(done)} workloads", "action": call.body.action, "ids": done}
        if call.body.reason:
            call.audit["reason"] = call.body.reason
        call.after_commit(lambda: [self._service.wake(workload) for workload in done] and None)
        return result

    async def _seen(self, call: Call[Any, Any]) -> WorkloadRow:
        row = await self._service.visible(call.session, call.principal, workload=call.path["workload"])
        note_foreign(call, row)
        return row

    async def _made(self, call: Call[Any, Any], row: WorkloadRow, *, new: bool = False) -> wire.Workload:
        self._noted(call, row, new=new)
        return await self._queries.detail(call.session, row)

    def _noted(self, call: Call[Any, Any], row: WorkloadRow, *, new: bool = False) -> None:
        call.audit |= {"object": row.id, "owner": row.workspace, "name": row.name}
        call.after_commit(lambda: self._service.wake(row.id, new=new))


class Streams:
    """What a workload leaves while it runs: events, logs, metrics, usage."""

    def __init__(self, streams: WorkloadStreams) -> None:
        self._streams = streams

    async def events(self, call: Call[None, PageQuery]) -> wire.EventPage:
        """GET /workloads/{workload}/events."""
        row = await self._streams.seen(call)
        return await self._streams.queries.events(call.session, workload=row.id, query=call.query)

    async def metrics(self, call: Call[None, wire.MetricQuery]) -> wire.MetricPage:
        """GET /workloads/{workload}/metrics."""
        row = await self._streams.seen(call)
        return await self._streams.queries.metrics(call.session, workload=row.id, query=call.query)

    async def usage(self, call: Call[None, wire.UsageQuery]) -> wire.UsageSamples:
        """GET /workloads/{workload}/usage."""
        row = await self._streams.seen(call)
        return await self._streams.queries.usage(call.session, row, query=call.query)

    async def log_metrics(self, call: Call[wire.MetricLines, None]) -> None:
        """POST /workloads/{workload}/metrics."""
        workload = call.path["workload"]
        if call.principal.workload != workload:
            raise Forbidden("Only the workload itself logs its metrics: send the token in its PUMPKIN_TOKEN.")
        await self._streams.add_metrics(call.session, workload=workload, lines=call.body)
        call.after_commit(lambda: self._streams.added(workload))

    async def follow_events(self, call: Call[None, None]) -> AsyncIterator[ServerSentEvent]:
        """GET /workloads/{workload}/events/stream."""
        row = await self._streams.opened(call)
        return self._streams.follow_events(row.id, after=call.last_event_id or "")

    async def follow_metrics(self, call: Call[None, None]) -> AsyncIterator[ServerSentEvent]:
        """GET /workloads/{workload}/metrics/stream."""
        row = await self._streams.opened(call)
        return self._streams.follow_metrics(row.id, after=call.last_event_id or "")

    async def follow_log(self, call: Call[None, wire.FollowQuery]) -> AsyncIterator[ServerSentEvent]:
        """GET /workloads/{workload}/logs/{replica}/stream."""
        row = await self._streams.opened(call)
        sent = call.last_event_id
        offset = int(sent) if sent and sent.isascii() and sent.isdigit() else call.query.offset
        return self._streams.follow_log(row, replica=call.path["replica"], attempt=call.query.attempt, offset=offset)

    async def log(self, call: Call[None, wire.LogQuery]) -> AsyncIterator[bytes]:
        """GET /workloads/{workload}/logs/{replica}."""
        row = await self._streams.opened(call)
        return await self._streams.log(call, row)


class Grants:
    """The spawners' side."""

    def __init__(self, grants: GrantService) -> None:
        self._grants = grants

    async def ask(self, call: Call[wire.GrantRequest, None]) -> wire.Grant:
        """POST /workloads/grants."""
        grant = await self._grants.ask(call.body)
        call.audit |= {"object": grant.workload, "owner": call.body.user, "state": grant.state}
        return grant

    async def claim(self, call: Call[wire.Claim, None]) -> wire.Grant:
        """POST /workloads/grants/{workload}/claim."""
        return await self._grants.claim(call.path["workload"], call.body)

    async def get(self, call: Call[None, None]) -> wire.Grant:
        """GET /workloads/grants/{workload}."""
        return await self._grants.get(call.path["workload"])

    async def pod(self, call: Call[None, None]) -> wire.Pod:
        """GET /workloads/grants/{workload}/pod."""
        return await self._grants.pod(call.path["workload"])

    async def release(self, call: Call[None, None]) -> None:
        """DELETE /workloads/grants/{workload}."""
        await self._grants.release(call.path["workload"])


def note_foreign(call: Call[Any, Any], row: WorkloadRow) -> None:
    """Have an admin's look at somebody else's workload written to the audit log."""
    if call.principal.workload is None and row.workspace not in call.principal.workspaces:
        call.audit |= {"object": row.id, "owner": row.workspace}
