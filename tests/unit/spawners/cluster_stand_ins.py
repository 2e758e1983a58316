"""What a spawner meets where no cluster is: a platform that answers as told, an API server with pods in memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from kubernetes_asyncio.client import ApiClient
from kubernetes_asyncio.client.rest import ApiException

from pumpkin_spawners.platform import Away, Grant

WORKLOAD = "01KB2F5Q0Z8T7W9X3Y4A6B5C7D"
INPUTS = '[{"source": "datasets/lab/digits/versions/1", "target": "/dataset/digits"}]'


def pod(**changes: Any) -> dict[str, Any]:
    """Return what the platform says a CPU notebook's pod is."""
    return {
        "namespace": "pumpkin-lab",
        "pod_name": f"n-{WORKLOAD.lower()}-1",
        "image": "pumpkin/notebook:1",
        "image_pull_policy": "IfNotPresent",
        "image_pull_secrets": ["registry"],
        "labels": {"app.kubernetes.io/managed-by": "pumpkin", "pumpkin.io/workload": WORKLOAD.lower()},
        "annotations": {"scheduling.k8s.io/group-name": f"n-{WORKLOAD.lower()}-1"},
        "scheduler_name": "volcano",
        "env": {"PUMPKIN_URL": "http://pumpkin.hub:8000/ai", "PUMPKIN_HOME": "/userhome"},
        "cpu": 0.5,
        "memory": 1 << 30,
        "extra_resource_limits": {},
        "node_affinity_required": [{"matchExpressions": [{"key": "pool", "operator": "In", "values": ["lab"]}]}],
        "tolerations": [],
        "volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": "home-ann"}}],
        "volume_mounts": [{"name": "home", "mountPath": "/userhome"}],
        "init_containers": [
            {"name": "inputs", "image": "pumpkin/platform:1", "env": [{"name": "PUMPKIN_POD_INPUTS", "value": INPUTS}]},
            {"name": "agent", "image": "pumpkin/platform:1", "restartPolicy": "Always"},
        ],
        "pod_security_context": {"runAsNonRoot": True, "runAsUser": 1000},
        "container_security_context": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "secret": f"w-{WORKLOAD.lower()}-1",
    } | changes


def gpu_pod() -> dict[str, Any]:
    """Return what the platform says a notebook's pod with an accelerator is."""
    return pod(
        pod_name=f"n-{WORKLOAD.lower()}-2",
        extra_resource_limits={"nvidia.com/gpu": "1"},
        node_affinity_required=[
            {"matchExpressions": [{"key": "nvidia.com/gpu.product", "operator": "In", "values": ["A100"]}]}
        ],
        tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        volumes=[{"name": "shm", "emptyDir": {"medium": "Memory"}}],
        volume_mounts=[{"name": "shm", "mountPath": "/dev/shm"}],
    )


class Platform:
    """Answers with `grant` and `description`; notes what it was asked in `calls`."""

    def __init__(self) -> None:
        self.grant: Grant | None = Grant(workload=WORKLOAD, state="ready")
        self.description = pod()
        self.away = False
        self.told: list[dict[str, Any]] = []
        self.calls: list[str] = []

    async def ask(self, **_: Any) -> Grant:
        self._called("ask")
        assert self.grant is not None
        return self.grant

    async def get(self, _workload: str, **_: Any) -> Grant | None:
        self._called("get")
        return self.grant

    async def pod(self, _workload: str) -> dict[str, Any]:
        self._called("pod")
        return self.description

    async def claim(self, _workload: str, *, port: int, wait: bool, **_: Any) -> Grant:
        self._called(f"claim port={port} wait={wait}")
        assert self.grant is not None
        return self.grant

    async def release(self, _workload: str) -> None:
        self._called("release")
        self.grant = Grant(workload=WORKLOAD, state="ended")

    async def events(self, _workload: str, **_: Any) -> list[dict[str, Any]]:
        return self.told

    def _called(self, what: str) -> None:
        if self.away:
            raise Away("The platform does not answer.")
        self.calls.append(what)


class Pods:
    """The API server's pods, which the spawner's reflectors see at once; `refusal` is raised for every new one."""

    first_load_future: Any = None
    events: list[dict[str, Any]] = []

    def __init__(self) -> None:
        self.pods: dict[str, dict[str, Any]] = {}
        self.made: list[Any] = []
        self.created = asyncio.Event()
        self.runs = True
        self.refusal: ApiException | None = None
        self.answered_late = False

    async def create_namespaced_pod(self, namespace: str, manifest: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        name = f"{namespace}/{manifest.metadata.name}"
        if name in self.pods:
            raise ApiException(status=409, reason="Conflict")
        self.made.append(manifest)
        self.created.set()
        self.pods[name] = json.loads(json.dumps(ApiClient().sanitize_for_serialization(manifest)))
        self.pods[name]["metadata"] |= {"uid": name}
        if self.runs:
            self.ready(name)
        else:
            self.pods[name]["status"] = {"phase": "Pending"}
        if self.answered_late:
            self.answered_late = False
            raise TimeoutError

    async def read_namespaced_pod(self, name: str, namespace: str) -> Any:
        return next(item for item in self.made if f"{namespace}/{item.metadata.name}" == f"{namespace}/{name}")

    async def delete_namespaced_pod(self, *, name: str, namespace: str, **_: Any) -> None:
        if self.pods.pop(f"{namespace}/{name}", None) is None:
            raise ApiException(status=404, reason="Not Found")

    def ready(self, name: str) -> None:
        self.state(name, "notebook", {"running": {}}, ready=True)

    def state(self, name: str, container: str, state: dict[str, Any], *, ready: bool = False) -> None:
        self.pods[name]["status"] = {
            "phase": "Running",
            "podIP": "127.0.0.1",
            "containerStatuses": [{"name": container, "ready": ready, "state": state}],
        }
