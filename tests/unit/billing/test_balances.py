from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.billing.models import (
    Adjustment,
    BalanceQuery,
    BudgetPatch,
    LedgerQuery,
    Recharge,
    StatementQuery,
)
from pumpkin_services.billing.service import InsufficientBalance, now_ms
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, PreconditionFailed
from tests.unit.billing.conftest import Till, till

UNIT = 1_000_000


async def recharge(shop: Till, admin: Principal, workspace: str, units: int, **rest: Any) -> Any:
    async with shop.database.write() as session:
        request = Recharge(workspace=workspace, amount_micro=units * UNIT, **rest)
        return await shop.billing.recharge(session, admin, request=request)


async def meter(shop: Till, *, price: int, workload: str = "w", workspace: str = "lab", start_ms: int) -> None:
    async with shop.database.write() as session:
        await shop.billing.open_meter(
            session, workspace=workspace, creator="ann", workload=workload, attempt=1, replica="main-0", spec="gpu",
            price_micro=price, start_ms=start_ms,
        )  # fmt: skip


async def test_a_recharge_sent_twice_with_a_reference_is_booked_once(shop: Till, admin: Principal) -> None:
    first = await recharge(shop, admin, "lab", 5, reference="bank-1")
    again = await recharge(shop, admin, "lab", 5, reference="bank-1")
    assert first.id == again.id
    with pytest.raises(Conflict, match="booked with another"):
        await recharge(shop, admin, "lab", 6, reference="bank-1")
    assert await shop.sums() == ({"lab": 5 * UNIT}, {"lab": 5 * UNIT})


async def test_a_balance_beyond_64_bits_is_refused_not_rounded(shop: Till, admin: Principal) -> None:
    request = Recharge(workspace="lab", amount_micro=10**15)
    async with shop.database.write() as session:
        for _ in range(1000):
            await shop.billing.recharge(session, admin, request=request)
        with pytest.raises(Invalid, match="64-bit"):
            await shop.billing.recharge(session, admin, request=request)


async def test_an_unknown_workspace_cannot_be_recharged(shop: Till, admin: Principal) -> None:
    with pytest.raises(Invalid, match="no workspace 'nowhere'"):
        await recharge(shop, admin, "nowhere", 5)


async def test_a_new_user_begins_with_the_default_balance_and_a_new_workspace_with_none(
    fresh: Callable[[], Path], ann: Principal, admin: Principal
) -> None:
    shop = till(fresh(), default_balance="12.5")
    async with shop.database.read() as session:
        assert (await shop.billing.balance(session, ann, workspace="ann")).balance_micro == 12_500_000
        assert (await shop.billing.balance(session, admin, workspace="lab")).balance_micro == 0
    await recharge(shop, admin, "ann", 1)
    assert await shop.sums() == ({"ann": 13_500_000}, {"ann": 13_500_000})
    assert [line.kind for line in await shop.lines()] == ["opening", "recharge"]
    await shop.database.close()


async def test_price_zero_never_asks_for_balance(shop: Till) -> None:
    async with shop.database.read() as session:
        await shop.billing.require_start(session, workspace="lab", price_micro=0)
        assert not await shop.billing.can_start(session, workspace="lab", price_micro=1)


async def test_a_start_the_balance_does_not_carry_is_refused_with_both_amounts(shop: Till, admin: Principal) -> None:
    await recharge(shop, admin, "lab", 1)
    async with shop.database.read() as session:
        await shop.billing.require_start(session, workspace="lab", price_micro=50 * UNIT)
        with pytest.raises(InsufficientBalance, match=r"has ¥1\.00 left, this costs ¥100\.00 per hour"):
            await shop.billing.require_start(session, workspace="lab", price_micro=100 * UNIT)


async def test_what_runs_already_counts_against_a_start(shop: Till, admin: Principal) -> None:
    await recharge(shop, admin, "lab", 1)
    await meter(shop, price=40 * UNIT, start_ms=now_ms())
    async with shop.database.read() as session:
        assert not await shop.billing.can_start(session, workspace="lab", price_micro=40 * UNIT)


async def test_the_deadline_comes_before_the_overdraft(shop: Till, admin: Principal) -> None:
    await recharge(shop, admin, "lab", 10)
    await meter(shop, price=36 * UNIT, start_ms=0)  # 10 units last 1000 s
    async with shop.database.write() as session:
        deadline = await shop.billing.deadline_ms(session, workspace="lab", at_ms=500_000, grace_ms=10_000)
        assert deadline == 989_999  # one micro-unit is held back
        await shop.billing.close_meter(session, workload="w", attempt=1, end_ms=deadline + 10_000)
    assert (await shop.sums())[0]["lab"] == 10


