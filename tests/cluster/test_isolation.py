"""What a workload cannot reach and cannot do.

What rests on NetworkPolicies is proven over the objects the platform makes, by `policies`; whatever does not is tried
from inside a pod, on this cluster, which enforces no policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from pumpkin_services.runtimes.base import Bind, Key, Launch, ReplicaSpec
from pumpkin_services.runtimes.volcano import ClusterSettings, manifests, names, pods
from tests.cluster.asking import APPLY, Asking, remove, until
from tests.cluster.conftest import Cluster
from tests.cluster.policies import Network
from tests.cluster.rig.place import IMAGES
from tests.cluster.test_chart import AUTHORIZATION, render

PLATFORM, OTHERS = "pumpkin-t-iso", "pumpkin-t-iso-others"
IMAGE = IMAGES["notebook"]
SOURCE = "datasets/lab/probe/versions/1"
SETTINGS = ClusterSettings(
    image=IMAGE, platform_url=f"http://pumpkin.{PLATFORM}:8000", namespace_prefix="pumpkin-t-iso-"
)
KINDS = {
    "Namespace": "namespaces",
    "ServiceAccount": "serviceaccounts",
    "ResourceQuota": "resourcequotas",
    "NetworkPolicy": "networkpolicies",
    "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "PriorityClass": "priorityclasses",
    "Pod": "pods",
    "Job": "jobs",
}
METADATA = "169.254.169.254"
DNS: dict[str, Any] = {
    "metadata": {"namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
    "spec": {"containers": []},
    "status": {"podIP": "10.0.0.53"},
}
"""Stands for the name server where a cluster has it outside its pods."""


def apply(admin: Asking, document: dict[str, Any]) -> None:
    """Make an object what it should be."""
    meta, group = document["metadata"], document["apiVersion"]
    place = f"namespaces/{meta['namespace']}/" if "namespace" in meta else ""
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"
    path = f"{root}/{place}{KINDS[document['kind']]}/{meta['name']}?fieldManager=pumpkin-tests&force=true"
    answer = admin.call("PATCH", path, document, APPLY)
    assert answer.status in (200, 201), answer


def pod(namespace: str, name: str, labels: dict[str, str], **spec: Any) -> dict[str, Any]:
    """Return a restricted pod that waits, or runs the command of `container`."""
    container = {
        "name": "main",
        "image": IMAGE,
        "command": ["sleep", "infinity"],
        "securityContext": pods.CONTAINER_SECURITY,
        **cast(dict[str, Any], spec.pop("container", {})),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {
            "schedulerName": names.SCHEDULER,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "securityContext": pods.POD_SECURITY,
            "containers": [container],
            **spec,
        },
    }


@dataclass(frozen=True, kw_only=True)
class Workspaces:
    """Two workspaces and the platform beside them, as the API server has them."""

    network: Network
    hub: dict[str, Any]
    store: dict[str, Any]
    replicas: list[dict[str, Any]]
    notebook: dict[str, Any]
    other_job: list[dict[str, Any]]
    other_workspace: dict[str, Any]
    name_server: dict[str, Any]
    api_server: list[tuple[str, int]]


def launch(number: int, workspace: str) -> Launch:
    key = Key(f"01iso{number:021d}", 1)
    replicas = [
        ReplicaSpec(role="worker", index=index, argv=["sleep", "infinity"], cpu_milli=10, memory=64 << 20)
        for index in (0, 1)
    ]
    return Launch(key=key, replicas=replicas, workspace=workspace, image=IMAGE, minimum={"worker": 2}, main="worker")


@pytest.fixture(scope="module")
def admin(kubeconfig: Path) -> Asking:
    return Asking(kubeconfig=kubeconfig)


@pytest.fixture(scope="module")
def spaces(admin: Asking, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The namespaces `lab` and `others` as the platform makes them; the cache is a folder of this machine, the node."""
    cache = tmp_path_factory.mktemp("cache")
    cache.chmod(0o755)
    for folder in (cache.parent, cache.parent.parent):
        folder.chmod(0o755)
    (cache / "trees" / names.tree(SOURCE)).mkdir(parents=True)
    (cache / "trees" / names.tree(SOURCE)).chmod(0o777)  # so that only the mount is in the way
    settings = replace(SETTINGS, cache_path=str(cache))
    found = [names.namespace(settings.namespace_prefix, workspace) for workspace in ("lab", "others")]
    remove(admin, [PLATFORM, *found])  # what a test run that was killed has left
    admin.call("POST", "/api/v1/namespaces", {"metadata": {"name": PLATFORM}})
    for workspace in ("lab", "others"):
        for document in manifests.namespace_objects(settings, workspace):
            apply(admin, document)
    for document in manifests.priority_classes():
        admin.call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", document)
    yield found[0], found[1]
    remove(admin, [PLATFORM, *found])


