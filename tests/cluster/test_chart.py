"""The chart, installed: what it renders keeps what it promises, and its accounts may do what they need and no more."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from traitlets.config.loader import PyFileConfigLoader

from tests.cluster.asking import MERGE, Asking
from tests.cluster.rig.place import BIN, KUBERNETES

CHART = Path(__file__).parents[2] / "helm" / "pumpkin"
SPACE = "pumpkin-t-chart"
WORKSPACE = "pumpkin-t-chart-lab"
HUB, NODE = f"system:serviceaccount:{SPACE}:hub", f"system:serviceaccount:{SPACE}:node"
AUTHORIZATION = {"apiVersion": "authorization.k8s.io/v1"}
VOLCANO = {"jobs": "batch.volcano.sh", "podgroups": "scheduling.volcano.sh", "queues": "scheduling.volcano.sh"}
GROUPS = {
    **VOLCANO,
    "commands": "bus.volcano.sh",
    "networkpolicies": "networking.k8s.io",
    "priorityclasses": "scheduling.k8s.io",
    "deployments": "apps",
    "daemonsets": "apps",
    "roles": "rbac.authorization.k8s.io",
    "rolebindings": "rbac.authorization.k8s.io",
    "clusterroles": "rbac.authorization.k8s.io",
    "clusterrolebindings": "rbac.authorization.k8s.io",
    "validatingadmissionpolicies": "admissionregistration.k8s.io",
    "validatingadmissionpolicybindings": "admissionregistration.k8s.io",
    "mutatingwebhookconfigurations": "admissionregistration.k8s.io",
    "customresourcedefinitions": "apiextensions.k8s.io",
    "certificatesigningrequests": "certificates.k8s.io",
}
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
MAY = {
    "pods": "get list watch create delete",
    "pods/log": "get",
    "events": "list watch",
    "namespaces": "create",
    "resourcequotas": "create",
    "serviceaccounts": "create patch",
    "networkpolicies": "create",
    "persistentvolumeclaims": "create",
    "persistentvolumes": "create",
    "secrets": "create delete",
    "nodes": "list patch",
    "nodes/proxy": "get",
    "jobs": "list watch create delete",
    "podgroups": "list watch create delete",
    "queues": "list create patch",
    "priorityclasses": "create",
}
MAY_NOT = [
    *("pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers", "pods/eviction", "pods/status"),
    *("serviceaccounts/token", "configmaps", "services", "endpoints", "bindings"),
    *("nodes/status", "namespaces/finalize"),
    *(name for name in GROUPS if name not in MAY),
]
"""Of these nothing at all."""


def volume(name: str, path: str) -> dict[str, Any]:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "hostPath": {"path": path}}
    return {"metadata": {"name": name}, "spec": spec}


def queue(name: str) -> dict[str, Any]:
    version = "scheduling.volcano.sh/v1beta1"
    return {"apiVersion": version, "kind": "Queue", "metadata": {"name": name}, "spec": {"weight": 1}}


QUEUES = "/apis/scheduling.volcano.sh/v1beta1/queues"
REFUSED: list[tuple[str, str, Any]] = [
    ("POST", "/api/v1/namespaces/default/secrets?dryRun=All", {"metadata": {"name": "x"}}),
    ("POST", "/api/v1/namespaces?dryRun=All", {"metadata": {"name": "pumpkin-t-x"}}),
    ("POST", "/api/v1/persistentvolumes?dryRun=All", volume("pumpkin-t-x", "/")),
    ("POST", f"{QUEUES}?dryRun=All", queue("other")),
]
"""One call for each policy that has an effect on objects."""


def helm(*words: str) -> str:
    """Run the cluster's helm, else the one on PATH."""
    program = BIN / "helm" if (BIN / "helm").exists() else shutil.which("helm")
    if program is None:
        pytest.skip("helm is neither built nor on PATH")
    return subprocess.run([str(program), *words], check=True, capture_output=True, text=True).stdout