async def test_the_monthly_budget_is_a_deadline_too(shop: Till, admin: Principal) -> None:
    await recharge(shop, admin, "lab", 1000)
    async with shop.database.write() as session:
        await shop.billing.set_budget(
            session, admin, workspace="lab", patch=BudgetPatch(budget_micro=10 * UNIT), if_match=None
        )
    await meter(shop, price=36 * UNIT, start_ms=now_ms())
    async with shop.database.read() as session:
        left = await shop.billing.seconds_left(session, workspace="lab")
        assert left is not None
        assert 990 <= left <= 1000
        with pytest.raises(InsufficientBalance, match="monthly budget"):
            await shop.billing.require_start(session, workspace="lab", price_micro=1000 * UNIT)
        assert await shop.billing.deadline_ms(session, workspace="ann") is None


async def test_a_workloads_own_budget_has_a_deadline_of_its_own(shop: Till) -> None:
    await meter(shop, price=36 * UNIT, start_ms=0)
    async with shop.database.write() as session:
        await shop.billing.charge_until(session, workload="w", attempt=1, until_ms=400_000)
        deadline = await shop.billing.workload_deadline_ms(session, workload="w", budget_micro=5 * UNIT, at_ms=450_000)
        assert deadline == 499_999
        assert await shop.billing.workload_deadline_ms(session, workload="x", budget_micro=5) is None


async def test_a_budget_changed_meanwhile_is_not_overwritten(shop: Till, admin: Principal) -> None:
    async def change(session: AsyncSession) -> Any:
        return await shop.billing.set_budget(
            session, admin, workspace="lab", patch=BudgetPatch(budget_micro=UNIT), if_match=1
        )

    async with shop.database.write() as session:
        assert (await change(session)).revision == 2
    with pytest.raises(PreconditionFailed):
        async with shop.database.write() as session:
            await change(session)


async def test_nobody_sees_the_money_of_others(shop: Till, ann: Principal, admin: Principal) -> None:
    await recharge(shop, admin, "lab", 5)
    await recharge(shop, admin, "ann", 6)
    async with shop.database.read() as session:
        with pytest.raises(Forbidden):
            await shop.billing.balance(session, ann, workspace="lab")
        with pytest.raises(Forbidden):
            await shop.billing.lines(session, ann, query=LedgerQuery(workspace="lab"))
        with pytest.raises(Forbidden):
            await shop.billing.statement(session, ann, query=StatementQuery(workspace="lab"))
        own = await shop.billing.lines(session, ann, query=LedgerQuery())
        assert [line.workspace for line in own.items] == ["ann"]
        everything = await shop.billing.lines(session, admin, query=LedgerQuery(kind="recharge"))
        assert [line.workspace for line in everything.items] == ["ann", "lab"]
        mine = await shop.billing.balances(session, ann, query=BalanceQuery(all=True))
        assert [balance.workspace for balance in mine.items] == ["ann"]
        every = await shop.billing.balances(session, admin, query=BalanceQuery(all=True))
        assert {balance.workspace for balance in every.items} == {"ann", "lab"}


async def test_a_statement_adds_up(shop: Till, admin: Principal) -> None:
    await recharge(shop, admin, "lab", 100)
    async with shop.database.write() as session:
        await shop.billing.adjust(
            session, admin, request=Adjustment(workspace="lab", amount_micro=-UNIT, note="a mistake")
        )
    for workload, price in (("cheap", 36 * UNIT), ("dear", 72 * UNIT)):
        await meter(shop, price=price, workload=workload, start_ms=1000)
        async with shop.database.write() as session:
            await shop.billing.charge_until(session, workload=workload, attempt=1, until_ms=61_000)
            await shop.billing.close_meter(session, workload=workload, attempt=1, end_ms=51_000)
    async with shop.database.read() as session:
        assert await shop.billing.costs(session, ["dear", "none"]) == {"dear": UNIT, "none": 0}
        found = await shop.billing.statement(session, admin, query=StatementQuery(workspace="lab"))
        assert (found.opening_micro, found.received_micro, found.spent_micro) == (0, 99 * UNIT, 1_500_000)
        assert found.closing_micro == found.received_micro - found.spent_micro
        assert [(line.workload, line.milliseconds, line.cost_micro) for line in found.lines] == [
            ("dear", 50_000, UNIT),
            ("cheap", 50_000, UNIT // 2),
        ]
        assert found.lines[0].creator == "ann"
        before = datetime.now(UTC) - timedelta(days=1)
        empty = await shop.billing.statement(
            session, admin, query=StatementQuery(workspace="lab", start=before - timedelta(days=1), end=before)
        )
        assert (empty.closing_micro, empty.lines) == (0, [])
        with pytest.raises(Invalid, match="ends before"):
            await shop.billing.statement(
                session, admin, query=StatementQuery(workspace="lab", end=before, start=datetime.now(UTC))
            )
