"""Writing and reading the ledger: every line moves its workspace's balance in the same transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, case, desc, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.billing.models import (
    LedgerFilter,
    LedgerLine,
    LedgerQuery,
    Statement,
    StatementLine,
    StatementQuery,
    Totals,
    TotalsQuery,
    WorkspaceTotal,
)
from pumpkin_services.billing.money import month_of
from pumpkin_services.billing.tables import BalanceRow, LedgerRow, MeterRow, MonthRow
from pumpkin_services.db import Database, new_id, table, utcnow
from pumpkin_services.problems import Invalid
from pumpkin_services.web import Page, paginate

USE = ("charge", "refund", "storage")
STATEMENT_LINES = 1000
ADD_LINE = insert(table(LedgerRow))
Opening = Callable[[AsyncSession, str], Awaitable[int]]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a workspace has: balance, budget per month, and what it spent of that this month (micro-units)."""

    balance_micro: int
    budget_micro: int | None
    spent_micro: int
    revision: int

    @property
    def available_micro(self) -> int:
        """What may still be spent now."""
        if self.budget_micro is None:
            return self.balance_micro
        return min(self.balance_micro, self.budget_micro - self.spent_micro)


class Ledger:
    """The append-only ledger and the balances that are its sums.

    `opening` tells what a workspace begins with (micro-units) when its first line is written.
    """

    def __init__(self, *, opening: Opening) -> None:
        self._opening = opening

    async def post(self, session: AsyncSession, **line: Any) -> str:
        """Append a line (columns of `LedgerRow`) and move the balance; return its id.

        What is used (a kind of `USE`) also moves what the month has spent.
        """
        identifier = new_id()
        await session.execute(ADD_LINE, {"id": identifier, **line})
        amount = line["amount_micro"]
        if amount != 0:
            await self._move_balance(session, line["workspace"], amount)
            if line["kind"] in USE:
                # A day of storage ends where the next month may begin.
                moment = line["start_ms"] if line["kind"] == "storage" else max(line["start_ms"], line["end_ms"])
                await self._move_month(session, line["workspace"], month_of(moment), -amount)
        return identifier

    async def open_account(self, session: AsyncSession, workspace: str) -> None:
        """Make sure that a workspace has a balance, with what it begins with."""
        if await session.scalar(select(BalanceRow.id).where(BalanceRow.workspace == workspace)):
            return
        amount = await self._opening(session, workspace)
        try:
            async with session.begin_nested():
                session.add(BalanceRow(workspace=workspace, balance_micro=amount))
                if amount:
                    reference = f"opening/{workspace}"
                    session.add(
                        LedgerRow(workspace=workspace, kind="opening", amount_micro=amount, reference=reference)
                    )
        except IntegrityError:
            pass  # another replica was quicker

    async def standing(self, session: AsyncSession, workspace: str, *, now_ms: int) -> Standing:
        """Return what a workspace has at `now_ms`; one without a line yet has what it will begin with."""
        row = (
            await session.execute(
                select(BalanceRow.balance_micro, BalanceRow.budget_micro, BalanceRow.revision).where(
                    BalanceRow.workspace == workspace
                )
            )
        ).first()
        if row is None:
            opening = await self._opening(session, workspace)
            return Standing(balance_micro=opening, budget_micro=None, spent_micro=0, revision=1)
        spent = await session.scalar(
            select(MonthRow.spent_micro).where(MonthRow.workspace == workspace, MonthRow.month == month_of(now_ms))
        )
        return Standing(balance_micro=row[0], budget_micro=row[1], spent_micro=spent or 0, revision=row[2])

    async def find(self, session: AsyncSession, reference: str) -> LedgerRow | None:
        """Return the line booked under a reference."""
        return await session.scalar(select(LedgerRow).where(LedgerRow.reference == reference))

    async def list_lines(
        self, session: AsyncSession, *, workspaces: Sequence[str] | None, query: LedgerQuery
    ) -> Page[LedgerLine]:
        """Return lines, newest first; `workspaces` None looks into all."""
        statement = select(LedgerRow).where(*_conditions(query, workspaces))
        rows, following = await paginate(session, statement, key=LedgerRow.id, query=query)
        return Page(items=[LedgerLine.model_validate(row) for row in rows], next=following)

    async def rows(
        self, database: Database, *, workspaces: Sequence[str] | None, query: LedgerFilter
    ) -> AsyncIterator[list[Any]]:
        """Iterate over all lines, oldest first, as the values of `LedgerLine`'s fields."""
        names = list(LedgerLine.model_fields)
        statement = select(LedgerRow).where(*_conditions(query, workspaces)).order_by(LedgerRow.id)
        async with database.read() as session:
            async for row in await session.stream_scalars(statement.execution_options(yield_per=500)):
                line = LedgerLine.model_validate(row)
                yield [value.isoformat() if isinstance(value, datetime) else value for value in _values(line, names)]

    async def totals(
        self, session: AsyncSession, *, query: TotalsQuery, currency: str, limit: int | None = STATEMENT_LINES
    ) -> Totals:
        """Return what every workspace received and spent in a period (the present month, UTC, unless said)."""
        start, end = period(query)
        used, stored = LedgerRow.kind.in_(USE), LedgerRow.kind == "storage"
        grouped = (
            select(
                LedgerRow.workspace,
                func.sum(case((used, 0), else_=LedgerRow.amount_micro)).label("received"),
                func.sum(case((used, -LedgerRow.amount_micro), else_=0)).label("spent"),
                func.sum(case((stored, -LedgerRow.amount_micro), else_=0)).label("storage"),
                func.sum(case((stored, 0), else_=func.coalesce(LedgerRow.end_ms - LedgerRow.start_ms, 0))).label(
                    "milliseconds"
                ),
            )
            .where(LedgerRow.time >= start, LedgerRow.time < end)
            .group_by(LedgerRow.workspace)
        )
        every = grouped.subquery()
        columns = (
            func.coalesce(func.sum(every.c[name]), 0) for name in ("received", "spent", "storage", "milliseconds")
        )
        sums: Any = (await session.execute(select(func.count(), *columns).select_from(every))).one()
        dearest = grouped.order_by(desc("spent"), desc("received"), LedgerRow.workspace).limit(limit)
        items = [
            WorkspaceTotal(
                workspace=row.workspace,
                received_micro=int(row.received),
                spent_micro=int(row.spent),
                storage_micro=int(row.storage),
                milliseconds=int(row.milliseconds),
            )
            for row in await session.execute(dearest)
        ]
        return Totals(
            start=start,
            end=end,
            received_micro=int(sums[1]),
            spent_micro=int(sums[2]),
            storage_micro=int(sums[3]),
            milliseconds=int(sums[4]),
            currency=currency,
            items=items,
            left_out=int(sums[0]) - len(items),
        )

    async def statement(self, session: AsyncSession, *, query: StatementQuery, currency: str) -> Statement:
        """Return a workspace's account of a period (the present month, UTC, unless said)."""
        start, end = period(query)
        mine = LedgerRow.workspace == query.workspace
        inside = [mine, LedgerRow.time >= start, LedgerRow.time < end]
        opening = await self._sum(session, mine, LedgerRow.time < start)
        received = await self._sum(session, *inside, LedgerRow.kind.not_in(USE))
        spent = -await self._sum(session, *inside, LedgerRow.kind.in_(USE))
        lines = [line async for line in self.statement_lines(session, query=query, limit=STATEMENT_LINES)]
        count = await session.scalar(
            select(func.count()).select_from(_used(query.workspace, start, end).order_by(None).subquery())
        )
        return Statement(
            workspace=query.workspace,
            start=start,
            end=end,
            opening_micro=opening,
            received_micro=received,
            spent_micro=spent,
            closing_micro=opening + received - spent,
            currency=currency,
            lines=lines,
            lines_left_out=(count or 0) - len(lines),
        )

    async def statement_lines(
        self, session: AsyncSession, *, query: StatementQuery, limit: int | None = None
    ) -> AsyncIterator[StatementLine]:
        """Iterate over what each workload, and storage, used and cost in the period, the dearest first."""
        statement = _used(query.workspace, *period(query)).limit(limit)
        async for row in await session.stream(statement.execution_options(yield_per=500)):
            yield StatementLine(
                kind="storage" if row.workload is None else "workload",
                workload=row.workload,
                spec=row.spec,
                creator=row.creator or "",
                milliseconds=int(row.milliseconds),
                cost_micro=-int(row.amount),
            )

    async def _sum(self, session: AsyncSession, *conditions: ColumnElement[bool]) -> int:
        return int(await session.scalar(select(func.sum(LedgerRow.amount_micro)).where(*conditions)) or 0)

    async def _move_balance(self, session: AsyncSession, workspace: str, amount: int) -> None:
        # Added up by the database: two replicas at once lose nothing.
        move = (
            update(BalanceRow)
            .where(BalanceRow.workspace == workspace)
            .values(balance_micro=BalanceRow.balance_micro + amount)
            .execution_options(synchronize_session=False)
        )
        if cast(CursorResult[Any], await session.execute(move)).rowcount == 0:
            await self.open_account(session, workspace)
            await session.execute(move)

    async def _move_month(self, session: AsyncSession, workspace: str, month: str, amount: int) -> None:
        move = (
            update(MonthRow)
            .where(MonthRow.workspace == workspace, MonthRow.month == month)
            .values(spent_micro=MonthRow.spent_micro + amount)
            .execution_options(synchronize_session=False)
        )
        if cast(CursorResult[Any], await session.execute(move)).rowcount == 0:
            try:
                async with session.begin_nested():
                    session.add(MonthRow(workspace=workspace, month=month, spent_micro=0))
            except IntegrityError:
                pass  # another replica was quicker
            await session.execute(move)


