"""Personal tokens over HTTP, with real Hub tokens: what they may, what nobody may make, and how soon they end."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from pumpkin_services.db import Database
from pumpkin_services.web.tables import AuditRow, IdempotencyRow
from tests.unit.accounts import test_routes
from tests.unit.accounts.test_routes import Site

site = test_routes.site
P = "custom:pumpkin:"
ACCESS = "access:services!service=pumpkin"
HOUR = 3600


def bearer(site: Site, token: str) -> httpx.AsyncClient:
    client = httpx.AsyncClient(base_url=site.url, headers={"Authorization": f"token {token}"}, timeout=30)
    site.clients.append(client)
    return client


def at_hub(site: Site, user: str, *scopes: str, seconds: int | None = None) -> httpx.AsyncClient:
    """Return a client with a token of just these scopes, made at the Hub."""
    body = {"scopes": [*[P + scope for scope in scopes], ACCESS], "expires_in": seconds}
    return bearer(site, site.hub.ask("POST", f"/users/{user}/tokens", body)["token"])


async def make(client: httpx.AsyncClient, *scopes: str, **more: Any) -> httpx.Response:
    return await client.post("/accounts/tokens", json={"note": "ci", "scopes": scopes, **more})


async def test_a_token_does_what_it_was_made_for_and_nothing_else(site: Site) -> None:
    user, client = await site.login()
    answer = await make(client, "accounts:read", "billing:read", lifetime=HOUR)
    assert answer.status_code == 201
    made = answer.json()
    token = bearer(site, made["token"])
    assert (await token.get("/accounts/me")).json()["scopes"] == [f"{P}accounts:read", f"{P}billing:read"]
    assert (await token.get("/billing/balances")).status_code == 200
    refusal = await token.patch("/accounts/me", json={"display_name": "x"})
    assert (refusal.status_code, refusal.json()["scope"]) == (403, f"{P}accounts:write")
    assert (await token.get("/resources/specs")).status_code == 403
    # At the Hub it is nobody: it may not even list its tokens.
    assert (await token.get(f"{site.hub.api_url}/users/{user}/tokens")).status_code in (403, 404)


async def test_the_list_says_what_each_may_and_shows_no_secret(site: Site) -> None:
    _, client = await site.login()
    made = (await make(client, "accounts:write", "workloads:write", lifetime=HOUR)).json()
    listed = (await client.get("/accounts/tokens")).json()["items"]
    assert [item["note"] for item in listed] == ["ci", "test"]
    mine, first = listed
    assert mine["scopes"] == ["accounts:write", "workloads:write"]
    assert (mine["everything"], mine["current"]) == (False, False)
    assert (first["everything"], first["current"], first["expires"]) == (True, True, None)
    left = datetime.fromisoformat(mine["expires"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert made["token"] not in str(listed)
    token = bearer(site, made["token"])
    assert [item["id"] for item in (await token.get("/accounts/tokens")).json()["items"] if item["current"]] == [
        mine["id"]
    ]


async def test_a_token_that_only_reads_makes_none(site: Site) -> None:
    user, _ = await site.login()
    reader = at_hub(site, user, "accounts:read", "datasets:read")
    assert (await reader.get("/accounts/tokens")).status_code == 200
    for scopes in (["datasets:write"], ["datasets:read"]):
        assert (await make(reader, *scopes)).status_code == 403
    [item, *_] = (await reader.get("/accounts/tokens")).json()["items"]
    assert (await reader.delete(f"/accounts/tokens/{item['id']}")).status_code == 403


@pytest.mark.parametrize("scope", ["datasets:write", "datasets:admin", "workloads:read", "nothing:read", "inherit"])
async def test_a_narrow_token_makes_no_wider_one(site: Site, scope: str) -> None:
    user, _ = await site.login()
    narrow = at_hub(site, user, "accounts:write", "datasets:read")
    answer = await make(narrow, "datasets:read", scope)
    assert (answer.status_code, answer.json()["reason"]) == (403, "escalation")
    assert answer.json()["errors"][0]["field"] == "scopes.1"
    assert len((await narrow.get("/accounts/tokens")).json()["items"]) == 2
    # What `write` includes it may hand on.
    assert (await make(narrow, "datasets:read", "accounts:read")).status_code == 201


@pytest.mark.parametrize("module", ["accounts", "billing", "datasets", "resources", "workloads"])
async def test_nobody_but_an_admin_gives_the_admins_scopes(site: Site, module: str) -> None:
    _, member = await site.login()
    answer = await make(member, f"{module}:admin")
    assert (answer.status_code, answer.json()["reason"]) == (403, "escalation")
    _, admin = await site.login(admin=True)
    assert (await make(admin, f"{module}:admin")).status_code == 201


async def test_a_token_makes_none_that_outlives_it(site: Site) -> None:
    user, _ = await site.login()
    short = at_hub(site, user, "accounts:write", seconds=HOUR)
    for lifetime in (None, 2 * HOUR):
        answer = await make(short, "accounts:write", lifetime=lifetime)
        assert (answer.status_code, answer.json()["reason"]) == (403, "outlives")
    assert (await make(short, "accounts:write", lifetime=HOUR // 2)).status_code == 201


async def test_a_notebooks_own_token_is_hidden_stays_and_makes_none_for_ever(site: Site) -> None:
    user, client = await site.login()
    scopes = [f"{P}accounts:write", ACCESS, f"access:servers!server={user}/"]
    made = site.hub.ask("POST", f"/users/{user}/tokens", {"note": "Server at /", "scopes": scopes})
    notebook = bearer(site, made["token"])
    assert made["id"] not in [item["id"] for item in (await client.get("/accounts/tokens")).json()["items"]]
    assert (await client.delete(f"/accounts/tokens/{made['id']}")).status_code == 404
    answer = await make(notebook, "accounts:read")
    assert (answer.status_code, answer.json()["reason"]) == (403, "outlives")
    assert "7 days" in answer.json()["detail"]
    assert (await make(notebook, "accounts:read", lifetime=24 * HOUR)).status_code == 201


async def test_a_revoked_token_is_refused_at_once_though_it_was_just_believed(site: Site) -> None:
    _, client = await site.login()
    made, other = [(await make(client, "accounts:write")).json() for _ in range(2)]
    token = bearer(site, made["token"])
    assert (await token.get("/accounts/me")).status_code == 200
    assert (await client.delete(f"/accounts/tokens/{made['id']}")).status_code == 204
    assert (await token.get("/accounts/me")).status_code == 401
    assert (await client.delete(f"/accounts/tokens/{made['id']}")).status_code == 404
    assert (await bearer(site, other["token"]).get("/accounts/me")).status_code == 200
    # One that revokes itself is gone with its own call.
    itself = bearer(site, other["token"])
    assert (await itself.delete(f"/accounts/tokens/{other['id']}")).status_code == 204
    assert (await itself.get("/accounts/me")).status_code == 401


async def test_nobody_ends_somebody_elses_token(site: Site) -> None:
    _, ann = await site.login()
    _, eve = await site.login()
    made = (await make(ann, "accounts:read")).json()
    for strange in (made["id"], "a", "a0", "%2e%2e", "x" * 300):
        assert (await eve.delete(f"/accounts/tokens/{strange}")).status_code == 404
    assert (await bearer(site, made["token"]).get("/accounts/me")).status_code == 200


async def test_each_change_has_its_line_and_no_secret_is_kept(site: Site, database: Database) -> None:
    user, client = await site.login()
    body = {"note": "nightly", "scopes": ["datasets:read"]}
    answer = await client.post("/accounts/tokens", json=body, headers={"Idempotency-Key": "k"})
    made = answer.json()
    await client.delete(f"/accounts/tokens/{made['id']}")
    async with database.read() as session:
        lines = [row for row in await session.scalars(select(AuditRow).order_by(AuditRow.id)) if row.actor == user]
        kept = list(await session.scalars(select(IdempotencyRow)))
    assert [(line.action, line.object) for line in lines] == [
        ("POST /accounts/tokens", made["id"]),
        ("DELETE /accounts/tokens/{token}", made["id"]),
    ]
    assert lines[0].detail == {"note": "nightly", "scopes": ["datasets:read"], "expires": None}
    assert made["token"] not in str([line.detail for line in lines])
    assert kept == []


@pytest.mark.parametrize(
    "body",
    [
        {"note": "", "scopes": ["datasets:read"]},
        {"note": "x", "scopes": []},
        {"note": "x", "scopes": ["datasets:read"], "lifetime": 1},
        {"note": "x", "scopes": ["datasets:read"], "lifetime": 10**12},
    ],
)
async def test_nonsense_is_refused_with_its_field(site: Site, body: dict[str, Any]) -> None:
    _, client = await site.login()
    answer = await client.post("/accounts/tokens", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_a_token_ends_by_itself(site: Site) -> None:
    user, _ = await site.login()
    brief = at_hub(site, user, "accounts:read", seconds=2)
    start = time.monotonic()
    while (await brief.get("/accounts/me")).status_code == 200:
        assert time.monotonic() - start < 30
        await asyncio.sleep(0.5)
