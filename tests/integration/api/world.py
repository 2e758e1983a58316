"""One of everything, and one of everybody, for the tests that try each route of the table as each of them.

What to call comes from the OpenAPI document the service itself answers, so a new route is tried the moment it is
declared; only its example body or query, if it needs one, is added here.
"""

from __future__ import annotations

import io
import re
import sys
import time
import zipfile
from dataclasses import dataclass, field
from typing import Any

import httpx

from pumpkin_services.problems import Problem
from tests.integration.house import House

MODULES = ("accounts", "algorithms", "billing", "datasets", "images", "models", "resources", "schedules", "workloads")
KINDS = ("algorithms", "datasets", "models")
PEOPLE = ("olga", "mia", "vic", "eve", "tom")
"""The owner, a member and a viewer of the workspace `lab`, an outsider, and a member things are done to."""
SHA = "0" * 64
ABSENT = "0" * 26
JOB = {"name": "j", "spec": "cpu-small", "command": ["true"], "workspace": "lab"}
SCHEDULE = {"name": "rarely", "cron": "0 0 29 2 *", "request": JOB}
TELL = 'echo "token=$PUMPKIN_TOKEN"; exec sleep 600'
BODIES: dict[str, Any] = {
    "PATCH /accounts/me": {"display_name": "Somebody"},
    "POST /accounts/tokens": {"note": "a test", "scopes": ["accounts:read"]},
    "POST /accounts/users": {"name": "una"},
    "PATCH /accounts/users/{user}": {"admin": False},
    "PATCH /accounts/workspaces/{workspace}": {"description": "Ours."},
    "PUT /accounts/workspaces/{workspace}/members/{user}": {"role": "member"},
    "POST /accounts/workspaces": {"name": "another"},
    "PATCH /billing/balances/{workspace}": {"budget_micro": None},
    "POST /billing/adjustments": {"workspace": "lab", "amount_micro": 1, "note": "why"},
    "POST /billing/recharges": {"workspace": "lab", "amount_micro": 1},
    "POST /images": {"name": "other", "workspace": "lab", "requirements": []},
    "POST /images/check": {"requirements": []},
    "POST /images/interpreters": {"name": "other", "python": sys.executable},
    "POST /images/{image}/versions": {"requirements": []},
    "POST /images/{image}/takedown": {"reason": "why"},
    "POST /images/{image}/diff": {"packages": [], "version": 1},
    "POST /images/{image}/freeze": {"packages": [], "version": 1},
    "POST /resources/specs": {"name": "s3", "cpu_milli": 100, "memory": 1 << 26},
    "POST /resources/pools": {"name": "p3"},
    "POST /schedules": SCHEDULE,
    "POST /schedules/preview": {"cron": "0 3 * * *"},
    "PATCH /schedules/{schedule}": {"overlap": "skip"},
    "POST /workloads/batch": {"action": "stop", "ids": ["{workload}"]},
    "POST /workloads/estimate": {"job": JOB},
    "POST /workloads/grants": {"user": "olga", "server_name": "", "options": {}},
    "POST /workloads/grants/{workload}/claim": {"env": {}, "command": ["true"], "port": 1},
    "POST /workloads/jobs": JOB,
    "POST /workloads/jobs/yaml": {"yaml": "name: j\nspec: cpu-small\ncommand: ['true']\nworkspace: lab\n"},
    "POST /workloads/notebooks": {"spec": "cpu-small", "workspace": "lab"},
    "POST /workloads/{workload}/hold": {"reason": "why"},
    "PUT /workloads/queue/order": {"ids": ["{workload}"]},
    "POST /workloads/{workload}/cells": {"cells": [{"cell": "a", "sequence": 1, "state": "running"}]},
    "POST /workloads/{workload}/metrics": {"lines": [{"step": 1, "values": {"loss": 1.0}}]},
}
for kind in KINDS:
    upload = f"/{kind}/{{workspace}}/{{name}}/uploads/{{upload}}"
    BODIES |= {
        f"POST /{kind}": {"name": "second", "workspace": "lab"},
        f"POST /{kind}/{{workspace}}/{{name}}/takedown": {"reason": "why"},
        f"POST {upload}/missing": {"hashes": [SHA]},
        f"POST {upload}/objects": {"sizes": [1]},
        f"POST /{kind}/{{workspace}}/{{name}}/imports": {"url": "https://example.org/a.zip"},
        f"PUT {upload}/objects/{{object}}": {"chunks": [{"hash": SHA, "size": 1}]},
    }
