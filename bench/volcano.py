"""1,000 one-pod jobs on 50 pretended nodes: the platform's API to the end in its books, against bare vcjobs.

The bare vcjobs are the same documents, made by the same client (`kubernetes.aio`, 16 requests at a time) and watched
until Completed; they are removed when nobody counts any more, ours each when it is over. Both wait in the same queue of
the same Volcano, whose limits the rig has raised, and take turns. Where the processors' time goes is told, too.
`JOBS=300 make bench B=volcano` for fewer.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

from tests.cluster.rig import fakes
from tests.cluster.rig.processes import alive
from tests.integration.house import House, User

from bench.cluster import PREFIX, bring_up, cluster_api, cluster_house, every, wait
from bench.common import processor_seconds, report
from bench.queue import count, submit
from pumpkin_services.db import new_id
from pumpkin_services.runtimes.base import Key, Launch, ReplicaSpec
from pumpkin_services.runtimes.volcano import ClusterSettings, manifests, names
from pumpkin_services.runtimes.volcano.api import Api, path

JOBS, WARM = int(os.environ.get("JOBS") or 1000), 50
NODES = 50
ROUNDS = 3
AT_ONCE = 16
POOL = "played"
COMMAND = ["true"]
PROGRAMS = ("kube-apiserver", "etcd", "volcano-controller-manager", "volcano-scheduler", "kwok")
SPEC, CPU_MILLI, MEMORY = "slot", 1000, 1 << 30
OPEN = ["queued", "preparing", "running", "stopping"]


def set_up(house: House) -> User:
    """Make a pool of the pretended nodes, and somebody who may submit as much as there is."""
    api = house.admin.api
    there: list[str] = []

    def played() -> bool:
        items = api.get("/resources/nodes", params={"limit": 500}).json()["items"]
        there[:] = [item["name"] for item in items if item["name"].startswith("fake-")]
        return len(there) == NODES

    wait(played, 60)
    spec = {"name": SPEC, "cpu_milli": CPU_MILLI, "memory": MEMORY, "price_micro": 0}
    api.post("/resources/specs", json=spec).raise_for_status()
    pool = {"name": POOL, "nodes": there, "specs": [SPEC], "everyone": True, "priority": 10}
    api.post("/resources/pools", json=pool).raise_for_status()
    limits = {"running": 10 * JOBS, "queued": 10 * JOBS}
    api.put("/resources/limits/user/*", json=limits).raise_for_status()
    return house.user("bench")


def ours(user: User, jobs: int) -> float:
    """Return the platform's jobs per minute."""
    before = count(user, "succeeded")
    begin = time.perf_counter()
    asyncio.run(submit(user, jobs, command=COMMAND, at_once=AT_ONCE))

    def ended() -> bool:
        # Nobody asks for the whole list meanwhile.
        return not user.api.get("/workloads", params={"phase": OPEN, "limit": 1}).raise_for_status().json()["items"]

    wait(ended, 900)
    seconds = time.perf_counter() - begin
    done = count(user, "succeeded") - before
    if done != jobs:
        raise RuntimeError(f"{done} of {jobs} jobs succeeded")
    return 60 * jobs / seconds


async def bare(api: Api, settings: ClusterSettings, jobs: int) -> float:
    """Return Volcano's own jobs per minute, seen by one watch."""
    namespace = names.namespace(settings.namespace_prefix, "bare")
    listed = await api.call("GET", path("Job", namespace), query={"limit": 1})
    gate = asyncio.Semaphore(AT_ONCE)

    async def make() -> None:
        async with gate:
            await api.create(document(settings))

    done: set[str] = set()

    def note(item: dict[str, Any]) -> None:
        if item.get("status", {}).get("state", {}).get("phase") == "Completed":
            done.add(item["metadata"]["name"])

    async def completed() -> None:
        version = listed["metadata"]["resourceVersion"]
        while len(done) < jobs:
            async for event in api.watch(path("Job", namespace), selector="", version=version, seconds=900):
                if event["type"] != "BOOKMARK":
                    note(event["object"])
                if len(done) == jobs:
                    return
            # The API server ends the watch of who is too slow for it.
            again = await api.call("GET", path("Job", namespace))
            version = again["metadata"]["resourceVersion"]
            for item in again["items"]:
                note(item)

    begin = time.perf_counter()
    async with asyncio.timeout(900):
        await asyncio.gather(completed(), *(make() for _ in range(jobs)))
    return 60 * jobs / (time.perf_counter() - begin)


