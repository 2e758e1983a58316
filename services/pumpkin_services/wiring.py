"""The one place that builds every part of the service and hands it to those who need it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from pumpkin_services import health
from pumpkin_services.accounts import api as accounts_api
from pumpkin_services.accounts.service import AccountService
from pumpkin_services.billing import api as billing_api
from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.hub import HubClient
from pumpkin_services.images import api as images_api
from pumpkin_services.images.builder import Builder, BuildSettings
from pumpkin_services.images.service import EnvironmentService
from pumpkin_services.images.uv import UvSettings
from pumpkin_services.principal import Principal
from pumpkin_services.resources import api as resources_api
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.settings import Platform
from pumpkin_services.web import Route
from pumpkin_services.web.handler import Edge

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

    async def workload_principal(self, _token: str) -> Principal | None:
        """Resolve a workload's own token."""
        return None

    async def stop(self) -> None:
        """Stop what `start` started. Workloads run on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
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
            async with self.database.write() as session:
                await self.resources.nodes.heartbeat(session, name=node)


def wire(settings: Platform, database: Database) -> Parts:
    """Build every part; nothing is opened, started or written yet."""
    wakeups = Wakeups()
    hub = HubClient(
        api_url=os.environ.get("JUPYTERHUB_API_URL", "http://127.0.0.1:8081/hub/api"),
        token=os.environ.get("JUPYTERHUB_API_TOKEN", ""),
    )
    accounts = AccountService(database=database, hub=hub)
    environments = settings.data / "environments"
    return Parts(
        settings=settings,
        database=database,
        wakeups=wakeups,
        hub=hub,
        accounts=accounts,
        resources=ResourceService(),
        billing=BillingService(accounts=accounts, currency=settings.currency, default_balance=settings.default_balance),
        images=EnvironmentService(
            database=database, wakeups=wakeups, root=environments, allow_urls=settings.environment_urls
        ),
        builder=Builder(
            database=database,
            wakeups=wakeups,
            root=environments,
            settings=BuildSettings(
                uv=UvSettings(index=settings.environment_index, from_source=settings.environment_from_source),
                concurrency=settings.environment_builds,
                timeout=settings.environment_build_seconds,
                lease=settings.lease_seconds,
                deletion_grace=settings.deletion_grace,
            ),
        ),
    )


def api_routes(parts: Parts) -> list[Route]:
    """Return the whole route table."""
    return [
        *health.routes(),
        *accounts_api.routes(parts.accounts, parts.database),
        *resources_api.routes(parts.resources),
        *billing_api.routes(parts.billing, parts.database),
        *images_api.routes(parts.images),
    ]


def page_handlers(parts: Parts, edge: Edge, *, prefix: str) -> list[Any]:
    """Return the handlers of the pages below `prefix`."""
    return []


def holder_name() -> str:
    """Return a name for this process, to hold leases by."""
    return f"{socket.gethostname()}:{os.getpid()}"
