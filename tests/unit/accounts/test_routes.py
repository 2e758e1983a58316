"""Over HTTP, with real Hub tokens: the routes of accounts, resources and billing."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from jupyterhub.services.auth import HubOAuth
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from pumpkin_services.accounts import api as accounts_api
from pumpkin_services.accounts.service import AccountService
from pumpkin_services.billing import api as billing_api
from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import Database
from pumpkin_services.principal import Principal
from pumpkin_services.resources import api as resources_api
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.web.auth import Authenticator
from pumpkin_services.web.handler import Edge
from pumpkin_services.web.ratelimit import RateLimiter
from pumpkin_services.web.server import CHUNK, MAX_BODY, application, handlers
from tests.unit.accounts.conftest import SERVICE_TOKEN, RealHub
from tests.unit.resources.conftest import machine


@dataclass
class Site:
    hub: RealHub
    url: str
    clients: list[httpx.AsyncClient]

    async def login(self, *, admin: bool = False) -> tuple[str, httpx.AsyncClient]:
        """Make a user; return the name and a client with a token of theirs, that has been here once."""
        name = self.hub.user(admin=admin)
        headers = {"Authorization": f"token {self.hub.token(name)}"}
        client = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30)
        self.clients.append(client)
        (await client.get("/accounts/me")).raise_for_status()
        return name, client


@pytest.fixture
async def site(hub: RealHub, accounts: AccountService, database: Database) -> AsyncIterator[Site]:
    resources = ResourceService()
    billing = BillingService(accounts=accounts, currency="¥", default_balance="2")
    async with database.write() as session:
        await resources.seed(session, node=await resources.nodes.register(session, machine(gpus=2)))

    async def no_workload(_token: str) -> Principal | None:
        return None

    hub_auth = HubOAuth(
        api_url=hub.api_url,
        api_token=SERVICE_TOKEN,
        base_url="/services/pumpkin/",
        oauth_client_id="service-pumpkin",
        access_scopes={"access:services!service=pumpkin"},
    )
    edge = Edge(
        database=database,
        authenticator=Authenticator(hub_auth, admit=accounts.admit, workload=no_workload),
        limiter=RateLimiter(),
    )
    routes = [
        *accounts_api.routes(accounts, database),
        *resources_api.routes(resources),
        *billing_api.routes(billing, database),
    ]
    server = HTTPServer(
        application(handlers(routes, edge=edge, prefix="/services/pumpkin/"), cookie_secret=b"x" * 32),
        max_body_size=MAX_BODY,
        chunk_size=CHUNK,
    )
    sock, port = bind_unused_port()
    server.add_sockets([sock])
    found = Site(hub, f"http://127.0.0.1:{port}/services/pumpkin/api/v1", [])
    yield found
    for client in found.clients:
        await client.aclose()
    server.stop()
    await server.close_all_connections()


def good(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_a_workspace_is_made_shared_and_deleted(site: Site) -> None:
    (ann, one), (bob, two) = await site.login(), await site.login()
    name = site.hub.name("lab")
    made = await one.post("/accounts/workspaces", json={"name": name}, headers={"Idempotency-Key": "k"})
    assert good(made, 201)["role"] == "owner"
    again = await one.post("/accounts/workspaces", json={"name": name}, headers={"Idempotency-Key": "k"})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert good(again, 201) == made.json()
    assert site.hub.groups(ann) == [name]
    good(await one.put(f"/accounts/workspaces/{name}/members/{bob}", json={"role": "viewer"}))
    assert {"workspace": name, "role": "viewer", "personal": False} in good(await two.get("/accounts/me"))["workspaces"]
    members = good(await two.get(f"/accounts/workspaces/{name}/members"))["items"]
    assert [(item["user"], item["role"]) for item in members] == [(ann, "owner"), (bob, "viewer")]
    assert (await two.delete(f"/accounts/workspaces/{name}")).status_code == 403
    good(await two.delete(f"/accounts/workspaces/{name}/members/{bob}"), 204)
    good(await one.delete(f"/accounts/workspaces/{name}"), 204)
    assert site.hub.groups(ann) == []


async def test_a_frozen_users_token_is_refused_and_gone(site: Site) -> None:
    (_, root), (ann, one) = await site.login(admin=True), await site.login()
    page = good(await root.get("/accounts/users", params={"q": ann}))
    assert [user["name"] for user in page["items"]] == [ann]
    frozen = await root.post(f"/accounts/users/{ann}/freeze", json={"reason": "left the house"})
    assert good(frozen)["frozen"]
    refused = await one.get("/accounts/me")
    assert refused.status_code == 403
    assert "left the house" in refused.json()["detail"]
    assert (await root.get(f"/accounts/users/{ann}")).json()["synced"]
    assert site.hub.ask("GET", f"/users/{ann}/tokens") == {"api_tokens": []}
    stale = await root.post(f"/accounts/users/{ann}/thaw", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    good(await root.post(f"/accounts/users/{ann}/thaw", headers={"If-Match": frozen.headers["ETag"]}))


async def test_money_is_added_listed_and_exported(site: Site) -> None:
    (root_name, root), (ann, one) = await site.login(admin=True), await site.login()
    assert good(await one.get(f"/billing/balances/{ann}"))["balance_micro"] == 2_000_000
    body = {"workspace": ann, "amount_micro": 5_000_000, "reference": "bank-7", "note": "=SUM(A1)"}
    good(await root.post("/billing/recharges", json=body), 201)
    good(await root.post("/billing/recharges", json=body), 201)
    assert good(await one.get(f"/billing/balances/{ann}"))["balance_micro"] == 7_000_000
    budget = await root.patch(f"/billing/balances/{ann}", json={"budget_micro": 1_000_000})
    assert good(budget)["budget_micro"] == 1_000_000
    lines = table(await one.get("/billing/ledger/export"))
    assert [(line["kind"], line["amount_micro"], line["actor"]) for line in lines] == [
        ("opening", "2000000", ""),
        ("recharge", "5000000", root_name),
    ]
    assert lines[1]["note"] == "'=SUM(A1)"
    statement = good(await one.get("/billing/statement", params={"workspace": ann}))
    assert statement["closing_micro"] == 7_000_000
    assert table(await one.get("/billing/statement/export", params={"workspace": ann})) == []
    for refused in (
        await one.post("/billing/recharges", json=body),
        await one.get("/billing/statement", params={"workspace": root_name}),
        await one.get("/billing/ledger/export", params={"workspace": root_name}),
    ):
        assert refused.status_code == 403
    negative = await root.post("/billing/recharges", json={"workspace": ann, "amount_micro": -1})
    assert negative.status_code == 422
    assert negative.json()["errors"][0]["field"] == "amount_micro"


async def test_the_audit_log_has_changes_and_admins_reads_of_others(site: Site) -> None:
    (root_name, root), (ann, one) = await site.login(admin=True), await site.login()
    good(await root.get(f"/billing/balances/{ann}"))
    assert table(await root.get("/billing/ledger/export", params={"workspace": ann})) == []
    good(await one.get(f"/billing/balances/{ann}"))
    good(await root.put(f"/resources/limits/user/{ann}", json={"running": 3}))
    page = good(await root.get("/accounts/audit", params={"actor": root_name}))
    assert [line["action"] for line in page["items"]] == [
        "PUT /resources/limits/{kind}/{subject}",
        "GET /billing/ledger/export",
        "GET /billing/balances/{workspace}",
    ]
    assert page["items"][2]["owner"] == ann
    lines = table(await root.get("/accounts/audit/export", params={"action": "PUT"}))
    assert [(line["actor"], line["object"]) for line in lines] == [(root_name, f"user/{ann}")]
    assert good(await root.get("/accounts/audit", params={"actor": ann}))["items"] == []
    assert (await one.get("/accounts/audit")).status_code == 403


async def test_specs_pools_nodes_and_limits_are_run_by_admins_and_read_by_all(site: Site) -> None:
    (_, root), (ann, one) = await site.login(admin=True), await site.login()
    names = {spec["name"] for spec in good(await one.get("/resources/specs"))["items"]}
    assert names == {"cpu-small", "cpu-large", "h200-1", "h200-2"}
    spec = {"name": "tiny", "cpu_milli": 100, "memory": 1 << 20, "price_micro": 1}
    assert (await one.post("/resources/specs", json=spec)).status_code == 403
    made = await root.post("/resources/specs", json=spec)
    good(made, 201)
    changed = await root.patch(
        "/resources/specs/tiny", json={"price_micro": 2}, headers={"If-Match": made.headers["ETag"]}
    )
    assert good(changed)["revision"] == 2
    for bad in (
        {**spec, "price_micro": -1},
        {**spec, "name": "a..b"},
        {**spec, "name": "é"},
        {**spec, "colour": "red"},
    ):
        assert (await root.post("/resources/specs", json=bad)).status_code == 422
    pool = {"name": "mine", "users": [ann], "specs": ["tiny"], "kinds": ["job"]}
    good(await root.post("/resources/pools", json=pool), 201)
    assert [pool["name"] for pool in good(await one.get("/resources/pools"))["items"]] == ["mine", "default"]
    drained = await root.post("/resources/nodes/here/drain", json={"reason": "new disk"})
    assert good(drained)["drained"]
    assert not good(await root.post("/resources/nodes/here/undrain"))["drained"]
    lowered = await root.patch("/resources/nodes/here", json={"accelerators_off": [1]})
    assert good(lowered)["usable_accelerators"] == [0]
    good(await root.put("/resources/limits/user/*", json={"queued": 9}))
    assert good(await one.get("/resources/limits/mine"))["user"]["queued"] == 9
    assert good(await root.get("/resources/usage")) == {"items": []}
    for path in ("/resources/usage", "/resources/limits"):
        assert (await one.get(path)).status_code == 403
    good(await root.delete("/resources/pools/mine"), 204)
    good(await root.delete("/resources/specs/tiny"), 204)
