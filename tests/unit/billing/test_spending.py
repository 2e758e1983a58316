"""What the chart of a workspace shows is what its ledger says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pumpkin_services.billing.models import StatementQuery
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Forbidden, Invalid
from tests.unit.billing.conftest import Till

DAY = 86_400_000
HOUR = 3_600_000


async def test_each_days_and_members_cost_adds_up_to_what_was_spent(shop: Till, ann: Principal) -> None:
    midnight = int(datetime.now(UTC).timestamp() * 1000) // DAY * DAY
    async with shop.database.write() as session:
        for number, (creator, start, hours) in enumerate(
            [("ann", midnight - DAY, 2), ("bob", midnight - DAY, 1), ("ann", midnight, 3), ("ann", midnight, 1)]
        ):
            meter: dict[str, Any] = {"workload": f"w{number}", "attempt": 1}
            await shop.billing.open_meter(
                session, workspace="lab", replica="main-0", creator=creator, spec="gpu", price_micro=10**6,
                start_ms=start, **meter,
            )  # fmt: skip
            # Charged for too long at first: what was given back counts for the day it was taken.
            await shop.billing.charge_until(session, until_ms=start + 5 * HOUR, **meter)
            await shop.billing.close_meter(session, end_ms=start + hours * HOUR, **meter)
    now = datetime.now(UTC)
    query = StatementQuery(workspace="lab", start=now - timedelta(days=3), end=now + timedelta(days=1))
    member = replace(ann, workspaces={"lab": "member"})
    async with shop.database.read() as session:
        found = await shop.billing.spending(session, member, query=query)
        statement = await shop.billing.statement(session, member, query=query)
    today = datetime.fromtimestamp(midnight / 1000, UTC).date()
    assert [(item.day, item.creator, item.cost_micro) for item in found.items] == [
        (today - timedelta(days=1), "ann", 2_000_000),
        (today - timedelta(days=1), "bob", 1_000_000),
        (today, "ann", 4_000_000),
    ]
    assert found.spent_micro == statement.spent_micro == 7_000_000


async def test_it_is_for_members_and_for_a_year_at_most(shop: Till, ann: Principal) -> None:
    long = StatementQuery(workspace="lab", start=datetime(2020, 1, 1, tzinfo=UTC))
    async with shop.database.read() as session:
        with pytest.raises(Forbidden):
            await shop.billing.spending(session, ann, query=long)
        with pytest.raises(Invalid, match="366 days"):
            await shop.billing.spending(session, replace(ann, workspaces={"lab": "viewer"}), query=long)
