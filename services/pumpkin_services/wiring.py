"""The one place that builds every part of the service and hands it to those who need it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services import pages
from pumpkin_services.accounts import api as accounts_api
from pumpkin_services.accounts.service import AccountService
from pumpkin_services.algorithms import api as algorithms_api
from pumpkin_services.algorithms.service import AlgorithmService
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.billing import api as billing_api
from pumpkin_services.billing.service import BillingService
from pumpkin_services.datasets import api as datasets_api
from pumpkin_services.datasets.service import DatasetService
from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.hub import HubClient
from pumpkin_services.images import api as images_api
from pumpkin_services.images.builder import Builder, BuildSettings
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.images.uv import UvSettings
from pumpkin_services.meta import BASE_PATH, with_meta
from pumpkin_services.models import api as models_api
from pumpkin_services.models.service import ModelService
from pumpkin_services.pipeline.pipeline import Pipeline, PipelineParts
from pumpkin_services.problems import Problem
from pumpkin_services.resources import api as resources_api
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.runtimes.base import Runtime
from pumpkin_services.runtimes.local import LocalRuntime
from pumpkin_services.secrets import load_secret
from pumpkin_services.settings import Platform
from pumpkin_services.storage import api as storage_api
from pumpkin_services.storage.files import FolderStore
from pumpkin_services.web import Route
from pumpkin_services.web.handler import Edge
from pumpkin_services.workloads import api as workloads_api
from pumpkin_services.workloads.board import Board
from pumpkin_services.workloads.grants import GrantService
from pumpkin_services.workloads.planner import Planner
from pumpkin_services.workloads.queries import WorkloadQueries
from pumpkin_services.workloads.service import WorkloadService
from pumpkin_services.workloads.streams import WorkloadStreams
from pumpkin_services.workloads.tokens import Tokens

log = logging.getLogger("pumpkin")
HEARTBEAT_SECONDS = 10.0


@dataclass(kw_only=True)
class Parts:
    """Every part of one replica of the service."""

    settings: Platform
    database: Database
    wakeups: Wakeups
    hub: HubClient
    accounts: AccountService
    resources: ResourceService
    billing: BillingService
    images: EnvironmentService
    builder: Builder
    store: FolderStore
    artifacts: ArtifactService
    datasets: DatasetService
    algorithms: AlgorithmService
    models: ModelService
    runtime: Runtime
    workloads: WorkloadService
    queries: WorkloadQueries
    streams: WorkloadStreams
    grants: GrantService
    tokens: Tokens
    pipeline: Pipeline
    _tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def start(self) -> None:
        """Seed what a fresh platform needs and start what runs beside the requests."""
        node = await self.resources.nodes.register_this_machine(self.database)
        async with self.database.write() as session:
            await self.resources.seed(session, node=node)
        await self.images.interpreters.register_default(sys.executable)
        self._run("heartbeat", self._heartbeat(node.name))
        self._run("hub sync", self.accounts.sync.run())
        self._run("environment builder", self.builder.run())
        self._run("artifact keeper", self.artifacts.run(grace=timedelta(seconds=self.settings.deletion_grace)))
        await self.runtime.start()
        if self.settings.run_pipeline:
            self._run("pipeline", self.pipeline.run())

    async def stop(self) -> None:
        """Stop what `start` started. Workloads run on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.runtime.close()
        self.hub.close()

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except asyncio.CancelledError:
                raise
            except Exception:
                # A part that dies silently would be missed for days: the Hub restarts the whole service.
                log.critical("the %s died; ending the service", name, exc_info=True)
                os._exit(1)

        self._tasks.append(asyncio.create_task(guarded(), name=name))

    async def _heartbeat(self, node: str) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                async with self.database.write() as session:
                    await self.resources.nodes.heartbeat(session, name=node)
            except Problem as problem:  # a full disk, a locked database: it beats again
                log.warning("no heartbeat: %s", problem)


