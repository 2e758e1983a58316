"""Pools as Queues within Queues, where Volcano's webhooks look at each change by itself."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from pumpkin_services.runtimes.base import Machine, Share
from pumpkin_services.runtimes.volcano import ClusterSettings, names
from pumpkin_services.runtimes.volcano.api import Api, Refused, path
from pumpkin_services.runtimes.volcano.machines import AMOUNTS, ROOT, VolcanoMachines, queues_of
from tests.cluster.conftest import EXISTING, Cluster
from tests.cluster.rig import webhooks

pytestmark = pytest.mark.skipif(bool(EXISTING), reason="Only our own cluster's webhooks can be put on and off.")
NODES = tuple(Machine(name=f"t-{name}", cpu_milli=10_000, memory=1 << 30) for name in "ab")
SECONDS = 30.0
GONE: dict[str, Any] = {"metadata": {"name": ""}, "spec": {"parent": ROOT}}
"""What stays of the Queue of a pool that is gone, but for its capability."""
OTHER = Share(machines=NODES, guarantee_percent=50, deserved_percent=50)
STEPS = [
    {
        "t-lab": Share(machines=NODES, guarantee_percent=50, deserved_percent=50),
        "t-vision": Share(machines=NODES, parent="t-lab", guarantee_percent=50, deserved_percent=50),
        "t-other": OTHER,
    },
    # What the lab has less, its part must have less first, and the other pool can have only then.
    {
        "t-lab": Share(machines=NODES, guarantee_percent=20, deserved_percent=30),
        "t-vision": Share(machines=NODES, parent="t-lab", guarantee_percent=10, deserved_percent=20),
        "t-nlp": Share(machines=NODES[:1], parent="t-lab", guarantee_percent=10, deserved_percent=10),
        "t-other": Share(machines=NODES, guarantee_percent=70, deserved_percent=70),
    },
    # A part moves, its old pool goes.
    {"t-vision": Share(machines=NODES, parent="t-other", guarantee_percent=50, deserved_percent=50), "t-other": OTHER},
    # A node goes, from all of them.
    {
        "t-vision": Share(machines=NODES[1:], parent="t-other", guarantee_percent=50, deserved_percent=50),
        "t-other": Share(machines=NODES[1:], guarantee_percent=50, deserved_percent=50),
    },
]


@pytest.fixture(scope="module")
def settings(cluster: Cluster) -> Iterator[ClusterSettings]:
    webhooks.start_webhooks()
    try:
        yield ClusterSettings(
            image=cluster.notebook_image, platform_url="http://10.89.0.1:9", kubeconfig=str(cluster.kubeconfig)
        )
    finally:
        webhooks.stop_webhooks()


@pytest.fixture
async def machines(settings: ClusterSettings) -> AsyncIterator[VolcanoMachines]:
    made = VolcanoMachines(settings)
    await made.machines()
    try:
        yield made
        await agree(made, {})
    finally:
        await made.aclose()


def ours(queue: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of a Queue and what the platform says of it."""
    return queue["metadata"]["name"], {key: queue["spec"].get(key) for key in ("parent", *AMOUNTS)}


async def agree(machines: VolcanoMachines, pools: dict[str, Share]) -> None:
    """Set pools as the platform does: again if what the webhooks know of Queues lags behind."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return await machines.set_pools(pools)
        except Refused:
            if time.monotonic() > end:
                raise


async def test_every_change_is_right_by_itself(machines: VolcanoMachines, settings: ClusterSettings) -> None:
    api = Api(settings)
    await api.open()
    try:
        for pools in STEPS:
            await agree(machines, pools)
            wanted = dict(ours(item) for item in queues_of(pools, settings))
            found = dict([
                ours(item) async for page in api.pages(path("Queue"), names.SELECTOR) for item in page["items"]
            ])  # fmt: skip
            assert {name: found[name] for name in wanted} == wanted
            for gone in found.keys() - wanted.keys():
                assert found[gone] | {"capability": None} == ours(GONE)[1]
    finally:
        await api.close()
