"""The Volcano runtime against a real API server, Volcano, kubelet and containers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pumpkin_services.db import new_id
from pumpkin_services.runtimes.base import Key, Launch, Observation, ReplicaSpec
from pumpkin_services.runtimes.volcano import ClusterSettings, VolcanoRuntime, manifests, names
from pumpkin_services.runtimes.volcano.api import Api, path
from tests.cluster.conftest import Cluster

MERGE = "application/merge-patch+json"
POOL = "t-runtime"
PREFIX = "pumpkin-t-runtime-"
WORKSPACE = "lab"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def settings(cluster: Cluster) -> Iterator[ClusterSettings]:
    settings = ClusterSettings(
        image=cluster.notebook_image,
        platform_url="http://10.89.0.1:9",
        kubeconfig=str(cluster.kubeconfig),
        namespace_prefix=PREFIX,
        storage_class=cluster.storage_class,
    )
    yield settings
    asyncio.run(tidy(settings))


async def tidy(settings: ClusterSettings) -> None:
    """Remove what tests share."""
    api = Api(settings)
    await api.open()
    namespace = names.namespace(PREFIX, WORKSPACE)
    for kind, name in (
        ("Namespace", namespace),
        ("PersistentVolume", f"{namespace}-cache"),
        ("Queue", names.queue(POOL)),
    ):
        await api.delete(kind, "", name)
    async for page in api.pages(path("Node")):
        for node in page["items"]:
            await label(api, node["metadata"]["name"], None)
    await api.close()


@pytest.fixture
async def runtime(settings: ClusterSettings, tmp_path: Path) -> AsyncIterator[VolcanoRuntime]:
    """A runtime whose pool has every node, and a Queue with 0.6 CPU; what the test left is removed."""
    runtime = VolcanoRuntime(settings=settings, data=tmp_path)
    await runtime.start()
    api = runtime.api
    async for page in api.pages(path("Node")):
        for node in page["items"]:
            await label(api, node["metadata"]["name"], "true")
    queue = manifests.queue(names.queue(POOL), POOL, parent="root", capability={"cpu": "600m", "memory": "4Gi"})
    for item in [*manifests.priority_classes(), queue]:
        await api.create(item)
    await api.call("PATCH", path("Queue", name=names.queue(POOL)), body={"spec": queue["spec"]}, content_type=MERGE)
    try:
        yield runtime
    finally:
        await runtime.close()
        cleaner = VolcanoRuntime(settings=settings, data=tmp_path)
        await cleaner.start()
        for key in await cleaner.list():
            if key.workload in MINE:
                await cleaner.delete(key)
        await cleaner.close()


async def label(api: Api, node: str, value: str | None) -> None:
    body = {"metadata": {"labels": {names.pool_label(POOL): value}}}
    await api.call("PATCH", path("Node", name=node), body=body, content_type=MERGE)


MINE: set[str] = set()


def job(*argv: str, replicas: int = 1, env: dict[str, str] | None = None, cpu_milli: int = 200, **more: Any) -> Launch:
    key = Key(new_id(), 1)
    MINE.add(key.workload)
    return Launch(
        key=key,
        workspace=WORKSPACE,
        user="ana@example.org",
        replicas=[
            ReplicaSpec(
                role="main",
                index=index,
                argv=argv,
                env={"PUMPKIN_TOKEN": "none", **(env or {})},
                cpu_milli=cpu_milli,
                memory=256 << 20,
                pool=POOL,
            )
            for index in range(replicas)
        ],
        **more,
    )


def python(code: str) -> Sequence[str]:
    return ("python3", "-u", "-c", code)


async def until(runtime: VolcanoRuntime, key: Key, true: Callable[[dict[str, Observation]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while not true(seen := await runtime.observe(key)):
        assert time.monotonic() < deadline, seen
        await runtime.wait_change(0.5)
    return seen


async def becomes(true: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def all_final(seen: dict[str, Observation]) -> bool:
    return bool(seen) and all(item.final for item in seen.values())


def running(seen: dict[str, Observation]) -> bool:
    return bool(seen) and all(item.state == "running" for item in seen.values())


async def left(runtime: VolcanoRuntime, key: Key) -> list[str]:
    """What the cluster itself has of an attempt, by any name."""
    selector = f"{names.WORKLOAD}={key.workload}"
    found: list[str] = []
    for kind in ("Pod", "Job", "PodGroup", "Secret"):
        async for page in runtime.api.pages(path(kind), selector):
            found += [f"{kind}/{item['metadata']['name']}" for item in page["items"]]
    return found


async def test_a_job_runs_and_its_log_and_end_outlive_its_pod(runtime: VolcanoRuntime) -> None:
    launch = job(*python("import os; print('hello', os.environ['RANK'], os.getcwd()); print('bye', end='')"))
    await runtime.launch(launch)
    seen = (await until(runtime, launch.key, all_final))["main-0"]
    assert (seen.state, seen.exit_code, seen.cause, seen.error) == ("exited", 0, "", "")
    assert seen.started is not None
    assert seen.ended is not None
    assert seen.ended >= seen.started

    async def nothing_left() -> bool:
        return not await left(runtime, launch.key)

    await becomes(nothing_left)
    chunk = await runtime.read_log(launch.key, "main-0")
    assert (chunk.data, chunk.final) == (b"hello 0 /userhome\nbye", True)
    await runtime.launch(launch)  # it is not run again
    assert not await left(runtime, launch.key)
    await runtime.delete(launch.key)
    assert launch.key not in await runtime.list()
    assert await runtime.observe(launch.key) == {}


async def test_a_failing_job_ends_with_its_exit_code(runtime: VolcanoRuntime) -> None:
    launch = job("sh", "-c", "echo oh no; exit 3")
    await runtime.launch(launch)
    seen = (await until(runtime, launch.key, all_final))["main-0"]
    assert (seen.state, seen.exit_code, seen.signal, seen.oom) == ("exited", 3, None, False)
    assert (await runtime.read_log(launch.key, "main-0")).data == b"oh no\n"


async def test_a_command_that_is_not_there_ends_as_127(runtime: VolcanoRuntime) -> None:
    launch = job("no-such-command")
    await runtime.launch(launch)
    seen = (await until(runtime, launch.key, all_final))["main-0"]
    assert (seen.state, seen.exit_code) == ("exited", 127)
    assert "no-such-command" in seen.error
    assert "not found" in seen.error


async def test_memory_beyond_the_limit_is_told_as_such(runtime: VolcanoRuntime) -> None:
    launch = job(*python("x = bytearray(1 << 30)"))
    await runtime.launch(launch)
    seen = (await until(runtime, launch.key, all_final))["main-0"]
    assert seen.oom
    assert (seen.exit_code, seen.signal) == (137, 9)


async def test_an_image_that_does_not_exist_is_told_as_such(runtime: VolcanoRuntime) -> None:
    launch = replace(job("true"), image="No/Such Image")
    await runtime.launch(launch)
    seen = (await until(runtime, launch.key, all_final))["main-0"]
    assert seen.exit_code == 127
    assert "its image cannot be had" in seen.error


RING = """
import os, socket
rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
port = int(os.environ["MASTER_PORT"])
if rank == 0:
    server = socket.create_server(("", port))
    print("got", server.accept()[0].recv(100).decode())
