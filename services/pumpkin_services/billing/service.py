"""Rules of money: meters that follow what runs, who may start, how long the money lasts, recharges and budgets.

The pipeline calls `open_meter` when a replica runs, `charge_running` now and then, `close_meter` when it has ended,
each inside its own transaction; calling any of them again, late or out of order changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.accounts.service import AccountService
from pumpkin_services.billing.ledger import USE, Ledger, Standing
from pumpkin_services.billing.models import (
    Adjustment,
    Balance,
    BalanceQuery,
    BudgetPatch,
    LedgerLine,
    LedgerQuery,
    Recharge,
    Statement,
    StatementQuery,
    Totals,
    TotalsQuery,
)
from pumpkin_services.billing.money import Running, due, lasts_ms, micro, words
from pumpkin_services.billing.spending import Spending, spending
from pumpkin_services.billing.tables import BalanceRow, LedgerRow, MeterRow
from pumpkin_services.db import table
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, Problem, check_revision
from pumpkin_services.web import Page, paginate

BALANCE_BOUND = 10**18
"""In micro-units: beyond nine times this a 64-bit column overflows, and SQLite would silently round."""
START_SECONDS = 60
"""A workload starts only when the money lasts at least so long."""

METERS = table(MeterRow)
_ATTEMPT = (METERS.c.workload == bindparam("workload"), METERS.c.attempt == bindparam("attempt"))
_REPLICA = METERS.c.replica == bindparam("replica")
# Rows that are charged are locked where the database has row locks.
_OPEN = select(METERS).where(METERS.c.closed.is_(False)).order_by(METERS.c.id).with_for_update()
OPEN_OF_ATTEMPT = _OPEN.where(*_ATTEMPT)
OPEN_OF_REPLICA = OPEN_OF_ATTEMPT.where(_REPLICA)
OPEN_AND_PRICED = _OPEN.where(METERS.c.price_micro > 0)
METER_OF_REPLICA = select(METERS.c.id).where(*_ATTEMPT, _REPLICA)
ADD_METER = insert(METERS)
MOVE_METER = update(METERS).where(METERS.c.id == bindparam("of"))


class InsufficientBalance(Problem):
    """The workspace's balance or budget does not carry what was asked for."""

    status = 402
    reason = "insufficient_balance"
    title = "Not enough balance"


