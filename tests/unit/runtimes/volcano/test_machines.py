"""Nodes of a cluster as the platform sees them, and what a pool's queue may use."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pumpkin_services.runtimes.base import Machine, Share
from pumpkin_services.runtimes.volcano.machines import CLOSED, amount, machine, queues_of
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


def specs(pools: dict[str, Share]) -> dict[str, dict[str, Any]]:
    """Return the Queues' specs by name; what each is in comes before it."""
    made = {item["metadata"]["name"]: item["spec"] for item in queues_of(pools, SETTINGS)}
    assert all(list(made).index(spec["parent"]) < at for at, spec in enumerate(made.values()) if at)
    assert next(iter(made.values()))["parent"] == "root"
    return made


def test_a_queue_names_every_resource_even_those_its_nodes_lack():
    nodes = tuple(Machine(name=name, cpu_milli=2000, memory=1 << 30) for name in "ab")
    assert specs({"lab": Share(machines=nodes)})["pumpkin-lab"] == {
        "weight": 1,
        "reclaimable": False,
        "parent": "pumpkin",
        "capability": {"cpu": "4000m", "memory": str(2 << 30), "nvidia.com/gpu": "0"},
    }


def test_a_share_is_a_part_of_all_nodes_in_whole_accelerators():
    nodes = (Machine(name="a", cpu_milli=2000, memory=1 << 30, accelerators={"A100": 2, "H100": 3}),)
    spec = specs({"lab": Share(machines=nodes, guarantee_percent=50, deserved_percent=70)})["pumpkin-lab"]
    assert spec["guarantee"]["resource"] == {"cpu": "1000m", "memory": str(1 << 29), "nvidia.com/gpu": "2"}
    assert spec["deserved"] == {"cpu": "1400m", "memory": str((1 << 30) * 7 // 10), "nvidia.com/gpu": "3"}
    assert spec["reclaimable"] is False


def test_around_all_is_a_queue_with_every_node_once_and_what_is_guaranteed_to_any():
    one, other = (Machine(name=name, cpu_milli=2000, memory=1 << 30) for name in "ab")
    made = specs({
        "first": Share(machines=(one, other), guarantee_percent=25, deserved_percent=25),
        "second": Share(machines=(other,), guarantee_percent=50, deserved_percent=50),
    })  # fmt: skip
    assert made["pumpkin"]["capability"]["cpu"] == made["pumpkin"]["deserved"]["cpu"] == "4000m"
    assert made["pumpkin"]["guarantee"]["resource"]["cpu"] == "2000m"


def test_a_pool_with_parts_has_a_queue_around_them_and_one_for_what_they_leave():
    nodes = (Machine(name="a", cpu_milli=10_000, memory=100),)
    made = specs({
        "nlp": Share(machines=nodes, parent="lab", guarantee_percent=20, deserved_percent=40),
        "lab": Share(machines=nodes, guarantee_percent=50, deserved_percent=60),
        "vision": Share(machines=nodes, parent="lab", guarantee_percent=10, deserved_percent=10),
        "talk": Share(machines=nodes, parent="nlp"),
    })  # fmt: skip
    shown = {
        name: (spec["parent"], spec.get("guarantee", {}).get("resource", {}).get("cpu"),
               spec.get("deserved", {}).get("cpu"))
        for name, spec in made.items()
    }  # fmt: skip
    assert shown == {
        "pumpkin": ("root", "5000m", "10000m"),
        "pumpkin-lab.all": ("pumpkin", "5000m", "6000m"),
        "pumpkin-lab": ("pumpkin-lab.all", None, "1000m"),
        "pumpkin-vision": ("pumpkin-lab.all", "1000m", "1000m"),
        "pumpkin-nlp.all": ("pumpkin-lab.all", "2000m", "4000m"),
        "pumpkin-nlp": ("pumpkin-nlp.all", None, "4000m"),
        "pumpkin-talk": ("pumpkin-nlp.all", None, None),
    }
