"""Jobs and notebooks: submit, watch, stop."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

from pumpkin import _ipynb
from pumpkin import _models as models
from pumpkin._async._compat import in_thread
from pumpkin._async.transport import AsyncTransport
from pumpkin._protocol import Event, given
from pumpkin.errors import PumpkinError

ENDED = ("succeeded", "failed", "stopped")
Phase = Literal["queued", "preparing", "running", "stopping", "succeeded", "failed", "stopped"]
_ID = re.compile(r"[0-9A-Za-z]{26}")


class AsyncWorkloads:
    """What jobs and notebooks have in common. A workload is named by its id, or by its name: then the newest one."""

    kind: Literal["job", "notebook"] | None = None

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(
        self,
        *,
        q: str | None = None,
        phase: Sequence[Phase] = (),
        workspace: str | None = None,
        creator: str | None = None,
        label: str | None = None,
        everything: bool | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.WorkloadSummary]:
        """Yield workloads the caller may see, newest first; `everything` is other people's too, for admins."""
        query = {"q": q, "kind": self.kind, "phase": [*phase] or None, "workspace": workspace, "creator": creator}
        query |= {"label": label, "everything": everything or None}
        async for item in self._transport.pages(models.WorkloadSummary, "/workloads", limit=limit, **query):
            yield item

    async def get(self, workload: str) -> models.Workload:
        """Return one in full."""
        return await self._transport.get(models.Workload, await self._path(workload))

    async def update(self, workload: str, *, revision: int | None = None, **changes: Any) -> models.Workload:
        """Change `labels`, `notes`, or the `priority` of a queued one."""
        path = await self._path(workload)
        return await self._transport.change(models.Workload, "PATCH", path, given(**changes), revision=revision)

    async def stop(self, workload: str) -> models.Workload:
        """Ask it to end; it gets a few seconds to clean up."""
        return await self._transport.post(models.Workload, f"{await self._path(workload)}/stop")

    async def delete(self, workload: str) -> None:
        """Stop it and remove every trace, its log included; the model it made stays."""
        await self._transport.delete(await self._path(workload))

    async def batch(self, action: Literal["stop", "delete"], workloads: Sequence[str]) -> models.BatchResult:
        """Stop or delete many (ids); the answer tells what became of each."""
        return await self._transport.post(
            models.BatchResult, "/workloads/batch", {"action": action, "ids": [*workloads]}
        )

    async def events(self, workload: str, *, limit: int | None = None) -> AsyncIterator[models.Event]:
        """Yield what happened to it, newest first."""
        path = await self._path(workload)
        async for item in self._transport.pages(models.Event, f"{path}/events", limit=limit):
            yield item

    async def follow_events(self, workload: str, *, last_id: str | None = None) -> AsyncIterator[models.Event]:
        """Yield what happens to it from the first event (or after `last_id`) to its end, as it happens."""
        path = await self._path(workload)
        async for event in self._transport.events(f"{path}/events/stream", last_id=last_id):
            if event.event != "end":
                yield models.Event.model_validate_json(event.data)

    async def wait(self, workload: str) -> models.Workload:
        """Return it once it has ended."""
        async for _ in self.follow_events(workload):
            pass
        return await self.get(workload)

    async def log(
        self, workload: str, replica: str | None = None, *, attempt: int | None = None, offset: int = 0
    ) -> bytes:
        """Return a replica's log from byte `offset` on (negative: from the end); the main replica's unless named."""
        path, replica = await self._replica(workload, replica)
        query = {"attempt": attempt, "offset": offset or None}
        return (await self._transport.request("GET", f"{path}/logs/{replica}", query=query)).content

    async def follow_log(
        self,
        workload: str,
        replica: str | None = None,
        *,
        attempt: int | None = None,
        offset: int = 0,
        last_id: str | None = None,
    ) -> AsyncIterator[Event]:
        """Yield pieces of a replica's log as they are written, to its end; `data` is text, `id` the byte after it."""
        path, replica = await self._replica(workload, replica)
        query = {"attempt": attempt, "offset": offset or None}
        async for event in self._transport.events(f"{path}/logs/{replica}/stream", query=query, last_id=last_id):
            if event.event != "end":
                yield event

    async def metrics(
        self, workload: str, *, name: str | None = None, attempt: int | None = None
    ) -> AsyncIterator[models.MetricPoint]:
        """Yield all metric values so far, oldest first."""
        path, cursor = await self._path(workload), None
        while True:
            query = {"name": name, "attempt": attempt, "cursor": cursor, "limit": 5000}
            page = await self._transport.get(models.MetricPage, f"{path}/metrics", **query)
            for point in page.items:
                yield point
            if len(page.items) < 5000 or page.next is None:
                return
            cursor = page.next

    async def follow_metrics(self, workload: str, *, last_id: str | None = None) -> AsyncIterator[models.MetricPoint]:
        """Yield metric values from the first (or after `last_id`) to the workload's end, as they are logged."""
        path = await self._path(workload)
        async for event in self._transport.events(f"{path}/metrics/stream", last_id=last_id):
            if event.event != "end":
                yield models.MetricPoint.model_validate_json(event.data)

    async def usage(self, workload: str, *, replica: str | None = None) -> models.UsageSamples:
        """Return samples of the cores, memory and accelerators it used."""
        return await self._transport.get(models.UsageSamples, f"{await self._path(workload)}/usage", replica=replica)

    async def queue(self) -> models.Queue:
        """Return the queue as the caller sees it, and which specs are free now."""
        return await self._transport.get(models.Queue, "/workloads/queue")

    async def resolve(self, workload: str) -> str:
        """Return the id that an id or a name means."""
        if _ID.fullmatch(workload):
            return workload
        async for item in self.list(q=workload):
            if item.name == workload:
                return item.id
        kind = self.kind or "workload"
        raise PumpkinError(f"There is no {kind} '{workload}' that you may see.", reason="not_found", status=404)

    async def _path(self, workload: str) -> str:
        return f"/workloads/{await self.resolve(workload)}"

    async def _replica(self, workload: str, replica: str | None) -> tuple[str, str]:
        path = await self._path(workload)
        if replica is None:
            found = await self._transport.get(models.Workload, path)
            replica = main_replica(found)
        return path, replica


