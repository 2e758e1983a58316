"""The objects of an attempt: pure functions from a launch to a vcjob, a ticket, a Secret, or what a spawner needs.

A vcjob has one task per replica, not per role: a task has one template, and each replica has variables of its own
(its rank, its name). Volcano is told to restart nothing: another try is the platform's, under another key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumpkin_services.runtimes.base import Launch, ReplicaSpec
from pumpkin_services.runtimes.volcano import names, pods
from pumpkin_services.runtimes.volcano.namespaces import home as home
from pumpkin_services.runtimes.volcano.namespaces import namespace_objects as namespace_objects
from pumpkin_services.runtimes.volcano.namespaces import priority_classes as priority_classes
from pumpkin_services.runtimes.volcano.namespaces import queue as queue
from pumpkin_services.runtimes.volcano.settings import ClusterSettings


def job(settings: ClusterSettings, launch: Launch) -> dict[str, Any]:
    """Return the vcjob of a launch."""
    seen: dict[str, int] = {}
    tasks: list[dict[str, Any]] = []
    for rank, replica in enumerate(launch.replicas):
        place = seen[replica.role] = seen.get(replica.role, 0) + 1
        needed = place <= _minimum(launch, replica.role)
        tasks.append(_task(settings, launch, rank, needed=needed))
    spec: dict[str, Any] = {
        "schedulerName": names.SCHEDULER,
        "queue": names.queue(launch.replicas[0].pool),
        "priorityClassName": _priority(launch),
        "minAvailable": sum(_minimum(launch, role) for role in seen),
        "maxRetry": 0,
        # A pod that vanishes would be made anew, and so run twice; there is no policy that just leaves it at that.
        "policies": [{"event": "PodEvicted", "action": "TerminateJob"}],
        "tasks": tasks,
    }
    if len(launch.replicas) > 1:
        # Names for the replicas, at once: who waits for readiness is not found by those who start a bit earlier.
        spec["plugins"] = {"svc": ["--publish-not-ready-addresses=true"]}
    return {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "metadata": _metadata(settings, launch, names.job(launch.key)),
        "spec": spec,
    }


def _minimum(launch: Launch, role: str) -> int:
    count = sum(1 for spec in launch.replicas if spec.role == role)
    return min(launch.minimum.get(role, count), count)


def _priority(launch: Launch) -> str:
    return names.PINNED if launch.pinned else names.DEFAULT


def _metadata(settings: ClusterSettings, launch: Launch, name: str) -> dict[str, Any]:
    return {
        "namespace": names.namespace(settings.namespace_prefix, launch.workspace),
        "name": name,
        "labels": names.labels(launch.key) | {names.KIND: launch.kind},
    }


def _task(settings: ClusterSettings, launch: Launch, rank: int, *, needed: bool) -> dict[str, Any]:
    spec = launch.replicas[rank]
    return {
        "name": names.task(spec.role, spec.index),
        "replicas": 1,
        "minAvailable": 1 if needed else 0,
        "maxRetry": 0,
        "template": {
            "metadata": {"labels": pod_labels(launch, spec)},
            "spec": pods.pod_spec(settings, launch, rank),
        },
    }


def pod_labels(launch: Launch, spec: ReplicaSpec) -> dict[str, str]:
    """Return the labels by which a replica's pod is found again."""
    return names.labels(launch.key) | {
        names.KIND: launch.kind,
        names.ROLE: spec.role,
        names.INDEX: str(spec.index),
    }


def ticket(settings: ClusterSettings, launch: Launch) -> dict[str, Any]:
    """Return the PodGroup a notebook waits by; it holds room for the one pod that will join it."""
    spec = launch.replicas[0]
    return {
        "apiVersion": "scheduling.volcano.sh/v1beta1",
        "kind": "PodGroup",
        "metadata": _metadata(settings, launch, names.ticket(launch.key)),
        "spec": {
            "minMember": 1,
            # Never empty: a PodGroup that asks for nothing is let in before everybody.
            "minResources": {"pods": "1"} | pods.requests(settings, spec),
            "queue": names.queue(spec.pool),
            "priorityClassName": _priority(launch),
        },
    }


def secret(settings: ClusterSettings, launch: Launch) -> dict[str, Any] | None:
    """Return the Secret with the attempt's token, None when it has none."""
    token = launch.replicas[0].env.get(pods.SECRET, "")
    if not token:
        return None
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(settings, launch, pods.token_secret(launch)),
        "type": "Opaque",
        "immutable": True,
        "stringData": {pods.SECRET: token},
    }


def notebook_pod(settings: ClusterSettings, launch: Launch) -> dict[str, Any]:
    """Return what a spawner must set so that its pod is the notebook of this launch.

    `cpu` is in cores, `memory` in bytes, 0 for no limit; lists and maps are in the shape of a pod's specification.
    `secret` names the Secret with the workload's own token, empty for none; the notebook's own container does not get
    it, for it acts as its user.
    """
    spec = launch.replicas[0]
    return {
        "namespace": names.namespace(settings.namespace_prefix, launch.workspace),
        "pod_name": names.ticket(launch.key),
        "image": launch.image or settings.image,
        "image_pull_policy": settings.image_pull_policy,
        "image_pull_secrets": list(settings.image_pull_secrets),
        "labels": pod_labels(launch, spec),
        "annotations": {names.GROUP: names.ticket(launch.key), names.QUEUE: names.queue(spec.pool)},
        "scheduler_name": names.SCHEDULER,
        "env": pods.environment(launch, 0),
        "cpu": spec.cpu_milli / 1000,
        "memory": spec.memory,
        "extra_resource_limits": pods.accelerators(settings, spec),
        "node_affinity_required": pods.node_terms(settings, spec),
        "tolerations": pods.tolerations(settings, spec),
        "volumes": pods.volumes(launch, spec),
        "volume_mounts": pods.mounts(spec),
        "init_containers": pods.helpers(settings, launch, 0),
        "pod_security_context": pods.POD_SECURITY,
        "container_security_context": pods.CONTAINER_SECURITY,
        "secret": pods.token_secret(launch),
        "working_dir": pods.working_dir(spec),
    }


def asked(replicas: Sequence[ReplicaSpec]) -> dict[str, str]:
    """Return what each replica asks for in plain words, by name: `1 × A100 in pool lab`."""
    return {spec.name: _words(spec) for spec in replicas}


def _words(spec: ReplicaSpec) -> str:
    if spec.accelerators:
        what = f"{len(spec.accelerators)} × {spec.accelerator_type or 'accelerator'}"
    else:
        memory = f"{spec.memory / (1 << 30):.3g} GiB of memory" if spec.memory else ""
        cores = f"{spec.cpu_milli / 1000:g} CPU" if spec.cpu_milli else ""
        what = " and ".join(filter(None, [cores, memory])) or "a place"
    return f"{what} in pool {spec.pool}" if spec.pool else what
