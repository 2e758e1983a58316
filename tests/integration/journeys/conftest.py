"""Fixtures of the journeys: what people do with a whole platform, from end to end.

`house`: an instance of this module's own, with short graces; what a test leaves running is stopped after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.house import House, User

ENDED = ("succeeded", "failed", "stopped")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(data=tmp_path_factory.mktemp("house") / "data")
    made.configure("c.Platform.stop_grace = 2\n")
    try:
        yield made.up()
    finally:
        made.tear_down()


@pytest.fixture(autouse=True)
def nothing_is_left_running(house: House) -> Iterator[None]:
    yield
    wanted = {"everything": True, "limit": 100, "phase": ["queued", "preparing", "running", "stopping"]}
    left = [item["id"] for item in house.admin.api.get("/workloads", params=wanted).json()["items"]]
    if left:
        house.admin.api.post("/workloads/batch", json={"action": "stop", "ids": left})
    until(lambda: not house.admin.api.get("/workloads", params=wanted).json()["items"])


def until(look: Callable[[], Any], *, seconds: float = 60) -> Any:
    """Return the first true value of `look()`; fail when none comes in time."""
    limit = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < limit, f"still {value!r} after {seconds} s"
        time.sleep(0.05)
    return value


def show(user: User, workload: str) -> dict[str, Any]:
    """Return a workload as its owner sees it."""
    answer = user.api.get(f"/workloads/{workload}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def in_phase(user: User, workload: str, *phases: str, seconds: float = 60) -> dict[str, Any]:
    """Wait until a workload is in one of the phases; return it."""

    limit = time.monotonic() + seconds
    while (found := show(user, workload))["phase"] not in phases:
        assert time.monotonic() < limit, found
        assert found["phase"] not in ENDED, found
        time.sleep(0.05)
    return found


def ended(user: User, workload: str, *, seconds: float = 60) -> dict[str, Any]:
    """Wait until a workload has ended; return it."""
    return in_phase(user, workload, *ENDED, seconds=seconds)


def submit(user: User, name: str, **request: Any) -> str:
    """Submit a job; return its id."""
    answer = user.api.post("/workloads/jobs", json={"name": name, **request})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def events(user: User, workload: str) -> list[dict[str, Any]]:
    """Return a workload's events, oldest first."""
    return user.api.get(f"/workloads/{workload}/events", params={"limit": 100}).json()["items"][::-1]
