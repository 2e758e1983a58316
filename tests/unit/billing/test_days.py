"""Storage is charged once per workspace and day, whoever charges and however it ends."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, update

from pumpkin_services.artifacts.tables import ObjectRow, VersionObjectRow, VersionRow
from pumpkin_services.billing import days as module
from pumpkin_services.billing.days import StorageDays
from pumpkin_services.billing.models import LedgerQuery, StatementQuery, TotalsQuery
from pumpkin_services.billing.money import DAY_MS, GIB
from pumpkin_services.billing.tables import MonthRow, StorageDayRow
from pumpkin_services.principal import Principal
from tests.unit.billing.conftest import Till, till

PRICE = 1_000_003
NOON = datetime(2026, 10, 30, 12, tzinfo=UTC)
SIZES = {"ann": 5 * GIB + 7, "bob": 30, "lab": GIB // 3}


async def keep(shop: Till, sizes: dict[str, int]) -> None:
    """Have workspaces keep so many bytes: rows alone, for nothing here looks at the bytes."""
    async with shop.database.write() as session:
        for name, size in sizes.items():
            row = {"workspace": name, "creator": name}
            await session.execute(insert(VersionRow), [{"id": name, "kind": "dataset", "asset_id": name, **row}])
            await session.execute(insert(ObjectRow), [{"id": name, "kind": "packs", "size": size, **row}])
            await session.execute(insert(VersionObjectRow), [{"version_id": name, "object_id": name}])


def charging(shop: Till, price: int = PRICE) -> StorageDays:
    return StorageDays(database=shop.database, ledger=shop.billing.ledger, price_micro=price)


async def charged(shop: Till) -> list[tuple[str, str, int]]:
    """Return the workspace, day and amount of every line of storage."""
    return [
        (
            line.workspace,
            datetime.fromtimestamp((line.start_ms or 0) / 1000, UTC).date().isoformat(),
            -line.amount_micro,
        )
        for line in await shop.lines()
        if line.kind == "storage"
    ]


def exactly(count: int, size: int, price: int = PRICE) -> int:
    return count * size * price // GIB


async def test_a_day_is_charged_when_it_is_over_and_once(shop: Till, admin: Principal) -> None:
    await keep(shop, SIZES)
    days = charging(shop)
    await days.charge(now=NOON)
    await days.charge(now=NOON.replace(hour=23, minute=59))
    assert await charged(shop) == []
    for _ in range(3):
        await days.charge(now=NOON + timedelta(hours=12))
    assert await charged(shop) == [
        ("ann", "2026-10-30", exactly(1, SIZES["ann"])),
        ("lab", "2026-10-30", exactly(1, SIZES["lab"])),
    ]
    assert exactly(1, SIZES["bob"]) == 0  # too little for a line: it is carried on
    balances, sums = await shop.sums()
    assert balances == sums


async def test_days_that_passed_meanwhile_are_charged_and_add_up_exactly(shop: Till) -> None:
    await keep(shop, SIZES)
    await charging(shop).charge(now=NOON)
    await charging(shop).charge(now=NOON + timedelta(days=120))
    lines = await charged(shop)
    for name, size in SIZES.items():
        mine = [(day, amount) for workspace, day, amount in lines if workspace == name]
        assert sum(amount for _, amount in mine) == exactly(120, size)
        assert len({day for day, _ in mine}) == len(mine)
    assert len([line for line in lines if line[0] == "bob"]) == exactly(120, SIZES["bob"])


async def test_each_day_belongs_to_its_own_month(shop: Till, admin: Principal) -> None:
    await keep(shop, {"lab": GIB})
    await charging(shop).charge(now=NOON)
    await charging(shop).charge(now=NOON + timedelta(days=3))  # October 30th and 31st, November 1st
    async with shop.database.read() as session:
        months = dict((await session.execute(select(MonthRow.month, MonthRow.spent_micro))).all())
        assert months == {"2026-10": 2 * PRICE, "2026-11": PRICE}
        for month, count in ((10, 2), (11, 1)):
            start, end = datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month + 1, 1, tzinfo=UTC)
            query = StatementQuery(workspace="lab", start=start, end=end)
            statement = await shop.billing.statement(session, admin, query=query)
            assert statement.spent_micro == count * PRICE
            [line] = statement.lines
            assert (line.kind, line.workload, line.milliseconds) == ("storage", None, count * DAY_MS)
            spent = await shop.billing.spending(session, admin, query=query)
            assert [(item.kind, item.day.month) for item in spent.items] == [("storage", month)] * count
            totals = await shop.billing.totals(session, admin, query=TotalsQuery(start=start, end=end))
            assert (totals.storage_micro, totals.spent_micro, totals.milliseconds) == (count * PRICE, count * PRICE, 0)
        page = await shop.billing.lines(session, admin, query=LedgerQuery(kind="storage"))
        assert [(line.bytes, line.price_micro) for line in page.items] == [(GIB, PRICE)] * 3


async def test_free_is_free_and_a_new_price_counts_from_the_next_day(shop: Till) -> None:
    await keep(shop, {"lab": GIB})
    for day in range(5):
        await charging(shop, 0).charge(now=NOON + timedelta(days=day))
    assert await charged(shop) == []
    await charging(shop).charge(now=NOON + timedelta(days=10))  # it was free when it was last looked at
    assert await charged(shop) == []
    await charging(shop, 7).charge(now=NOON + timedelta(days=11))
    await charging(shop, 7).charge(now=NOON + timedelta(days=12))
    assert [amount for _, _, amount in await charged(shop)] == [PRICE, 7]


async def test_a_clock_that_goes_back_charges_nothing_twice(shop: Till) -> None:
    await keep(shop, {"lab": GIB})
    await charging(shop).charge(now=NOON)
    for days in (3, 1, -5, 2, 3):
        await charging(shop).charge(now=NOON + timedelta(days=days))
    assert len(await charged(shop)) == 3


async def test_what_is_gone_before_the_day_is_over_is_not_charged(shop: Till) -> None:
    await keep(shop, {"lab": GIB})
    await charging(shop).charge(now=NOON)
    async with shop.database.write() as session:
        await session.execute(update(ObjectRow).values(size=2 * GIB))
    await charging(shop).charge(now=NOON + timedelta(days=1))
    assert [amount for _, _, amount in await charged(shop)] == [2 * PRICE]


async def test_many_workspaces_and_replicas_charge_each_once(
    fresh: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    path = fresh()
    shops = [till(path) for _ in range(3)]
    sizes = {f"w{number:02}": GIB * (number + 1) for number in range(10)}
    await keep(shops[0], sizes)
    await asyncio.gather(*(charging(shop).charge(now=NOON) for shop in shops))
    await asyncio.gather(*(charging(shop).charge(now=NOON + timedelta(days=4)) for shop in shops))
    lines = await charged(shops[0])
    assert sorted(lines) == sorted(
        (name, f"2026-{day}", exactly(1, size))
        for name, size in sizes.items()
        for day in ("10-30", "10-31", "11-01", "11-02")
    )
    for shop in shops:
        await shop.database.close()


def _charge_and_die(path: Path, step: int) -> None:
    """Charge two days, and kill this process at its `step`-th statement or commit."""
    left = step

    def die(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    module.BATCH = 2
    shop = till(path)
    for name in ("before_cursor_execute", "commit"):
        event.listen(shop.database.engine.sync_engine, name, die)
    asyncio.run(charging(shop).charge(now=NOON + timedelta(days=2)))


def test_killed_at_any_step_every_day_is_charged_once(fresh: Callable[[], Path], tmp_path: Path) -> None:
    template = fresh()

    async def begin() -> None:
        shop = till(template)
        await keep(shop, SIZES)
        await charging(shop).charge(now=NOON)
        async with shop.database.engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await shop.database.close()

    async def finish(path: Path) -> None:
        shop = till(path)
        await charging(shop).charge(now=NOON + timedelta(days=2))
        lines = await charged(shop)
        for name, size in SIZES.items():
            assert sum(amount for workspace, _, amount in lines if workspace == name) == exactly(2, size)
        assert len({line[:2] for line in lines}) == len(lines)
        async with shop.database.read() as session:
            assert await session.scalar(select(func.count()).select_from(StorageDayRow)) == 2 * len(SIZES)
            spent = await session.scalar(select(func.sum(MonthRow.spent_micro)))
        balances, sums = await shop.sums()
        assert balances == sums
        assert spent == sum(amount for _, _, amount in lines)
        await shop.database.close()

    asyncio.run(begin())
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    step = killed = 0
    while True:
        step += 1
        path = Path(shutil.copy(template, tmp_path / f"{step}.sqlite"))
        process = context.Process(target=_charge_and_die, args=(path, step))
        process.start()
        process.join()
        asyncio.run(finish(path))
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        killed += 1
    assert killed > 20
