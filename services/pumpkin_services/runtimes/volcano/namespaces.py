"""What is there before workloads are: a workspace's locked-down namespace, homes, queues. Pure functions."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pumpkin_services.runtimes.volcano import names
from pumpkin_services.runtimes.volcano.settings import ClusterSettings

NOTEBOOK_PORT = 8888
PORTS = {"http": 80, "https": 443}
NODE_LOCAL_DNS = "169.254.20.10/32"
LINK_LOCAL = "169.254.0.0/16"
CACHE_SIZE = "1Ti"
"""Means nothing for a folder of a node, but a volume must have one; what limits the cache is its eviction."""
# In a workspace's namespace nothing but the platform's workloads may use the scheduler, and nothing is published.
FORBIDDEN = (
    "services.loadbalancers",
    "services.nodeports",
    "count/deployments.apps",
    "count/replicasets.apps",
    "count/statefulsets.apps",
    "count/daemonsets.apps",
    "count/jobs.batch",
    "count/cronjobs.batch",
)


def namespace_objects(settings: ClusterSettings, workspace: str) -> list[dict[str, Any]]:
    """Return a workspace's namespace and all that must be in it before its first workload, in order of creation."""
    namespace = names.namespace(settings.namespace_prefix, workspace)
    return [
        _namespace(namespace, workspace),
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": _metadata("default", namespace),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": _metadata("pumpkin", namespace),
            "spec": {"hard": dict.fromkeys(FORBIDDEN, "0")},
        },
        *network_policies(settings, namespace),
        *_cache(settings, namespace),
    ]


def _metadata(name: str, namespace: str = "") -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, "labels": {names.MANAGED_BY: names.MANAGER}}


def _namespace(namespace: str, workspace: str) -> dict[str, Any]:
    enforced = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    labels = {names.MANAGED_BY: names.MANAGER, names.WORKSPACE: names.slug(workspace), **enforced}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "labels": labels, "annotations": {names.WORKSPACE: workspace}},
    }


# -- who may talk to whom -------------------------------------------------------------------------------------


def network_policies(settings: ClusterSettings, namespace: str) -> list[dict[str, Any]]:
    """Return the policies of a namespace: nothing is allowed but what is named here.

    Out: names, the platform, the object store, other replicas. In: the Hub's proxy to notebooks; a job's replicas to
    each other, by a policy that Volcano's svc plugin makes for each job.
    """
    everyone: dict[str, Any] = {}
    jobs = {"matchLabels": {names.KIND: "job"}}
    notebooks = {"matchLabels": {names.KIND: "notebook"}}
    peers, port = peers_at(settings.platform_url)
    store = [peers_at(settings.store_url)] if settings.store_url else []
    return [
        _policy(namespace, "default-deny", everyone, {"policyTypes": ["Ingress", "Egress"]}),
        _policy(namespace, "names", everyone, _egress(_name_servers(), (("UDP", 53), ("TCP", 53)))),
        _policy(namespace, "platform", everyone, _egress(peers, (("TCP", port),))),
        *[_policy(namespace, "store", everyone, _egress(there, (("TCP", at),))) for there, at in store],
        _policy(namespace, "replicas", jobs, {"policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": jobs}]}]}),
        _policy(
            namespace,
            "notebooks",
            notebooks,
            {
                "policyTypes": ["Ingress"],
                "ingress": [{"from": peers, "ports": [{"protocol": "TCP", "port": NOTEBOOK_PORT}]}],
            },
        ),
    ]


def _policy(namespace: str, name: str, selector: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(f"pumpkin-{name}", namespace),
        "spec": {"podSelector": selector, **spec},
    }


def _egress(peers: list[dict[str, Any]], ports: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    rule = {"to": peers, "ports": [{"protocol": protocol, "port": port} for protocol, port in ports]}
    return {"policyTypes": ["Egress"], "egress": [rule]}


def _name_servers() -> list[dict[str, Any]]:
    return [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        },
        {"ipBlock": {"cidr": NODE_LOCAL_DNS}},
    ]


def peers_at(place: str) -> tuple[list[dict[str, Any]], int]:
    """Return where the platform's proxy, or the object store, is, as peers of a policy, and its port.

    Policies see a pod's port, not its Service's: in a cluster it must listen on the port its Service has. A
    name outside the cluster may have any address but a node's metadata service.
    """
    url = urlsplit(place)
    host, port = url.hostname or "", url.port or PORTS.get(url.scheme, 80)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return [{"ipBlock": {"cidr": f"{address}/{address.max_prefixlen}"}}], port
    parts = host.removesuffix(".").removesuffix(".cluster.local").removesuffix(".svc").split(".")
    if len(parts) == 2:
        return [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": parts[1]}}}], port
    return [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [LINK_LOCAL]}}], port


# -- volumes --------------------------------------------------------------------------------------------------


def _cache(settings: ClusterSettings, namespace: str) -> list[dict[str, Any]]:
    """Return the volume that is the cache folder of whatever node a pod is on, and the claim that may be mounted.

    The folder itself is prepared by whoever sets up nodes: one made here would be root's.
    """
    volume = f"{namespace}-cache"
    shared: dict[str, Any] = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": _metadata(volume),
            "spec": {
                **shared,
                "capacity": {"storage": CACHE_SIZE},
                "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": {"namespace": namespace, "name": names.CACHE},
                "hostPath": {"path": settings.cache_path, "type": "Directory"},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": _metadata(names.CACHE, namespace),
            "spec": {**shared, "volumeName": volume, "resources": {"requests": {"storage": CACHE_SIZE}}},
        },
    ]


def home(settings: ClusterSettings, *, workspace: str, user: str) -> dict[str, Any]:
    """Return the claim of a user's home in a workspace; it outlives whatever mounts it."""
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": str(settings.home_bytes)}},
    }
    if settings.storage_class:
        spec["storageClassName"] = settings.storage_class
    metadata = _metadata(names.home(user), names.namespace(settings.namespace_prefix, workspace))
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata | {"annotations": {"pumpkin.io/user": user}},
        "spec": spec,
    }


# -- the line -------------------------------------------------------------------------------------------------


def queue(
    name: str,
    pool: str,
    *,
    parent: str,
    capability: Mapping[str, str] | None = None,
    deserved: Mapping[str, str] | None = None,
    guarantee: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a Queue of a pool, in amounts as Kubernetes writes them, within the Queue `parent`.

    `capability` is the most it may use (a resource it does not name is not limited), `deserved` its share when others
    want theirs, `guarantee` what is kept for it. Volcano takes nothing away: what pools have lent is the platform's
    affair.
    """
    spec: dict[str, Any] = {"weight": 1, "reclaimable": False, "parent": parent}
    if capability:
        spec["capability"] = dict(capability)
    if deserved:
        spec["deserved"] = dict(deserved)
    if guarantee:
        spec["guarantee"] = {"resource": dict(guarantee)}
    return {
        "apiVersion": "scheduling.volcano.sh/v1beta1",
        "kind": "Queue",
        "metadata": _metadata(name) | {"annotations": {"pumpkin.io/pool": pool}},
        "spec": spec,
    }


def priority_classes() -> list[dict[str, Any]]:
    """Return the classes that order what waits; neither evicts anything that runs."""
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": _metadata(name),
            "value": value,
            "preemptionPolicy": "Never",
        }
        for name, value in ((names.PINNED, 1000), (names.DEFAULT, 0))
    ]
