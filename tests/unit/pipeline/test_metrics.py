"""Reading what workloads log, while somebody else does so too."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from pumpkin_services.pipeline.metrics import MetricReader
from pumpkin_services.runtimes.base import Key
from pumpkin_services.workloads import models as wires
from tests.unit.workloads.house import House

LINES = 50
LOGS = f"import time, pumpkin\nfor n in range({LINES}): pumpkin.log_metrics(step=n, loss=n)\ntime.sleep(1.5)"


async def test_two_readers_of_one_file_add_each_point_once(house: House) -> None:
    """The old one is of a tenure that was cut off while it committed."""
    job = await house.submit(["python", "-c", LOGS])
    await house.phase(job, "running")
    pipeline = cast(Any, house.pipeline)
    readers = [
        MetricReader(
            database=house.parts.database,
            writes=pipeline._writes,
            preparer=pipeline._local_preparer(),
            wakeups=pipeline.parts.wakeups,
        )
        for _ in range(4)
    ]
    while (await house.detail(job)).phase == "running":
        await asyncio.gather(*(reader.read(Key(job, 1)) for reader in readers))
    async with house.parts.database.read() as session:
        page = await house.parts.queries.metrics(session, workload=job, query=wires.MetricQuery(limit=1000))
    assert [point.step for point in page.items] == [*range(LINES)]