def render(*words: str) -> list[dict[str, Any]]:
    """Return the chart's objects with some values set."""
    text = helm("template", "pumpkin", str(CHART), f"--namespace={SPACE}", f"--kube-version={KUBERNETES}", *words)
    return [document for document in cast(Any, yaml).safe_load_all(text) if document]


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    kinds = ("Deployment", "DaemonSet")
    return {o["metadata"]["name"]: o["spec"]["template"]["spec"] for o in objects if o["kind"] in kinds}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["containers"], *pod.get("initContainers", [])]


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return render()


@pytest.fixture(scope="module")
def admin(kubeconfig: Path) -> Asking:
    return Asking(kubeconfig=kubeconfig)


@pytest.fixture(scope="module")
def installed(kubeconfig: Path, admin: Asking) -> Iterator[Asking]:
    """The chart on the cluster, with nothing of it running: the rights are what counts here."""
    where = ("--namespace", SPACE, "--kubeconfig", str(kubeconfig))
    for name, level in ((SPACE, "baseline"), (WORKSPACE, "restricted")):
        labels = {"pod-security.kubernetes.io/enforce": level}
        admin.call("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    nowhere = ("--set", "nodeSelector.none=here", "--set", "cache.nodeSelector.none=here")
    helm("upgrade", "--install", "pumpkin", str(CHART), *where, *nowhere)
    _wait_until_confined(admin.as_account(SPACE, "hub"))
    yield admin
    helm("uninstall", "pumpkin", *where)
    for name in (SPACE, WORKSPACE):
        admin.call("DELETE", f"/api/v1/namespaces/{name}")


def _wait_until_confined(hub: Asking) -> None:
    """The API server heeds a new policy some moments after it took it, each by itself."""
    deadline = time.monotonic() + 60
    while any(hub.call(*refused).status != 403 for refused in REFUSED):
        assert time.monotonic() < deadline, "the admission policies have no effect"
        time.sleep(0.2)


def test_no_rule_is_a_wildcard_and_no_binding_is_to_a_role_of_the_clusters(objects: list[dict[str, Any]]) -> None:
    for role in (o for o in objects if o["kind"] in ("Role", "ClusterRole")):
        for rule in role["rules"]:
            assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
            assert "nonResourceURLs" not in rule
            assert not {"escalate", "bind", "impersonate", "deletecollection", "update"} & set(rule["verbs"])
    ours = {o["metadata"]["name"] for o in objects if o["kind"] == "ClusterRole"}
    bindings = [o for o in objects if o["kind"] in ("RoleBinding", "ClusterRoleBinding")]
    assert {binding["roleRef"]["name"] for binding in bindings} == ours
    account = {"kind": "ServiceAccount", "name": "hub", "namespace": SPACE}
    assert all(binding["subjects"] == [account] for binding in bindings)


def test_the_hubs_pod_is_restricted_and_all_but_one_container_of_the_nodes(objects: list[dict[str, Any]]) -> None:
    for name, pod in pods(objects).items():
        assert not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))
        assert not any("hostPath" in volume for volume in pod["volumes"])
        for container in containers(pod):
            security = {**pod.get("securityContext", {}), **container["securityContext"]}
            root = (name, container["name"]) == ("node", "owner")
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == ({"drop": ["ALL"], "add": ["CHOWN"]} if root else {"drop": ["ALL"]})
            assert (security.get("runAsNonRoot") is True) != root
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]


def test_the_pods_on_the_nodes_hold_no_token(objects: list[dict[str, Any]]) -> None:
    assert pods(objects)["node"]["automountServiceAccountToken"] is False


def test_the_configuration_is_python_and_says_what_the_values_say(tmp_path: Path) -> None:
    values = {
        "baseUrl": "/ai/",
        "config": "c.Platform.currency = '€'",
        "image": {"pullSecrets": ["login"]},
        "ingress": {"host": "p.example.org", "tlsSecret": "tls"},
        "oidc": {"issuer": "https://login.example.org", "clientId": "pumpkin"},
        "s3": {"endpoint": "http://minio.minio:9000", "bucket": "versions", "direct": False},
    }
    (tmp_path / "values.json").write_text(json.dumps(values))
    found = render(f"--values={tmp_path}/values.json")
    file = tmp_path / "pumpkin_config.py"
    file.write_text(next(o for o in found if o["kind"] == "ConfigMap")["data"][file.name])
    config = cast(Any, PyFileConfigLoader(file.name, path=str(tmp_path)).load_config())
    assert config.Pumpkin.base_url == "/ai/"
    assert config.Pumpkin.oidc_callback_url == "https://p.example.org/ai/hub/oauth_callback"
    assert config.Platform.currency == "€"
    assert config.Cluster.platform_url == f"http://pumpkin.{SPACE}:8000/ai"
    assert config.Cluster.image_pull_secrets == ["login"]
    assert config.Cluster.home_bytes == 10 << 30
    assert (config.S3.endpoint, config.S3.bucket, config.S3.direct) == ("http://minio.minio:9000", "versions", False)


