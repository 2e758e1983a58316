"""The one place that builds every part of the service and hands it to those who need it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from base64 import urlsafe_b64encode
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services import health, pages
from pumpkin_services.accounts import api as accounts_api
from pumpkin_services.accounts.people import People
from pumpkin_services.accounts.service import AccountService
from pumpkin_services.algorithms import api as algorithms_api
from pumpkin_services.algorithms.service import AlgorithmService
from pumpkin_services.artifacts.imports import ImportSettings
from pumpkin_services.artifacts.outward import Outward
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.assets.retention import Retention
from pumpkin_services.billing import api as billing_api
from pumpkin_services.billing.days import StorageDays
from pumpkin_services.billing.keeping import Keeping
from pumpkin_services.billing.service import BillingService
from pumpkin_services.datasets import api as datasets_api
from pumpkin_services.datasets.service import DatasetService
from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.health import HealthService
from pumpkin_services.hub import HubClient
from pumpkin_services.images import api as images_api
from pumpkin_services.images.builder import Builder, BuildSettings
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.images.uv import UvSettings
from pumpkin_services.meta import BASE_PATH, with_meta
from pumpkin_services.models import api as models_api
from pumpkin_services.models.service import ModelService
from pumpkin_services.pipeline.cluster import Cluster
from pumpkin_services.pipeline.pipeline import Pipeline, PipelineParts
from pumpkin_services.problems import Problem
from pumpkin_services.resources import api as resources_api
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.runtimes.base import Runtime
from pumpkin_services.runtimes.local import LocalRuntime
from pumpkin_services.schedules import api as schedules_api
from pumpkin_services.schedules.firing import Firing
from pumpkin_services.schedules.service import ScheduleService
from pumpkin_services.secrets import load_secret
from pumpkin_services.settings import Cluster as ClusterSettings
from pumpkin_services.settings import Platform
from pumpkin_services.storage import api as storage_api
from pumpkin_services.storage.base import ObjectStore
from pumpkin_services.storage.choose import choose_store
from pumpkin_services.web import Route
from pumpkin_services.web.handler import Edge
from pumpkin_services.web.together import together
from pumpkin_services.wiring_cluster import on_cluster
from pumpkin_services.workloads import api as workloads_api
from pumpkin_services.workloads import desk
from pumpkin_services.workloads.board import Board
from pumpkin_services.workloads.desk import Desk
from pumpkin_services.workloads.environments import EnvironmentFiles
from pumpkin_services.workloads.grants import GrantService
from pumpkin_services.workloads.outputs import OutputService
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
    health: HealthService
    accounts: AccountService
    people: People
    resources: ResourceService
    billing: BillingService
    keeping: Keeping
    storage_days: StorageDays
    images: EnvironmentService
    builder: Builder
    store: ObjectStore
    artifacts: ArtifactService
    datasets: DatasetService
    algorithms: AlgorithmService
    models: ModelService
    retention: Retention
    runtime: Runtime
    cluster: Cluster | None
    workloads: WorkloadService
    queries: WorkloadQueries
    schedules: ScheduleService
    streams: WorkloadStreams
    grants: GrantService
    outputs: OutputService
    tokens: Tokens
    pipeline: Pipeline
    _tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def start(self) -> None:
        """Seed what a fresh platform needs and start what runs beside the requests."""
        try:
            await asyncio.to_thread(self.store.open)
        except Problem as problem:  # the platform starts all the same: who works with what is there may go on
            log.error("%s", problem)
        image = self.cluster.preparer.image if self.cluster is not None else ""
        await self.images.interpreters.register_default(sys.executable, image=image)
        if self.cluster is None:
            node = await self.resources.nodes.register_this_machine(self.database)
            async with self.database.write() as session:
                await self.resources.seed(session, node=node)
            self._run("heartbeat", self._heartbeat(node.name))
        self._run("hub sync", self.accounts.sync.run())
        self._run("environment builder", self.builder.run())
        self._run("artifact keeper", self.artifacts.run(grace=timedelta(seconds=self.settings.deletion_grace)))
        self._run("retention rules", self.retention.run())
        self._run("storage charges", self.storage_days.run())
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
    resources = ResourceService(shares=settings.runtime == "volcano")
    billing = BillingService(accounts=accounts, currency=settings.currency, default_balance=settings.default_balance)
    keeping = Keeping(
        accounts=accounts, limits=resources.limits, currency=settings.currency, price=settings.storage_price
    )
    environments = settings.data / "environments"
    images = EnvironmentService(
        database=database,
        wakeups=wakeups,
        accounts=accounts,
        root=environments,
        allow_urls=settings.environment_urls,
    )
    python = ClusterSettings(config=settings.config).python if settings.runtime == "volcano" else sys.executable
    builder = Builder(
        database=database,
        wakeups=wakeups,
        root=environments,
        settings=BuildSettings(
            uv=UvSettings(
                python=python, index=settings.environment_index, from_source=settings.environment_from_source
            ),
            concurrency=settings.environment_builds,
            timeout=settings.environment_build_seconds,
        ),
    )
    secrets = settings.data / "secrets"
    store = choose_store(
        settings.config,
        folder=settings.data / "objects",
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
        imports=ImportSettings(
            key=urlsafe_b64encode(load_secret(secrets, "import_key")),
            outward=Outward(hosts=settings.import_hosts, networks=settings.import_networks),
            max_bytes=settings.import_bytes,
            max_seconds=settings.import_seconds,
        ),
    )
    artifacts.imports.principal_of = accounts.principal_of
    datasets = DatasetService(artifacts=artifacts, require_workspace=accounts.require_workspace)
    algorithms = AlgorithmService(artifacts=artifacts, require_workspace=accounts.require_workspace)
    models = ModelService(artifacts=artifacts, require_workspace=accounts.require_workspace)
    for assets in (datasets, algorithms, models):
        assets.ancestors = models.made_from
    tokens = Tokens(database, key=load_secret(secrets, "workload_key"))
    runtime: Runtime
    cluster: Cluster | None = None
    if settings.runtime == "volcano":
        runtime, cluster = on_cluster(
            settings, database=database, resources=resources, environments=images, tokens=tokens
        )
    else:
        runtime = LocalRuntime(data=settings.data, isolate=settings.isolate)
    planner = Planner(resources=resources, environments=images, datasets=datasets, algorithms=algorithms, models=models)
    workloads = WorkloadService(
        planner=planner, billing=billing, limits=resources.limits, pins=artifacts, wakeups=wakeups
    )
    accounts.stop_workloads = workloads.stop_all_of
    board = Board(resources)
    queries = WorkloadQueries(service=workloads, board=board, resources=resources, billing=billing, base_url=base_url)
    schedules = ScheduleService(workloads=workloads, queries=queries)
    for keeper in (datasets, algorithms, models, images, workloads, schedules, billing):
        accounts.workspaces.holdings.append(keeper.held)
    resources.usage = queries.holdings
    images.in_use = workloads.in_use
    pipeline = Pipeline(
        PipelineParts(
            database=database,
            wakeups=wakeups,
            runtime=runtime,
            service=workloads,
            schedules=Firing(database=database, schedules=schedules, principal_of=accounts.principal_of),
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
            cluster=cluster,
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
        health=HealthService(database=database, store=store, hub=hub, runtime=runtime),
        accounts=accounts,
        people=People(database=database, hub=hub, accounts=accounts),
        resources=resources,
        billing=billing,
        keeping=keeping,
        storage_days=StorageDays(database=database, ledger=billing.ledger, price_micro=keeping.price_micro),
        images=images,
        builder=builder,
        store=store,
        artifacts=artifacts,
        datasets=datasets,
        algorithms=algorithms,
        models=models,
        retention=Retention(artifacts=artifacts, ancestors=models.made_from),
        runtime=runtime,
        cluster=cluster,
        workloads=workloads,
        queries=queries,
        schedules=schedules,
        streams=WorkloadStreams(
            database=database, service=workloads, queries=queries, runtime=runtime, wakeups=wakeups
        ),
        grants=GrantService(
            database=database,
            service=workloads,
            queries=queries,
            principal_of=accounts.principal_of,
            wakeups=wakeups,
            pod_of=cluster.pod if cluster is not None else None,
        ),
        outputs=OutputService(database=database, runs=settings.data / "runs", limit=storage_limit),
        tokens=tokens,
        pipeline=pipeline,
    )


def api_routes(parts: Parts) -> list[Route]:
    """Return the whole route table."""
    routes = [
        *accounts_api.routes(parts.accounts, parts.people, parts.database),
        *resources_api.routes(parts.resources),
        *health.routes(parts.health),
        *billing_api.routes(parts.billing, parts.keeping, parts.database),
        *images_api.routes(parts.images),
        *storage_api.routes(parts.store),
        *datasets_api.routes(parts.datasets, parts.artifacts),
        *algorithms_api.routes(parts.algorithms, parts.artifacts),
        *models_api.routes(parts.models, parts.artifacts),
        *desk.routes(Desk(), service=parts.workloads, queries=parts.queries),
        *workloads_api.routes(
            parts.workloads,
            queries=parts.queries,
            streams=parts.streams,
            grants=parts.grants,
            outputs=parts.outputs,
            environments=EnvironmentFiles(database=parts.database, environments=parts.images),
        ),
        *schedules_api.routes(parts.schedules),
    ]
    return with_meta([*routes, together(routes)])


def page_handlers(parts: Parts, edge: Edge, *, prefix: str) -> list[Any]:
    """Return the handlers of the pages below `prefix`."""
    return pages.handlers(edge.authenticator, prefix=prefix, store=parts.store.page_target)


def holder_name() -> str:
    """Return a name for this process, to hold leases by."""
    return f"{socket.gethostname()}:{os.getpid()}"
