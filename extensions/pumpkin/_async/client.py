"""The client: one platform, one caller, everything the API offers."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import httpx

from pumpkin import _models as models
from pumpkin import config
from pumpkin._async.assets import AsyncAssets, AsyncModels
from pumpkin._async.platform import AsyncAccounts, AsyncBilling, AsyncEnvironments, AsyncResources
from pumpkin._async.schedules import AsyncSchedules
from pumpkin._async.tokens import AsyncTokens
from pumpkin._async.transport import AsyncTransport
from pumpkin._async.workloads import AsyncJobs, AsyncNotebooks, AsyncWorkloads


class AsyncClient:
    """An asynchronous client of the platform; close it, or use it with a `with` statement.

    Without arguments it asks `pumpkin.config.load`: environment variables, the notebook server's own token, what
    `pumpkin login` kept. `timeout` is in seconds per try. Whatever the platform refuses, and every failed connection,
    raises `PumpkinError`.
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, timeout: float = 30.0) -> None:
        self.config = config.load(url, token)
        self._transport = AsyncTransport(self.config, timeout=timeout)
        self.datasets = AsyncAssets(self._transport, kind="dataset", model=models.Dataset)
        self.algorithms = AsyncAssets(self._transport, kind="algorithm", model=models.Algorithm)
        self.models = AsyncModels(self._transport, kind="model", model=models.Model)
        self.environments = AsyncEnvironments(self._transport)
        self.jobs = AsyncJobs(self._transport)
        self.notebooks = AsyncNotebooks(self._transport)
        self.schedules = AsyncSchedules(self._transport)
        self.workloads = AsyncWorkloads(self._transport)
        self.resources = AsyncResources(self._transport)
        self.accounts = AsyncAccounts(self._transport)
        self.tokens = AsyncTokens(self._transport)
        self.billing = AsyncBilling(self._transport)

    async def whoami(self) -> models.Me:
        """Return who the caller is."""
        return await self.accounts.me()

    async def request(
        self, method: str, path: str, *, query: dict[str, Any] | None = None, body: Any = None
    ) -> httpx.Response:
        """Send any request of the API (`/datasets/…`), with the same retries and errors as everything here."""
        return await self._transport.request(method, path, query=query, body=body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
