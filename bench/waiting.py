"""The Hub's own `GET /users/:name` while 1,000 people wait for a notebook, against the same with nobody waiting.

They asked the Hub for a server and were told that there is no room: each has a place in the platform's queue, the first
of them in Volcano's too. A job that really runs fills the pool. Requests come evenly, whether or not the one before has
been answered; nobody waiting is measured before and after. Meanwhile somebody whose spec is free gets a notebook.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

import httpx
from tests.integration.house import House

from bench.cluster import bring_up, cluster_api, cluster_house, every, wait
from bench.common import processor_seconds, quantile, report

WAITING = 1000
PROBES, PER_SECOND = 2000, 50
AT_ONCE = 16
WALK_IN_SECONDS = 120
POOL = "taken"


@dataclass
class Hub:
    """The Hub's API as an admin, with a count of what it answered."""

    client: httpx.AsyncClient
    statuses: Counter[int] = field(default_factory=Counter[int])

    async def ask(self, method: str, where: str, **how: Any) -> httpx.Response:
        """Do one request."""
        answer = await self.client.request(method, where, **how)
        self.statuses[answer.status_code] += 1
        return answer

    async def probe(self, names: list[str], probes: int) -> list[float]:
        """Return the seconds each of the evenly spaced requests took."""
        begin = time.perf_counter()

        async def one(number: int) -> float:
            await asyncio.sleep(max(0.0, begin + number / PER_SECOND - time.perf_counter()))
            sent = time.perf_counter()
            (await self.ask("GET", f"users/{random.choice(names)}")).raise_for_status()
            return time.perf_counter() - sent

        return await asyncio.gather(*(one(number) for number in range(probes)))

    async def queue_up(self, names: list[str], spec: str) -> None:
        """Have everybody ask for a notebook that cannot start now."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> None:
            async with gate:
                answer = await self.ask("POST", f"users/{name}/server", json={"spec": spec})
            if answer.status_code != 503 or "queue" not in answer.text:
                raise RuntimeError(f"{name} was told {answer.status_code}: {answer.text[:300]}")

        await asyncio.gather(*(one(name) for name in names))


def fill(house: House) -> None:
    """Make a pool of the node that one job takes nearly all of, and run that job."""
    api = house.admin.api
    wait(lambda: api.get("/resources/nodes").json()["items"], 60)
    node = api.get("/resources/nodes").json()["items"][0]
    for name, tenths in (("large", 6), ("little", 3)):
        spec = {"name": name, "cpu_milli": node["usable_cpu_milli"] * tenths // 10, "memory": 512 << 20}
        api.post("/resources/specs", json=spec).raise_for_status()
    pool = {"name": POOL, "nodes": [node["name"]], "specs": ["large"], "everyone": True, "priority": 10}
    api.post("/resources/pools", json=pool).raise_for_status()
    job = {"name": "taking", "spec": "large", "command": ["sleep", "infinity"]}
    made = api.post("/workloads/jobs", json=job).raise_for_status().json()
    wait(lambda: api.get(f"/workloads/{made['id']}").json()["phase"] == "running", 120)


def notebooks(house: House) -> list[str]:
    """Return the ids of all notebooks that wait."""
    query: dict[str, Any] = {"kind": "notebook", "phase": "queued", "everything": True, "limit": 500}
    found: list[str] = []
    while True:
        page = house.admin.api.get("/workloads", params=query).raise_for_status().json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def dismiss(house: House) -> None:
    """Send everybody home."""
    waiting = notebooks(house)
    for start in range(0, len(waiting), 100):
        body = {"action": "stop", "ids": waiting[start : start + 100]}
        house.admin.api.post("/workloads/batch", json=body, timeout=120).raise_for_status()
    wait(lambda: not notebooks(house), 120, pause=1)


async def settled(prefix: str, *, tickets: bool) -> None:
    """Wait until the cluster has been told of all (of nobody, without `tickets`), and is quiet."""
    async with cluster_api(f"{prefix}none") as (api, _):
        before, same = -1, 0
        while same < 5:
            await asyncio.sleep(2)
            groups = [item for item in await every(api, "PodGroup") if item["metadata"]["namespace"].startswith(prefix)]
            mine = [item for item in groups if item["metadata"]["name"].startswith("n-")]
            same = same + 1 if len(mine) == before and bool(mine) == tickets else 0
            before = len(mine)


@dataclass
class Seen:
    """What probes found: seconds per request, and the Hub's processor time for each in milliseconds."""

    seconds: list[float] = field(default_factory=list[float])
    cpu_ms: list[float] = field(default_factory=list[float])


