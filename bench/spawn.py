"""From asking a Hub for a notebook to its being ready: the platform, and plain KubeSpawner under a Hub of its own.

Same cluster, image and resources, each with a home of its own; plain KubeSpawner's pods go through Kubernetes' own
scheduler, ours through the queue and Volcano. They take turns, and both are warm. The Hub answers a request for a
server when that is ready, so nobody polls.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.cluster.rig.place import HOST
from tests.integration.house import House, free_port

from bench.cluster import CLUSTER, bring_up, cluster_api, cluster_house, wait
from bench.common import median, quantile, report
from pumpkin_hub.proxy import find_or_install

PAIRS, WARM = 16, 2
USER = "bench"
PLAIN = """
c = get_config()
c.JupyterHub.bind_url = "http://0.0.0.0:{port}"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:{hub}"
c.JupyterHub.hub_connect_url = "http://{host}:{hub}"
c.JupyterHub.authenticator_class = "null"
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "bench", "scopes": ["admin:users", "admin:servers"], "services": ["bench"]}}]
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = {command}
c.KubeSpawner.namespace = "{namespace}"
c.KubeSpawner.image = "{image}"
c.KubeSpawner.cpu_guarantee = c.KubeSpawner.cpu_limit = {cpu}
c.KubeSpawner.mem_guarantee = c.KubeSpawner.mem_limit = {memory}
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_class = "{storage_class}"
c.KubeSpawner.storage_capacity = "10Gi"
c.KubeSpawner.volumes = [{{"name": "home", "persistentVolumeClaim": {{"claimName": "{{pvc_name}}"}}}}]
c.KubeSpawner.volume_mounts = [{{"name": "home", "mountPath": "/home/jovyan"}}]
c.Spawner.default_url = "/lab"
"""


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A Hub, asked in the name of somebody who may start everybody's servers."""

    client: httpx.Client
    options: dict[str, Any]

    def ready(self) -> bool:
        """Tell whether the user's server is ready."""
        servers: dict[str, Any] = self.client.get(f"users/{USER}").raise_for_status().json()["servers"]
        return bool(servers.get("", {}).get("ready"))

    def gone(self) -> bool:
        """Tell whether the user has no server."""
        return not self.client.get(f"users/{USER}").raise_for_status().json()["servers"]

    def start(self) -> float:
        """Return the seconds until the user's server is ready."""
        begin = time.perf_counter()
        answer = self.client.post(f"users/{USER}/server", json=self.options).raise_for_status()
        if answer.status_code != 201:  # slower than the Hub lets anybody wait
            wait(self.ready, 120, pause=0.02)
        return time.perf_counter() - begin

    def stop(self) -> None:
        """Stop it, and wait until it is gone."""
        self.client.delete(f"users/{USER}/server").raise_for_status()
        wait(self.gone, 60)


@contextmanager
def client(url: str, token: str) -> Iterator[httpx.Client]:
    """Yield a client of a Hub's API."""
    with httpx.Client(base_url=url, headers={"Authorization": f"token {token}"}, timeout=60) as found:
        yield found


@contextmanager
def plain(namespace: str, spec: dict[str, Any]) -> Iterator[Hub]:
    """Yield a Hub with plain KubeSpawner, whose servers are as large as `spec`."""
    port, token = free_port(), secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="pumpkin-bench-plain-") as folder:
        proxy = list(find_or_install(Path(folder)))
        text = PLAIN.format(
            port=port, hub=port + 1, proxy=port + 2, host=HOST, token=token, command=proxy,
            namespace=namespace, image=CLUSTER.notebook_image, storage_class=CLUSTER.storage_class,
            cpu=spec["cpu_milli"] / 1000, memory=spec["memory"],
        )  # fmt: skip
        (Path(folder) / "jupyterhub_config.py").write_text(text)
        with open(Path(folder) / "log", "w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub"], cwd=folder, stdout=log, stderr=log,
                env={**os.environ, "KUBECONFIG": str(CLUSTER.kubeconfig)},
            )  # fmt: skip
        try:
            with client(f"http://127.0.0.1:{port}/hub/api/", token) as hub:
                wait(lambda: answers(hub), 60)
                hub.post(f"users/{USER}").raise_for_status()
                yield Hub(client=hub, options={})
        finally:
            process.terminate()
            process.wait(30)


def answers(hub: httpx.Client) -> bool:
    """Tell whether a Hub is up."""
    try:
        return hub.get("").status_code == 200
    except httpx.HTTPError:
        return False


def turns(ours: Hub, theirs: Hub) -> list[tuple[float, float]]:
    """Return the seconds of both, pair by pair; who is first takes turns, too."""
    pairs: list[tuple[float, float]] = []
    for number in range(WARM + PAIRS):
        seconds: dict[int, float] = {}
        for hub in (ours, theirs) if number % 2 else (theirs, ours):
            seconds[id(hub)] = hub.start()
            hub.stop()
        pairs.append((seconds[id(ours)], seconds[id(theirs)]))
        print(f"ours {pairs[-1][0]:.2f} s, plain {pairs[-1][1]:.2f} s", flush=True)
    return pairs[WARM:]


async def run() -> list[tuple[float, float]]:
    """Measure on two Hubs of their own."""
    with cluster_house("spawn") as (house, prefix):
        async with cluster_api(prefix) as (api, _):
            await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{prefix}plain"}})
            return await asyncio.to_thread(measure, house, prefix)


def measure(house: House, prefix: str) -> list[tuple[float, float]]:
    """Measure with the smallest spec."""
    house.user(USER)
    api = house.admin.api
    wait(lambda: api.get("/resources/specs", params={"kind": "notebook"}).json()["items"], 60)
    spec = api.get("/resources/specs/cpu-small").raise_for_status().json()
    with client(f"{house.hub_url}/", house.admin.token) as hub, plain(f"{prefix}plain", spec) as theirs:
        return turns(Hub(client=hub, options={"spec": spec["name"]}), theirs)


def main() -> None:
    """Run and print."""
    bring_up()
    pairs = asyncio.run(run())
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    rows: list[tuple[str, ...]] = [("asked → ready", "median", "fastest", "p90")]
    for name, seconds in (("plain KubeSpawner", theirs), ("Pumpkin", mine)):
        rows.append((name, *(f"{each:.2f} s" for each in (median(seconds), min(seconds), quantile(seconds, 0.9)))))
    report("spawn", ours=round(median(mine), 3), reference=round(median(theirs), 3),
           ratio=median(mine) / median(theirs), rows=rows, pairs=len(pairs))  # fmt: skip


if __name__ == "__main__":
    main()