@pytest.fixture(scope="module")
def workspaces(admin: Asking, spaces: tuple[str, str]) -> Workspaces:
    lab, others = spaces
    for document in render("--show-only=templates/networkpolicies.yaml"):
        apply(admin, {**document, "metadata": {**document["metadata"], "namespace": PLATFORM}})
    selector = {"app.kubernetes.io/name": "pumpkin", "app.kubernetes.io/instance": "pumpkin"}
    made = [
        pod(PLATFORM, "hub", selector | {"app.kubernetes.io/component": "hub"}),
        pod(PLATFORM, "store", {"app": "store"}),
        pod(lab, "notebook", {names.KIND: "notebook", names.MANAGED_BY: names.MANAGER}),
        pod(others, "notebook", {names.KIND: "notebook", names.MANAGED_BY: names.MANAGER}),
    ]
    for document in made:
        apply(admin, document)
    for number in (1, 2):
        apply(admin, manifests.job(SETTINGS, launch(number, "lab")))

    def running(namespace: str, **labels: str) -> list[dict[str, Any]]:
        query = "%2C".join(f"{key}%3D{value}" for key, value in labels.items())
        items = admin.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={query}")["items"]
        return [item for item in items if item["status"].get("podIP")]

    def one(namespace: str, name: str) -> dict[str, Any]:
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        return until(lambda: found if (found := admin.get(path))["status"].get("podIP") else None)

    def both(number: int) -> list[dict[str, Any]]:
        workload = launch(number, "lab").key.workload
        return until(lambda: found if len(found := running(lab, **{names.WORKLOAD: workload})) == 2 else None)

    replicas, other_job = both(1), both(2)
    endpoints = admin.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices")["items"]
    return Workspaces(
        hub=one(PLATFORM, "hub"),
        store=one(PLATFORM, "store"),
        replicas=replicas,
        notebook=one(lab, "notebook"),
        other_job=other_job,
        other_workspace=one(others, "notebook"),
        name_server=next(iter(running("kube-system", **{"k8s-app": "kube-dns"})), cast(Any, DNS)),
        api_server=[
            (address, port["port"])
            for slice_ in endpoints
            for endpoint in slice_["endpoints"]
            for address in endpoint["addresses"]
            for port in slice_["ports"]
        ],
        network=Network(
            namespaces=admin.get("/api/v1/namespaces")["items"],
            policies=admin.get("/apis/networking.k8s.io/v1/networkpolicies")["items"],
        ),
    )


def sources(there: Workspaces) -> list[dict[str, Any]]:
    """Return a job's pod and a notebook's."""
    return [there.replicas[0], there.notebook]


def test_workloads_reach_the_platform_and_names(workspaces: Workspaces) -> None:
    for source in sources(workspaces):
        assert workspaces.network.allowed(source, workspaces.hub, 8000)
        assert workspaces.network.allowed(source, workspaces.name_server, 53, "UDP")
        assert workspaces.network.allowed(source, workspaces.name_server, 53)


def test_nothing_of_the_platform_but_its_door(workspaces: Workspaces) -> None:
    for source in sources(workspaces):
        for port in (8001, 8002, 8003, 8081, 22, 443):
            assert not workspaces.network.allowed(source, workspaces.hub, port)
        for port in (9000, 3306, 5432, 6379):
            assert not workspaces.network.allowed(source, workspaces.store, port)


def test_not_the_clusters_own_addresses_nor_the_world(workspaces: Workspaces) -> None:
    node = workspaces.hub["status"]["hostIP"]
    assert workspaces.api_server
    for source in sources(workspaces):
        for address, port in [*workspaces.api_server, (METADATA, 80), (node, 10250), (node, 22), ("1.1.1.1", 443)]:
            assert not workspaces.network.allowed(source, address, port)


def test_the_replicas_of_a_job_reach_each_other_on_any_port(workspaces: Workspaces) -> None:
    first, second = workspaces.replicas
    for port in (29500, 1024, 65535):
        assert workspaces.network.allowed(first, second, port)
        assert workspaces.network.allowed(second, first, port)


def test_but_no_other_workload_not_even_of_the_same_workspace(workspaces: Workspaces) -> None:
    for source in sources(workspaces):
        for target in (*workspaces.other_job, workspaces.other_workspace):
            for port in (8888, 29500, 80):
                assert not workspaces.network.allowed(source, target, port)
    assert not workspaces.network.allowed(workspaces.replicas[0], workspaces.notebook, 8888)
    assert not workspaces.network.allowed(workspaces.other_workspace, workspaces.replicas[0], 29500)


def test_only_the_platform_reaches_a_notebook(workspaces: Workspaces) -> None:
    assert workspaces.network.allowed(workspaces.hub, workspaces.notebook, 8888)
    assert not workspaces.network.allowed(workspaces.hub, workspaces.notebook, 22)
    assert not workspaces.network.allowed(workspaces.hub, workspaces.replicas[0], 8888)
    assert not workspaces.network.allowed("1.1.1.1", workspaces.notebook, 8888)


