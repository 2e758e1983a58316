"""Every route of the table × who may call it: anonymous, outsider, viewer, member, owner, admin, and tokens by scope.

The expectations come from the OpenAPI document the service itself answers (`x-owner`, `x-scope`), so a new
route is tested the moment it is declared; only its example body, if it needs one, is added here.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.integration.house import House, User

REFUSED = {401, 403, 404}
MODULES = ("accounts", "algorithms", "billing", "datasets", "images", "models", "resources", "workloads")
SHA = "0" * 64
BODIES: dict[str, Any] = {
    "PUT /accounts/workspaces/{workspace}/members/{user}": {"role": "viewer"},
    "POST /accounts/workspaces": {"name": "another"},
    "POST /billing/adjustments": {"workspace": "lab", "amount_micro": 1, "note": "why"},
    "POST /billing/recharges": {"workspace": "lab", "amount_micro": 1},
    "POST /images": {"name": "other", "workspace": "lab", "requirements": ["six"]},
    "POST /images/interpreters": {"name": "other", "python": "/nowhere/python"},
    "POST /images/{image}/versions": {"requirements": ["six"]},
    "POST /images/{image}/diff": {"packages": ["six==1.16.0"]},
    "POST /images/{image}/freeze": {"packages": ["six==1.16.0"], "base": 1},
    "POST /resources/specs": {"name": "s2", "cpu_milli": 100, "memory": 1 << 26, "price_micro": 0},
    "POST /resources/pools": {"name": "p2"},
    "POST /workloads/batch": {"action": "stop", "ids": ["{workload}"]},
    "POST /workloads/grants": {"user": "olga", "server_name": "", "options": {}},
    "POST /workloads/grants/{workload}/claim": {"env": {}, "command": ["true"], "port": 1},
    "POST /workloads/jobs": {"name": "j", "spec": "cpu-small", "command": ["true"], "workspace": "lab"},
    "POST /workloads/estimate": {"spec": "cpu-small", "kind": "job", "workspace": "lab"},
    "POST /workloads/jobs/yaml": {"yaml": "name: j\nspec: cpu-small\ncommand: ['true']\nworkspace: lab\n"},
    "POST /workloads/notebooks": {"spec": "cpu-small", "workspace": "lab"},
    "POST /workloads/{workload}/metrics": {"lines": [{"step": 1, "values": {"loss": 1.0}}]},
}
for kind in ("algorithms", "datasets", "models"):
    BODIES |= {
        f"POST /{kind}": {"name": "second", "workspace": "lab"},
        f"POST /{kind}/{{workspace}}/{{name}}/uploads/{{upload}}/missing": {"hashes": [SHA]},
        f"POST /{kind}/{{workspace}}/{{name}}/uploads/{{upload}}/objects": {"sizes": [1]},
        f"PUT /{kind}/{{workspace}}/{{name}}/uploads/{{upload}}/objects/{{object}}": {
            "chunks": [{"hash": SHA, "size": 1}]
        },
    }
QUERIES: dict[str, dict[str, Any]] = {
    "import": {"format": "zip"},
    "diff": {"old": 1, "new": 1},
    "archive": {"format": "zip"},
}
STREAMS = re.compile(r"/stream$|/log/events$")


@dataclass
class World:
    """The people, and one of everything in the workspace `lab` of olga (owner), mia (member) and vic (viewer)."""

    house: House
    people: dict[str, User]
    operations: list[tuple[str, str, dict[str, Any]]]
    ids: dict[str, str] = field(default_factory=dict)

    def call(self, user: User | None, method: str, path: str, operation: dict[str, Any]) -> httpx.Response:
        module = operation["tags"][0]
        values = {
            "workspace": "lab", "name": "thing", "user": "vic", "target": "olga", "version": "1", "number": "1",
            "path": "a.txt", "kind": "user", "subject": "vic", "replica": "main-0", "object": SHA[:26],
            "spec": "cpu-small", "pool": "default", **self.ids, "upload": self.ids.get(f"upload-{module}", "0" * 26),
        }  # fmt: skip
        url = re.sub(r"\{(\w+)\}", lambda m: values[m[1]], path)
        query: dict[str, Any] = {}
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query" and parameter["required"]:
                query[parameter["name"]] = QUERIES.get(path.rsplit("/", 1)[1], {}).get(parameter["name"], "thing")
        query |= {"ref": "lab/thing"} if path.endswith("/resolve") and "ref" in query else {}
        body: dict[str, Any] = {}
        if "requestBody" in operation:
            if "application/json" in operation["requestBody"]["content"]:
                body["json"] = self._filled(BODIES.get(f"{method} {path}", {}))
            else:
                body["content"] = b"nothing"
        client = user.api if user else httpx.Client(base_url=self.house.api_url)
        with client.stream(method, url, params=query, timeout=30, **body) as answer:
            if not STREAMS.search(path) or answer.status_code >= 400:
                answer.read()
            return answer

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return self.ids.get(value[1:-1], value) if isinstance(value, str) else value


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.txt", "hello")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def world(platform: House) -> World:
    people = {name: platform.user(name) for name in ("olga", "mia", "vic", "eve")} | {"admin": platform.admin}
    for user in people.values():
        assert user.api.get("/accounts/me").status_code == 200
    olga = people["olga"].api
    olga.post("/accounts/workspaces", json={"name": "lab"}).raise_for_status()
    for name, role in (("mia", "member"), ("vic", "viewer")):
        olga.put(f"/accounts/workspaces/lab/members/{name}", json={"role": role}).raise_for_status()
    document = olga.get("/openapi.json").raise_for_status().json()
    world = World(
        platform,
        people,
        [(m.upper(), path, op) for path, methods in document["paths"].items() for m, op in methods.items()],
    )
    for kind in ("datasets", "algorithms", "models"):
        olga.post(f"/{kind}", json={"name": "thing", "workspace": "lab"}).raise_for_status()
        olga.put(f"/{kind}/lab/thing/import", params={"format": "zip"}, content=archive()).raise_for_status()
        world.ids[f"upload-{kind}"] = olga.post(f"/{kind}/lab/thing/uploads").raise_for_status().json()["id"]
    image = olga.post("/images", json={"name": "thing", "workspace": "lab", "requirements": ["six"]})
    world.ids["image"] = image.raise_for_status().json()["id"]
    job = {"name": "j", "spec": "cpu-small", "command": ["sleep", "600"], "workspace": "lab"}
    world.ids["workload"] = olga.post("/workloads/jobs", json=job).raise_for_status().json()["id"]
    world.ids["node"] = olga.get("/resources/nodes").json()["items"][0]["name"]
    return world


def expected(operation: dict[str, Any], method: str, path: str) -> dict[str, bool]:
    """Return for each person whether the call may pass, by the route's owner rule."""
    rule = operation["x-owner"]
    everybody = dict.fromkeys(("olga", "mia", "vic", "eve", "admin"), True)
    # A list shows each caller what is theirs: it has no single owner to be refused by.
    if rule in ("any", "self") or (method == "GET" and "{" not in path and rule != "admin" and "resolve" not in path):
        return everybody
    if operation["tags"][0] == "resources" and rule == "visible":
        return everybody
    if rule == "visible":
        return everybody | {"eve": False}
    if rule == "member":
        return everybody | {"eve": False, "vic": method == "GET" or operation["x-rate"] == "read"}
    if rule == "owner":
        return everybody | {"eve": False, "vic": False, "mia": False}
    if rule == "admin":
        return dict.fromkeys(everybody, False) | {"admin": True}
    return dict.fromkeys(everybody, False)  # for services and workloads alone


