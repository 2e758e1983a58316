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
from pumpkin_services.accounts.models import UserCreate
from pumpkin_services.accounts.people import People
from pumpkin_services.accounts.service import AccountService
from pumpkin_services.billing import api as billing_api
from pumpkin_services.billing.keeping import Keeping
from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import Database
from pumpkin_services.hub import HubClient
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Forbidden
from pumpkin_services.resources import api as resources_api
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.web.auth import Authenticator
from pumpkin_services.web.handler import Edge
from pumpkin_services.web.ratelimit import RateLimiter
from pumpkin_services.web.server import CHUNK, MAX_BODY, application, handlers
from tests.unit.accounts.conftest import SERVICE_TOKEN, RealHub, caller
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
async def site(hub: RealHub, client: HubClient, accounts: AccountService, database: Database) -> AsyncIterator[Site]:
    resources = ResourceService()
    billing = BillingService(accounts=accounts, currency="¥", default_balance="2")
    keeping = Keeping(accounts=accounts, limits=resources.limits, currency="¥", price="0.5")
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
        *accounts_api.routes(accounts, People(database=database, hub=client, accounts=accounts), database),
        *resources_api.routes(resources),
        *billing_api.routes(billing, keeping, database),
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
    for one in found.clients:
        await one.aclose()
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
    assert good(await root.get("/resources/usage"))["items"] == []
    for path in ("/resources/usage", "/resources/limits"):
        assert (await one.get(path)).status_code == 403
    good(await root.delete("/resources/pools/mine"), 204)
    good(await root.delete("/resources/specs/tiny"), 204)


async def test_an_admin_makes_a_user_who_has_not_been_here_yet(site: Site) -> None:
    root_name, root = await site.login(admin=True)
    name = site.hub.name("made")
    made = good(await root.post("/accounts/users", json={"name": name}), 201)
    assert made["one_time_password"] is None  # this Hub keeps no passwords
    assert (made["user"]["last_seen"], made["user"]["admin"]) == (None, False)
    assert site.hub.model(name)["admin"] is False
    again = await root.post("/accounts/users", json={"name": name})
    assert good(again, 409)["errors"][0]["field"] == "name"
    assert (await root.post(f"/accounts/users/{name}/one-time-password")).status_code == 409
    assert (await root.post("/accounts/users/nobody-here/one-time-password")).status_code == 404
    # They come, are known by what the admin made, and no token of the admin's is left behind.
    client = httpx.AsyncClient(base_url=site.url, headers={"Authorization": f"token {site.hub.token(name)}"})
    good(await client.get("/accounts/me"))
    await client.aclose()
    [seen] = good(await root.get("/accounts/users", params={"q": name}))["items"]
    assert seen["last_seen"] is not None
    assert seen["id"] == made["user"]["id"]
    assert not [token for token in site.hub.ask("GET", f"/users/{root_name}/tokens")["api_tokens"]
                if "for what you have just asked" in token["note"]]  # fmt: skip


async def test_a_name_of_a_workspace_or_of_the_platform_makes_no_user(site: Site) -> None:
    (_, one), (_, root) = await site.login(), await site.login(admin=True)
    taken = site.hub.name("lab")
    good(await one.post("/accounts/workspaces", json={"name": taken}), 201)
    for name in (taken, "pumpkin", "pumpkin-frozen"):
        assert (await root.post("/accounts/users", json={"name": name})).status_code == 409, name
    assert (await root.post("/accounts/users", json={"name": "No Name"})).status_code == 422


async def test_admins_are_made_and_unmade_by_admins_of_the_hub_alone(site: Site) -> None:
    (ann, one), (root_name, root) = await site.login(), await site.login(admin=True)
    assert (await one.patch(f"/accounts/users/{ann}", json={"admin": True})).status_code == 403
    assert good(await root.patch(f"/accounts/users/{ann}", json={"admin": True}))["admin"] is True
    assert site.hub.model(ann)["admin"] is True
    assert [item["name"] for item in good(await root.get("/accounts/users", params={"q": ann, "admin": True}))["items"]]
    assert good(await root.patch(f"/accounts/users/{ann}", json={"admin": False}))["admin"] is False
    assert site.hub.model(ann)["admin"] is False
    assert (await root.patch(f"/accounts/users/{root_name}", json={"admin": False})).status_code == 409
    assert (await root.patch("/accounts/users/nobody-here", json={"admin": True})).status_code == 404