def test_the_api_server_takes_every_object(admin: Asking, installed: Asking) -> None:
    listed = installed.get(f"/apis/apps/v1/namespaces/{SPACE}/deployments")["items"]
    assert [deployment["metadata"]["name"] for deployment in listed] == ["hub"]


def test_the_hubs_account_may_do_exactly_this(installed: Asking) -> None:
    def verbs(resource: str) -> str:
        group = GROUPS.get(resource.split("/")[0], "")
        return " ".join(v for v in VERBS if installed.may(HUB, v, resource, group=group, namespace=WORKSPACE))

    assert {resource: verbs(resource) for resource in (*MAY, *MAY_NOT)} == {**MAY, **dict.fromkeys(MAY_NOT, "")}


@pytest.mark.parametrize("account", [HUB, NODE])
@pytest.mark.parametrize(
    ("verb", "resource", "group"),
    [
        ("*", "*", "*"),
        ("impersonate", "users", ""),
        ("impersonate", "serviceaccounts", ""),
        ("bind", "clusterroles", "rbac.authorization.k8s.io"),
        ("escalate", "clusterroles", "rbac.authorization.k8s.io"),
        ("approve", "signers", "certificates.k8s.io"),
    ],
)
def test_nobody_may_become_more(installed: Asking, account: str, verb: str, resource: str, group: str) -> None:
    assert not installed.may(account, verb, resource, group=group)


def test_the_nodes_account_may_do_what_anybody_may(installed: Asking) -> None:
    def rules(name: str) -> list[Any]:
        review = {"kind": "SelfSubjectRulesReview", "spec": {"namespace": SPACE}, **AUTHORIZATION}
        asker = installed.as_account(SPACE, name)
        answer = asker.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", review)
        assert answer.status == 201, answer
        return sorted(answer.body["status"]["resourceRules"], key=json.dumps)

    assert rules("node") == rules("nobody-at-all")
    assert rules("hub") != rules("node")


