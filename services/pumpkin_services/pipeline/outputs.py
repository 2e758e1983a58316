"""What a workload leaves: metrics on the way, and a model version at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.models.models import Lineage
from pumpkin_services.models.service import Published
from pumpkin_services.pipeline.metrics import MetricReader
from pumpkin_services.pipeline.prepare import Preparer, parameters
from pumpkin_services.runtimes.base import Key
from pumpkin_services.workloads.plan import Plan
from pumpkin_services.workloads.tables import MetricRow, WorkloadRow


class Models(Protocol):
    """Makes model versions."""

    async def publish(
        self, folder: Path, *, workspace: str, creator: str, name: str, source: str, lineage: Lineage
    ) -> Published | None:
        """Make a folder a model's next version, once per `source`; None if it has no files."""
        ...


class Outputs:
    """Collects metrics and publishes output folders."""

    def __init__(self, *, database: Database, preparer: Preparer, models: Models, reader: MetricReader) -> None:
        self._database = database
        self._preparer = preparer
        self._models = models
        self._reader = reader

    async def collect_metrics(self, key: Key) -> None:
        """Read what metrics there are, to the last one: nothing runs any more."""
        await self._reader.read(key)
        self._reader.forget(key)

    async def publish(self, row: WorkloadRow, plan: Plan, exit_code: int | None) -> tuple[str, str]:
        """Make the output folder a version of the model asked for; return its reference and id, empty for no files."""
        async with self._database.read() as session:
            metrics = await _last_values(session, row)
        lineage = Lineage(
            job=row.id,
            job_name=row.name,
            attempt=row.attempt,
            code=next(iter(plan.references("algorithm")), ""),
            datasets=plan.references("dataset"),
            models=plan.references("model"),
            environment=" ".join(filter(None, [plan.environment_ref, plan.environment_digest])),
            parameters=parameters(plan) | ({"notebook": row.request["notebook"]} if row.notebook else {}),
            metrics=metrics,
        )
        published = await self._models.publish(
            self._preparer.output(Key(row.id, row.attempt)),
            workspace=row.workspace,
            creator=row.creator,
            name=plan.output_model,
            source=f"{row.id}/{row.attempt}",
            lineage=lineage,
        )
        if published is None:
            return "", ""
        version = published.version
        return f"{version.workspace}/{version.name}@{version.number}", version.id


async def _last_values(session: AsyncSession, row: WorkloadRow) -> dict[str, float]:
    """Return the last value of each metric of the attempt."""
    points = await session.execute(
        select(MetricRow.name, MetricRow.value)
        .where(MetricRow.workload == row.id, MetricRow.attempt == row.attempt)
        .order_by(MetricRow.step, MetricRow.id)
    )
    return {name: value for name, value in points if value is not None}
