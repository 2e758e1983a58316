"""`kill -9` of service and proxy while a notebook runs as a job: no output is lost, none comes twice."""

from __future__ import annotations

import time
from typing import Any

import httpx

from pumpkin_hub import processes
from tests.integration.faults.books import ENDED, until
from tests.integration.house import House, User

LINES = 60
SOURCE = f"import time\nfor n in range({LINES}):\n    print(n, flush=True)\n    time.sleep(0.05)"
CELLS: list[dict[str, Any]] = [
    {"id": f"c{at}", "cell_type": "code", "metadata": {}, "source": SOURCE, "outputs": [], "execution_count": None}
    for at in range(4)
]


def ask(house: House, user: User, path: str) -> Any:
    """GET until the service answers."""

    def look() -> Any:
        try:
            answer = user.api.get(path)
        except httpx.TransportError:
            return None
        return answer.json() if answer.status_code == 200 else None

    return until(look, house=house)


def test_no_output_is_lost_when_service_and_proxy_are_killed(busy_house: tuple[House, User]) -> None:
    house, ann = busy_house
    document: dict[str, Any] = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": CELLS}
    body = {"name": "printing", "spec": "cpu-small", "notebook": {"path": "a.ipynb", "content": document}}
    made = ann.api.post("/workloads/jobs", json=body)
    assert made.status_code == 201, made.text
    job = f"/workloads/{made.json()['id']}"
    seen: list[int] = []

    def states() -> list[str]:
        page = ask(house, ann, f"{job}/cells?after={seen[-1] if seen else 0}")
        seen.extend(item["revision"] for item in page["items"])
        return [item["state"] for item in page["items"]]

    until(lambda: "running" in states(), house=house)
    killed: list[processes.Part] = ["service", "proxy", "service"]
    for part in killed:
        house.kill(part)
        until(lambda part=part: house.pids(part), house=house)  # pyright: ignore[reportArgumentType]
        time.sleep(1)
        states()
    until(lambda: ask(house, ann, job)["phase"] in ENDED, house=house, seconds=120)
    ended = ask(house, ann, job)
    assert (ended["phase"], ended["attempt"], ended["message"]) == ("succeeded", 1, "")
    states()
    assert seen == sorted(set(seen))
    cells = ask(house, ann, f"{job}/cells")["items"]
    everything = "".join(f"{n}\n" for n in range(LINES))
    assert [(item["cell"], item["state"], item["outputs"][0]["text"]) for item in cells] == [
        (f"c{at}", "done", everything) for at in range(4)
    ]
