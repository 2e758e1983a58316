"""The routes of workloads, notebooks' grants included."""

from __future__ import annotations

from typing import Any

from pumpkin_services.web import PageQuery, Route
from pumpkin_services.workloads import models as wire
from pumpkin_services.workloads import notebook_models as notebook
from pumpkin_services.workloads.endpoints import Endpoints, Grants, Streams
from pumpkin_services.workloads.environments import EnvironmentFiles
from pumpkin_services.workloads.glance import glance_route
from pumpkin_services.workloads.grants import GrantService
from pumpkin_services.workloads.notebook_endpoints import NotebookRuns
from pumpkin_services.workloads.outputs import OutputService
from pumpkin_services.workloads.queries import WorkloadQueries
from pumpkin_services.workloads.service import WorkloadService
from pumpkin_services.workloads.streams import WorkloadStreams

MAX_JOB = 12 << 20
"""Bytes of a body that carries a notebook, or what came out of its cells."""


def routes(
    service: WorkloadService,
    *,
    queries: WorkloadQueries,
    streams: WorkloadStreams,
    grants: GrantService,
    outputs: OutputService,
    environments: EnvironmentFiles,
) -> list[Route]:
    """Return the routes below `/workloads`."""
    return [
        *_submit(Endpoints(service, queries)),
        *_manage(Endpoints(service, queries)),
        glance_route(queries),
        *_watch(Streams(streams)),
        Route(method="PUT", path="/workloads/{workload}/outputs/{replica}",
              summary="Send what a replica of a running workload leaves, a tar", scope="workloads:write",
              owner="workload", endpoint=outputs.take, upload=True, session=False),
        Route(method="GET", path="/workloads/{workload}/environment",
              summary="Read the environment a workload runs in, a tar", scope="workloads:read",
              owner="workload", endpoint=environments.send, streams="application/x-tar", session=False),
        *_notebooks(NotebookRuns(service, streams)),
        *_grants(Grants(grants)),
    ]  # fmt: skip


def _submit(do: Endpoints) -> list[Route]:
    member: dict[str, Any] = {"scope": "workloads:write", "owner": "member"}
    return [
        Route(method="POST", path="/workloads/jobs", summary="Submit a job", endpoint=do.submit_job,
              request=wire.JobRequest, response=wire.Workload, status=201, max_body=MAX_JOB, **member),
        Route(method="POST", path="/workloads/jobs/yaml", summary="Submit a job written as YAML",
              endpoint=do.submit_yaml, request=wire.YamlDocument, response=wire.Workload, status=201, **member),
        Route(method="POST", path="/workloads/notebooks", summary="Ask for a notebook server",
              endpoint=do.submit_notebook, request=wire.NotebookRequest, response=wire.Workload, status=201, **member),
        Route(method="POST", path="/workloads/estimate", summary="Tell what a request costs and when it would start",
              endpoint=do.estimate, request=wire.EstimateRequest, response=wire.Estimate, asks=True,
              **member),
        Route(method="POST", path="/workloads/{workload}/rerun", summary="Submit the same request again",
              endpoint=do.rerun, response=wire.Workload, status=201, **member),
    ]  # fmt: skip


def _manage(do: Endpoints) -> list[Route]:
    read: dict[str, Any] = {"method": "GET", "scope": "workloads:read", "owner": "visible"}
    write: dict[str, Any] = {"scope": "workloads:write", "owner": "member"}
    return [
        Route(path="/workloads", summary="List workloads, newest first", endpoint=do.list,
              query=wire.WorkloadQuery, response=wire.WorkloadPage, **read),
        Route(path="/workloads/queue", summary="Show the queue and what is free", endpoint=do.queue,
              response=wire.Queue, **read),
        Route(path="/workloads/{workload}", summary="Show a workload", endpoint=do.get, response=wire.Workload, **read),
        Route(path="/workloads/jobs/{workload}/request", summary="Return a job's request, to edit and submit again",
              endpoint=do.request, response=wire.JobRequest, **read),
        Route(path="/workloads/jobs/{workload}/yaml", summary="Return a job's request as YAML", endpoint=do.yaml,
              response=wire.YamlDocument, **read),
        Route(method="PATCH", path="/workloads/{workload}", summary="Change labels, notes or a queued one's priority",
              endpoint=do.edit, request=wire.WorkloadPatch, response=wire.Workload, **write),
        Route(method="POST", path="/workloads/{workload}/stop", summary="Stop a workload", endpoint=do.stop,
              request=wire.Stop, optional_body=True, response=wire.Workload, **write),
        Route(method="DELETE", path="/workloads/{workload}", summary="Stop a workload and remove every trace of it",
              endpoint=do.delete, **write),
        Route(method="POST", path="/workloads/batch", summary="Stop or delete many workloads", endpoint=do.batch,
              request=wire.Batch, response=wire.BatchResult, **write),
    ]  # fmt: skip


