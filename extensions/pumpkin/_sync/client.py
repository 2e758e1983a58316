# Made from pumpkin/_async/client.py by `make models`; change that file, not this one.
"""The client: one platform, one caller, everything the API offers."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import httpx

from pumpkin import _models as models
from pumpkin import config
from pumpkin._sync.assets import Assets, Models
from pumpkin._sync.platform import Accounts, Billing, Environments, Resources
from pumpkin._sync.schedules import Schedules
from pumpkin._sync.tokens import Tokens
from pumpkin._sync.transport import Transport
from pumpkin._sync.workloads import Jobs, Notebooks, Workloads


class Client:
    """An synchronous client of the platform; close it, or use it with a `with` statement.

    Without arguments it asks `pumpkin.config.load`: environment variables, the notebook server's own token, what
    `pumpkin login` kept. `timeout` is in seconds per try. Whatever the platform refuses, and every failed connection,
    raises `PumpkinError`.
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, timeout: float = 30.0) -> None:
        self.config = config.load(url, token)
        self._transport = Transport(self.config, timeout=timeout)
        self.datasets = Assets(self._transport, kind="dataset", model=models.Dataset)
        self.algorithms = Assets(self._transport, kind="algorithm", model=models.Algorithm)
        self.models = Models(self._transport, kind="model", model=models.Model)
        self.environments = Environments(self._transport)
        self.jobs = Jobs(self._transport)
        self.notebooks = Notebooks(self._transport)
        self.schedules = Schedules(self._transport)
        self.workloads = Workloads(self._transport)
        self.resources = Resources(self._transport)
        self.accounts = Accounts(self._transport)
        self.tokens = Tokens(self._transport)
        self.billing = Billing(self._transport)

    def whoami(self) -> models.Me:
        """Return who the caller is."""
        return self.accounts.me()

    def request(
        self, method: str, path: str, *, query: dict[str, Any] | None = None, body: Any = None
    ) -> httpx.Response:
        """Send any request of the API (`/datasets/…`), with the same retries and errors as everything here."""
        return self._transport.request(method, path, query=query, body=body)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
