"""500 jobs of `sleep 0.2` on 8 slots, from the first submit to the last end, against a bare pool of 8 workers."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
from tests.integration.house import House, User

from bench.common import fresh_house, report

JOBS = 500
SLOTS = 8
AT_ONCE = 4
COMMAND = ["sleep", "0.2"]


def pool() -> float:
    """Return the jobs per second of 8 threads that run the command."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(SLOTS) as workers:
        list(workers.map(lambda _: subprocess.run(COMMAND, check=True), range(JOBS)))
    return JOBS / (time.perf_counter() - begin)


async def submit(user: User, jobs: int, *, command: Sequence[str], at_once: int) -> None:
    """Submit `jobs` jobs on the spec `slot`, `at_once` requests at a time, as quickly as they are taken."""
    limit = asyncio.Semaphore(at_once)
    async with httpx.AsyncClient(base_url=user.api.base_url, headers=user.api.headers, timeout=60) as client:

        async def one(number: int) -> None:
            body = {"name": f"sleep-{number}", "spec": "slot", "command": command}
            async with limit:
                while True:
                    answer = await client.post("/workloads/jobs", json=body)
                    if answer.status_code != 429:
                        break
                    await asyncio.sleep(float(answer.headers["Retry-After"]))
            answer.raise_for_status()

        await asyncio.gather(*(one(number) for number in range(jobs)))


def count(user: User, phase: str) -> int:
    """Return how many of the user's jobs are in a phase."""
    total, cursor = 0, None
    while True:
        query = {"phase": phase, "limit": 500} | ({"cursor": cursor} if cursor else {})
        page = user.api.get("/workloads", params=query).raise_for_status().json()
        total, cursor = total + len(page["items"]), page["next"]
        if cursor is None:
            return total


def ours(house: House) -> float:
    """Return the platform's jobs per second."""
    node = house.admin.api.get("/resources/nodes").json()["items"][0]
    slot = {"name": "slot", "cpu_milli": node["cpu_milli"] // SLOTS, "memory": 64 << 20, "price_micro": 0}
    house.admin.api.post("/resources/specs", json=slot).raise_for_status()
    limits = {"running": 2 * SLOTS, "queued": 10 * JOBS}
    house.admin.api.put("/resources/limits/user/*", json=limits).raise_for_status()
    user = house.user("bench")
    asyncio.run(submit(user, SLOTS, command=COMMAND, at_once=AT_ONCE))
    while count(user, "succeeded") < SLOTS:
        time.sleep(0.2)
    begin = time.perf_counter()
    asyncio.run(submit(user, JOBS, command=COMMAND, at_once=AT_ONCE))
    # The newest job is the last to start: looking at it alone keeps the measurement out of the way.
    while user.api.get("/workloads", params={"limit": 1}).json()["items"][0]["phase"] != "succeeded":
        time.sleep(0.1)
    while count(user, "succeeded") < JOBS + SLOTS:
        time.sleep(0.05)
    return JOBS / (time.perf_counter() - begin)


def main() -> None:
    """Run and print."""
    with fresh_house("queue") as house:
        mine = ours(house.up())
    theirs = pool()
    rows = [
        (f"{JOBS} × {' '.join(COMMAND)} on {SLOTS} slots", "jobs per second"),
        (f"bare pool of {SLOTS} workers", f"{theirs:.1f}"),
        ("Pumpkin, every row durable", f"{mine:.1f}"),
    ]
    report("queue", ours=round(mine, 2), reference=round(theirs, 2), ratio=mine / theirs, rows=rows)


if __name__ == "__main__":
    main()
