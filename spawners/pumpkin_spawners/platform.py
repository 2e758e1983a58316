"""The platform's grants, as a spawner sees them: a small asynchronous client that repeats only what may be repeated."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

State = Literal["queued", "ready", "running", "ended"]
BUSY = frozenset({429, 502, 503, 504, 599})
"""Answers that mean "later"; 599 is tornado's own for a broken connection or a time-out."""


class Away(Exception):
    """The platform does not answer. What runs is not affected by that."""


class Refused(Exception):
    """The platform said no; the message is the one sentence it gave."""

    def __init__(self, detail: str, *, status: int, reason: str) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Leave to start one server. Times to wait are in seconds, `price_micro` of a free spec in micro-units per hour."""

    workload: str
    state: State
    position: int | None = None
    expected_seconds: float | None = None
    free_specs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    host: str = ""
    port: int | None = None
    exit_code: int | None = None
    message: str = ""


class PlatformClient:
    """The platform at `url` (ending in `/services/pumpkin/`), asked with the spawner service's own `token`.

    `patience` is how many seconds a call goes on trying while the platform is away.
    """

    def __init__(self, *, url: str, token: str, patience: float = 10.0) -> None:
        self._api = url.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        self._patience = patience
        # Its own client: the shared one allows ten requests at a time, and a claim may hold one for seconds.
        self._http = AsyncHTTPClient(force_instance=True, max_clients=64)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    async def ask(self, *, user: str, server_name: str, options: dict[str, Any]) -> Grant:
        """Ask for a grant, or find the one this server has already."""
        body = {"user": user, "server_name": server_name, "options": options}
        return _grant(await self._request("POST", "/workloads/grants", body=body))

    async def get(self, workload: str, *, patience: float | None = None) -> Grant | None:
        """Return the grant as it stands, None when the platform knows none of that id."""
        try:
            return _grant(await self._request("GET", f"/workloads/grants/{quote(workload)}", patience=patience))
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    async def pod(self, workload: str) -> dict[str, Any]:
        """Return what the pod of a ready grant must be (the service's `Pod`)."""
        return await self._request("GET", f"/workloads/grants/{quote(workload)}/pod")

    async def claim(
        self,
        workload: str,
        *,
        port: int,
        timeout: float,
        command: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> Grant:
        """Start the server a grant is for; returns once it has started, or was found started, unless not to wait."""
        body = {"command": [*command], "env": {**(env or {})}, "port": port, "wait": wait}
        path = f"/workloads/grants/{quote(workload)}/claim"
        return _grant(await self._request("POST", path, body=body, timeout=timeout))

    async def release(self, workload: str) -> None:
        """Stop the server and give back what it holds; one that has ended already is fine."""
        try:
            await self._request("DELETE", f"/workloads/grants/{quote(workload)}", timeout=60)
        except Refused as refusal:
            if refusal.status != 404:
                raise

    async def events(self, workload: str, *, token: str) -> list[dict[str, Any]]:
        """Return what happened to the workload, oldest first: each with `id`, `type` and `message`."""
        page = await self._request("GET", f"/workloads/{quote(workload)}/events?limit=100", token=token)
        return list(reversed(page["items"]))

    async def specs(self, *, token: str) -> list[dict[str, Any]]:
        """Return the specs the token's user may use for notebooks."""
        page = await self._request("GET", "/resources/specs?kind=notebook&limit=500", token=token)
        return [spec for spec in page["items"] if spec["enabled"]]

    async def free_specs(self, *, token: str) -> set[str]:
        """Return the names of the specs that would start at once."""
        queue = await self._request("GET", "/workloads/queue", token=token)
        return {str(spec["name"]) for spec in queue["free_specs"]}

    async def environments(self, *, token: str) -> list[str]:
        """Return references of the environments the token's user may use."""
        page = await self._request("GET", "/images?limit=200", token=token)
        return [f"{item['workspace']}/{item['name']}" for item in page["items"]]

    async def _request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        timeout: float = 20,
        patience: float | None = None,
        token: str | None = None,
    ) -> Any:
        request = HTTPRequest(
            self._api + path,
            method=method,
            headers=self._headers | ({"Authorization": f"token {token}"} if token else {}),
            body=None if body is None else json.dumps(body),
            allow_nonstandard_methods=True,
            connect_timeout=5,
            request_timeout=timeout,
        )
        give_up = time.monotonic() + (self._patience if patience is None else patience)
        pause = 0.1
        while True:
            try:
                answer = (await self._http.fetch(request)).body
                return json.loads(answer) if answer else None
            except HTTPClientError as error:
                if error.code not in BUSY:
                    raise _refusal(error) from error
                cause: Exception = error
            except OSError as error:
                cause = error
            if time.monotonic() + pause > give_up:
                raise Away(f"The platform does not answer: {cause}") from cause
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)


def _grant(body: dict[str, Any]) -> Grant:
    known = {f.name for f in fields(Grant)}
    return Grant(**{name: value for name, value in body.items() if name in known})


def _refusal(error: HTTPClientError) -> Refused:
    try:
        problem: dict[str, Any] = json.loads(error.response.body) if error.response else {}
    except ValueError:
        problem = {}
    detail = str(problem.get("detail") or f"The platform refused with status {error.code}.")
    return Refused(detail, status=error.code, reason=str(problem.get("reason") or "refused"))