def test_nobody_passes_without_an_identity(world: World) -> None:
    passed = [
        f"{method} {path}: {answer.status_code}"
        for method, path, operation in world.operations
        if operation["security"] and (answer := world.call(None, method, path, operation)).status_code != 401
    ]
    assert passed == []


def test_who_may_not_is_refused(world: World) -> None:
    wrong = [
        f"{method} {path} as {name}: {answer.status_code} {answer.text[:160]}"
        for method, path, operation in world.operations
        if operation["security"]
        for name, may in expected(operation, method, path).items()
        if not may and (answer := world.call(world.people[name], method, path, operation)).status_code not in REFUSED
    ]
    assert wrong == []


def test_a_token_without_the_scope_is_refused_and_told_which_it_needs(world: World) -> None:
    without = {
        module: world.house.user(
            "olga", scopes=[f"custom:pumpkin:{other}:read" for other in MODULES if other != module]
        )
        for module in MODULES
    }
    wrong: list[str] = []
    for method, path, operation in world.operations:
        scope = operation.get("x-scope")
        if scope is None:
            continue
        module = scope.split(":")[2]
        answer = world.call(without.get(module, without["datasets"]), method, path, operation)
        if answer.status_code != 403 or answer.json().get("scope") != scope:
            wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:160]}")
    assert wrong == []


def test_a_token_with_just_the_scope_passes_it(world: World) -> None:
    tokens = {
        (module, verb): world.house.user("olga", scopes=[f"custom:pumpkin:{module}:{verb}"])
        for module in MODULES
        for verb in ("read", "write")
        if (module, verb) not in (("billing", "write"), ("resources", "write"))
    }
    wrong: list[str] = []
    for method, path, operation in world.operations:
        module, verb = operation.get("x-scope", "::::").split(":")[2:4]
        if (module, verb) not in tokens or method == "DELETE":
            continue
        answer = world.call(tokens[module, verb], method, path, operation)
        if answer.status_code == 403 and "scope" in answer.json():
            wrong.append(f"{method} {path}: {answer.text[:160]}")
    assert wrong == []


def test_who_may_passes(world: World) -> None:
    """Last, and deletions last of all: they take away what the others are tried on."""
    wrong: list[str] = []
    gone: list[str] = []
    for method, path, operation in sorted(world.operations, key=lambda item: (item[0] == "DELETE", -len(item[1]))):
        if not operation["security"]:
            continue
        for name, may in expected(operation, method, path).items():
            if not may:
                continue
            answer = world.call(world.people[name], method, path, operation)
            if answer.status_code >= 500 or answer.status_code in (401, 403):
                wrong.append(f"{method} {path} as {name}: {answer.status_code} {answer.text[:160]}")
            elif answer.status_code == 404 and method != "DELETE":
                gone.append(f"{method} {path} as {name}: {answer.text[:120]}")
    assert wrong == []
    # What an upload without bytes or a job that has not run cannot have may be missing, and nothing else.
    assert [line for line in gone if not re.search(r"/objects/\{object\}|/logs/|/lineage|/shares/", line)] == []
