"""Needs nothing outside Python: the real rules over a real SQLite file, migrated once and copied for each test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from pumpkin_services.accounts.service import AccountService
from pumpkin_services.accounts.tables import UserRow, WorkspaceRow
from pumpkin_services.billing.service import BillingService
from pumpkin_services.billing.tables import BalanceRow, LedgerRow
from pumpkin_services.db import Database
from pumpkin_services.db.migrate import migrate
from pumpkin_services.hub import HubClient
from pumpkin_services.principal import PREFIX, Principal

NO_HUB = "http://127.0.0.1:1/hub/api"


@dataclass
class Till:
    """Billing over one database file, as one replica of the service has it."""

    database: Database
    billing: BillingService

    async def sums(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return each workspace's balance, and the sum of its ledger."""
        async with self.database.read() as session:
            kept = await session.execute(select(BalanceRow.workspace, BalanceRow.balance_micro))
            lines = await session.execute(
                select(LedgerRow.workspace, func.sum(LedgerRow.amount_micro)).group_by(LedgerRow.workspace)
            )
            return dict(kept.all()), dict(lines.all())

    async def lines(self) -> list[LedgerRow]:
        async with self.database.read() as session:
            return list(await session.scalars(select(LedgerRow).order_by(LedgerRow.id)))


def till(path: Path, *, default_balance: str = "0") -> Till:
    """Open billing over a database file."""
    database = Database(f"sqlite+aiosqlite:///{path}")
    accounts = AccountService(database=database, hub=HubClient(api_url=NO_HUB, token="x", patience=0))
    return Till(database, BillingService(accounts=accounts, currency="¥", default_balance=default_balance))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with the user `ann` and the workspace `lab`."""
    path = tmp_path_factory.mktemp("billing") / "template.sqlite"

    async def make() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await migrate(database)
        async with database.write() as session:
            session.add_all([UserRow(name="ann"), WorkspaceRow(name="lab")])
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
def fresh(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """A factory of database files nobody else uses."""

    def copy() -> Path:
        return Path(shutil.copy(template, tmp_path_factory.mktemp("till") / "billing.sqlite"))

    return copy


@pytest.fixture
async def shop(fresh: Callable[[], Path]) -> AsyncIterator[Till]:
    found = till(fresh())
    yield found
    await found.database.close()


@pytest.fixture
def admin() -> Principal:
    return Principal(name="root", scopes=frozenset({f"{PREFIX}billing:admin"}), workspaces={"root": "owner"})


@pytest.fixture
def ann() -> Principal:
    return Principal(name="ann", scopes=frozenset({f"{PREFIX}billing:read"}), workspaces={"ann": "owner"})
