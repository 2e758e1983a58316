"""What this machine has not: accelerators, and many nodes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.cluster.rig import fakelogs
from tests.cluster.rig.api import call, create, delete
from tests.cluster.rig.place import BIN, HOST, KUBECONFIG, NODE, ROOT, SOURCE
from tests.cluster.rig.processes import start, stop, wait


def gpus(count: int) -> None:
    """Let the node offer so many accelerators through a device plugin; there is nothing behind them, and 0 ends it."""
    stop("fakegpu")
    if count == 0:
        return
    start("fakegpu", BIN / "fakegpu", "/var/lib/kubelet/device-plugins", count)
    offered = f"/api/v1/nodes/{NODE}"
    wait(
        "the accelerators",
        lambda: call("GET", offered)["status"]["allocatable"].get("nvidia.com/gpu") == str(count),
        "fakegpu",
    )


def fake_nodes(count: int, *, taint: str = "rig/fake") -> None:
    """Add nodes that kwok plays, of 8 accelerators each; their taint keeps pods off that do not tolerate it.

    What their kubelets would be asked, `fakelogs` answers.
    """
    start("fakelogs", sys.executable, "-m", "tests.cluster.rig.fakelogs", env={"PYTHONPATH": str(ROOT)})
    start(
        "kwok", BIN / "kwok", "--kubeconfig", KUBECONFIG, "--config", SOURCE / "kwok.yaml",
        "--manage-all-nodes=false", "--node-lease-duration-seconds", 40,
        "--manage-nodes-with-annotation-selector", "kwok.x-k8s.io/node=fake",
    )  # fmt: skip
    size = {"cpu": "64", "memory": "256Gi", "pods": "250", "nvidia.com/gpu": "8"}
    status = {
        "capacity": size,
        "allocatable": size,
        "addresses": [{"type": "InternalIP", "address": HOST}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": fakelogs.PORT}},
    }
    names = [f"fake-{number}" for number in range(count)]
    for name in names:
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "annotations": {"kwok.x-k8s.io/node": "fake"},
                "labels": {"rig/fake": "true", "kubernetes.io/hostname": name},
            },
            "spec": {"taints": [{"key": taint, "effect": "NoSchedule"}]},
            "status": status,
        }
        create("/api/v1/nodes", node)
    ready = lambda name: len(call("GET", f"/api/v1/nodes/{name}")["spec"]["taints"]) == 1  # noqa: E731
    wait("the fake nodes", lambda: all(ready(name) for name in names), "kwok")


def taint(nodes: Sequence[str], key: str) -> None:
    """Give nodes this taint alone."""
    for name in nodes:
        body = {"spec": {"taints": [{"key": key, "effect": "NoSchedule"}]}}
        call("PATCH", f"/api/v1/nodes/{name}", body, "application/merge-patch+json")


def remove_fake_nodes() -> None:
    """Remove them, and the pods that were on them."""
    for node in call("GET", "/api/v1/nodes?labelSelector=rig%2Ffake")["items"]:
        name = node["metadata"]["name"]
        delete(f"/api/v1/nodes/{name}")
        for pod in call("GET", f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}")["items"]:
            meta = pod["metadata"]
            delete(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}?gracePeriodSeconds=0")
    stop("kwok")
    stop("fakelogs")