def document(settings: ClusterSettings) -> dict[str, Any]:
    """Return the vcjob that the platform would make, without the labels by which a platform knows its own."""
    replica = ReplicaSpec(role="main", index=0, argv=COMMAND, cpu_milli=CPU_MILLI, memory=MEMORY, pool=POOL)
    item = manifests.job(settings, Launch(key=Key(new_id(), 1), workspace="bare", user="bare", replicas=[replica]))
    for part in (item, *(task["template"] for task in item["spec"]["tasks"])):
        part["metadata"]["labels"] = {}
    return item


async def clear(api: Api, settings: ClusterSettings) -> None:
    """Remove the bare vcjobs, and wait until the cluster has forgotten all jobs, ours too."""
    namespace = names.namespace(settings.namespace_prefix, "bare")
    for job in await every(api, "Job", namespace):
        await api.delete("Job", namespace, job["metadata"]["name"])
    for kind in ("Job", "PodGroup", "Pod"):
        while True:
            if not [item for item in await every(api, kind) if item["metadata"]["namespace"].startswith(PREFIX)]:
                break
            await asyncio.sleep(0.5)


@dataclass
class Seen:
    """What the rounds found of one way: jobs per minute, and processor seconds per job by program."""

    rates: list[float] = field(default_factory=list[float])
    costs: list[Counter[str]] = field(default_factory=list[Counter[str]])

    @property
    def rate(self) -> float:
        """The rate of all rounds together."""
        return len(self.rates) / sum(1 / each for each in self.rates)

    def cost(self, program: str) -> str:
        """Return what a job costs a program, in words."""
        return f"{1000 * mean(cost[program] for cost in self.costs):.0f} ms"


def spent(house: House) -> Counter[str]:
    """Return the processor seconds that the cluster's programs have used, the platform's, and this one as client."""
    pids = {name: [pid] for name in PROGRAMS if (pid := alive(name))}
    pids |= {"the Hub": house.pids("hub"), "the service": house.pids("service"), "the client": [os.getpid()]}
    return Counter({name: processor_seconds(each) for name, each in pids.items()})


async def measure(house: House, api: Api, settings: ClusterSettings) -> tuple[Seen, Seen]:
    """Return what was seen of ours and of the bare vcjobs."""
    user = await asyncio.to_thread(set_up, house)
    for item in manifests.namespace_objects(settings, "bare"):
        await api.create(item)
    await api.create(manifests.home(settings, workspace="bare", user="bare"))
    mine, theirs = Seen(), Seen()

    async def round_of(seen: Seen, jobs: int, work: Coroutine[Any, Any, float]) -> None:
        before = spent(house)
        seen.rates.append(await work)
        seen.costs.append(Counter({name: used / jobs for name, used in (spent(house) - before).items()}))
        await clear(api, settings)

    for jobs in (WARM, *[JOBS] * ROUNDS):
        await round_of(theirs, jobs, bare(api, settings, jobs))
        await round_of(mine, jobs, asyncio.to_thread(ours, user, jobs))
        print(f"{jobs} jobs: bare {theirs.rates[-1]:.0f}, ours {mine.rates[-1]:.0f} per minute", flush=True)
    return Seen(mine.rates[1:], mine.costs[1:]), Seen(theirs.rates[1:], theirs.costs[1:])


async def run() -> tuple[Seen, Seen]:
    """Measure on a platform of its own."""
    with cluster_house("volcano") as (house, prefix):
        async with cluster_api(prefix) as (api, _), cluster_api(f"{PREFIX}bare-") as (_, settings):
            return await measure(house, api, settings)


def main() -> None:
    """Run and print."""
    bring_up(images=False)
    fakes.fake_nodes(NODES, taint=names.POOL_TAINT)
    try:
        mine, theirs = asyncio.run(run())
    finally:
        fakes.remove_fake_nodes()
    rows = [
        (f"{JOBS} jobs of one pod on {NODES} pretended nodes", "bare vcjobs", "Pumpkin, to the end in its books"),
        ("jobs per minute", f"{theirs.rate:.0f}", f"{mine.rate:.0f}"),
        ("round by round", *(", ".join(f"{each:.0f}" for each in seen.rates) for seen in (theirs, mine))),
    ]
    rows += [
        (f"a job's processor time: {name}", theirs.cost(name), mine.cost(name))
        for name in (*PROGRAMS, "the service", "the Hub", "the client")
    ]
    report("volcano", ours=round(mine.rate, 1), reference=round(theirs.rate, 1), ratio=mine.rate / theirs.rate,
           rows=rows)  # fmt: skip


if __name__ == "__main__":
    main()
