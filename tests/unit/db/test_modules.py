"""Every module's own writes and reads on each database: what a dialect does not know shows here, not in production."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from pumpkin_services.accounts.audit import list_audit
from pumpkin_services.accounts.models import AuditQuery, UserQuery, WorkspaceCreate, WorkspaceQuery
from pumpkin_services.accounts.tables import UserRow
from pumpkin_services.accounts.workspaces import HubFacts
from pumpkin_services.artifacts.access import Owned
from pumpkin_services.assets.retention import RetentionRule
from pumpkin_services.billing.days import StorageDays
from pumpkin_services.billing.keeping import StoredQuery
from pumpkin_services.billing.models import BalanceQuery, LedgerQuery, Recharge, StatementQuery
from pumpkin_services.db import Database
from pumpkin_services.db.migrate import migrate
from pumpkin_services.images.models import CreateEnvironment, EnvironmentQuery
from pumpkin_services.models.models import Lineage
from pumpkin_services.principal import PREFIX, Principal
from pumpkin_services.resources.models import LimitQuery, LimitValues, SpecQuery
from pumpkin_services.schedules import models as schedules
from pumpkin_services.settings import Platform
from pumpkin_services.web import PageQuery
from pumpkin_services.wiring import Parts, wire
from pumpkin_services.workloads import models as workloads
from pumpkin_services.workloads import notebook_models, notebooks
from pumpkin_services.workloads.tables import WorkloadRow

MODULES = ("datasets", "algorithms", "models", "images", "workloads", "schedules", "resources", "accounts", "billing")
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


async def test_retention(parts: Parts, tmp_path: Path) -> None:
    async with parts.database.write() as session:
        made = await parts.datasets.create(session, ANN, request=parts.datasets.wire_create(name="d", workspace="lab"))
    owned = Owned(kind="dataset", asset_id=made.id, workspace="lab", name="d")
    (tmp_path / "d").mkdir()
    for number in range(4):
        (tmp_path / "d" / "f").write_text(f"{number}")
        await parts.artifacts.ingest.capture(tmp_path / "d", owned=owned, creator="ann", source=f"s{number}")
    lineage = Lineage(
        job="j", job_name=TEXT, attempt=1, code="", datasets=[f"{TEXT}/d@1", "lab/d@2"], models=[], environment="",
        parameters={}, metrics={},
    )  # fmt: skip
    model: Any = {"workspace": "lab", "creator": "ann", "name": "net", "source": "j/1", "lineage": lineage}
    await parts.models.publish(tmp_path / "d", **model)
    async with parts.database.write() as session:
        rule = RetentionRule(keep_last=1, keep_days=3)
        await parts.datasets.set_retention(session, ANN, workspace="lab", name="d", rule=rule, if_match=None)
        found = await parts.datasets.preview_retention(
            session, ANN, workspace="lab", name="d", rule=RetentionRule(keep_last=1)
        )
        assert [(item.number, item.stays) for item in found.items] == [(3, None), (2, "lineage"), (1, None)]
    now = datetime.now(UTC) + timedelta(days=4)
    assert sum(await asyncio.gather(*(parts.retention.apply(now=now) for _ in range(3)))) == 2
    async with parts.database.read() as session:
        audit = (await list_audit(session, query=AuditQuery(q="RETENTION"))).items
        assert [line.object for line in audit] == ["lab/d/3", "lab/d/1"]


async def test_storage(parts: Parts, tmp_path: Path) -> None:
    async with parts.database.write() as session:
        made = await parts.datasets.create(session, ANN, request=parts.datasets.wire_create(name="d", workspace="lab"))
    owned = Owned(kind="dataset", asset_id=made.id, workspace="lab", name="d")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"f" * 100)
    await parts.artifacts.ingest.capture(tmp_path / "d", owned=owned, creator="ann", source="s")
    now = datetime.now(UTC)
    await StorageDays(database=parts.database, ledger=parts.billing.ledger, price_micro=10**12).charge(now=now)
    days = StorageDays(database=parts.database, ledger=parts.billing.ledger, price_micro=0)
    replicas = [days.charge(now=now + timedelta(days=2)) for _ in range(3)]
    assert await asyncio.gather(*replicas) == [None] * 3
    query = StatementQuery(workspace="lab", start=now - timedelta(days=1), end=now + timedelta(days=9))
    async with parts.database.read() as session:
        stored = (await parts.keeping.stored(session, ANN, query=StoredQuery(all=True))).items
        assert [(item.workspace, item.versions) for item in stored] == [("lab", 1)]
        lines = (await parts.billing.lines(session, ANN, query=LedgerQuery(workspace="lab", kind="storage"))).items
        assert [(line.bytes, line.amount_micro) for line in lines] == [
            (stored[0].bytes, -(stored[0].bytes * 10**12 >> 30))
        ]
        statement = await parts.billing.statement(session, ANN, query=query)
        assert [(line.kind, line.workload) for line in statement.lines] == [("storage", None)]
        spent = await parts.billing.spending(session, ANN, query=query)
        assert [(item.kind, item.day, item.creator) for item in spent.items] == [("storage", now.date(), "")]
        totals = await parts.billing.totals(session, ANN, query=query)
        assert (totals.storage_micro, totals.milliseconds) == (totals.spent_micro, 0)


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


async def test_cells_of_notebooks_change_one_after_the_other(parts: Parts) -> None:
    names = [f"c{at}" for at in range(6)]
    cells: list[dict[str, Any]] = [{"id": name, "cell_type": "code", "metadata": {}, "source": TEXT} for name in names]
    document: dict[str, Any] = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    async with parts.database.write() as session:
        request = workloads.JobRequest.model_validate(
            {"name": "job", "spec": "cpu-small", "notebook": {"path": f"{TEXT}.ipynb", "content": document}}
        )
        row = await parts.workloads.submit_job(session, ANN, request=request)
    async with parts.database.write() as session:
        await session.execute(update(WorkloadRow).where(WorkloadRow.id == row.id).values(phase="running", attempt=1))

    async def take(name: str) -> None:
        outputs = [{"output_type": "stream", "name": "stdout", "text": TEXT * 20_000}]
        sent = notebook_models.CellUpdate(cell=name, sequence=1, state="running", outputs=outputs)
        async with parts.database.write() as session:
            await notebooks.take(session, workload=row.id, updates=[sent])

    await asyncio.gather(*map(take, names))
    async with parts.database.read() as session:
        found = await notebooks.after(session, row.id, 0, limit=100)
        assert sorted(item.revision for item in found) == list(range(7, 13))
        assert (await notebooks.executed(session, row)).cells[5]["outputs"][0]["text"] == TEXT * 20_000
        listed = await notebooks.runs(session, ANN, query=notebook_models.NotebookRunQuery(landed=False))
        assert [item.path for item in listed.items] == [f"{TEXT}.ipynb"]
    async with parts.database.write() as session:
        await notebooks.settle(session, row.id)
        await notebooks.restart(session, [row.id])
        await notebooks.land(session, ANN, row)
    async with parts.database.read() as session:
        assert [item.revision for item in await notebooks.after(session, row.id, 0, limit=100)] == list(range(19, 25))


async def test_schedules(parts: Parts) -> None:
    firing = parts.pipeline.parts.schedules
    now = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    parts.schedules.clock = lambda: now
    job = workloads.JobRequest(name="job", workspace="lab", spec="cpu-small", command=["true"], notes=TEXT)
    async with parts.database.write() as session:
        request = schedules.ScheduleCreate(name="hourly", cron="0 * * * *", timezone="Asia/Shanghai", request=job)
        made = await parts.schedules.create(session, ANN, request=request)
    assert await firing.due() == []
    now += timedelta(hours=3)
    assert await firing.due() == [made.id]
    async with parts.database.write() as session:
        workload = await firing.fire(session, schedule=made.id)
    now -= timedelta(hours=2)  # 13:30: the clock was wrong, what it had for due comes once more, and only once
    assert await firing.due() == [made.id]
    for hours, outcome in ((0, ""), (1, "skipped"), (1, "")):
        now += timedelta(hours=hours)
        for schedule in await firing.due():
            async with parts.database.write() as session:
                assert not await firing.fire(session, schedule=schedule), outcome
    async with parts.database.read() as session:
        page = await parts.schedules.runs(session, ANN, schedule=made.id, query=PageQuery(q="e"))
        assert [run.outcome for run in page.items] == ["skipped", "missed"]
        page = await parts.schedules.runs(session, ANN, schedule=made.id, query=PageQuery())
        assert [run.workload.id for run in page.items if run.workload] == [workload]
        assert [run.due for run in page.items if run.due] == [
            datetime(2026, 3, 1, 14, tzinfo=UTC),
            datetime(2026, 3, 1, 15, tzinfo=UTC),
        ]
        for query in ({}, {"q": "HOUR"}, {"workspace": "lab"}, {"everything": True}):
            found = await parts.schedules.list(session, ANN, query=schedules.ScheduleQuery(**query))
            assert [item.name for item in found.items] == ["hourly"], query
        assert await parts.schedules.held(session, "lab") == "1 schedule"
    async with parts.database.write() as session:
        patch = schedules.SchedulePatch(name="other", enabled=False)
        await parts.schedules.edit(session, ANN, schedule=made.id, patch=patch, if_match=made.revision)
    async with parts.database.write() as session:
        await parts.schedules.delete(session, ANN, schedule=made.id, if_match=None)