else:
    while True:
        try:
            link = socket.create_connection((os.environ["MASTER_ADDR"], port), timeout=5)
            break
        except OSError:
            pass
    link.send(b"hello from " + os.environ["PUMPKIN_REPLICA"].encode())
    link.close()
"""


async def test_replicas_of_a_gang_find_each_other_by_name(runtime: VolcanoRuntime) -> None:
    launch = job(*python(RING), replicas=2)
    await runtime.launch(launch)
    seen = await until(runtime, launch.key, all_final)
    assert [item.exit_code for item in seen.values()] == [0, 0]
    assert (await runtime.read_log(launch.key, "main-0")).data == b"got hello from main-1\n"


STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("ending"), sys.exit(5)))
print("ready")
time.sleep(600)
"""


async def test_a_stop_reaches_the_process_and_its_last_words_are_kept(runtime: VolcanoRuntime) -> None:
    launch = job(*python(STUBBORN))
    await runtime.launch(launch)
    await until(runtime, launch.key, running)
    async for chunk in runtime.follow_log(launch.key, "main-0"):
        if b"ready" in chunk.data:
            break
    await runtime.stop(launch.key, grace=10)
    seen = (await until(runtime, launch.key, all_final))["main-0"]
    assert (seen.state, seen.exit_code, seen.cause) == ("exited", 5, "")
    assert (await runtime.read_log(launch.key, "main-0")).data == b"ready\nending\n"

    async def nothing_left() -> bool:
        return not await left(runtime, launch.key)

    await becomes(nothing_left)


async def test_who_does_not_want_to_end_is_killed(runtime: VolcanoRuntime) -> None:
    launch = job(*python("import signal, time; signal.signal(15, signal.SIG_IGN); print('on'); time.sleep(600)"))
    await runtime.launch(launch)
    await until(runtime, launch.key, running)
    await runtime.stop(launch.key, grace=1)
    seen = (await until(runtime, launch.key, all_final))["main-0"]
    assert seen.signal in (9, 15)


async def test_a_pod_deleted_by_somebody_is_lost_and_not_made_anew(runtime: VolcanoRuntime) -> None:
    launch = job("sleep", "600")
    await runtime.launch(launch)
    await until(runtime, launch.key, running)
    namespace = names.namespace(PREFIX, WORKSPACE)
    await runtime.api.delete("Pod", namespace, names.pod(launch.key, "main", 0), grace=1)
    seen = (await until(runtime, launch.key, all_final))["main-0"]
    assert (seen.state, seen.cause) == ("lost", "somebody deleted its pod")

    async def nothing_left() -> bool:
        return not await left(runtime, launch.key)

    await becomes(nothing_left)


COUNT = "import time\nfor n in range(60):\n    print('line', n)\n    time.sleep(0.1)"


