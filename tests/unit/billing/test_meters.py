"""The promise of the ledger: whatever is called, how often and in which order, it says exactly what ran."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.billing.money import cost
from pumpkin_services.billing.tables import LedgerIsAppendOnly, LedgerRow
from tests.unit.billing.conftest import Till, till

BEGIN = 1_796_083_000_000  # three minutes before a month ends
WINDOW = 3_600_000


@dataclass(frozen=True)
class Replica:
    number: int
    price: int
    start: int
    ran: int


@dataclass(frozen=True)
class Act:
    """One call of the pipeline's, at `at`; `crash`: the process dies before the commit, then does it again."""

    what: str
    replica: int
    at: int
    crash: bool


replicas = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(0, WINDOW), st.integers(0, WINDOW)), min_size=1, max_size=4
).map(lambda found: [Replica(i, p, BEGIN + s, r) for i, (p, s, r) in enumerate(found)])
acts = st.lists(
    st.builds(
        Act,
        what=st.sampled_from(["open", "charge", "charge all", "close"]),
        replica=st.integers(0, 3),
        at=st.integers(BEGIN - WINDOW, BEGIN + 3 * WINDOW),
        crash=st.booleans(),
    ),
    max_size=12,
)


async def do(shop: Till, session: AsyncSession, act: Act, replica: Replica) -> None:
    workload = f"w{replica.number % 2}"
    key: dict[str, Any] = {"workload": workload, "attempt": 1}
    name = f"worker-{replica.number}"
    if act.what == "open":
        await shop.billing.open_meter(
            session, **key, workspace="lab", creator="ann", replica=name, spec="s", price_micro=replica.price,
            start_ms=replica.start,
        )  # fmt: skip
    elif act.what == "charge":
        await shop.billing.charge_until(session, **key, until_ms=act.at)
    elif act.what == "charge all":
        await shop.billing.charge_running(session, until_ms=act.at)
    else:
        await shop.billing.close_meter(session, **key, replica=name, end_ms=replica.start + replica.ran)


class Died(Exception):
    pass


async def run(path: Path, replicas: list[Replica], acts: list[Act]) -> None:
    shop = till(path)
    order = [Act("open", 0, 0, False), *acts]
    endings = [Act(what, r.number, 0, False) for what in ("open", "close", "close") for r in replicas]
    for act in [*order, *endings]:
        replica = replicas[act.replica % len(replicas)]
        if act.crash:
            with suppress(Died):
                async with shop.database.write() as session:
                    await do(shop, session, act, replica)
                    raise Died
        async with shop.database.write() as session:
            await do(shop, session, act, replica)
    lines = await shop.lines()
    milliseconds: defaultdict[str | None, int] = defaultdict(int)
    amounts: defaultdict[str | None, int] = defaultdict(int)
    for line in lines:
        assert line.start_ms is not None
        assert line.end_ms is not None
        milliseconds[line.replica] += line.end_ms - line.start_ms
        amounts[line.replica] -= line.amount_micro
    for replica in replicas:
        name = f"worker-{replica.number}"
        assert milliseconds[name] == replica.ran
        assert amounts[name] == cost(replica.price, replica.ran)
    balances, sums = await shop.sums()
    assert balances.get("lab", 0) == sums.get("lab", 0) == -sum(amounts.values())
    await shop.database.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(replicas=replicas, acts=acts)
def test_any_interleaving_of_calls_sums_to_exactly_what_ran(
    fresh: Callable[[], Path], replicas: list[Replica], acts: list[Act]
) -> None:
    asyncio.run(run(fresh(), replicas, acts))


