"""A workspace's namespace is locked down, and opened for what is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pumpkin_services.runtimes.volcano import ClusterSettings, manifests, names, namespaces

SETTINGS = ClusterSettings(image="pumpkin/platform:1", platform_url="http://pumpkin.house:8000")


def objects(kind: str) -> list[dict[str, Any]]:
    return [item for item in manifests.namespace_objects(SETTINGS, "vision") if item["kind"] == kind]


def test_it_enforces_restricted_pods_and_gives_no_account() -> None:
    (namespace,) = objects("Namespace")
    assert namespace["metadata"]["name"] == "pumpkin-vision"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (account,) = objects("ServiceAccount")
    assert account["automountServiceAccountToken"] is False


def test_everything_is_ours_and_in_it() -> None:
    for item in manifests.namespace_objects(SETTINGS, "vision"):
        assert item["metadata"]["labels"][names.MANAGED_BY] == "pumpkin"
        if item["kind"] not in ("Namespace", "PersistentVolume"):
            assert item["metadata"]["namespace"] == "pumpkin-vision"


def test_nothing_is_allowed_that_is_not_named() -> None:
    policies = {item["metadata"]["name"]: item["spec"] for item in objects("NetworkPolicy")}
    assert policies["pumpkin-default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ports = [port for rule in policies["pumpkin-platform"]["egress"] for port in rule["ports"]]
    assert ports == [{"protocol": "TCP", "port": 8000}]
    assert policies["pumpkin-notebooks"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8888}]


def test_the_object_store_is_reached_only_where_workloads_use_it_themselves() -> None:
    assert all("store" not in item["metadata"]["name"] for item in objects("NetworkPolicy"))
    policies = namespaces.network_policies(replace(SETTINGS, store_url="http://minio.minio:9000"), "pumpkin-vision")
    store = next(item["spec"] for item in policies if item["metadata"]["name"] == "pumpkin-store")
    place = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "minio"}}}
    assert store["egress"] == [{"to": [place], "ports": [{"protocol": "TCP", "port": 9000}]}]


@pytest.mark.parametrize(
    ("url", "peers", "port"),
    [
        ("http://10.89.0.1:8000/x", [{"ipBlock": {"cidr": "10.89.0.1/32"}}], 8000),
        ("http://[fd00::1]:80", [{"ipBlock": {"cidr": "fd00::1/128"}}], 80),
        (
            "http://pumpkin.house.svc.cluster.local:8000",
            [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "house"}}}],
            8000,
        ),
        (
            "http://pumpkin.house",
            [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "house"}}}],
            80,
        ),
        (
            "https://ai.example.org",
            [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}],
            443,
        ),
    ],
)
def test_the_platform_is_reached_where_its_url_says(url: str, peers: list[Any], port: int) -> None:
    assert namespaces.peers_at(url) == (peers, port)


def test_the_cache_is_a_folder_of_each_node_that_only_this_namespace_may_mount() -> None:
    (volume,) = objects("PersistentVolume")
    (claim,) = objects("PersistentVolumeClaim")
    assert volume["spec"]["hostPath"] == {"path": "/var/lib/pumpkin/cache", "type": "Directory"}
    assert volume["spec"]["claimRef"] == {"namespace": "pumpkin-vision", "name": claim["metadata"]["name"]}
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    assert volume["metadata"]["name"].startswith("pumpkin-vision")


def test_a_queue_says_only_what_was_set() -> None:
    bare = manifests.queue("pumpkin-lab", "lab", parent="root")
    assert bare["spec"] == {"weight": 1, "reclaimable": False, "parent": "root"}
    whole = manifests.queue(
        "pumpkin-lab",
        "lab",
        parent="pumpkin",
        capability={"nvidia.com/gpu": "8"},
        deserved={"nvidia.com/gpu": "4"},
        guarantee={"nvidia.com/gpu": "2"},
    )
    assert whole["metadata"]["name"] == "pumpkin-lab"
    assert whole["spec"] == {
        "weight": 1,
        "reclaimable": False,
        "parent": "pumpkin",
        "capability": {"nvidia.com/gpu": "8"},
        "deserved": {"nvidia.com/gpu": "4"},
        "guarantee": {"resource": {"nvidia.com/gpu": "2"}},
    }


def test_a_home_is_as_large_as_set_and_of_the_class_set() -> None:
    home = manifests.home(SETTINGS, workspace="vision", user="ana@example.org")
    assert home["metadata"]["annotations"]["pumpkin.io/user"] == "ana@example.org"
    assert home["spec"]["resources"]["requests"]["storage"] == str(10 << 30)
    assert "storageClassName" not in home["spec"]
