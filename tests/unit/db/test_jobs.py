"""Jobs from submit to end on each database: the pipeline's writes, money and the queue are the same everywhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import func, select

from pumpkin_services.billing.models import Recharge
from pumpkin_services.billing.tables import LedgerRow, MeterRow
from pumpkin_services.workloads.tables import ReplicaRow
from tests.unit.workloads.house import built, user


async def test_jobs_run_retry_stop_and_are_paid_and_deleted(url: str, tmp_path: Path) -> None:
    async with built(tmp_path / "data", database_url=url) as house:
        await house.start_pipeline()
        admin = user("root", admin=True)
        async with house.parts.database.write() as session:
            await house.parts.billing.recharge(session, admin, request=Recharge(workspace="ann", amount_micro=10**9))
        short = [await house.submit("exit 0") for _ in range(20)]
        paid = await house.submit("sleep 0.3", spec="paid", replicas=2)
        retried = await house.submit("test $PUMPKIN_ATTEMPT = 2", retries=1, backoff_seconds=0.05)
        long = await house.submit("sleep 60", labels=["long"])
        ends = await asyncio.gather(*(house.ended(job, seconds=60) for job in [*short, paid, retried]))
        assert {end.phase for end in ends} == {"succeeded"}
        assert (ends[-1].attempt, ends[-1].exit_code) == (2, 0)
        await house.phase(long, "running")
        await house.stop(long)
        assert (await house.ended(long)).reason == "stopped_by_user"
        async with house.parts.database.read() as session:
            ran = select(func.sum(ReplicaRow.ended_ms - ReplicaRow.started_ms)).where(ReplicaRow.workload == paid)
            charged = select(func.sum(LedgerRow.end_ms - LedgerRow.start_ms)).where(LedgerRow.workload == paid)
            assert await session.scalar(ran) == await session.scalar(charged)
            assert await session.scalar(select(func.count()).where(MeterRow.closed.is_(False))) == 0
        assert await house.held() == []
        await house.delete(long)
        await house.gone(long)
