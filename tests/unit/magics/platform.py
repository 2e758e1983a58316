"""A platform's answers for the magics: one of everything, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.sdk.upstream import Request, Upstream, ok, problem, upstream

API = "/services/pumpkin/api/v1"
JOB = "01K0000000000000000000000J"
LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Answer = tuple[int, dict[str, str], bytes]


def page(*items: Any) -> Answer:
    return ok({"items": items, "next": None})


def asset(name: str, *, workspace: str = "alice", **more: Any) -> dict[str, Any]:
    return {
        "id": f"id-{name}", "workspace": workspace, "name": name, "creator": "alice", "description": "", "labels": [],
        "visibility": "private", "preset": False, "shared_with": [], "may_write": workspace == "alice", "latest": 2,
        "versions": 2, "bytes": 3 << 19, "created": LONG_AGO.isoformat(), "updated": LONG_AGO.isoformat(),
        "revision": 1, "type": "table", "framework": "", "entrypoint": "", "taken_down": None, "keep_last": None,
        "keep_days": None, **more,
    }  # fmt: skip


def version(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"v{number}", "number": number, "state": "ready", "files": number, "bytes": 1024, "manifest_hash": None,
        "creator": "alice", "created": LONG_AGO.isoformat(), "committed": LONG_AGO.isoformat(), **more,
    }  # fmt: skip


def environment(name: str, *, workspace: str = "pumpkin") -> dict[str, Any]:
    latest = {
        "id": "e1", "environment": name, "number": 3, "creator": "alice", "state": "ready", "python_version": "3.12.4",
        "kernel": True, "bytes": 2 << 20, "reason": "", "message": "", "created": LONG_AGO.isoformat(),
        "started": None, "finished": None,
    }  # fmt: skip
    return {
        "id": f"id-{name}", "name": name, "workspace": workspace, "creator": "alice", "description": "",
        "visibility": "everyone", "shared_with": [], "preset": True, "kind": "built",
        "may_write": workspace == "alice", "latest": latest, "revision": 1, "created": LONG_AGO.isoformat(),
        "updated": LONG_AGO.isoformat(), "taken_down": None,
    }  # fmt: skip


def spec(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name, "name": name, "description": "", "cpu_milli": 2000, "memory": 4 << 30, "accelerators": 0,
        "accelerator_type": "", "price_micro": 1_500_000, "enabled": True, "created": LONG_AGO.isoformat(),
        "revision": 1, **more,
    }  # fmt: skip


def workload(name: str, **more: Any) -> dict[str, Any]:
    started = datetime.now(UTC) - timedelta(hours=2)
    return {
        "id": JOB, "kind": "job", "name": name, "workspace": "alice", "creator": "alice", "phase": "running",
        "target": "run", "reason": "", "message": "", "priority": 0, "labels": [], "spec": "cpu-small", "replicas": 1,
        "attempt": 1, "price_micro": 1_500_000, "cost_micro": 3_000_000, "created": started.isoformat(),
        "started": started.isoformat(), "finished": None, "revision": 1, "request": {"name": name}, "notes": "",
        "environment": "pumpkin/default@1", "datasets": ["alice/digits@2"], "algorithm": "", "models": [],
        "output": "", "output_version": "", "exit_code": None, "forecast": None, "attempts": [], "members": [],
        "url": "", "hold": "", "notebook": "", **more,
    }  # fmt: skip


def balance(**more: Any) -> dict[str, Any]:
    return {
        "workspace": "alice", "balance_micro": 50_000_000, "budget_micro": None, "month_spent_micro": 7_250_000,
        "burn_micro": 1_500_000, "accrued_micro": 500_000, "seconds_left": 7200, "currency": "¥", "revision": 1, **more,
    }  # fmt: skip


def events(*data: dict[str, Any]) -> Answer:
    """Return a stream that has come to its end."""
    lines = "".join(f"id: {at}\ndata: {json.dumps(one)}\n\n" for at, one in enumerate(data))
    return 200, {"Content-Type": "text/event-stream"}, f"{lines}event: end\ndata: {{}}\n\n".encode()


class Platform:
    """One of everything; tests put their own into `datasets`, `jobs` and so on."""

    def __init__(self) -> None:
        self.datasets = [asset("digits")]
        self.models = [asset("net")]
        self.environments = [environment("default")]
        self.specs = [spec("cpu-small"), spec("gpu", accelerators=1, accelerator_type="H200", price_micro=12_000_000)]
        self.jobs = [workload("train")]
        self.balances = [balance()]
        self.log = "first line\nlast line\n"
        self.lineage: dict[str, Any] = {}

    def answer(self, request: Request, _number: int) -> Answer:
        parts = urlsplit(request.path.removeprefix(API))
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        path = parts.path
        if request.method == "POST" and path == "/workloads/jobs":
            wanted = json.loads(request.body)
            self.jobs.insert(0, workload(wanted["name"], labels=wanted.get("labels", []), id=f"{len(self.jobs):026}"))
            return ok(self.jobs[0])
        fixed: dict[str, Any] = {
            "/accounts/me": lambda: ok({
                "name": "alice", "kind": "user", "display_name": "Alice", "admin": False, "scopes": [], "roles": [],
                "workspaces": [{"workspace": "alice", "role": "owner", "personal": True},
                               {"workspace": "lab", "role": "viewer", "personal": False}], "revision": 1,
            }),
            "/billing/balances": lambda: page(*self.balances),
            "/resources/specs": lambda: page(*self.specs),
            "/workloads/queue": lambda: ok({"length": 4, "items": [], "free_specs": self.specs[:1]}),
            "/images": lambda: page(*_wanted(self.environments, query)),
            "/datasets": lambda: page(*_wanted(self.datasets, query)),
            "/models": lambda: page(*_wanted(self.models, query)),
            "/algorithms": page,
            "/workloads": lambda: page(*_labelled(self.jobs, query)),
        }  # fmt: skip
        if path in fixed:
            return fixed[path]()
        if path.endswith("/lineage"):
            return ok(self.lineage)
        if path.endswith("/versions"):
            made = [environment("default")["latest"]] if path.startswith("/images/") else [version(2), version(1)]
            return page(*made)
        if path.startswith("/workloads/"):
            return self._workload(path)
        return problem(404, "There is no such thing.")

    def _workload(self, path: str) -> Answer:
        job = next((each for each in self.jobs if each["id"] == path.split("/")[2]), None)
        if job is None:
            return problem(404, "There is no such job.")
        if path.endswith("/events/stream"):
            return events()
        if path.endswith("/metrics/stream"):
            point = {"id": "1", "attempt": 1, "name": "loss", "time": LONG_AGO.isoformat()}
            return events({**point, "step": 0, "value": 1.0}, {**point, "step": 1, "value": 0.25})
        if path.endswith("/stream"):
            return events({"text": self.log})
        return ok(job)


def _wanted(items: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    return [
        item
        for item in items
        if query.get("q", "") in item["name"]
        and query.get("name", item["name"]) == item["name"]
        and query.get("workspace", item["workspace"]) == item["workspace"]
    ]


def _labelled(items: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    label = query.get("label")
    found = [item for item in items if label is None or label in item["labels"]]
    return found[: int(query["limit"])]


@contextmanager
def serve(platform: Platform) -> Iterator[Upstream]:
    """Let the platform answer on a port of this machine."""
    with upstream(platform.answer) as server:
        yield server
