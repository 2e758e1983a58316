"""An API server that forgets, throttles, asks Volcano's webhooks or does not, and has another clock than we."""

from __future__ import annotations

import base64
import json
import random
import signal
import time
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from tests.cluster.business import Busy, job, open_for_business
from tests.cluster.conftest import EXISTING, Cluster
from tests.cluster.rig import webhooks
from tests.cluster.rig.api import call, create, delete
from tests.cluster.rig.life import ETCD
from tests.cluster.rig.processes import kill, restart, revive, wait
from tests.cluster.witness import Witness, assert_books_tell_what_pods_did, left
from tests.integration.faults.books import all_ended, assert_ended_once_and_paid_exactly, until
from tests.integration.faults.conftest import MONEY
from tests.integration.faults.test_kills import Storm

pytestmark = [
    pytest.mark.skipif(bool(EXISTING), reason="Only our own cluster may be broken."),
    pytest.mark.timeout(240, func_only=True),
]
NAMESPACE = "pumpkin-t-account"
FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1"
MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def account(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster for somebody who may do everything, but whose calls are not exempt from being throttled."""
    create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": "service"}})
    subject = {"kind": "ServiceAccount", "name": "service", "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    create(bindings, {"metadata": {"name": NAMESPACE}, "subjects": [subject], "roleRef": role})
    where = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/service/token"
    token = call("POST", where, {"spec": {"expirationSeconds": 7200}})["status"]["token"]
    document = json.loads(cluster.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    kubeconfig = tmp_path_factory.mktemp("account") / "kubeconfig"
    kubeconfig.write_text(json.dumps(document))
    yield replace(cluster, kubeconfig=kubeconfig)
    delete(f"{bindings}/{NAMESPACE}")
    delete(f"/api/v1/namespaces/{NAMESPACE}")


@dataclass(kw_only=True)
class Load:
    """Jobs of all tests of this module on one platform, and who watches their pods."""

    busy: Busy
    storm: Storm
    witness: Witness

    def submit(self, *jobs: dict[str, Any]) -> list[str]:
        """Submit jobs and return their ids."""
        ids: list[str] = []
        for body in jobs:
            answer = self.storm.send("POST", "/workloads/jobs", body=body)
            assert answer.status_code == 201, answer.text
            ids.append(answer.json()["id"])
            self.storm.kinds[ids[-1]] = "plain"
        return ids

    def some(self, count: int) -> list[str]:
        """Submit so many jobs on pretended nodes and two real ones."""
        far = [job("plain", "far", number=number, seconds=self.storm.rng.uniform(3, 30)) for number in range(count)]
        near = [job("plain", "near", number=number, seconds=self.storm.rng.uniform(5, 20)) for number in range(2)]
        return self.submit(*near, *far)

    def run(self, workload: str) -> bool:
        """Tell whether a workload runs."""
        return self.busy.books.phases()[workload] == "running"

    def all_is_well(self) -> None:
        """Wait until all has ended; check that it has ended well and once, and was paid for as its pods ran."""
        books, house = self.busy.books, self.busy.house
        try:
            until(all_ended(books, self.storm.kinds), house=house, seconds=150)
            until(lambda: left(self.busy.prefix) == [], house=house, seconds=60)
        except AssertionError as error:
            error.add_note(f"phases: {books.phases()}\nin the cluster: {left(self.busy.prefix)}")
            raise
        assert set(books.phases().values()) == {"succeeded"}, books.attempts()
        assert_ended_once_and_paid_exactly(books, user="ann", workloads=self.storm.kinds, recharged_micro=MONEY)
        assert_books_tell_what_pods_did(books, self.witness, least=len(self.storm.kinds) // 2)


@pytest.fixture(scope="module")
def load(account: Cluster, far: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    for busy in open_for_business(account, far, tmp_path_factory.mktemp("house") / "data"):
        storm = Storm(house=busy.house, ann=busy.ann, rng=random.Random(5))
        with Witness(prefix=busy.prefix) as witness:
            yield Load(busy=busy, storm=storm, witness=witness)


def test_what_was_forgotten_is_listed_anew(load: Load) -> None:
    ids = load.some(30)
    house = load.busy.house
    until(lambda: sum(map(load.run, ids)) > 5, house=house)
    house.kill("service", signal.SIGSTOP)
    try:
        version = call("GET", "/api/v1/pods?limit=1")["metadata"]["resourceVersion"]
        # Something is written after that version, whatever the cluster does: the latest of all is never forgotten.
        call("PATCH", f"/api/v1/namespaces/{NAMESPACE}", {"metadata": {"annotations": {"after": version}}}, MERGE)
        kill("kube-apiserver")
        compact()
        revive("kube-apiserver")
        wait("the API server", lambda: call("GET", "/readyz") == "ok", "kube-apiserver")
        restart("kwok")  # unlike a kubelet it never tries again what it could not write meanwhile
        wait("a forgotten version", lambda: is_forgotten(version))
    finally:
        house.kill("service", signal.SIGCONT)
    load.all_is_well()


def compact() -> None:
    """Have etcd forget all but the present."""
    head = httpx.post(f"{ETCD}/v3/kv/range", json={"key": base64.b64encode(b"/").decode()}).json()["header"]["revision"]
    httpx.post(f"{ETCD}/v3/kv/compaction", json={"revision": head, "physical": True}).raise_for_status()


def is_forgotten(version: str) -> bool:
    """Tell whether who watches pods from a version on is told that it is gone."""
    try:
        answer: Any = call("GET", f"/api/v1/pods?watch=1&timeoutSeconds=1&resourceVersion={version}")
    except urllib.error.HTTPError as error:
        return error.code == 410
    except ValueError:
        return False  # several events: it remembers
    return answer != "" and answer["type"] == "ERROR" and answer["object"]["code"] == 410


@pytest.fixture
def throttle() -> Iterator[None]:
    """What the account asks for is done one call at a time; the others are refused with 429 and a time to come back.

    No level refuses everything: a call that is more than its level may have is let in where it is the only one.
    """
    level = {
        "metadata": {"name": NAMESPACE},
        "spec": {
            "type": "Limited",
            "limited": {"nominalConcurrencyShares": 0, "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"}},
        },
    }
    rule = {
        "subjects": [{"kind": "ServiceAccount", "serviceAccount": {"name": "service", "namespace": NAMESPACE}}],
        "resourceRules": [
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
        ],
    }
    schema = {
        "metadata": {"name": NAMESPACE},
        "spec": {"priorityLevelConfiguration": {"name": NAMESPACE}, "matchingPrecedence": 2, "rules": [rule]},
    }
    create(f"{FLOW}/prioritylevelconfigurations", level)
    create(f"{FLOW}/flowschemas", schema)

    def in_force() -> bool:
        conditions = call("GET", f"{FLOW}/flowschemas/{NAMESPACE}").get("status", {}).get("conditions", [])
        return any((each["type"], each["status"]) == ("Dangling", "False") for each in conditions)

    wait("the throttle", in_force)  # the API server says so once it goes by it
    yield
    delete(f"{FLOW}/flowschemas/{NAMESPACE}")
    delete(f"{FLOW}/prioritylevelconfigurations/{NAMESPACE}")


def rejected() -> int:
    """Return how many calls of the account were refused."""
    lines = call("GET", "/metrics").splitlines()
    name = f'apiserver_flowcontrol_rejected_requests_total{{flow_schema="{NAMESPACE}"'
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(name))


def test_who_is_throttled_goes_on_later(load: Load, request: pytest.FixtureRequest) -> None:
    first = load.some(30)
    house = load.busy.house
    until(lambda: sum(map(load.run, first)) > 5, house=house)
    request.getfixturevalue("throttle")

    def pressed() -> bool:
        load.submit(*(job("plain", "far", number=number, seconds=2) for number in range(10)))
        return rejected() > 20

    until(pressed, house=house, pause=1.0)
    time.sleep(5)
    shares = {"spec": {"limited": {"nominalConcurrencyShares": 1}}}  # two or three calls at once
    call("PATCH", f"{FLOW}/prioritylevelconfigurations/{NAMESPACE}", shares, MERGE)
    load.all_is_well()


@pytest.mark.parametrize("asked", [False, True], ids=["absent", "present"])
def test_volcanos_webhooks_may_be_there_or_not(load: Load, asked: bool) -> None:
    if asked:
        webhooks.start_webhooks()
    try:
        pool = {"name": f"asked-{asked}".lower(), "nodes": ["fake-0"], "specs": ["far"], "everyone": True}
        assert load.busy.house.admin.api.post("/resources/pools", json=pool).status_code == 201
        queue = f"/apis/scheduling.volcano.sh/v1beta1/queues/pumpkin-{pool['name']}"
        wait("the pool's queue", lambda: call("GET", queue)["status"]["state"] == "Open")
        roles = [
            {"name": "main", "spec": "far", "command": "true", "is_main": True},
            {"name": "worker", "spec": "far", "command": "true", "replicas": 3, "min_available": 1},
        ]
        load.submit(
            job("plain", "near", number=0, seconds=1),
            job("pair", "far", number=0, seconds=1),
            {"name": "roles", "roles": roles},
        )
        load.all_is_well()
    finally:
        webhooks.stop_webhooks()
