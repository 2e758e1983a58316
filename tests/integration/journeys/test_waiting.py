"""Journey 3: a spec that is taken. Who waits sees the place and what is free, leaves, and is told; or takes another."""

from __future__ import annotations

import pytest

from pumpkin import Client
from tests.integration.house import House, User
from tests.integration.journeys.conftest import ended, in_phase, show, submit, until

SECONDS = 120


@pytest.fixture
def big(house: House) -> str:
    """A spec of most of the machine's memory and little else: two do not fit, something small beside one does."""
    admin = house.admin.api
    [node] = admin.get("/resources/nodes").json()["items"]
    spec = {"name": "big", "cpu_milli": 100, "memory": node["usable_memory"] * 6 // 10}
    assert admin.post("/resources/specs", json=spec).status_code in (201, 409)
    return "big"


def ask(user: User, spec: str) -> str:
    """Ask for the default notebook on a spec; return its id."""
    answer = user.api.post("/workloads/notebooks", json={"name": "", "spec": spec})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def stands(user: User, workload: str, position: int) -> bool:
    """Tell whether a queued workload has this place; places are reckoned every few seconds."""
    return show(user, workload)["forecast"]["position"] == position


def test_who_waits_sees_the_place_and_what_is_free_and_is_told_when_it_starts(house: House, big: str):
    ann, ben, cleo = (house.user(name) for name in ("ann", "ben", "cleo"))
    first = ask(ann, big)
    in_phase(ann, first, "running", seconds=SECONDS)
    second, third = ask(ben, big), submit(cleo, "third", spec=big, command="true")
    until(lambda: stands(ben, second, 1) and stands(cleo, third, 2))

    # What it would cost and when it would start, before asking; what starts now instead, with its price.
    asked = {"notebook": {"name": "other", "spec": big}}
    estimate = ben.api.post("/workloads/estimate", json=asked).json()
    assert (estimate["starts_now"], estimate["forecast"]["position"]) == (False, 3)
    free = {spec["name"]: spec["price_micro"] for spec in ben.api.get("/workloads/queue").json()["free_specs"]}
    assert big not in free
    assert free["cpu-small"] == 0

    # Nobody has to look on: the Hub holds nothing for who waits, and the stream tells the moment it starts.
    with Client(house.url, ben.token) as client:
        told = client.notebooks.follow_events(second)
        ann.api.post(f"/workloads/{first}/stop").raise_for_status()
        assert "running" in (event.type for event in told)
    assert in_phase(ben, second, "running")["spec"] == big
    until(lambda: stands(cleo, third, 1))


def test_who_waits_may_take_what_is_free_instead(house: House, big: str):
    dora, emil = house.user("dora"), house.user("emil")
    in_phase(dora, ask(dora, big), "running", seconds=SECONDS)
    waiting = ask(emil, big)
    in_phase(emil, waiting, "queued")
    emil.api.post(f"/workloads/{waiting}/stop").raise_for_status()
    assert ended(emil, waiting)["phase"] == "stopped"
    assert in_phase(emil, ask(emil, "cpu-small"), "running", seconds=SECONDS)["spec"] == "cpu-small"