QUERIES: dict[str, Any] = {
    "format": "zip",
    "old": 1,
    "new": 1,
    "workspace": "lab",
    "reference": "lab/thing",
    "follow": "/none",
    "base": 1,
}
"""Required query parameters, by name."""
STREAMS = re.compile(r"/stream$|/log/events$")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route as the OpenAPI document has it."""

    method: str
    path: str
    document: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def module(self) -> str:
        return self.document["tags"][0]

    @property
    def owner(self) -> str:
        return self.document["x-owner"]

    @property
    def scope(self) -> str:
        """`module:verb`, "" when none is asked for."""
        return self.document.get("x-scope", "").removeprefix("custom:pumpkin:")

    @property
    def identity(self) -> bool:
        """Whether an identity is asked for."""
        return bool(self.document["security"])

    @property
    def collection(self) -> bool:
        """Whether it is about no thing in particular."""
        return "{" not in self.path


@dataclass
class World:
    """The people, and one of everything in the workspace `lab`."""

    house: House
    people: dict[str, httpx.Client]
    anonymous: httpx.Client
    operations: list[Operation] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    def parts(self, module: str) -> dict[str, str]:
        """Return a value for each variable of a path, so that it names a thing of `lab`."""
        return {
            "workspace": "lab", "name": "thing", "user": "tom", "target": "olga", "version": "1", "number": "1",
            "path": "a.txt", "kind": "user", "subject": "tom", "replica": "main-0", "object": SHA[:26], "key": "x",
            "spec": "s2", "pool": "p2", "token": ABSENT, "import": ABSENT, **self.ids,
            "upload": self.ids.get(f"upload-{module}", ABSENT),
        }  # fmt: skip

    def call(self, who: httpx.Client, operation: Operation, **other: str) -> httpx.Response:
        """Call a route about the things of `lab`; `other` replaces parts of the path."""
        values = self.parts(operation.module) | other
        url = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], operation.path)
        parameters = operation.document.get("parameters", [])
        query = {p["name"]: QUERIES[p["name"]] for p in parameters if p["in"] == "query" and p["required"]}
        body: dict[str, Any] = {}
        if "requestBody" in operation.document:
            if "application/json" in operation.document["requestBody"]["content"]:
                body["json"] = _filled(BODIES.get(str(operation), {}), values)
            else:
                body["content"] = b"nothing"
        with who.stream(operation.method, url, params=query, **body) as answer:
            if not STREAMS.search(operation.path) or answer.status_code >= 400:
                answer.read()
            return answer

    def person(self, name: str, scopes: list[str]) -> httpx.Client:
        """Return a client of `name` with a token of just these scopes."""
        return self.house.user(name, scopes=[f"custom:pumpkin:{scope}" for scope in scopes], admin=name == "admin").api

    def bearer(self, token: str) -> httpx.Client:
        """Return a client that sends `token`."""
        return httpx.Client(base_url=self.house.api_url, headers={"Authorization": f"token {token}"}, timeout=30)


def refused(answer: httpx.Response) -> bool:
    """Tell whether the caller was refused for who they are."""
    if answer.status_code in (401, 403, 404):
        return True
    if answer.status_code == 422:  # a reference to what one may not see is an unknown one
        return answer.json()["reason"].startswith("unknown_")
    batch = answer.status_code == 200 and str(answer.url).endswith("/batch")
    return batch and not any(item["done"] for item in answer.json()["items"])


def archive() -> bytes:
    """Return a zip with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.txt", "hello")
    return buffer.getvalue()