class TestConfinement:
    """What the roles would allow and the admission policies do not; dry runs, but for what is refused."""

    @pytest.fixture
    def hub(self, installed: Asking) -> Asking:
        return installed.as_account(SPACE, "hub")

    def test_it_may_write_in_workspaces_and_nowhere_else(self, hub: Asking) -> None:
        for space, status in ((WORKSPACE, 201), ("default", 403), ("kube-system", 403), (SPACE, 403)):
            secret = {"metadata": {"name": "token", "namespace": space}, "stringData": {"token": "x"}}
            answer = hub.call("POST", f"/api/v1/namespaces/{space}/secrets?dryRun=All", secret)
            assert answer.status == status, (space, answer)
            assert status == 201 or "outside the namespaces of its workspaces" in answer.message

    def test_it_may_delete_nothing_elsewhere(self, hub: Asking, installed: Asking) -> None:
        secret = {"metadata": {"name": "pumpkin-t-not-ours"}, "stringData": {"token": "x"}}
        installed.call("POST", "/api/v1/namespaces/default/secrets", secret)
        path = "/api/v1/namespaces/default/secrets/pumpkin-t-not-ours"
        answer = hub.call("DELETE", path)
        assert installed.call("DELETE", path).status == 200
        assert answer.status == 403, answer
        assert "outside the namespaces of its workspaces" in answer.message

    @pytest.mark.parametrize(
        ("name", "labels", "status"),
        [
            ("pumpkin-t-chart-new", {"pod-security.kubernetes.io/enforce": "restricted"}, 201),
            ("pumpkin-t-chart-new", {"pod-security.kubernetes.io/enforce": "privileged"}, 403),
            ("pumpkin-t-chart-new", {}, 403),
            ("other", {"pod-security.kubernetes.io/enforce": "restricted"}, 403),
        ],
    )
    def test_its_namespaces_are_restricted(self, hub: Asking, name: str, labels: dict[str, str], status: int) -> None:
        space = {"metadata": {"name": name, "labels": labels}}
        assert hub.call("POST", "/api/v1/namespaces?dryRun=All", space).status == status

    def test_it_cannot_unlock_a_namespace(self, hub: Asking) -> None:
        patch = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}}
        for space in (WORKSPACE, "kube-system", SPACE):
            assert hub.call("PATCH", f"/api/v1/namespaces/{space}?dryRun=All", patch, MERGE).status == 403

    @pytest.mark.parametrize(
        ("name", "path", "status"),
        [
            ("pumpkin-t-chart-lab", "/var/lib/pumpkin/cache", 201),
            ("pumpkin-t-chart-lab", "/", 403),
            ("pumpkin-t-chart-lab", "/var/lib/pumpkin/cache/../..", 403),
            ("other", "/var/lib/pumpkin/cache", 403),
        ],
    )
    def test_its_volumes_are_the_cache(self, hub: Asking, name: str, path: str, status: int) -> None:
        answer = hub.call("POST", "/api/v1/persistentvolumes?dryRun=All", volume(name, path))
        assert answer.status in ((status, 422) if ".." in path else (status,)), answer

    @pytest.mark.parametrize(
        ("name", "preemption", "status"),
        [("pumpkin-t-x", "Never", 201), ("other", "Never", 403), ("pumpkin-t-x", "PreemptLowerPriority", 403)],
    )
    def test_its_priorities_evict_nobody(self, hub: Asking, name: str, preemption: str, status: int) -> None:
        group = "scheduling.k8s.io/v1"
        document = {"apiVersion": group, "kind": "PriorityClass", "value": 5, "preemptionPolicy": preemption}
        answer = hub.call("POST", f"/apis/{group}/priorityclasses?dryRun=All", {**document, "metadata": {"name": name}})
        assert answer.status == status, answer

    def test_its_queues_bear_its_name(self, hub: Asking) -> None:
        for name, status in (("pumpkin-t-chart", 201), ("pumpkin-t.all", 201), ("other", 403), ("pumpkins", 403)):
            assert hub.call("POST", f"{QUEUES}?dryRun=All", queue(name)).status == status
        # There already if a platform has been here, and then it is not admission that says so.
        assert hub.call("POST", f"{QUEUES}?dryRun=All", queue("pumpkin")).status in (201, 409)
        assert hub.call("PATCH", f"{QUEUES}/default?dryRun=All", {"spec": {"weight": 2}}, MERGE).status == 403

    def test_of_a_node_it_changes_pools_and_cordons(self, hub: Asking, installed: Asking) -> None:
        node = f"/api/v1/nodes/{installed.get('/api/v1/nodes')['items'][0]['metadata']['name']}"
        for patch, status in (
            ({"metadata": {"labels": {"pool.pumpkin.io/lab": "true"}}}, 200),
            ({"spec": {"unschedulable": True}}, 200),
            ({"metadata": {"labels": {"kubernetes.io/hostname": "other"}}}, 403),
            ({"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}}, 403),
            ({"metadata": {"labels": {"kubernetes.io/arch": None}}}, 403),
            ({"spec": {"taints": [{"key": "mine", "effect": "NoSchedule"}]}}, 403),
        ):
            answer = hub.call("PATCH", f"{node}?dryRun=All", patch, MERGE)
            assert answer.status == status, (patch, answer)

    def test_of_a_kubelet_it_reads_statistics_alone(self, hub: Asking, installed: Asking) -> None:
        node = f"/api/v1/nodes/{installed.get('/api/v1/nodes')['items'][0]['metadata']['name']}/proxy"
        assert hub.call("GET", f"{node}/stats/summary").body["node"]
        for path in ("/pods", "/configz", "/logs/", "/metrics", "/stats/summary/../../pods", "/run/a/b/c?cmd=id", ""):
            answer = hub.call("GET", node + path)
            assert answer.status == 403, (path, answer)
            assert "/stats/summary and nothing else" in answer.message
