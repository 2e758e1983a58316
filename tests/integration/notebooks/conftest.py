"""A user whose notebooks are stopped again, and the Hub as that user sees it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.integration.house import House, User

START_SECONDS = 90
_numbers = itertools.count()


def until(condition: Callable[[], Any], *, seconds: float = START_SECONDS) -> Any:
    """Return the first true result of `condition()`."""
    limit = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < limit, "too slow"
        time.sleep(0.2)
    return result


@dataclass(kw_only=True)
class Person:
    """A user, with the Hub's API and the platform's."""

    house: House
    user: User
    hub: httpx.Client

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def api(self) -> httpx.Client:
        return self.user.api

    def spawn(self, server: str = "", **options: Any) -> httpx.Response:
        """Ask the Hub for a server, as its REST API is asked."""
        path = f"/users/{self.name}/servers/{server}" if server else f"/users/{self.name}/server"
        return self.hub.post(path, json=options)

    def server(self, server: str = "") -> dict[str, Any]:
        """Return the Hub's word on a server, empty when it has none."""
        return self.hub.get(f"/users/{self.name}").json()["servers"].get(server, {})

    def notebooks(self, *phases: str) -> list[dict[str, Any]]:
        """Return the person's notebooks, newest first."""
        query = {"kind": "notebook", "phase": list(phases)} if phases else {"kind": "notebook"}
        return self.api.get("/workloads", params=query).json()["items"]

    def workload(self, workload: str) -> dict[str, Any]:
        return self.api.get(f"/workloads/{workload}").json()

    def ready(self, server: str = "") -> dict[str, Any]:
        """Wait until a server is ready."""
        return until(lambda: (found := self.server(server)).get("ready") and found)

    def stop_all(self) -> None:
        opened = self.notebooks("queued", "preparing", "running", "stopping")
        for notebook in opened:
            self.api.post(f"/workloads/{notebook['id']}/stop")
        for notebook in opened:
            until(lambda notebook=notebook: self.workload(notebook["id"])["phase"] in ("stopped", "failed"))
        until(lambda: not self.hub.get(f"/users/{self.name}").json()["servers"])


@pytest.fixture
def person(platform: House) -> Iterator[Person]:
    user = platform.user(f"reader{next(_numbers)}")
    hub = httpx.Client(base_url=platform.hub_url, headers={"Authorization": f"token {user.token}"}, timeout=60)
    someone = Person(house=platform, user=user, hub=hub)
    try:
        yield someone
    finally:
        someone.stop_all()
        hub.close()


@pytest.fixture
def whole(platform: House) -> str:
    """A spec as large as the machine, so that two never run at once; its name."""
    admin = platform.admin.api
    [node] = admin.get("/resources/nodes").json()["items"]
    spec = {"name": "whole-machine", "cpu_milli": node["usable_cpu_milli"], "memory": 1 << 30}
    made = admin.post("/resources/specs", json=spec)
    assert made.status_code in (201, 409), made.text
    return "whole-machine"