def build(house: House) -> World:
    """Make the people and the things. No workload starts afterwards: the node is drained."""
    people = {name: house.user(name).api for name in PEOPLE} | {"admin": house.admin.api}
    for client in people.values():
        client.get("/accounts/me").raise_for_status()
    world = World(house, people, httpx.Client(base_url=house.api_url, timeout=30))
    olga, admin = people["olga"], people["admin"]
    made(olga.post("/accounts/workspaces", json={"name": "lab"}))
    for name, role in (("mia", "member"), ("vic", "viewer"), ("tom", "member")):
        made(olga.put(f"/accounts/workspaces/lab/members/{name}", json={"role": role}))
    made(admin.post("/resources/specs", json={"name": "s2", "cpu_milli": 100, "memory": 1 << 26}))
    made(admin.post("/resources/pools", json={"name": "p2", "specs": ["s2"], "everyone": True}))
    made(admin.post("/billing/recharges", json={"workspace": "lab", "amount_micro": 10**9}))
    document = made(olga.get("/openapi.json"))
    world.operations = [
        Operation(method=method.upper(), path=path, document=operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    for kind in KINDS:
        made(olga.post(f"/{kind}", json={"name": "thing", "workspace": "lab"}))
        made(olga.put(f"/{kind}/lab/thing/import", params={"format": "zip"}, content=archive()))
        world.ids[f"upload-{kind}"] = made(olga.post(f"/{kind}/lab/thing/uploads"))["id"]
    world.ids["image"] = made(olga.post("/images", json={"name": "thing", "workspace": "lab", "requirements": []}))[
        "id"
    ]
    _workloads(world)
    return world


def _workloads(world: World) -> None:
    olga, admin = world.people["olga"], world.people["admin"]
    running = JOB | {"command": TELL, "datasets": ["lab/thing@1"]}
    world.ids["workload"] = made(olga.post("/workloads/jobs", json=running))["id"]
    world.people["workload"] = world.bearer(token_of(world, world.ids["workload"]))
    world.people["spawner"] = world.bearer((world.house.data / "secrets" / "spawner_token").read_text().strip())
    world.ids["node"] = made(olga.get("/resources/nodes"))["items"][0]["name"]
    made(admin.post(f"/resources/nodes/{world.ids['node']}/drain", json={"reason": "a test"}))
    world.ids["schedule"] = made(olga.post("/schedules", json=SCHEDULE | {"name": "seldom"}))["id"]
    world.ids["other"] = made(olga.post("/workloads/jobs", json=JOB | {"datasets": ["lab/thing@1"]}))["id"]


def clear(world: World) -> None:
    """Leave a platform other tests can use: nothing queued, the node open again."""
    admin = world.people["admin"]
    page = made(admin.get("/workloads", params={"everything": True, "limit": 500, "phase": ["queued", "running"]}))
    ids = [item["id"] for item in page["items"]]
    for start in range(0, len(ids), 100):
        made(admin.post("/workloads/batch", json={"action": "delete", "ids": ids[start : start + 100]}))
    made(admin.post(f"/resources/nodes/{world.ids['node']}/undrain"))


def token_of(world: World, workload: str) -> str:
    """Wait until a job that runs TELL has said its own token, and return it."""
    for _ in range(300):
        log = world.people["olga"].get(f"/workloads/{workload}/logs/main-0")
        if found := re.search(r"token=(\S+)", log.text):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"the job did not start: {world.people['olga'].get(f'/workloads/{workload}').text}")


def made(answer: httpx.Response) -> Any:
    """Return the JSON of an answer that must be a good one."""
    assert answer.is_success, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}"
    return answer.json()


def _filled(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return values.get(value[1:-1], value) if isinstance(value, str) else value


def problem_faults(answer: httpx.Response) -> list[str]:
    """Return what is wrong with a refusal as an RFC 9457 document of ours."""
    if answer.headers.get("Content-Type") != "application/problem+json":
        return [f"its type is {answer.headers.get('Content-Type')}"]
    document = answer.json()
    faults = [f"no {name}" for name in Problem("").document() if not document.get(name)]
    if document.get("status") != answer.status_code:
        faults.append(f"it says {document.get('status')}, the answer {answer.status_code}")
    faults += [f"an error without {name}" for e in document.get("errors", []) for name in ("message",) if not e[name]]
    return faults