def _watch(do: Streams) -> list[Route]:
    read: dict[str, Any] = {"method": "GET", "scope": "workloads:read", "owner": "visible"}
    stream: dict[str, Any] = {**read, "session": False, "streams": "text/event-stream"}
    return [
        Route(path="/workloads/{workload}/events", summary="List a workload's events, newest first",
              endpoint=do.events, query=PageQuery, response=wire.EventPage, **read),
        Route(path="/workloads/{workload}/events/stream", summary="Follow a workload's events from the first",
              endpoint=do.follow_events, **stream),
        Route(path="/workloads/{workload}/logs/{replica}", summary="Read a replica's log, or a range of it",
              endpoint=do.log, query=wire.LogQuery, session=False, streams="text/plain; charset=utf-8", **read),
        Route(path="/workloads/{workload}/logs/{replica}/stream", summary="Follow a replica's log",
              endpoint=do.follow_log, query=wire.FollowQuery, **stream),
        Route(path="/workloads/{workload}/metrics", summary="List a workload's metrics, oldest first",
              endpoint=do.metrics, query=wire.MetricQuery, response=wire.MetricPage, **read),
        Route(path="/workloads/{workload}/metrics/stream", summary="Follow a workload's metrics from the first",
              endpoint=do.follow_metrics, **stream),
        Route(method="POST", path="/workloads/{workload}/metrics", summary="Log metrics of a running workload",
              scope="workloads:write", owner="workload", endpoint=do.log_metrics, request=wire.MetricLines,
              audited=False),
        Route(path="/workloads/{workload}/usage", summary="List what a workload's replicas used",
              endpoint=do.usage, query=wire.UsageQuery, response=wire.UsageSamples, **read),
    ]  # fmt: skip


def _notebooks(do: NotebookRuns) -> list[Route]:
    read: dict[str, Any] = {"method": "GET", "scope": "workloads:read", "owner": "visible"}
    return [
        Route(path="/workloads/notebook-runs", summary="List one's own jobs that run notebooks, newest first",
              endpoint=do.list, query=notebook.NotebookRunQuery, response=notebook.NotebookRunPage, **read),
        Route(path="/workloads/{workload}/notebook", summary="Return a job's notebook with the results so far",
              endpoint=do.executed, response=notebook.NotebookDocument, **read),
        Route(path="/workloads/{workload}/notebook/source", summary="Return a job's notebook as it was sent",
              endpoint=do.source, response=notebook.NotebookRun, **read),
        Route(path="/workloads/{workload}/cells", summary="List a job's cells in the order they changed",
              endpoint=do.cells, query=notebook.CellQuery, response=notebook.CellPage, **read),
        Route(path="/workloads/{workload}/cells/stream", summary="Follow what becomes of a job's cells",
              endpoint=do.follow, session=False, streams="text/event-stream", **read),
        Route(method="POST", path="/workloads/{workload}/cells", summary="Send results of a running job's cells",
              scope="workloads:write", owner="workload", endpoint=do.take, request=notebook.CellUpdates,
              max_body=MAX_JOB, audited=False),
        Route(method="POST", path="/workloads/{workload}/landed",
              summary="Mark a job's results as put into the notebook they came from",
              scope="workloads:write", owner="member", endpoint=do.land),
    ]  # fmt: skip


def _grants(do: Grants) -> list[Route]:
    hub: dict[str, Any] = {"scope": "grants", "owner": "service"}
    return [
        Route(method="POST", path="/workloads/grants", summary="Ask leave to start a notebook server",
              endpoint=do.ask, request=wire.GrantRequest, response=wire.Grant, session=False, **hub),
        Route(method="POST", path="/workloads/grants/{workload}/claim", summary="Start the server of a ready grant",
              endpoint=do.claim, request=wire.Claim, response=wire.Grant, session=False, **hub),
        Route(method="GET", path="/workloads/grants/{workload}", summary="Tell how a grant stands",
              endpoint=do.get, response=wire.Grant, session=False, **hub),
        Route(method="GET", path="/workloads/grants/{workload}/pod", summary="Tell what pod a ready grant's server is",
              endpoint=do.pod, response=wire.Pod, session=False, **hub),
        Route(method="DELETE", path="/workloads/grants/{workload}", summary="Stop the server and give the grant back",
              endpoint=do.release, session=False, **hub),
    ]  # fmt: skip