async def test_two_replicas_of_the_service_charging_at_once_lose_nothing(fresh: Callable[[], Path]) -> None:
    path = fresh()
    shops = [till(path), till(path)]
    price, names = 7_777_777, ["a", "b", "c"]

    async def charge(number: int) -> None:
        shop = shops[number % 2]
        async with shop.database.write() as session:
            if number % 3 == 0:
                await shop.billing.charge_running(session, until_ms=BEGIN + 1000 * number)
            else:
                await shop.billing.charge_until(session, workload="w", attempt=1, until_ms=BEGIN + 1000 * number)

    async with shops[0].database.write() as session:
        for name in names:
            await shops[0].billing.open_meter(
                session, workspace="lab", creator="ann", workload="w", attempt=1, replica=name, spec="s",
                price_micro=price, start_ms=BEGIN,
            )  # fmt: skip
    await asyncio.gather(*(charge(number) for number in [5, 3, 17, 1, 12, 9, 20, 4, 7, 11, 2, 19]))
    async with shops[1].database.write() as session:
        await shops[1].billing.close_meter(session, workload="w", attempt=1, end_ms=BEGIN + 18_500)
    balances, sums = await shops[0].sums()
    assert balances == sums == {"lab": -3 * cost(price, 18_500)}
    for shop in shops:
        await shop.database.close()


async def open_one(shop: Till, **changes: Any) -> None:
    values: dict[str, Any] = {
        "workspace": "lab", "creator": "ann", "workload": "w", "attempt": 1, "replica": "main-0", "spec": "gpu",
        "price_micro": 3_600_000, "start_ms": BEGIN,
    }  # fmt: skip
    async with shop.database.write() as session:
        await shop.billing.open_meter(session, **(values | changes))


async def test_an_end_noticed_late_is_given_back_by_a_line_of_its_own(shop: Till) -> None:
    await open_one(shop)
    async with shop.database.write() as session:
        await shop.billing.charge_until(session, workload="w", attempt=1, until_ms=BEGIN + 60_000)
    async with shop.database.write() as session:
        await shop.billing.close_meter(session, workload="w", attempt=1, end_ms=BEGIN + 42_000)
    assert [(line.kind, line.amount_micro) for line in await shop.lines()] == [("charge", -60_000), ("refund", 18_000)]


async def test_a_spec_of_price_zero_is_counted_once_at_its_end(shop: Till) -> None:
    await open_one(shop, price_micro=0)
    async with shop.database.write() as session:
        assert await shop.billing.charge_running(session, until_ms=BEGIN + 5000) == set()
        await shop.billing.close_meter(session, workload="w", attempt=1, end_ms=BEGIN + 9000)
    (line,) = await shop.lines()
    assert (line.amount_micro, line.start_ms, line.end_ms) == (0, BEGIN, BEGIN + 9000)


async def test_an_end_before_the_start_by_a_jumping_clock_counts_as_nothing(shop: Till) -> None:
    await open_one(shop)
    async with shop.database.write() as session:
        await shop.billing.close_meter(session, workload="w", attempt=1, end_ms=BEGIN - 5000)
    assert await shop.lines() == []


async def tamper(session: AsyncSession, line: LedgerRow, way: str) -> None:
    row = await session.get_one(LedgerRow, line.id)
    if way == "bulk update":
        await session.execute(update(LedgerRow).values(amount_micro=0))
    elif way == "bulk delete":
        await session.execute(delete(LedgerRow).where(LedgerRow.id == line.id))
    elif way == "row delete":
        await session.delete(row)
    else:
        row.amount_micro = 0
    await session.flush()


@pytest.mark.parametrize("way", ["row update", "row delete", "bulk update", "bulk delete"])
async def test_a_line_of_the_ledger_can_be_neither_changed_nor_removed(shop: Till, way: str) -> None:
    await open_one(shop)
    async with shop.database.write() as session:
        await shop.billing.close_meter(session, workload="w", attempt=1, end_ms=BEGIN + 1000)
    (line,) = await shop.lines()
    async with shop.database.read() as session:
        with pytest.raises(LedgerIsAppendOnly):
            await tamper(session, line, way)
    (after,) = await shop.lines()
    assert after.amount_micro == -1000
