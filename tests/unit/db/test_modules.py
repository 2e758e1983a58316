"""Every module's own writes and reads on each database: what a dialect does not know shows here, not in production."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pumpkin_services.accounts.audit import list_audit
from pumpkin_services.accounts.models import AuditQuery, UserQuery, WorkspaceCreate, WorkspaceQuery
from pumpkin_services.accounts.tables import UserRow
from pumpkin_services.accounts.workspaces import HubFacts
from pumpkin_services.billing.models import BalanceQuery, LedgerQuery, Recharge, StatementQuery
from pumpkin_services.db import Database
from pumpkin_services.db.migrate import migrate
from pumpkin_services.images.models import CreateEnvironment, EnvironmentQuery
from pumpkin_services.principal import PREFIX, Principal
from pumpkin_services.resources.models import LimitQuery, LimitValues, SpecQuery
from pumpkin_services.settings import Platform
from pumpkin_services.web import PageQuery
from pumpkin_services.wiring import Parts, wire
from pumpkin_services.workloads import models as workloads

MODULES = ("datasets", "algorithms", "models", "images", "workloads", "resources", "accounts", "billing")
ANN = Principal(
    name="ann",
    token="ann",
    scopes=frozenset(f"{PREFIX}{module}:{verb}" for module in MODULES for verb in ("read", "write", "admin")),
    workspaces={"ann": "owner", "lab": "owner"},
)
TEXT = "南瓜 100%_\\ 🎃"


@pytest.fixture
async def parts(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parts]:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "there-is-no-hub")
    settings = Platform(data_dir=str(tmp_path / "data"), database_url=url, isolate="never", default_balance="1")
    database = Database(url)
    await migrate(database)
    parts = wire(settings, database)
    node = await parts.resources.nodes.register_this_machine(database)
    async with database.write() as session:
        await parts.resources.seed(session, node=node)
        session.add(UserRow(name="ann"))
        await session.flush()
        made = WorkspaceCreate(name="lab", description=TEXT)
        await parts.accounts.workspaces.create_workspace(session, ANN, request=made, facts=HubFacts(user=False))
    await parts.images.interpreters.register_default(sys.executable)
    yield parts
    parts.hub.close()
    await database.close()


@pytest.mark.parametrize("kind", ["datasets", "algorithms", "models"])
async def test_named_things(parts: Parts, kind: str) -> None:
    service: Any = getattr(parts, kind)
    async with parts.database.write() as session:
        request = service.wire_create(name="digits", workspace="lab", description=TEXT, labels=["a b", "南瓜"])
        made = await service.create(session, ANN, request=request)
        assert made.description == TEXT
        await service.share(session, ANN, workspace="lab", name="digits", target="ann")
        patch = service.wire_patch(labels=["c"], visibility="everyone", preset=True)
        await service.patch(session, ANN, workspace="lab", name="digits", request=patch, if_match=None)
    async with parts.database.read() as session:
        for query in ({}, {"q": "GIT"}, {"label": "c"}, {"view": "mine"}, {"workspace": "lab", "name": "digits"}):
            page = await service.list(session, ANN, query=service.wire_query(**query))
            assert [item.name for item in page.items] == ["digits"], query
        assert await service.held(session, "lab")
        assert not (await service.list(session, ANN, query=service.wire_query(q="%"))).items
    async with parts.database.write() as session:
        await service.delete(session, ANN, workspace="lab", name="digits")


async def test_environments(parts: Parts) -> None:
    async with parts.database.write() as session:
        request = CreateEnvironment(name="plain", workspace="lab", description=TEXT, requirements=["six"])
        made = await parts.images.create(session, ANN, request=request)
        await parts.images.share(session, ANN, environment=made.id, target="ann", shared=True)
    async with parts.database.read() as session:
        found = await parts.images.list(session, ANN, query=EnvironmentQuery(q="plai"))
        assert [item.description for item in found.items] == [TEXT]
        assert (await parts.images.resolve(session, ANN, reference=None, field="environment")).name == "default"
        assert await parts.images.usable_kernels(session, ANN) is not None
    async with parts.database.write() as session:
        await parts.images.delete(session, ANN, environment=made.id, revision=None)


async def test_resources_and_limits(parts: Parts) -> None:
    values = LimitValues(running=2)
    async with parts.database.write() as session:
        await parts.resources.limits.set_limit(session, ANN, kind="user", subject="*", values=values, if_match=None)
    async with parts.database.read() as session:
        assert (await parts.resources.list_specs(session, ANN, query=SpecQuery(kind="job", q="cpu"))).items
        assert (await parts.resources.list_pools(session, ANN, query=PageQuery(q="def"))).items
        assert (await parts.resources.limits.mine(session, ANN)).user.running == 2
        assert (await parts.resources.limits.list_limits(session, ANN, query=LimitQuery(kind="user"))).items
        assert [node.alive for node in await parts.resources.capacity(session)] == [True]


async def test_accounts(parts: Parts) -> None:
    async with parts.database.read() as session:
        rules = parts.accounts.workspaces
        names = [item.name for item in (await rules.list_workspaces(session, ANN, query=WorkspaceQuery())).items]
        assert names == ["ann", "lab"]
        assert [item.user for item in (await rules.members(session, ANN, name="lab")).items] == ["ann"]
        assert (await parts.accounts.list_users(session, ANN, query=UserQuery(frozen=False, q="nn"))).items
        assert (await parts.accounts.principal_of(session, user="ann")).workspaces == {"ann": "owner", "lab": "owner"}
        assert not (await list_audit(session, query=AuditQuery(q="x", actor="ann", action="POST /"))).items


async def test_money(parts: Parts) -> None:
    async with parts.database.write() as session:
        recharge = Recharge(workspace="lab", amount_micro=10**15, reference="payment 1", note=TEXT)
        await parts.billing.recharge(session, ANN, request=recharge)
    async with parts.database.write() as session:
        await parts.billing.recharge(session, ANN, request=recharge)  # booked once
    async with parts.database.read() as session:
        assert (await parts.billing.balance(session, ANN, workspace="lab")).balance_micro == 10**15
        lines = await parts.billing.lines(session, ANN, query=LedgerQuery(workspace="lab", kind="recharge", q="南瓜"))
        assert [line.note for line in lines.items] == [TEXT]
        assert (await parts.billing.balances(session, ANN, query=BalanceQuery(all=True))).items
        assert (await parts.billing.statement(session, ANN, query=StatementQuery(workspace="lab"))).model_dump()


async def test_workloads(parts: Parts) -> None:
    async with parts.database.write() as session:
        request = workloads.JobRequest(
            name="job", workspace="lab", spec="cpu-small", command=["true"], labels=["a"], notes=TEXT
        )
        row = await parts.workloads.submit_job(session, ANN, request=request)
    async with parts.database.write() as session:
        patch = workloads.WorkloadPatch(labels=["b"], priority=5)
        await parts.workloads.edit(session, ANN, workload=row.id, patch=patch, if_match=None)
    async with parts.database.read() as session:
        queries = parts.queries
        for query in ({}, {"phase": ["queued", "running"]}, {"label": "b"}, {"q": "jo"}, {"everything": True}):
            page = await queries.list(session, ANN, query=workloads.WorkloadQuery(**query))
            assert [item.id for item in page.items] == [row.id], query
        assert [item.id for item in (await queries.queue(session, ANN)).items] == [row.id]
        estimate = workloads.EstimateRequest(job=request)
        assert (await queries.estimate(session, ANN, request=estimate)).forecast.position == 2
        seen = await queries.detail(session, await parts.workloads.visible(session, ANN, workload=row.id))
        assert seen.notes == TEXT
        assert (await queries.events(session, workload=row.id, query=PageQuery())).items
        assert await queries.holdings(session) == []
    async with parts.database.write() as session:
        await parts.workloads.stop(session, ANN, workload=row.id)