def period(query: TotalsQuery) -> tuple[datetime, datetime]:
    """Return the period asked for, the present month (UTC) unless said; raise `Invalid` when it is backwards."""
    now = utcnow()
    start = query.start or datetime(now.year, now.month, 1, tzinfo=UTC)
    end = query.end or now
    if end < start:
        raise Invalid("The period ends before it starts.", field="end")
    return start, end


def _conditions(query: LedgerFilter, workspaces: Sequence[str] | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.q:
        conditions.append(
            or_(*(text.icontains(query.q, autoescape=True) for text in (LedgerRow.note, LedgerRow.actor)))
        )
    if workspaces is not None:
        conditions.append(LedgerRow.workspace.in_(workspaces))
    if query.kind:
        conditions.append(LedgerRow.kind == query.kind)
    if query.workload:
        conditions.append(LedgerRow.workload == query.workload)
    if query.start:
        conditions.append(LedgerRow.time >= query.start)
    if query.end:
        conditions.append(LedgerRow.time < query.end)
    return conditions


def _values(line: LedgerLine, names: Sequence[str]) -> list[Any]:
    return [getattr(line, name) for name in names]


def _used(workspace: str, start: datetime, end: datetime) -> Any:
    amount = func.sum(LedgerRow.amount_micro).label("amount")
    return (
        uses(
            workspace,
            start,
            end,
            LedgerRow.workload,
            LedgerRow.spec,
            func.max(MeterRow.creator).label("creator"),
            func.sum(LedgerRow.end_ms - LedgerRow.start_ms).label("milliseconds"),
            amount,
        )
        .group_by(LedgerRow.workload, LedgerRow.spec)
        .order_by(amount, LedgerRow.workload)
    )


def uses(workspace: str, start: datetime, end: datetime, *columns: Any) -> Select[*tuple[Any, ...]]:
    """Return the select of `columns` of what workloads cost `workspace` in a period, each line with its meter."""
    meter = (
        (MeterRow.workload == LedgerRow.workload)
        & (MeterRow.attempt == LedgerRow.attempt)
        & (MeterRow.replica == LedgerRow.replica)
    )
    return (
        select(*columns)
        .outerjoin(MeterRow, meter)
        .where(
            LedgerRow.workspace == workspace,
            LedgerRow.time >= start,
            LedgerRow.time < end,
            LedgerRow.kind.in_(USE),
        )
    )
