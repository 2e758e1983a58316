"""Routes of billing: balances, budgets, recharges, the ledger and statements."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pumpkin_services.billing.keeping import Keeping, Stored, StoredDetail, StoredQuery
from pumpkin_services.billing.models import (
    Adjustment,
    Balance,
    BalanceQuery,
    BudgetPatch,
    LedgerFilter,
    LedgerLine,
    LedgerQuery,
    Recharge,
    Statement,
    StatementLine,
    StatementQuery,
    Totals,
    TotalsQuery,
    WorkspaceTotal,
)
from pumpkin_services.billing.service import BillingService, require_view
from pumpkin_services.billing.spending import Spending
from pumpkin_services.csvout import csv_stream
from pumpkin_services.db import Database
from pumpkin_services.web import Call, Page, Route

READ, ADMIN = "billing:read", "billing:admin"
CSV = "text/csv; charset=utf-8"


def routes(service: BillingService, keeping: Keeping, database: Database) -> list[Route]:
    """Return the routes over `service` and `keeping`; `database` is for the exports, which stream."""
    return _balances(service) + _storage(keeping) + _bookings(service) + _ledger(service, database)


def _balances(service: BillingService) -> list[Route]:
    async def balances(call: Call[None, BalanceQuery]) -> Page[Balance]:
        if call.query.all or set(call.query.workspace) - call.principal.workspaces.keys():
            call.audit["object"] = "balances"
        return await service.balances(call.session, call.principal, query=call.query)

    async def balance(call: Call[None, None]) -> Balance:
        _note_outside(call, call.path["workspace"])
        return await service.balance(call.session, call.principal, workspace=call.path["workspace"])

    async def budget(call: Call[BudgetPatch, None]) -> Balance:
        call.audit.update(owner=call.path["workspace"], budget_micro=call.body.budget_micro)
        return await service.set_budget(
            call.session, call.principal, workspace=call.path["workspace"], patch=call.body, if_match=call.if_match
        )

    one = "/billing/balances/{workspace}"
    return [
        _route("GET", "/billing/balances", "List balances", balances, query=BalanceQuery, response=Page[Balance]),
        _route("GET", one, "Show what a workspace has and spends", balance, response=Balance),
        _route("PATCH", one, "Set a workspace's monthly budget", budget, request=BudgetPatch, response=Balance),
    ]


def _storage(keeping: Keeping) -> list[Route]:
    async def stored(call: Call[None, StoredQuery]) -> Page[Stored]:
        if call.query.all or set(call.query.workspace) - call.principal.workspaces.keys():
            call.audit["object"] = "storage"
        return await keeping.stored(call.session, call.principal, query=call.query)

    async def stored_of(call: Call[None, None]) -> StoredDetail:
        _note_outside(call, call.path["workspace"])
        return await keeping.stored_of(call.session, call.principal, workspace=call.path["workspace"])

    one = "/billing/storage/{workspace}"
    return [
        _route(
            "GET", "/billing/storage", "List what workspaces keep", stored, query=StoredQuery, response=Page[Stored]
        ),
        _route("GET", one, "Show what a workspace keeps, and who sent it", stored_of, response=StoredDetail),
    ]


def _bookings(service: BillingService) -> list[Route]:
    async def recharge(call: Call[Recharge, None]) -> LedgerLine:
        call.audit.update(owner=call.body.workspace, amount_micro=call.body.amount_micro)
        line = await service.recharge(call.session, call.principal, request=call.body)
        call.audit["object"] = line.id
        return line

    async def adjust(call: Call[Adjustment, None]) -> LedgerLine:
        call.audit.update(owner=call.body.workspace, amount_micro=call.body.amount_micro)
        line = await service.adjust(call.session, call.principal, request=call.body)
        call.audit["object"] = line.id
        return line

    made: dict[str, Any] = {"response": LedgerLine, "status": 201}
    return [
        _route("POST", "/billing/recharges", "Add money to a workspace", recharge, request=Recharge, **made),
        _route("POST", "/billing/adjustments", "Correct a workspace's balance", adjust, request=Adjustment, **made),
    ]


def _ledger(service: BillingService, database: Database) -> list[Route]:
    async def lines(call: Call[None, LedgerQuery]) -> Page[LedgerLine]:
        _note_outside(call, call.query.workspace)
        return await service.lines(call.session, call.principal, query=call.query)

    async def export_lines(call: Call[None, LedgerFilter]) -> AsyncIterator[bytes]:
        _note_outside(call, call.query.workspace)
        workspaces = service.visible(call.principal, call.query.workspace)
        _attach(call, "ledger.csv")
        return csv_stream(
            list(LedgerLine.model_fields), service.ledger.rows(database, workspaces=workspaces, query=call.query)
        )

    async def totals(call: Call[None, TotalsQuery]) -> Totals:
        call.audit["owner"] = "*"
        return await service.totals(call.session, call.principal, query=call.query)

    async def export_totals(call: Call[None, TotalsQuery]) -> AsyncIterator[bytes]:
        call.audit["owner"] = "*"
        _attach(call, "totals.csv")
        return csv_stream(list(WorkspaceTotal.model_fields), totals_rows(call.query))

    async def totals_rows(query: TotalsQuery) -> AsyncIterator[list[Any]]:
        async with database.read() as session:
            for item in (await service.ledger.totals(session, query=query, currency="", limit=None)).items:
                yield list(item.model_dump().values())

    async def statement(call: Call[None, StatementQuery]) -> Statement:
        _note_outside(call, call.query.workspace)
        return await service.statement(call.session, call.principal, query=call.query)

    async def spent(call: Call[None, StatementQuery]) -> Spending:
        _note_outside(call, call.query.workspace)
        return await service.spending(call.session, call.principal, query=call.query)

    async def export_statement(call: Call[None, StatementQuery]) -> AsyncIterator[bytes]:
        _note_outside(call, call.query.workspace)
        require_view(call.principal, call.query.workspace)
        _attach(call, "statement.csv")
        return csv_stream(list(StatementLine.model_fields), statement_rows(call.query))

    async def statement_rows(query: StatementQuery) -> AsyncIterator[list[Any]]:
        async with database.read() as session:
            async for line in service.ledger.statement_lines(session, query=query):
                yield list(line.model_dump().values())

    stream: dict[str, Any] = {"streams": CSV, "session": False}
    admin: dict[str, Any] = {"scope": ADMIN, "owner": "admin"}
    return [
        _route("GET", "/billing/ledger", "List the ledger", lines, query=LedgerQuery, response=Page[LedgerLine]),
        _route("GET", "/billing/ledger/export", "The ledger as CSV", export_lines, query=LedgerFilter, **stream),
        _route(
            "GET", "/billing/totals", "What each workspace spent", totals, query=TotalsQuery, response=Totals, **admin
        ),
        _route("GET", "/billing/totals/export", "It as CSV", export_totals, query=TotalsQuery, **stream, **admin),
        _route("GET", "/billing/statement", "Account of a period", statement, query=StatementQuery, response=Statement),
        _route("GET", "/billing/spending", "By day and member", spent, query=StatementQuery, response=Spending),
        _route(
            "GET",
            "/billing/statement/export",
            "It as CSV, per workload",
            export_statement,
            query=StatementQuery,
            **stream,
        ),
    ]


def _note_outside(call: Call[Any, Any], workspace: str | None) -> None:
    """Have an admin's look into somebody else's money audited."""
    if workspace is None and call.principal.admin("billing"):
        call.audit["owner"] = "*"
    elif workspace is not None and workspace not in call.principal.workspaces:
        call.audit["owner"] = workspace


def _attach(call: Call[Any, Any], name: str) -> None:
    call.handler.set_header("Content-Disposition", f'attachment; filename="{name}"')


def _route(method: Any, path: str, summary: str, endpoint: Any, **rest: Any) -> Route:
    rules: dict[str, Any] = (
        {"scope": READ, "owner": "member"} if method == "GET" else {"scope": ADMIN, "owner": "admin"}
    )
    return Route(method=method, path=path, summary=summary, endpoint=endpoint, **(rules | rest))