def wire(settings: Platform, database: Database) -> Parts:
    """Build every part; nothing is opened, started or written yet."""
    base_url = os.environ.get("JUPYTERHUB_BASE_URL") or "/"
    wakeups = Wakeups()
    hub = HubClient(
        api_url=os.environ.get("JUPYTERHUB_API_URL", "http://127.0.0.1:8081/hub/api"),
        token=os.environ.get("JUPYTERHUB_API_TOKEN", ""),
    )
    accounts = AccountService(database=database, hub=hub)
    resources = ResourceService()
    billing = BillingService(accounts=accounts, currency=settings.currency, default_balance=settings.default_balance)
    environments = settings.data / "environments"
    images = EnvironmentService(
        database=database,
        wakeups=wakeups,
        accounts=accounts,
        root=environments,
        allow_urls=settings.environment_urls,
    )
    builder = Builder(
        database=database,
        wakeups=wakeups,
        root=environments,
        settings=BuildSettings(uv=UvSettings(index=settings.environment_index)),
    )
    secrets = settings.data / "secrets"
    store = FolderStore(
        settings.data / "objects",
        base_url=base_url.rstrip("/") + BASE_PATH,
        secret=load_secret(secrets, "signing_key"),
    )

    async def storage_limit(session: AsyncSession, workspace: str) -> int | None:
        return (await resources.limits.limit(session, kind="workspace", subject=workspace)).storage_bytes

    artifacts = ArtifactService(
        database=database,
        store=store,
        wakeups=wakeups,
        limit=storage_limit,
        cache_root=settings.data / "cache",
        cache_bytes=settings.cache_bytes,
    )
    datasets = DatasetService(artifacts=artifacts, require_workspace=accounts.require_workspace)
    algorithms = AlgorithmService(artifacts=artifacts, require_workspace=accounts.require_workspace)
    models = ModelService(artifacts=artifacts, require_workspace=accounts.require_workspace)
    runtime = LocalRuntime(data=settings.data, isolate=settings.isolate)
    planner = Planner(resources=resources, environments=images, datasets=datasets, algorithms=algorithms, models=models)
    workloads = WorkloadService(
        planner=planner, billing=billing, limits=resources.limits, pins=artifacts, wakeups=wakeups
    )
    for keeper in (datasets, algorithms, models, images, workloads, billing):
        accounts.workspaces.holdings.append(keeper.held)
    accounts.stop_workloads = workloads.stop_all_of
    board = Board(resources)
    queries = WorkloadQueries(service=workloads, board=board, resources=resources, billing=billing, base_url=base_url)
    resources.usage = queries.holdings
    images.in_use = workloads.in_use
    tokens = Tokens(database, key=load_secret(secrets, "workload_key"))
    pipeline = Pipeline(
        PipelineParts(
            database=database,
            wakeups=wakeups,
            runtime=runtime,
            service=workloads,
            board=board,
            billing=billing,
            pins=artifacts,
            folders=artifacts,
            environments=images,
            principal_of=accounts.principal_of,
            models=models,
            tokens=tokens,
            hub=hub,
            data=settings.data,
            url=settings.public_url,
            lease_seconds=settings.lease_seconds,
            grant_seconds=settings.grant_lifetime,
            stop_grace=settings.stop_grace,
        )
    )
    return Parts(
        settings=settings,
        database=database,
        wakeups=wakeups,
        hub=hub,
        accounts=accounts,
        resources=resources,
        billing=billing,
        images=images,
        builder=builder,
        store=store,
        artifacts=artifacts,
        datasets=datasets,
        algorithms=algorithms,
        models=models,
        runtime=runtime,
        workloads=workloads,
        queries=queries,
        streams=WorkloadStreams(
            database=database, service=workloads, queries=queries, runtime=runtime, wakeups=wakeups
        ),
        grants=GrantService(
            database=database,
            service=workloads,
            queries=queries,
            principal_of=accounts.principal_of,
            wakeups=wakeups,
        ),
        tokens=tokens,
        pipeline=pipeline,
    )


def api_routes(parts: Parts) -> list[Route]:
    """Return the whole route table."""
    routes = [
        *accounts_api.routes(parts.accounts, parts.database),
        *resources_api.routes(parts.resources),
        *billing_api.routes(parts.billing, parts.database),
        *images_api.routes(parts.images),
        *storage_api.routes(parts.store),
        *datasets_api.routes(parts.datasets, parts.artifacts),
        *algorithms_api.routes(parts.algorithms, parts.artifacts),
        *models_api.routes(parts.models, parts.artifacts),
        *workloads_api.routes(parts.workloads, queries=parts.queries, streams=parts.streams, grants=parts.grants),
    ]
    return with_meta(routes)


def page_handlers(parts: Parts, edge: Edge, *, prefix: str) -> list[Any]:
    """Return the handlers of the pages below `prefix`."""
    return pages.handlers(edge.authenticator, prefix=prefix, currency=parts.settings.currency)


def holder_name() -> str:
    """Return a name for this process, to hold leases by."""
    return f"{socket.gethostname()}:{os.getpid()}"
