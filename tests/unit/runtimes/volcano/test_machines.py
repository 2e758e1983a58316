"""Nodes of a cluster as the platform sees them, and what a pool's queue may use."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pumpkin_services.runtimes.base import Machine, Share
from pumpkin_services.runtimes.volcano.machines import CLOSED, amount, machine, queue_of
from pumpkin_services.runtimes.volcano.settings import ClusterSettings

SETTINGS = ClusterSettings(image="i", platform_url="http://hub")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2),
        ("500m", Decimal("0.5")),
        ("4Gi", 4 << 30),
        ("128974848", 128974848),
        ("1k", 1000),
        ("1500M", 15 * 10**8),
    ],
)
def test_quantities(text: str, number: Decimal):
    assert amount(text) == number


def node(**changes: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "n1", "labels": {"nvidia.com/gpu.product": "A100"}, **changes.get("metadata", {})},
        "spec": changes.get("spec", {}),
        "status": {
            "allocatable": {"cpu": "3500m", "memory": "8Gi", "nvidia.com/gpu": "2"},
            "conditions": [{"type": "Ready", "status": changes.get("ready", "True")}],
        },
    }


def test_a_node_is_what_pods_may_have_of_it():
    assert machine(node(), SETTINGS) == Machine(
        name="n1", cpu_milli=3500, memory=8 << 30, accelerators={"A100": 2}, ready=True
    )


def test_who_closed_a_node_is_known():
    assert not machine(node(ready="Unknown"), SETTINGS).ready
    cordoned = machine(node(spec={"unschedulable": True}), SETTINGS)
    assert (cordoned.closed, cordoned.ours) == (True, False)
    drained = node(spec={"unschedulable": True}, metadata={"annotations": {CLOSED: "true"}})
    assert machine(drained, SETTINGS).ours


def test_a_queue_names_every_resource_even_those_its_nodes_lack():
    nodes = tuple(Machine(name=name, cpu_milli=2000, memory=1 << 30) for name in "ab")
    assert queue_of("lab", Share(machines=nodes), SETTINGS)["spec"] == {
        "weight": 1,
        "reclaimable": False,
        "capability": {"cpu": "4000m", "memory": str(2 << 30), "nvidia.com/gpu": "0"},
    }


def test_a_share_is_a_part_of_all_nodes_in_whole_accelerators():
    nodes = (Machine(name="a", cpu_milli=2000, memory=1 << 30, accelerators={"A100": 2, "H100": 3}),)
    share = Share(machines=nodes, guarantee_percent=50, deserved_percent=70)
    spec = queue_of("lab", share, SETTINGS)["spec"]
    assert spec["guarantee"]["resource"] == {"cpu": "1000m", "memory": str(1 << 29), "nvidia.com/gpu": "2"}
    assert spec["deserved"] == {"cpu": "1400m", "memory": str((1 << 30) * 7 // 10), "nvidia.com/gpu": "3"}
    assert spec["reclaimable"] is False