async def test_a_log_goes_on_after_a_restart_with_no_line_twice_or_missing(
    runtime: VolcanoRuntime, settings: ClusterSettings, tmp_path: Path
) -> None:
    launch = job(*python(COUNT))
    await runtime.launch(launch)
    for wanted in (b"line 10\n", b"line 25\n"):
        other = VolcanoRuntime(settings=settings, data=tmp_path)
        await other.start()
        await becomes(partial(_has, runtime, launch.key, wanted))
        await runtime.close()
        runtime = other
    await until(runtime, launch.key, all_final)
    lines = (await runtime.read_log(launch.key, "main-0")).data.decode().splitlines()
    assert lines == [f"line {number}" for number in range(60)]
    await runtime.delete(launch.key)
    await runtime.close()


async def _has(runtime: VolcanoRuntime, key: Key, text: bytes) -> bool:
    return text in (await runtime.read_log(key, "main-0")).data


async def test_what_ended_while_the_platform_was_away_is_known(
    runtime: VolcanoRuntime, settings: ClusterSettings, tmp_path: Path
) -> None:
    launch = job(*python("import time; time.sleep(2); print('done'); exit(4)"))
    await runtime.launch(launch)
    await until(runtime, launch.key, running)
    await runtime.close()
    await asyncio.sleep(4)
    later = VolcanoRuntime(settings=settings, data=tmp_path)
    await later.start()
    seen = (await until(later, launch.key, all_final))["main-0"]
    assert (seen.state, seen.exit_code) == ("exited", 4)
    assert (await later.read_log(launch.key, "main-0")).data == b"done\n"
    await later.delete(launch.key)
    await later.close()


async def test_what_a_replica_uses_is_told_by_its_kubelet(runtime: VolcanoRuntime) -> None:
    launch = job(*python("while True: pass"))
    await runtime.launch(launch)
    await until(runtime, launch.key, running)

    async def used() -> bool:
        found = (await runtime.usage(launch.key)).get("main-0")
        return found is not None and found.cpu_ms > 0 and found.memory > 0

    await becomes(used)
    await runtime.delete(launch.key)


async def admitted(runtime: VolcanoRuntime, *launches: Launch) -> list[bool | None]:
    tickets = await runtime.tickets()
    return [tickets.get(launch.key) for launch in launches]


async def test_tickets_are_admitted_in_order_and_hold_their_place(runtime: VolcanoRuntime) -> None:
    first, second = (replace(job(cpu_milli=400), kind="notebook") for _ in range(2))
    third = job("true", cpu_milli=400)
    for launch in (first, second, third):
        await runtime.offer(launch)
        await asyncio.sleep(1.1)  # Volcano goes by the second of creation
    await becomes(lambda: _is(runtime, [first, second, third], [True, False, False]))
    waiting = (await runtime.observe(third.key))["main-0"]
    assert (waiting.state, waiting.waiting) == (
        "starting",
        "Waiting for 0.4 CPU and 0.25 GiB of memory in pool t-runtime.",
    )
    await runtime.withdraw(first.key)
    await becomes(lambda: _is(runtime, [first, second, third], [None, True, False]))
    await runtime.withdraw(second.key)
    seen = (await until(runtime, third.key, all_final))["main-0"]
    assert seen.exit_code == 0
    assert await runtime.observe(first.key) == {}, "of what never began nothing is left"


async def _is(runtime: VolcanoRuntime, launches: Sequence[Launch], wanted: list[bool | None]) -> bool:
    return await admitted(runtime, *launches) == wanted


async def test_the_pinned_come_first(runtime: VolcanoRuntime) -> None:
    holder, later, pinned = (replace(job(cpu_milli=400), kind="notebook") for _ in range(3))
    await runtime.offer(holder)
    await becomes(lambda: _is(runtime, [holder], [True]))
    await runtime.offer(later)
    await asyncio.sleep(1.1)
    await runtime.offer(replace(pinned, pinned=True))
    await runtime.withdraw(holder.key)
    await becomes(lambda: _is(runtime, [later, pinned], [False, True]))


async def test_what_is_left_of_an_attempt_that_is_over_is_removed_and_said(
    runtime: VolcanoRuntime, settings: ClusterSettings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ours, orphan = job("sleep", "600"), replace(job(cpu_milli=100), kind="notebook")
    elsewhere = VolcanoRuntime(settings=settings, data=tmp_path_factory.mktemp("elsewhere"))
    await elsewhere.start()
    await elsewhere.offer(orphan)
    await elsewhere.close()
    await runtime.launch(ours)
    await until(runtime, ours.key, running)
    assert {ours.key, orphan.key} <= {*await runtime.alive()}
    [told] = await runtime.tidy(orphan.key)
    assert orphan.key.workload in told
    assert "PodGroup" in told

    async def nothing_left() -> bool:
        return not await left(runtime, orphan.key)

    await becomes(nothing_left)
    assert running(await runtime.observe(ours.key))
    await runtime.delete(ours.key)
    assert not await left(runtime, ours.key)
    assert ours.key not in await runtime.alive()
