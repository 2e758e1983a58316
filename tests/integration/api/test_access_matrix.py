"""Every route of the table × who may call it.

The people are those of `world`: anonymous, an outsider, a viewer, a member, an owner, an admin; the Hub's spawner; a
running workload; and tokens with all scopes but one, and with one alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.api.world import ABSENT, KINDS, MODULES, Operation, World, build, clear, problem_faults, refused
from tests.integration.house import House

USERS = ("olga", "mia", "vic", "eve", "admin")


UNREADY = re.compile(r"/objects/\{object\}$|/manifest$|/import$|/imports$|/imports/\{import\}$")
"""Routes that want real data: their example gets as far as that and no further."""


@pytest.fixture(scope="module")
def world(platform: House) -> Iterator[World]:
    world = build(platform)
    yield world
    clear(world)


def may(operation: Operation) -> dict[str, bool]:
    """Return for each person whether the call may pass, by the route's owner rule; who is left out may either way."""
    rule, reads = operation.owner, operation.method == "GET"
    everybody = dict.fromkeys(USERS, True)
    if rule in ("service", "workload"):
        return dict.fromkeys(USERS, False)
    if rule == "admin":
        return dict.fromkeys(USERS, False) | {"admin": True}
    # A list shows each caller what is theirs: there is nobody to refuse.
    if rule in ("any", "self") or (rule == "visible" and operation.module == "resources"):
        return everybody
    if reads and operation.collection and not re.search(r"/resolve$|/statement|/spending", operation.path):
        return everybody
    if rule == "visible":
        return everybody | {"eve": False}
    if rule == "member":
        # Viewers look at the workspace and at its money; an admin who is no member makes nothing in it.
        looks = reads and operation.module in ("accounts", "billing")
        people = everybody | {"eve": False, "vic": looks}
        if operation.method == "POST" and (
            operation.collection or operation.path.endswith(("/rerun", "/freeze", "/run"))
        ):
            del people["admin"]
        return people
    assert rule == "owner"
    return everybody | {"eve": False, "vic": False, "mia": False}


def workload_may(operation: Operation) -> bool:
    """Tell whether a running workload may make the call: about itself and its input, the dataset."""
    if operation.owner == "workload" or str(operation) in ("GET /accounts/me", "GET /openapi.json", "GET /stream"):
        return True
    if operation.owner != "visible" or operation.module not in ("workloads", *KINDS):
        return False
    return operation.module in ("workloads", "datasets") or operation.path == f"/{operation.module}"


def told(operation: Operation, name: str, answer: httpx.Response) -> str:
    return f"{operation} as {name}: {answer.status_code} {'' if answer.is_success else answer.text[:200]}"


def test_nobody_passes_without_an_identity(world: World) -> None:
    wrong = [
        told(operation, "anonymous", answer)
        for operation in world.operations
        if operation.identity
        and ((answer := world.call(world.anonymous, operation)).status_code != 401 or problem_faults(answer))
    ]
    assert not wrong, "\n".join(wrong)


def test_only_health_and_signed_urls_ask_for_no_identity(world: World) -> None:
    free = {str(operation) for operation in world.operations if not operation.identity}
    assert free == {"GET /health", "GET /objects/{key}", "PUT /objects/{key}"}
    for operation in world.operations:
        if operation.path == "/objects/{key}":
            answer = world.anonymous.request(operation.method, "/objects/x")
            assert answer.status_code in (403, 422), answer.text


def test_who_may_not_is_refused(world: World) -> None:
    wrong = [
        told(operation, name, answer)
        for operation in world.operations
        if operation.identity
        for name, passes in may(operation).items()
        if not passes
        and (not refused(answer := world.call(world.people[name], operation)) or _unlike_a_problem(answer))
    ]
    assert not wrong, "\n".join(wrong)


def _unlike_a_problem(answer: httpx.Response) -> bool:
    return answer.is_error and bool(problem_faults(answer))


