"""A cluster whose clock is not ours, and one with ten thousand pods."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pumpkin_services.db import new_id
from pumpkin_services.runtimes.base import Key
from pumpkin_services.runtimes.volcano import ClusterSettings, VolcanoRuntime, api, names
from tests.cluster.asking import Asking, clear
from tests.cluster.conftest import Cluster
from tests.cluster.test_runtime import all_final, job, running, until

PREFIX = "pumpkin-t-scale-"
PODS = 10_000
MAKING_SECONDS = 60.0
BYTES_PER_POD = 12_000
"""What the service may keep in memory of each."""
BASE_BYTES = 64 << 20
"""And what reading a page of five hundred may take on top."""


@pytest.fixture
def settings(cluster: Cluster) -> Iterator[ClusterSettings]:
    yield ClusterSettings(
        image=cluster.notebook_image,
        platform_url="http://10.89.0.1:9",
        kubeconfig=str(cluster.kubeconfig),
        namespace_prefix=PREFIX,
        storage_class=cluster.storage_class,
    )
    clear(Asking(kubeconfig=cluster.kubeconfig), PREFIX)


@pytest.mark.parametrize("ahead", [-300, 300], ids=["behind", "ahead"])
async def test_what_runs_is_dated_by_the_clusters_clock(
    settings: ClusterSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    monkeypatch.setattr(
        api, "time", SimpleNamespace(time_ns=lambda: time.time_ns() + ahead * 10**9, monotonic=time.monotonic)
    )
    runtime = VolcanoRuntime(settings=settings, data=tmp_path)
    await runtime.start()
    launch = job("sleep", "600")
    launch = replace(launch, replicas=[replace(replica, pool="") for replica in launch.replicas])
    try:
        await runtime.launch(launch)
        started = (await until(runtime, launch.key, running))["main-0"].started
        await runtime.stop(launch.key, grace=2)
        seen = (await until(runtime, launch.key, all_final))["main-0"]
        assert (seen.state, seen.started) == ("exited", started), "who has time left to end is not taken for lost"
        assert abs(seen.ended - time.time() * 1000) < 60_000
        assert seen.ended >= seen.started
    finally:
        await runtime.delete(launch.key)
        await runtime.close()


WATCH = """
import asyncio, gc, json, sys
from pathlib import Path
import psutil
from pumpkin_services.runtimes.volcano import ClusterSettings, VolcanoRuntime

async def main():
    runtime = VolcanoRuntime(settings=ClusterSettings(**json.loads(sys.argv[1])), data=Path(sys.argv[2]))
    await runtime.api.open()
    before = psutil.Process().memory_info().rss
    await runtime.start()
    print(len(await runtime.list()), psutil.Process().memory_info().rss - before, flush=True)
    while await runtime.list():
        await runtime.wait_change(1)
    print("none", flush=True)
    await runtime.close()

asyncio.run(main())
"""


@pytest.mark.timeout(300, func_only=True)
def test_ten_thousand_pods_are_known_in_little_memory(settings: ClusterSettings, tmp_path: Path) -> None:
    admin = Asking(kubeconfig=Path(settings.kubeconfig))
    namespace = f"{PREFIX}many"
    assert admin.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}).status == 201
    until_s = time.monotonic() + MAKING_SECONDS

    def make(_: int) -> bool:
        key = Key(new_id(), 1)
        labels = names.labels(key) | {names.KIND: "job", names.ROLE: "main", names.INDEX: "0"}
        # Nobody schedules it, so it stays as it is.
        spec = {"schedulerName": "nobody", "containers": [{"name": "main", "image": "none"}]}
        metadata = {"name": names.pod(key, "main", 0), "labels": labels}
        answer = admin.call("POST", f"/api/v1/namespaces/{namespace}/pods", {"metadata": metadata, "spec": spec})
        assert answer.status == 201, answer
        return time.monotonic() < until_s

    with ThreadPoolExecutor(16) as pool:
        count = 0
        for start in range(0, PODS, 500):
            count += 500
            if not all(pool.map(make, range(start, start + 500))):
                break
    document = {name: getattr(settings, name) for name in ("image", "platform_url", "kubeconfig", "namespace_prefix")}
    words = [sys.executable, "-c", WATCH, json.dumps(document), str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        known, grown = map(int, watcher.stdout.readline().split())
        print(f"{known} pods: {grown >> 20} MiB, {grown // known} bytes each")
        assert known == count
        assert grown < BASE_BYTES + BYTES_PER_POD * known
        assert admin.call("DELETE", f"/api/v1/namespaces/{namespace}/pods?gracePeriodSeconds=0").status == 200
        assert watcher.stdout.readline() == "none\n", "it has heard of each end"
        assert watcher.wait(30) == 0
