"""The rules of models: the shared ones, and what jobs leave behind becomes a version with its lineage."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.access import Owned
from pumpkin_services.artifacts.kept import there_among
from pumpkin_services.assets.service import AssetService, VersionRef
from pumpkin_services.assets.tables import AssetRow
from pumpkin_services.models.models import Lineage, Model, ModelCreate, ModelPatch, ModelQuery
from pumpkin_services.models.tables import LineageRow


@dataclass(frozen=True, kw_only=True)
class Published:
    """A model version that was made, and what of the folder was left out, in words."""

    version: VersionRef
    left_out: list[str]


class ModelService(AssetService):
    """Models, named and versioned, with where they come from."""

    kind = "model"
    wire = Model
    wire_create = ModelCreate
    wire_patch = ModelPatch
    wire_query = ModelQuery
    facets = ("framework",)

    async def publish(
        self, folder: Path, *, workspace: str, creator: str, name: str, source: str, lineage: Lineage
    ) -> Published | None:
        """Make what is in `folder` the next version of the model `name`, made if need be; None if it has no files.

        Once per `source` (`<workload>/<attempt>`), however often it is asked for. Takes its own transactions.

        Raises:
            StorageFull: if the store or the workspace's limit has no room; nothing is left then.
        """
        if not await asyncio.to_thread(_has_files, folder):
            return None
        database = self.artifacts.database
        async with database.write() as session:
            row = await self._row(session, workspace, name)
            if row is None:
                row = AssetRow(kind=self.kind, workspace=workspace, name=name, creator=creator)
                await self._add(session, row)

        async def finish(session: AsyncSession, version_id: str) -> None:
            values = lineage.model_dump(exclude={"created"}) | {"attempt": lineage.attempt or 0}
            session.add(LineageRow(version_id=version_id, **values))

        version_id, left_out = await self.artifacts.ingest.capture(
            folder, owned=self._owned(row), creator=creator, source=source, finish=finish
        )
        async with database.read() as session:
            version = await self.artifacts.version(session, version_id)
        return Published(version=self._reference(row, version), left_out=left_out)

    async def made_from(self, session: AsyncSession, owned: Owned) -> set[int]:
        """Return the numbers of a thing's versions that a model version which is still there was made from."""
        column = {"dataset": LineageRow.datasets, "algorithm": LineageRow.code, "model": LineageRow.models}[owned.kind]
        # As text, for not every database looks into lists; the name alone, for how others are escaped differs.
        likely = cast(column, Text).contains(f"/{owned.name}@", autoescape=True)
        makers: dict[str, set[int]] = {}
        for version_id, value in await session.execute(select(LineageRow.version_id, column).where(likely)):
            for reference in [value] if isinstance(value, str) else value:
                thing, _, number = reference.rpartition("@")
                if thing == f"{owned.workspace}/{owned.name}" and number.isdecimal():
                    makers.setdefault(version_id, set()).add(int(number))
        there = await there_among(session, list(makers))
        return set[int]().union(*(makers[version_id] for version_id in there))

    async def lineage(self, session: AsyncSession, *, version_id: str) -> Lineage:
        """Return where a version comes from; an uploaded one comes from nowhere known."""
        row = await session.get(LineageRow, version_id)
        if row is None:
            return Lineage()
        return Lineage.model_validate({name: getattr(row, name) for name in Lineage.model_fields})


def _has_files(folder: Path) -> bool:
    return any(names for _, _, names in os.walk(folder))
