"""The environment a workload runs in, for the nodes of a cluster that have it not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pumpkin_services.db import Database
from pumpkin_services.images.archive import Archive
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.problems import Conflict, Forbidden
from pumpkin_services.web import Call
from pumpkin_services.workloads.plan import Plan
from pumpkin_services.workloads.tables import WorkloadRow


class EnvironmentFiles:
    """Sends environments to the pods that run in them."""

    def __init__(self, *, database: Database, environments: EnvironmentService) -> None:
        self._database = database
        self._environments = environments

    async def send(self, call: Call[None, None]) -> AsyncIterator[bytes]:
        """GET /workloads/{workload}/environment: a tar of the files and links below the environment's prefix.

        Raises:
            Conflict: for an environment that was not built, so that it is in the image.
            Unavailable: while it is built, or if it is gone.
        """
        workload = call.path["workload"]
        if call.principal.workload != workload:
            raise Forbidden("Only the workload itself reads its environment: send the token in its PUMPKIN_TOKEN.")
        async with self._database.read() as session:
            row = await session.get_one(WorkloadRow, workload)
        ref = await self._environments.ensure_ready(Plan.model_validate(row.plan).environment)
        if not self._environments.built(ref):
            raise Conflict(
                f"The environment {ref} is in the workload's image: there is nothing to send.", reason="in_image"
            )
        archive = Archive(ref)
        call.handler.set_header("Content-Length", str(await asyncio.to_thread(archive.size)))
        return archive.read()
