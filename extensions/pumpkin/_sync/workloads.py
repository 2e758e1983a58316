# Made from pumpkin/_async/workloads.py by `make models`; change that file, not this one.
"""Jobs and notebooks: submit, watch, stop."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pumpkin import _ipynb
from pumpkin import _models as models
from pumpkin._protocol import Event, given
from pumpkin._sync._compat import in_thread
from pumpkin._sync.transport import Transport
from pumpkin.errors import PumpkinError

ENDED = ("succeeded", "failed", "stopped")
Phase = Literal["queued", "preparing", "running", "stopping", "succeeded", "failed", "stopped"]
_ID = re.compile(r"[0-9A-Za-z]{26}")


class Workloads:
    """What jobs and notebooks have in common. A workload is named by its id, or by its name: then the newest one."""

    kind: Literal["job", "notebook"] | None = None

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        q: str | None = None,
        phase: Sequence[Phase] = (),
        workspace: str | None = None,
        creator: str | None = None,
        label: str | None = None,
        everything: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[models.WorkloadSummary]:
        """Yield workloads the caller may see, newest first; `everything` is other people's too, for admins."""
        query = {"q": q, "kind": self.kind, "phase": [*phase] or None, "workspace": workspace, "creator": creator}
        query |= {"label": label, "everything": everything or None}
        yield from self._transport.pages(models.WorkloadSummary, "/workloads", limit=limit, **query)

    def get(self, workload: str) -> models.Workload:
        """Return one in full."""
        return self._transport.get(models.Workload, self._path(workload))

    def update(self, workload: str, *, revision: int | None = None, **changes: Any) -> models.Workload:
        """Change `labels`, `notes`, or the `priority` of a queued one."""
        path = self._path(workload)
        return self._transport.change(models.Workload, "PATCH", path, given(**changes), revision=revision)

    def stop(self, workload: str) -> models.Workload:
        """Ask it to end; it gets a few seconds to clean up."""
        return self._transport.post(models.Workload, f"{self._path(workload)}/stop")

    def delete(self, workload: str) -> None:
        """Stop it and remove every trace, its log included; the model it made stays."""
        self._transport.delete(self._path(workload))

    def batch(self, action: Literal["stop", "delete"], workloads: Sequence[str]) -> models.BatchResult:
        """Stop or delete many (ids); the answer tells what became of each."""
        return self._transport.post(models.BatchResult, "/workloads/batch", {"action": action, "ids": [*workloads]})

    def events(self, workload: str, *, limit: int | None = None) -> Iterator[models.Event]:
        """Yield what happened to it, newest first."""
        path = self._path(workload)
        yield from self._transport.pages(models.Event, f"{path}/events", limit=limit)

    def follow_events(self, workload: str, *, last_id: str | None = None) -> Iterator[models.Event]:
        """Yield what happens to it from the first event (or after `last_id`) to its end, as it happens."""
        path = self._path(workload)
        for event in self._transport.events(f"{path}/events/stream", last_id=last_id):
            if event.event != "end":
                yield models.Event.model_validate_json(event.data)

    def wait(self, workload: str) -> models.Workload:
        """Return it once it has ended."""
        for _ in self.follow_events(workload):
            pass
        return self.get(workload)

    def log(self, workload: str, replica: str | None = None, *, attempt: int | None = None, offset: int = 0) -> bytes:
        """Return a replica's log from byte `offset` on (negative: from the end); the main replica's unless named."""
        path, replica = self._replica(workload, replica)
        query = {"attempt": attempt, "offset": offset or None}
        return (self._transport.request("GET", f"{path}/logs/{replica}", query=query)).content

    def follow_log(
        self,
        workload: str,
        replica: str | None = None,
        *,
        attempt: int | None = None,
        offset: int = 0,
        last_id: str | None = None,
    ) -> Iterator[Event]:
        """Yield pieces of a replica's log as they are written, to its end; `data` is text, `id` the byte after it."""
        path, replica = self._replica(workload, replica)
        query = {"attempt": attempt, "offset": offset or None}
        for event in self._transport.events(f"{path}/logs/{replica}/stream", query=query, last_id=last_id):
            if event.event != "end":
                yield event

    def metrics(
        self, workload: str, *, name: str | None = None, attempt: int | None = None
    ) -> Iterator[models.MetricPoint]:
        """Yield all metric values so far, oldest first."""
        path, cursor = self._path(workload), None
        while True:
            query = {"name": name, "attempt": attempt, "cursor": cursor, "limit": 5000}
            page = self._transport.get(models.MetricPage, f"{path}/metrics", **query)
            yield from page.items
            if len(page.items) < 5000 or page.next is None:
                return
            cursor = page.next

    def follow_metrics(self, workload: str, *, last_id: str | None = None) -> Iterator[models.MetricPoint]:
        """Yield metric values from the first (or after `last_id`) to the workload's end, as they are logged."""
        path = self._path(workload)
        for event in self._transport.events(f"{path}/metrics/stream", last_id=last_id):
            if event.event != "end":
                yield models.MetricPoint.model_validate_json(event.data)

    def usage(self, workload: str, *, replica: str | None = None) -> models.UsageSamples:
        """Return samples of the cores, memory and accelerators it used."""
        return self._transport.get(models.UsageSamples, f"{self._path(workload)}/usage", replica=replica)

    def queue(self) -> models.Queue:
        """Return the queue as the caller sees it, and which specs are free now."""
        return self._transport.get(models.Queue, "/workloads/queue")

    def resolve(self, workload: str) -> str:
        """Return the id that an id or a name means."""
        if _ID.fullmatch(workload):
            return workload
        for item in self.list(q=workload):
            if item.name == workload:
                return item.id
        kind = self.kind or "workload"
        raise PumpkinError(f"There is no {kind} '{workload}' that you may see.", reason="not_found", status=404)

    def _path(self, workload: str) -> str:
        return f"/workloads/{self.resolve(workload)}"

    def _replica(self, workload: str, replica: str | None) -> tuple[str, str]:
        path = self._path(workload)
        if replica is None:
            found = self._transport.get(models.Workload, path)
            replica = main_replica(found)
        return path, replica


