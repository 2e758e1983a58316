"""How soon a token that should work no more works no more, and what a workload's token cannot be bent to."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from tests.integration.api.world import JOB, TELL, made, problem_faults
from tests.integration.house import House, User

REVOKED_SECONDS = 30


def hub(platform: House, method: str, path: str, **more: object) -> httpx.Response:
    headers = {"Authorization": f"token {platform.admin.token}"}
    return httpx.request(method, f"{platform.hub_url}{path}", headers=headers, timeout=30, **more)  # type: ignore[arg-type]


def seconds_until(condition: Callable[[], bool], *, limit: float) -> float:
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < limit, f"still not after {limit} s"
        time.sleep(0.25)
    return time.monotonic() - start


def status(user: User) -> int:
    return user.api.get("/accounts/workspaces").status_code


def test_a_revoked_token_is_refused_within_half_a_minute(platform: House) -> None:
    rita = platform.user("rita")
    assert status(rita) == 200
    tokens = hub(platform, "GET", "/users/rita/tokens").json()["api_tokens"]
    for token in tokens:
        hub(platform, "DELETE", f"/users/rita/tokens/{token['id']}").raise_for_status()
    seconds_until(lambda: status(rita) == 401, limit=REVOKED_SECONDS)


def test_a_frozen_users_token_is_refused_at_once_and_a_thawed_users_new_one_works(platform: House) -> None:
    fred = platform.user("fred")
    assert status(fred) == 200
    made(platform.admin.api.post("/accounts/users/fred/freeze", json={"reason": "left the team"}))
    answer = fred.api.get("/accounts/workspaces")
    assert answer.status_code in (401, 403), answer.text
    assert not problem_faults(answer)
    if answer.status_code == 403:
        assert "left the team" in answer.json()["detail"]
    # Nor does a new token help: the Hub gives none, or the platform takes none.
    token = hub(platform, "POST", "/users/fred/tokens", json={})
    if token.is_success:
        again = httpx.get(
            f"{platform.api_url}/accounts/me", headers={"Authorization": f"token {token.json()['token']}"}
        )
        assert again.status_code in (401, 403)
    made(platform.admin.api.post("/accounts/users/fred/thaw"))
    assert status(platform.user("fred")) == 200


def test_a_workloads_token_ends_with_it_and_fits_no_other(platform: House) -> None:
    wanda = platform.user("wanda")
    job = JOB | {"workspace": None, "command": TELL}
    first = made(wanda.api.post("/workloads/jobs", json=job))["id"]
    token = told_token(wanda, first)
    assert me(platform, token).json()["kind"] == "workload"
    _, attempt, secret = token.removeprefix("pumpkin-w.").split(".")
    other = made(wanda.api.post("/workloads/jobs", json=job))["id"]
    forged = (
        f"pumpkin-w.{other}.{attempt}.{secret}",
        f"pumpkin-w.{first}.{int(attempt) + 1}.{secret}",
        f"pumpkin-w.{first}.{attempt}.{secret[:-1]}",
        f"pumpkin-w.{first}.{attempt}.",
        f"pumpkin-w.{first}",
        "pumpkin-w.",
        "pumpkin-w.é.1.x".encode().decode("latin-1"),
    )
    assert {me(platform, bad).status_code for bad in forged} == {401}
    for workload in (first, other):
        made(wanda.api.post(f"/workloads/{workload}/stop"))
    seconds_until(lambda: me(platform, token).status_code == 401, limit=REVOKED_SECONDS)


def told_token(user: User, workload: str) -> str:
    found = ""

    def said() -> bool:
        nonlocal found
        log = user.api.get(f"/workloads/{workload}/logs/main-0").text
        found = log.partition("token=")[2].partition("\n")[0].strip()
        return bool(found)

    seconds_until(said, limit=60)
    return found


def me(platform: House, token: str) -> httpx.Response:
    headers = {"Authorization": f"token {token}".encode("latin-1")}
    return httpx.get(f"{platform.api_url}/accounts/me", headers=headers, timeout=30)


def test_the_platforms_own_name_is_nobodys(platform: House) -> None:
    answer = platform.user("pumpkin").api.get("/accounts/me")
    assert answer.status_code == 403
    assert "another user name" in answer.json()["detail"]
    for name in ("pumpkin", "pumpkin-frozen"):
        refusal = platform.admin.api.post("/accounts/workspaces", json={"name": name})
        assert refusal.status_code == 409
        assert refusal.json()["errors"][0]["field"] == "name"