def test_a_token_without_the_scope_is_refused_and_told_which_it_needs(world: World) -> None:
    def others(module: str) -> list[str]:
        return [f"{other}:admin" for other in MODULES if other != module]

    tokens = {module: world.person("admin", others(module)) for module in MODULES}
    tokens["grants"] = world.person("admin", [f"{module}:admin" for module in MODULES])
    wrong: list[str] = []
    for operation in world.operations:
        if operation.scope:
            answer = world.call(tokens[operation.scope.split(":")[0]], operation)
            if answer.status_code != 403 or answer.json().get("scope") != f"custom:pumpkin:{operation.scope}":
                wrong.append(told(operation, "somebody without the scope", answer))
    assert not wrong, "\n".join(wrong)


def test_a_token_with_just_the_scope_passes_it(world: World) -> None:
    tokens: dict[str, httpx.Client] = {}
    wrong: list[str] = []
    for operation in world.operations:
        scope = operation.scope
        if scope in ("", "grants"):  # no person holds the spawner's scope
            continue
        if scope not in tokens:
            tokens[scope] = world.person("admin", [scope])
        # About a thing that is not there, so that nothing changes.
        absent = {} if operation.method == "GET" else dict.fromkeys((*world.ids, "name", "spec", "pool"), ABSENT)
        answer = world.call(tokens[scope], operation, **absent, workspace="lab")
        if answer.status_code == 401 or (answer.status_code == 403 and "scope" in answer.json()):
            wrong.append(told(operation, f"somebody with just {scope}", answer))
    assert not wrong, "\n".join(wrong)


def test_the_spawner_may_nothing_but_ask_for_grants(world: World) -> None:
    wrong: list[str] = []
    for operation in world.operations:
        if operation.scope == "grants":
            answer = world.call(world.people["spawner"], operation, workload=ABSENT)
            ok = answer.status_code not in (401, 403) and answer.status_code < 500
        elif operation.scope:
            answer = world.call(world.people["spawner"], operation)
            ok = answer.status_code == 403
        else:
            continue
        if not ok:
            wrong.append(told(operation, "the spawner", answer))
    assert not wrong, "\n".join(wrong)


def test_a_workload_reaches_its_own_inputs_and_metrics_and_nothing_else(world: World) -> None:
    me = world.people["workload"]
    wrong: list[str] = []
    for operation in world.operations:
        if not operation.identity:
            continue
        answer = world.call(me, operation)
        passes = workload_may(operation)
        if passes == refused(answer) or answer.status_code >= 500 or _unlike_a_problem(answer):
            wrong.append(told(operation, "a workload", answer))
        if "{workload}" in operation.path and not refused(
            answer := world.call(me, operation, workload=world.ids["other"])
        ):
            wrong.append(told(operation, "another workload", answer))
    assert not wrong, "\n".join(wrong)
    seen = {kind: [item["name"] for item in me.get(f"/{kind}").json()["items"]] for kind in KINDS}
    assert seen == {"datasets": ["thing"], "algorithms": [], "models": []}
    assert [item["id"] for item in me.get("/workloads").json()["items"]] == [world.ids["workload"]]
    assert me.get("/workloads/queue").json()["items"] == []


def test_who_may_passes(world: World) -> None:
    """Last, and deletions last of all: they take away what the others are tried on."""
    wrong: list[str] = []
    order = sorted(world.operations, key=lambda o: (o.method == "DELETE", o.path.endswith("/stop"), -len(o.path)))
    for operation in order:
        if not operation.identity:
            continue
        for name, passes in may(operation).items():
            if not passes:
                continue
            answer = world.call(world.people[name], operation)
            if answer.is_success or (answer.is_error and _expected_error(operation, answer)):
                continue
            wrong.append(told(operation, name, answer))
    assert not wrong, "\n".join(wrong)


def _expected_error(operation: Operation, answer: httpx.Response) -> bool:
    """Tell whether an error is about the state of the thing, not about the caller."""
    if problem_faults(answer):
        return False
    if operation.method == "DELETE":  # the one before took it away, or it is still in use
        return answer.status_code in (404, 409, 422)
    return answer.status_code == 409 or (
        UNREADY.search(operation.path) is not None and answer.status_code in (404, 422)
    )