class Jobs(Workloads):
    """Training jobs."""

    kind = "job"

    def submit(
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
        return self.submit_request(body | fields)

    def submit_request(self, request: Mapping[str, Any]) -> models.Workload:
        """Submit a job given as the API's job request."""
        return self._transport.post(models.Workload, "/workloads/jobs", dict(request))

    def submit_notebook(
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
        run = {"path": _ipynb.home_path(path), "content": in_thread(_ipynb.read, path)}
        run |= given(cells=None if cells is None else [*cells], parameters=parameters and dict(parameters))
        body = {"name": name or _ipynb.job_name(os.fspath(path)), "spec": spec, "notebook": run}
        return self.submit_request(body | given(output={"model": output} if output else None, **more))

    def notebook(self, workload: str) -> dict[str, Any]:
        """Return the notebook a job runs with the results so far, as a document of nbformat 4.5."""
        return (self._transport.request("GET", f"{self._path(workload)}/notebook")).json()

    def cells(self, workload: str) -> Iterator[models.CellResult]:
        """Yield the cells of a job's notebook as they stand, in the order in which they changed."""
        path, after = self._path(workload), 0
        while True:
            page = self._transport.get(models.CellPage, f"{path}/cells", after=after)
            yield from page.items
            if not page.items:
                return
            after = page.next

    def follow_cells(self, workload: str, *, last_id: str | None = None) -> Iterator[models.CellResult]:
        """Yield each cell whenever it changes (after the revision `last_id`), whole each time, to the job's end."""
        path = self._path(workload)
        for event in self._transport.events(f"{path}/cells/stream", last_id=last_id):
            if event.event != "end":
                yield models.CellResult.model_validate_json(event.data)

    def submit_yaml(self, text: str) -> models.Workload:
        """Submit a job written as YAML (see `export`)."""
        return self._transport.post(models.Workload, "/workloads/jobs/yaml", {"yaml": text})

    def estimate(self, request: Mapping[str, Any]) -> models.Estimate:
        """Tell what a job request would cost and when it would start."""
        return self._transport.post(models.Estimate, "/workloads/estimate", {"job": dict(request)})

    def rerun(self, workload: str) -> models.Workload:
        """Submit the same request again, as a new job."""
        return self._transport.post(models.Workload, f"{self._path(workload)}/rerun")

    def request(self, workload: str) -> dict[str, Any]:
        """Return a job's request, to edit and submit again."""
        job = self.resolve(workload)
        return (self._transport.request("GET", f"/workloads/jobs/{job}/request")).json()

    def export(self, workload: str) -> str:
        """Return a job's request as YAML."""
        job = self.resolve(workload)
        return (self._transport.get(models.YamlDocument, f"/workloads/jobs/{job}/yaml")).yaml

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


class Notebooks(Workloads):
    """Notebook servers."""

    kind = "notebook"

    def start(self, name: str = "", *, spec: str, **more: Any) -> models.Workload:
        """Ask for a notebook server; it starts by itself when its turn comes.

        `name` is the Hub's server name, empty for the default server. `more` are the other fields of the API's
        notebook request (`environment`, `datasets`, `algorithm`, `models`, `idle_seconds`, `workspace`).
        """
        return self._transport.post(
            models.Workload, "/workloads/notebooks", {"name": name, "spec": spec, **given(**more)}
        )

    def resolve(self, workload: str) -> str:
        """Return the id that an id or a server name means; of servers of one name, the one that is not ended."""
        if _ID.fullmatch(workload):
            return workload
        name = workload or "default"
        found = [item for item in self.list(q=name, limit=200) if item.name == name]
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
