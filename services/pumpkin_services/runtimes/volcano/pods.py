"""What a replica's pod is made of: pure functions from a launch to the parts of a pod's specification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pumpkin_services.runtimes.base import Launch, ReplicaSpec
from pumpkin_services.runtimes.ranks import distributed_env
from pumpkin_services.runtimes.volcano import names
from pumpkin_services.runtimes.volcano.settings import ClusterSettings

MAIN = "main"
INPUTS = "inputs"
AGENT = "agent"
SECRET = "PUMPKIN_TOKEN"
"""The one variable that is kept in a Secret."""
MASTER_PORT = 29500
LOCALHOST = "127.0.0.1"
SENDING_SECONDS = 1800
"""How long a pod may take to send its output home once its process has ended by itself."""
VARIABLES = {
    "PUMPKIN_CODE": "/code",
    "PUMPKIN_DATASETS": "/dataset",
    "PUMPKIN_PRETRAINED": "/pretrainmodel",
    "PUMPKIN_OUTPUT": "/model",
    "PUMPKIN_HOME": "/userhome",
    "PUMPKIN_METRICS": "/pumpkin/metrics/metrics.jsonl",
    "HOME": "/userhome",
    "TMPDIR": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "PYTHONUNBUFFERED": "1",
}
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
POD_SECURITY: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "fsGroup": 1000,
    # A home of a million files is not gone through at each start.
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER_SECURITY: dict[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
HELPER = ("env", "--block-signal=TERM", "python3", "-m", "pumpkin.pod")
"""Starts a helper, which lets SIGTERM through as soon as it can handle it."""
# What helps a workload takes nothing from what its spec sells: it asks for nothing, and has an upper limit.
HELPER_RESOURCES: dict[str, Any] = {
    "requests": {"cpu": "0", "memory": "0"},
    "limits": {"cpu": "2", "memory": "1Gi"},
}


def requests(settings: ClusterSettings, spec: ReplicaSpec) -> dict[str, str]:
    """Return what a replica asks for and may not exceed, as a Kubernetes resource list."""
    asked: dict[str, str] = {}
    if spec.cpu_milli:
        asked["cpu"] = f"{spec.cpu_milli}m"
    if spec.memory:
        asked["memory"] = str(spec.memory)
    return asked | accelerators(settings, spec)


def accelerators(settings: ClusterSettings, spec: ReplicaSpec) -> dict[str, str]:
    """Return the accelerators a replica asks for as a resource list, empty for none."""
    count = len(spec.accelerators)
    return {settings.accelerator_resource: str(count)} if count else {}


def node_terms(settings: ClusterSettings, spec: ReplicaSpec) -> list[dict[str, Any]]:
    """Return the nodeSelectorTerms a replica requires: its pool, and the type of its accelerators."""
    wanted: dict[str, str] = {}
    if spec.pool:
        wanted[names.pool_label(spec.pool)] = "true"
    if spec.accelerators and spec.accelerator_type:
        wanted[settings.accelerator_label] = spec.accelerator_type
    if not wanted:
        return []
    expressions = [{"key": key, "operator": "In", "values": [value]} for key, value in wanted.items()]
    return [{"matchExpressions": expressions}]


def tolerations(settings: ClusterSettings, spec: ReplicaSpec) -> list[dict[str, Any]]:
    """Return what a replica puts up with: nodes kept for pools, and those kept for accelerators if it uses some."""
    keys = [names.POOL_TAINT, *([settings.accelerator_resource] if spec.accelerators else [])]
    return [{"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in keys]


def environment(launch: Launch, rank: int) -> dict[str, str]:
    """Return the plain variables of a replica; the token is not among them."""
    spec = launch.replicas[rank]
    cores = str(max(1, -(-spec.cpu_milli // 1000))) if spec.cpu_milli else ""
    # Where an NVIDIA runtime is a node's default, who asks for no accelerator would else see them all.
    hidden = {} if spec.accelerators else {"NVIDIA_VISIBLE_DEVICES": "void"}
    env = {
        **(dict.fromkeys(THREADS, cores) if cores else {}),
        **VARIABLES,
        **spec.env,
        **_distributed(launch, rank),
        **hidden,
    }
    env.pop(SECRET, None)
    return env


def _distributed(launch: Launch, rank: int) -> dict[str, str]:
    key = launch.key
    hosts = {item.name: f"{names.pod(key, item.role, item.index)}.{names.job(key)}" for item in launch.replicas}
    if len(launch.replicas) == 1:
        hosts = dict.fromkeys(hosts, LOCALHOST)  # it talks to nobody, so there is no Service to find it by
    return distributed_env(launch.replicas, rank, hosts=hosts, master_port=MASTER_PORT)


def variables(env: Mapping[str, str], *, secret: str = "") -> list[dict[str, Any]]:
    """Return variables in the shape of a container's; `secret` names the Secret with the token."""
    found: list[dict[str, Any]] = [{"name": name, "value": literal(value)} for name, value in env.items()]
    if secret:
        found.append({"name": SECRET, "valueFrom": {"secretKeyRef": {"name": secret, "key": SECRET}}})
    return found