async def test_who_administers_only_the_platform_makes_no_admin(
    site: Site, accounts: AccountService, database: Database, client: HubClient
) -> None:
    (ann, _), (bob, _) = await site.login(), await site.login()
    people = People(database=database, hub=client, accounts=accounts)
    with pytest.raises(Forbidden, match="admin of the Hub"):
        await people.set_admin(caller(ann, admin=True), name=bob, admin=True)
    with pytest.raises(Forbidden, match="admin of the Hub"):
        await people.create(caller(ann, admin=True), request=UserCreate(name=site.hub.name("made")))
    assert site.hub.model(bob)["admin"] is False


async def test_a_look_that_goes_on_is_one_line_of_the_audit_and_text_is_found_anywhere_in_a_line(site: Site) -> None:
    (ann, _), (root_name, root) = await site.login(), await site.login(admin=True)
    for _ in range(3):
        good(await root.get(f"/accounts/users/{ann}"))
    looks = good(await root.get("/accounts/audit", params={"actor": root_name, "object": ann}))["items"]
    assert [line["action"] for line in looks] == ["GET /accounts/users/{user}"]
    good(await root.post(f"/accounts/users/{ann}/freeze", json={"reason": "欠费 100%_"}))
    for text in ("欠费", "100%_", "FREEZE", ann):
        found = good(await root.get("/accounts/audit", params={"q": text, "limit": 1}))["items"]
        assert found, text
    assert good(await root.get("/accounts/audit", params={"q": "100%x"}))["items"] == []
    changes = good(await root.get("/accounts/audit", params={"actor": root_name, "changes": True}))["items"]
    assert [line["action"] for line in changes] == ["POST /accounts/users/{user}/freeze"]
    lines = table(await root.get("/accounts/audit/export", params={"q": "欠费"}))
    assert [line["object"] for line in lines] == [ann]


async def test_no_cell_of_an_export_is_run_by_a_spreadsheet(site: Site) -> None:
    (ann, _), (_, root) = await site.login(), await site.login(admin=True)
    for note in ('=HYPERLINK("http://x")', "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1"):
        body = {"workspace": ann, "amount_micro": -5, "note": note}
        good(await root.post("/billing/adjustments", json=body), 201)
        good(await root.post(f"/accounts/users/{ann}/freeze", json={"reason": note[:1]}))
    ledger = table(await root.get("/billing/ledger/export", params={"workspace": ann}))
    notes = [line["note"] for line in ledger if line["kind"] == "adjustment"]
    assert len(notes) == 9
    assert not [
        note for note in notes if note.lstrip()[:1] in ("=", "+", "-", "@", "＝") or note[:1] in ("\t", "\r", "\n")
    ]
    # Numbers stay numbers, though they may begin with a minus.
    assert {line["amount_micro"] for line in ledger if line["kind"] == "adjustment"} == {"-5"}
    found = table(await root.get("/billing/ledger/export", params={"workspace": ann, "q": "hyperlink"}))
    assert [line["note"][:2] for line in found] == ["'="]


async def test_what_each_workspace_spent_is_one_table(site: Site) -> None:
    (ann, one), (bob, _), (_, root) = await site.login(), await site.login(), await site.login(admin=True)
    start = {"start": "2020-01-01T00:00:00Z"}
    before = good(await root.get("/billing/totals", params=start))
    for name, amount in ((ann, 3_000_000), (bob, 5_000_000)):
        good(await root.post("/billing/recharges", json={"workspace": name, "amount_micro": amount}), 201)
    after = good(await root.get("/billing/totals", params=start))
    assert after["received_micro"] - before["received_micro"] == 8_000_000 + 2 * 2_000_000  # and what they began with
    rows = {item["workspace"]: item for item in after["items"]}
    assert (rows[bob]["received_micro"], rows[bob]["spent_micro"], after["left_out"]) == (7_000_000, 0, 0)
    assert ann in [line["workspace"] for line in table(await root.get("/billing/totals/export", params=start))]
    assert (await one.get("/billing/totals")).status_code == 403
    both = good(await root.get("/billing/balances", params={"workspace": [bob, ann]}))["items"]
    assert [(item["workspace"], item["balance_micro"]) for item in both] == [(bob, 7_000_000), (ann, 5_000_000)]
    assert (await one.get("/billing/balances", params={"workspace": [ann, bob]})).status_code == 403