class AsyncJobs(AsyncWorkloads):
    """Training jobs."""

    kind = "job"

    async def submit(
        self,
        name: str,
        command: str | Sequence[str] | None = None,
        *,
        spec: str | None = None,
        environment: str | None = None,
        datasets: Sequence[str] = (),
        algorithm: str | None = None,
        models: Sequence[str] = (),
        output: str | None = None,
        env: Mapping[str, str] | None = None,
        workspace: str | None = None,
        **more: Any,
    ) -> models.Workload:
        """Submit a job; return it, queued.

        `command` is a list that is executed as it is, or a string for `sh -c`. Inputs are references. `output`
        names the model that the output folder becomes. `more` are the other fields of the API's job request
        (`args`, `replicas`, `roles`, `retries`, `deadline_seconds`, `budget_micro`, `priority`, `labels`, …).
        """
        body = self._request(name, command, datasets=datasets, models=models, output=output, env=env)
        fields = given(spec=spec, environment=environment, algorithm=algorithm, workspace=workspace, **more)
        return await self.submit_request(body | fields)

    async def submit_request(self, request: Mapping[str, Any]) -> models.Workload:
        """Submit a job given as the API's job request."""
        return await self._transport.post(models.Workload, "/workloads/jobs", dict(request))

    async def submit_notebook(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        spec: str,
        cells: Sequence[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        output: str | None = None,
        **more: Any,
    ) -> models.Workload:
        """Submit a notebook file as a job; return it, queued. `name` is made from the file's unless given.

        `cells` are the ids of the cells to run, all of them unless given. `parameters` are set by a cell behind the
        one tagged `parameters`. `more` are the other fields of the API's job request (`environment`, `datasets`, …).
        The file is not changed: `notebook` returns it with the outputs.
        """
        run = {"path": _ipynb.home_path(path), "content": await in_thread(_ipynb.read, path)}
        run |= given(cells=None if cells is None else [*cells], parameters=parameters and dict(parameters))
        body = {"name": name or _ipynb.job_name(os.fspath(path)), "spec": spec, "notebook": run}
        return await self.submit_request(body | given(output={"model": output} if output else None, **more))

    async def notebook(self, workload: str) -> dict[str, Any]:
        """Return the notebook a job runs with the results so far, as a document of nbformat 4.5."""
        return (await self._transport.request("GET", f"{await self._path(workload)}/notebook")).json()

    async def cells(self, workload: str) -> AsyncIterator[models.CellResult]:
        """Yield the cells of a job's notebook as they stand, in the order in which they changed."""
        path, after = await self._path(workload), 0
        while True:
            page = await self._transport.get(models.CellPage, f"{path}/cells", after=after)
            for cell in page.items:
                yield cell
            if not page.items:
                return
            after = page.next

    async def follow_cells(self, workload: str, *, last_id: str | None = None) -> AsyncIterator[models.CellResult]:
        """Yield each cell whenever it changes (after the revision `last_id`), whole each time, to the job's end."""
        path = await self._path(workload)
        async for event in self._transport.events(f"{path}/cells/stream", last_id=last_id):
            if event.event != "end":
                yield models.CellResult.model_validate_json(event.data)

    async def submit_yaml(self, text: str) -> models.Workload:
        """Submit a job written as YAML (see `export`)."""
        return await self._transport.post(models.Workload, "/workloads/jobs/yaml", {"yaml": text})

    async def estimate(self, request: Mapping[str, Any]) -> models.Estimate:
        """Tell what a job request would cost and when it would start."""
        return await self._transport.post(models.Estimate, "/workloads/estimate", {"job": dict(request)})

    async def rerun(self, workload: str) -> models.Workload:
        """Submit the same request again, as a new job."""
        return await self._transport.post(models.Workload, f"{await self._path(workload)}/rerun")

    async def request(self, workload: str) -> dict[str, Any]:
        """Return a job's request, to edit and submit again."""
        job = await self.resolve(workload)
        return (await self._transport.request("GET", f"/workloads/jobs/{job}/request")).json()

    async def export(self, workload: str) -> str:
        """Return a job's request as YAML."""
        job = await self.resolve(workload)
        return (await self._transport.get(models.YamlDocument, f"/workloads/jobs/{job}/yaml")).yaml

    def _request(
        self,
        name: str,
        command: str | Sequence[str] | None,
        *,
        datasets: Sequence[str],
        models: Sequence[str],
        output: str | None,
        env: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        words = command if command is None or isinstance(command, str) else [*command]
        body = {"name": name, "datasets": [*datasets], "models": [*models], "env": dict(env or {})}
        return body | given(command=words, output={"model": output} if output else None)


class AsyncNotebooks(AsyncWorkloads):
    """Notebook servers."""

    kind = "notebook"

    async def start(self, name: str = "", *, spec: str, **more: Any) -> models.Workload:
        """Ask for a notebook server; it starts by itself when its turn comes.

        `name` is the Hub's server name, empty for the default server. `more` are the other fields of the API's
        notebook request (`environment`, `datasets`, `algorithm`, `models`, `idle_seconds`, `workspace`).
        """
        return await self._transport.post(
            models.Workload, "/workloads/notebooks", {"name": name, "spec": spec, **given(**more)}
        )

    async def resolve(self, workload: str) -> str:
        """Return the id that an id or a server name means; of servers of one name, the one that is not ended."""
        if _ID.fullmatch(workload):
            return workload
        name = workload or "default"
        found = [item async for item in self.list(q=name, limit=200) if item.name == name]
        alive = [item for item in found if item.phase not in ENDED] or found
        if not alive:
            raise PumpkinError(f"There is no notebook '{name}' that you may see.", reason="not_found", status=404)
        return alive[0].id


def main_replica(workload: models.Workload) -> str:
    """Return the name of the replica whose end is the job's end: its log is the one people mean."""
    request = workload.request
    roles: list[models.Role] = getattr(request, "roles", None) or []
    main = next((role.name for role in roles if role.is_main), roles[0].name if roles else None)
    if main is None and workload.members:
        return workload.members[0].name
    return f"{main or 'main'}-0"