def literal(text: str) -> str:
    """Return what Kubernetes, which expands `$(NAME)`, makes into `text`."""
    return text.replace("$", "$$")


def token_secret(launch: Launch) -> str:
    """Return the name of the Secret with the attempt's token, empty if it has none."""
    return names.job(launch.key) if launch.replicas[0].env.get(SECRET) else ""


def volumes(launch: Launch, spec: ReplicaSpec) -> list[dict[str, Any]]:
    """Return a replica's volumes."""
    shm = {"medium": "Memory"} | ({"sizeLimit": str(spec.memory)} if spec.memory else {})
    found: list[dict[str, Any]] = [
        {"name": "output", "emptyDir": {}},
        {"name": "metrics", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
        {"name": "shm", "emptyDir": shm},  # what is in it counts against the memory limit anyway
        {"name": "home", "persistentVolumeClaim": {"claimName": names.home(launch.user)}}
        if launch.user
        else {"name": "home", "emptyDir": {}},
    ]
    if spec.binds:
        found.append({"name": "cache", "persistentVolumeClaim": {"claimName": names.CACHE}})
    return found


def mounts(spec: ReplicaSpec) -> list[dict[str, Any]]:
    """Return where the workload's own container finds its volumes; inputs are read-only."""
    return [
        {"name": "output", "mountPath": "/model"},
        {"name": "metrics", "mountPath": "/pumpkin/metrics"},
        {"name": "home", "mountPath": "/userhome"},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108
        *(
            {
                "name": "cache",
                "mountPath": bind.target,
                "subPath": f"trees/{names.tree(bind.source)}",
                "readOnly": True,
            }
            for bind in spec.binds
        ),
    ]


def helpers(settings: ClusterSettings, launch: Launch, rank: int) -> list[dict[str, Any]]:
    """Return the init containers: `inputs` fetches what there is to fetch, `agent` lives beside the workload.

    The agent keeps the inputs in the node's cache, and sends a job's metrics and output; a notebook without inputs
    needs none.
    """
    spec = launch.replicas[rank]
    cache = [{"name": "cache", "mountPath": "/pumpkin/cache"}]
    output = [
        {"name": "output", "mountPath": "/pumpkin/output"},
        {"name": "metrics", "mountPath": "/pumpkin/metrics"},
    ]
    found: list[dict[str, Any]] = []
    if spec.binds:
        found.append(_helper(settings, launch, rank, INPUTS) | {"volumeMounts": cache})
    if spec.binds or launch.kind == "job":
        agent = _helper(settings, launch, rank, AGENT) | {"restartPolicy": "Always"}
        found.append(agent | {"volumeMounts": [*output, *(cache if spec.binds else [])]})
    return found


def _helper(settings: ClusterSettings, launch: Launch, rank: int, name: str) -> dict[str, Any]:
    spec = launch.replicas[rank]
    inputs = [{"source": bind.source, "target": bind.target} for bind in spec.binds]
    env = {
        "PUMPKIN_URL": settings.platform_url,
        "PUMPKIN_WORKLOAD": launch.key.workload,
        "PUMPKIN_ATTEMPT": str(launch.key.attempt),
        "PUMPKIN_REPLICA": spec.name,
        "PUMPKIN_METRICS": VARIABLES["PUMPKIN_METRICS"],
        "PUMPKIN_OUTPUT": "/pumpkin/output",
        "PUMPKIN_POD_CACHE": "/pumpkin/cache",
        "PUMPKIN_POD_INPUTS": json.dumps(inputs),
    }
    return {
        "name": name,
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": [*HELPER, name],
        "env": variables(env, secret=token_secret(launch)),
        "resources": HELPER_RESOURCES,
        "securityContext": CONTAINER_SECURITY,
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def working_dir(spec: ReplicaSpec) -> str:
    """Return where a replica's process starts."""
    if spec.cwd:
        return spec.cwd
    return "/code" if any(bind.target == "/code" for bind in spec.binds) else "/userhome"


def main_container(settings: ClusterSettings, launch: Launch, rank: int) -> dict[str, Any]:
    """Return the container of a job's replica."""
    spec = launch.replicas[rank]
    asked = requests(settings, spec)
    return {
        "name": MAIN,
        "image": launch.image or settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": [literal(word) for word in spec.argv],
        "workingDir": working_dir(spec),
        "env": variables(environment(launch, rank), secret=token_secret(launch)),
        "resources": {"requests": asked, "limits": asked},
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": mounts(spec),
    }


def pod_spec(settings: ClusterSettings, launch: Launch, rank: int) -> dict[str, Any]:
    """Return the specification of a job's replica's pod."""
    spec = launch.replicas[rank]
    terms = node_terms(settings, spec)
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {
        "schedulerName": names.SCHEDULER,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": SENDING_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": POD_SECURITY,
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
        "affinity": {"nodeAffinity": required} if terms else {},
        "tolerations": tolerations(settings, spec),
        "initContainers": helpers(settings, launch, rank),
        "containers": [main_container(settings, launch, rank)],
        "volumes": volumes(launch, spec),
    }