@pytest.fixture(scope="module")
def probed(admin: Asking, spaces: tuple[str, str]) -> dict[str, Any]:
    """What `probes` printed in a pod made as a job's pod is, with an input."""
    spec = ReplicaSpec(role="main", index=0, argv=[], pool="", binds=[Bind(source=SOURCE, target="/dataset/probe")])
    job = Launch(key=Key("01iso0000000000000000000009", 1), replicas=[spec], workspace="lab", image=IMAGE)
    whole = pods.pod_spec(SETTINGS, job, 0)
    script = Path(__file__).with_name("probes.py").read_text()
    main = whole["containers"][0]
    main["command"] = ["python3", "-c", script]
    main["env"].append({"name": "NODE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}})
    document: dict[str, Any] = pod(spaces[0], "probes", {}) | {"spec": {**whole, "initContainers": []}}
    path = f"/api/v1/namespaces/{spaces[0]}/pods/probes"
    apply(admin, document)
    phase = until(lambda: found if (found := admin.get(path)["status"]["phase"]) in ("Succeeded", "Failed") else None)
    log = admin.call("GET", f"{path}/log").body
    admin.call("DELETE", f"{path}?gracePeriodSeconds=0")
    assert phase == "Succeeded", log
    return cast(dict[str, Any], log if isinstance(log, dict) else json.loads(log))


def test_a_workload_is_nobody_to_the_cluster(probed: dict[str, Any]) -> None:
    assert probed["account"] is False
    assert probed["api anonymously"] in ("401", "403")
    assert probed["api's secrets"] in ("401", "403")
    assert probed["kubelet"] in ("401", "403")
    assert probed["kubelet without password"] not in ("200", "401", "403")  # nothing listens
    assert probed["names of services"] in ([], ["KUBERNETES_SERVICE_HOST"])


def test_a_workload_has_no_power_over_its_node(probed: dict[str, Any]) -> None:
    assert probed["user"] == 1000
    assert probed["groups"] == [1000]
    assert probed["capabilities"] == [0, 0, 0, 0]
    assert probed["no new privileges"] == "1"
    assert probed["seccomp"] == "2"
    for forbidden in ("mount", "new namespace", "become root"):
        assert probed[forbidden] == "EPERM"
    assert probed["kernel settings"] == "EROFS"
    assert probed["devices"] == []
    assert probed["processes of others"] == []


def test_a_workload_cannot_change_what_others_read(probed: dict[str, Any]) -> None:
    assert probed["write an input"] == "EROFS"
    assert probed["write a program"] == "EACCES"


@pytest.mark.parametrize(
    "escape",
    [
        {"hostNetwork": True},
        {"hostPID": True},
        {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
        {"securityContext": {"runAsUser": 0}},
        {"container": {"securityContext": {"privileged": True}}},
        {"container": {"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}},
        {"container": {"securityContext": {}}},
    ],
    ids=json.dumps,
)
def test_the_namespace_takes_no_pod_that_could_escape(
    admin: Asking, spaces: tuple[str, str], escape: dict[str, Any]
) -> None:
    answer = admin.call(
        "POST", f"/api/v1/namespaces/{spaces[0]}/pods?dryRun=All", pod(spaces[0], "escape", {}, **escape)
    )
    assert answer.status == 403
    assert "PodSecurity" in answer.message


def test_the_account_of_workloads_may_do_what_anybody_may(admin: Asking, spaces: tuple[str, str]) -> None:
    def rules(account: str) -> Any:
        review = {"kind": "SelfSubjectRulesReview", "spec": {"namespace": spaces[0]}, **AUTHORIZATION}
        asker = admin.as_account(spaces[0], account)
        status = asker.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", review).body["status"]
        return {kind: sorted(status[kind], key=json.dumps) for kind in ("resourceRules", "nonResourceRules")}

    assert rules("default") == rules("nobody-at-all")
    account = admin.get(f"/api/v1/namespaces/{spaces[0]}/serviceaccounts/default")
    assert account["automountServiceAccountToken"] is False


def test_a_home_is_mounted_from_its_own_namespace_only(
    admin: Asking, cluster: Cluster, spaces: tuple[str, str]
) -> None:
    """A pod names a claim, never a namespace, and a bound volume takes no second claim."""
    lab, others = spaces
    settings = replace(SETTINGS, storage_class=cluster.storage_class)
    apply(admin, manifests.home(settings, workspace="lab", user="ann"))
    path = f"/api/v1/namespaces/{lab}/persistentvolumeclaims/home-ann"
    volume = until(lambda: admin.get(path)["spec"].get("volumeName"))
    until(lambda: admin.get(f"/api/v1/persistentvolumes/{volume}")["status"]["phase"] == "Bound")
    thief = manifests.home(settings, workspace="others", user="bob")
    thief["spec"]["volumeName"] = volume
    apply(admin, thief)
    claim = f"/api/v1/namespaces/{others}/persistentvolumeclaims/home-bob"
    document = pod(others, "thief", {}, volumes=[{"name": "home", "persistentVolumeClaim": {"claimName": "home-bob"}}])
    apply(admin, document)
    # The scheduler has looked at the pod, and says why it may not run.
    blocked = f"/api/v1/namespaces/{others}/pods/thief"
    until(lambda: any(c["reason"] == "Unschedulable" for c in admin.get(blocked)["status"].get("conditions", [])))
    assert admin.get(claim)["status"]["phase"] == "Pending"
    assert admin.get(f"/api/v1/persistentvolumes/{volume}")["spec"]["claimRef"]["namespace"] == lab