def now_ms() -> int:
    """Return the present time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def require_view(principal: Principal, workspace: str) -> None:
    """Raise `Forbidden` unless the caller belongs to `workspace` or administers billing."""
    if workspace not in principal.workspaces and not principal.admin("billing"):
        raise Forbidden(
            f"You do not belong to the workspace '{workspace[:80]}': ask one of its owners to add you.",
            field="workspace",
        )


class BillingService:
    """Balances, meters and the ledger. `default_balance` is a decimal in whole units, given to new users."""

    def __init__(self, *, accounts: AccountService, currency: str, default_balance: str) -> None:
        self._accounts = accounts
        self._currency = currency
        try:
            self._default = micro(default_balance)
        except ValueError as error:
            raise ValueError(f"The setting default_balance: {error}.") from error
        self.ledger = Ledger(opening=self._opening)

    async def _opening(self, session: AsyncSession, workspace: str) -> int:
        """Return what a workspace begins with: only personal ones get any, or making workspaces would make money."""
        return self._default if self._default and await self._accounts.is_user(session, workspace) else 0

    # -- meters: called by the pipeline -----------------------------------------------------------------------

    async def open_meter(
        self,
        session: AsyncSession,
        *,
        workspace: str,
        creator: str,
        workload: str,
        attempt: int,
        replica: str,
        spec: str,
        price_micro: int,
        start_ms: int,
    ) -> None:
        """Begin to count a replica's time; one that is counted already stays as it is."""
        of = {"workload": workload, "attempt": attempt, "replica": replica}
        if await session.scalar(METER_OF_REPLICA, of) is not None:
            return
        meter = {
            **of,
            "workspace": workspace,
            "creator": creator,
            "spec": spec,
            "price_micro": price_micro,
            "start_ms": start_ms,
            "charged_ms": start_ms,
        }
        await session.execute(ADD_METER, meter)

    async def charge_until(self, session: AsyncSession, *, workload: str, attempt: int, until_ms: int) -> None:
        """Charge the running replicas of one attempt up to `until_ms`; what is charged already is left alone."""
        for meter in await session.execute(OPEN_OF_ATTEMPT, {"workload": workload, "attempt": attempt}):
            await self._charge(session, meter, until_ms)

    async def charge_running(self, session: AsyncSession, *, until_ms: int) -> set[str]:
        """Charge everything that runs at a price up to `until_ms`; return the workspaces that paid."""
        paid: set[str] = set()
        for meter in await session.execute(OPEN_AND_PRICED):
            await self._charge(session, meter, until_ms)
            paid.add(meter.workspace)
        return paid

    async def close_meter(
        self, session: AsyncSession, *, workload: str, attempt: int, end_ms: int, replica: str | None = None
    ) -> None:
        """Settle a replica (all of the attempt's when None) that ended at `end_ms`: charge the rest, or give back.

        A replica whose end is noticed late may have been charged beyond it; a refund line makes the ledger exact.
        """
        of = {"workload": workload, "attempt": attempt}
        if replica is None:
            meters = await session.execute(OPEN_OF_ATTEMPT, of)
        else:
            meters = await session.execute(OPEN_OF_REPLICA, of | {"replica": replica})
        for meter in meters:
            end = max(end_ms, meter.start_ms)
            if end != meter.charged_ms:
                await self._book(session, meter, end, kind="refund" if end < meter.charged_ms else "charge")
            await session.execute(MOVE_METER, {"of": meter.id, "charged_ms": end, "closed": True})

    async def _charge(self, session: AsyncSession, meter: Any, until_ms: int) -> None:
        if until_ms > meter.charged_ms:
            await self._book(session, meter, until_ms, kind="charge")
            await session.execute(MOVE_METER, {"of": meter.id, "charged_ms": until_ms})

    async def _book(self, session: AsyncSession, meter: Any, until_ms: int, *, kind: str) -> None:
        amount = due(meter.price_micro, start_ms=meter.start_ms, charged_ms=meter.charged_ms, until_ms=until_ms)
        await self.ledger.post(
            session,
            workspace=meter.workspace,
            kind=kind,
            amount_micro=-amount,
            workload=meter.workload,
            attempt=meter.attempt,
            replica=meter.replica,
            start_ms=meter.charged_ms,
            end_ms=until_ms,
            spec=meter.spec,
            price_micro=meter.price_micro,
        )

    # -- how far the money goes -------------------------------------------------------------------------------

    async def can_start(self, session: AsyncSession, *, workspace: str, price_micro: int) -> bool:
        """Tell whether `workspace` can pay for something more at `price_micro` per hour (0: always)."""
        return await self._shortage(session, workspace, price_micro) is None

    async def require_start(
        self, session: AsyncSession, *, workspace: str, price_micro: int, field: str = "spec"
    ) -> None:
        """Raise `InsufficientBalance` unless `workspace` can pay for something more at `price_micro` per hour."""
        shortage = await self._shortage(session, workspace, price_micro)
        if shortage is not None:
            raise InsufficientBalance(shortage, field=field)

    async def _shortage(self, session: AsyncSession, workspace: str, price_micro: int) -> str | None:
        if price_micro == 0:
            return None
        now = now_ms()
        standing = await self.ledger.standing(session, workspace, now_ms=now)
        running = await self._running(session, workspace)
        asked = Running(price_micro=price_micro, start_ms=now, charged_ms=now)
        left = lasts_ms(standing.available_micro, [*running, asked], now_ms=now)
        if left is None or left >= START_SECONDS * 1000:
            return None
        price = f"{words(price_micro, self._currency)} per hour"
        if standing.available_micro < standing.balance_micro:
            return (
                f"The monthly budget of '{workspace}' is used up to {words(standing.available_micro, self._currency)}, "
                f"this costs {price}: ask an admin to raise the budget, or choose a spec of price 0."
            )
        return (
            f"'{workspace}' has {words(standing.balance_micro, self._currency)} left, this costs {price}: "
            "ask an admin to recharge it, or choose a spec of price 0."
        )

    async def deadline_ms(
        self, session: AsyncSession, *, workspace: str, grace_ms: int = 0, at_ms: int | None = None
    ) -> int | None:
        """Return when (epoch ms) what runs in `workspace` must begin to stop so as not to overdraw it.

        `grace_ms` is how long stopping may take. Ask again whenever something starts, ends, is recharged, and when
        the time has come: only if the answer still is not in the future, stop. None: nothing that costs is running.
        """
        now = at_ms or now_ms()
        standing = await self.ledger.standing(session, workspace, now_ms=now)
        left = lasts_ms(standing.available_micro, await self._running(session, workspace), now_ms=now)
        return None if left is None else now + left - grace_ms

    async def workload_deadline_ms(
        self, session: AsyncSession, *, workload: str, budget_micro: int, grace_ms: int = 0, at_ms: int | None = None
    ) -> int | None:
        """Return when (epoch ms) a workload must begin to stop so as not to exceed its own budget; None: never."""
        now = at_ms or now_ms()
        spent = await self._charged(session, [workload])
        running = await self._open(session, MeterRow.workload == workload)
        left = lasts_ms(budget_micro - spent.get(workload, 0), [item for _, item in running], now_ms=now)
        return None if left is None else now + left - grace_ms

    async def seconds_left(self, session: AsyncSession, *, workspace: str) -> int | None:
        """Return how many seconds balance and budget last at the present rate; None: nothing that costs is running."""
        now = now_ms()
        deadline = await self.deadline_ms(session, workspace=workspace, at_ms=now)
        return None if deadline is None else (deadline - now) // 1000

    async def costs(self, session: AsyncSession, workloads: Sequence[str]) -> dict[str, int]:
        """Return what each workload has cost so far in micro-units, what is not charged yet included."""
        costs = dict.fromkeys(workloads, 0) | await self._charged(session, workloads)
        now = now_ms()
        for workload, meter in await self._open(session, MeterRow.workload.in_(workloads)):
            costs[workload] += meter.due(now)
        return costs

    async def _charged(self, session: AsyncSession, workloads: Sequence[str]) -> dict[str, int]:
        rows = await session.execute(
            select(LedgerRow.workload, func.sum(LedgerRow.amount_micro))
            .where(LedgerRow.workload.in_(workloads), LedgerRow.kind.in_(USE))
            .group_by(LedgerRow.workload)
        )
        return {workload: -int(amount) for workload, amount in rows if workload is not None}

    async def _running(self, session: AsyncSession, workspace: str) -> list[Running]:
        return [meter for _, meter in await self._open(session, MeterRow.workspace == workspace)]

    async def _open(self, session: AsyncSession, condition: Any) -> list[tuple[str, Running]]:
        rows = await session.execute(
            select(MeterRow.workload, MeterRow.price_micro, MeterRow.start_ms, MeterRow.charged_ms).where(
                condition, MeterRow.closed.is_(False)
            )
        )
        return [
            (workload, Running(price_micro=price, start_ms=start, charged_ms=charged))
            for workload, price, start, charged in rows
        ]

    # -- what people see and do -------------------------------------------------------------------------------

    async def balance(self, session: AsyncSession, principal: Principal, *, workspace: str) -> Balance:
        """Return what a workspace has, spends and may spend."""
        require_view(principal, workspace)
        if workspace not in principal.workspaces:
            await self._accounts.require_workspace(session, workspace, field="workspace")
        return await self._balance(session, workspace)

    async def balances(self, session: AsyncSession, principal: Principal, *, query: BalanceQuery) -> Page[Balance]:
        """Return the caller's workspaces' balances; to an admin who asks, every one that has moved yet."""
        if query.workspace:
            for name in query.workspace:
                require_view(principal, name)
            return Page(items=[await self._balance(session, name) for name in query.workspace])
        if query.all and principal.admin("billing"):
            statement = select(BalanceRow)
            if query.q:
                statement = statement.where(BalanceRow.workspace.contains(query.q, autoescape=True))
            rows, following = await paginate(session, statement, key=BalanceRow.id, query=query)
            return Page(items=[await self._balance(session, row.workspace) for row in rows], next=following)
        names = sorted(name for name in principal.workspaces if (query.q or "") in name)
        return Page(items=[await self._balance(session, name) for name in names])

    async def _balance(self, session: AsyncSession, workspace: str) -> Balance:
        now = now_ms()
        standing: Standing = await self.ledger.standing(session, workspace, now_ms=now)
        running = await self._running(session, workspace)
        left = lasts_ms(standing.available_micro, running, now_ms=now)
        return Balance(
            workspace=workspace,
            balance_micro=standing.balance_micro,
            budget_micro=standing.budget_micro,
            month_spent_micro=standing.spent_micro,
            burn_micro=sum(meter.price_micro for meter in running),
            accrued_micro=sum(meter.due(now) for meter in running),
            seconds_left=None if left is None else left // 1000,
            currency=self._currency,
            revision=standing.revision,
        )

    async def held(self, session: AsyncSession, workspace: str) -> str:
        """Return in words the money a workspace still has, "" for none."""
        left = (await self._balance(session, workspace)).balance_micro
        return f"a balance of {words(left, self._currency)}" if left > 0 else ""

    async def set_budget(
        self, session: AsyncSession, principal: Principal, *, workspace: str, patch: BudgetPatch, if_match: int | None
    ) -> Balance:
        """Bound what a workspace spends per calendar month; a bound below what is spent stops what runs."""
        await self._accounts.require_workspace(session, workspace, field="workspace")
        await self.ledger.open_account(session, workspace)
        # Locked, and as the database has it now, not as the session remembers it.
        account = select(BalanceRow).where(BalanceRow.workspace == workspace).with_for_update()
        row = (await session.scalars(account.execution_options(populate_existing=True))).one()
        check_revision(row.revision, if_match)
        row.budget_micro = patch.budget_micro
        row.revision += 1
        await session.flush()
        return await self._balance(session, workspace)

    async def recharge(self, session: AsyncSession, principal: Principal, *, request: Recharge) -> LedgerLine:
        """Add money to a workspace; the same `reference` again answers with the line already booked."""
        return await self._add(session, principal, request, kind="recharge")

    async def adjust(self, session: AsyncSession, principal: Principal, *, request: Adjustment) -> LedgerLine:
        """Correct a balance by a signed amount; the same `reference` again answers with the line already booked."""
        if request.amount_micro == 0:
            raise Invalid(
                "An adjustment of nothing changes nothing: give a positive or negative amount.", field="amount_micro"
            )
        return await self._add(session, principal, request, kind="adjustment")

    async def _add(
        self, session: AsyncSession, principal: Principal, request: Recharge | Adjustment, *, kind: str
    ) -> LedgerLine:
        await self._accounts.require_workspace(session, request.workspace, field="workspace")
        reference = None if request.reference is None else f"{kind}/{request.reference}"
        booked = None if reference is None else await self.ledger.find(session, reference)
        if booked is not None:
            if (booked.workspace, booked.amount_micro) != (request.workspace, request.amount_micro):
                raise Conflict(
                    f"The reference '{request.reference}' was booked with another workspace or amount: use a new one.",
                    field="reference",
                )
            return LedgerLine.model_validate(booked)
        standing = await self.ledger.standing(session, request.workspace, now_ms=now_ms())
        if abs(standing.balance_micro + request.amount_micro) > BALANCE_BOUND:
            raise Invalid("No balance may go beyond what a 64-bit number can hold: send less.", field="amount_micro")
        await self.ledger.open_account(session, request.workspace)
        line = await self.ledger.post(
            session,
            workspace=request.workspace,
            kind=kind,
            amount_micro=request.amount_micro,
            reference=reference,
            actor=principal.name,
            note=request.note,
        )
        return LedgerLine.model_validate(await session.get_one(LedgerRow, line))

    def visible(self, principal: Principal, workspace: str | None) -> list[str] | None:
        """Return the workspaces whose lines the caller asked for and may see; None: all of them (admins)."""
        if workspace is not None:
            require_view(principal, workspace)
            return [workspace]
        return None if principal.admin("billing") else sorted(principal.workspaces)

    async def lines(self, session: AsyncSession, principal: Principal, *, query: LedgerQuery) -> Page[LedgerLine]:
        """Return lines of the ledger, newest first; an admin who names no workspace sees all."""
        workspaces = self.visible(principal, query.workspace)
        return await self.ledger.list_lines(session, workspaces=workspaces, query=query)

    async def totals(self, session: AsyncSession, _principal: Principal, *, query: TotalsQuery) -> Totals:
        """Return what every workspace received and spent in a period."""
        return await self.ledger.totals(session, query=query, currency=self._currency)

    async def statement(self, session: AsyncSession, principal: Principal, *, query: StatementQuery) -> Statement:
        """Return a workspace's account of a period, per workload."""
        require_view(principal, query.workspace)
        return await self.ledger.statement(session, query=query, currency=self._currency)

    async def spending(self, session: AsyncSession, principal: Principal, *, query: StatementQuery) -> Spending:
        """Return what a workspace spent in a period, by day and member."""
        require_view(principal, query.workspace)
        return await spending(session, query=query, currency=self._currency)