async def look(hub: Hub, house: House, names: list[str], seen: Seen) -> None:
    """Probe, and add what is found."""
    before = processor_seconds(house.pids("hub"))
    seen.seconds += await hub.probe(names, PROBES)
    seen.cpu_ms.append(1000 * (processor_seconds(house.pids("hub")) - before) / PROBES)


async def measure(house: House, prefix: str) -> tuple[Seen, Seen, float, Counter[int]]:
    """Return what it is like with nobody waiting and with everybody, the walk-in's seconds, and the Hub's answers."""
    await asyncio.to_thread(fill, house)
    names = [f"w-{number}" for number in range(WAITING)]
    headers = {"Authorization": f"token {house.admin.token}"}
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(base_url=house.hub_url, headers=headers, timeout=120, limits=limits) as client:
        (await client.post("users", json={"usernames": [*names, "walk-in"]})).raise_for_status()
        hub = Hub(client)
        await hub.probe(names, 100)
        quiet, busy = Seen(), Seen()
        await look(hub, house, names, quiet)
        tell("nobody waiting", quiet.seconds)
        begin = time.perf_counter()
        await hub.queue_up(names, "large")
        print(f"{WAITING} asked within {time.perf_counter() - begin:.0f} s", flush=True)
        await settled(prefix, tickets=True)
        if (count := len(await asyncio.to_thread(notebooks, house))) != WAITING:
            raise RuntimeError(f"{count} of {WAITING} wait")
        await look(hub, house, names, busy)
        tell(f"{WAITING} waiting, {hub.statuses[429]} of them told to ask less often", busy.seconds)
        walk_in = await walks_in(hub)
        print(f"a notebook that is free took {walk_in:.1f} s", flush=True)
        await asyncio.to_thread(dismiss, house)
        await settled(prefix, tickets=False)
        await look(hub, house, names, quiet)
    return quiet, busy, walk_in, hub.statuses


def tell(who: str, seconds: list[float]) -> None:
    """Say how it goes."""
    print(f"{who}: p99 {quantile(seconds, 0.99) * 1000:.1f} ms", flush=True)


async def walks_in(hub: Hub) -> float:
    """Return the seconds until somebody who wants what is free has a notebook."""
    begin = time.perf_counter()
    (await hub.ask("POST", "users/walk-in/server", json={"spec": "little"})).raise_for_status()
    while not (await hub.ask("GET", "users/walk-in")).json()["servers"].get("", {}).get("ready"):
        if time.perf_counter() > begin + WALK_IN_SECONDS:
            raise RuntimeError(f"a notebook whose spec is free is not ready after {WALK_IN_SECONDS} s")
        await asyncio.sleep(0.1)
    seconds = time.perf_counter() - begin
    await hub.ask("DELETE", "users/walk-in/server")
    return seconds


async def run() -> tuple[Seen, Seen, float, Counter[int]]:
    """Measure on a platform of its own."""
    with cluster_house("waiting") as (house, prefix):
        async with cluster_api(prefix):
            return await measure(house, prefix)


def main() -> None:
    """Run and print."""
    bring_up()
    quiet, busy, walk_in, statuses = asyncio.run(run())
    rows: list[tuple[str, ...]] = [("GET /users/:name", "p50", "p99", "of the Hub's processor time")]
    for name, seen in (("nobody waiting", quiet), (f"{WAITING} waiting", busy)):
        times = (f"{quantile(seen.seconds, share) * 1000:.1f} ms" for share in (0.5, 0.99))
        rows.append((name, *times, f"{mean(seen.cpu_ms):.2f} ms"))
    rows.append(("a notebook that is free, meanwhile", f"{walk_in:.1f} s", "", ""))
    mine, reference = quantile(busy.seconds, 0.99), quantile(quiet.seconds, 0.99)
    report("waiting", ours=round(mine * 1000, 2), reference=round(reference * 1000, 2), ratio=mine / reference,
           rows=rows, too_many_requests=statuses[429], walk_in_seconds=round(walk_in, 2))  # fmt: skip


if __name__ == "__main__":
    main()
