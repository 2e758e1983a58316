"""Places that turn out to be none, nodes that are lost, pods that are taken away: what becomes of a workload, in words.

The pool `far` has two nodes that kwok plays; what runs `sleep` there runs until it is ended. `here` is the real node.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.asking import MERGE, Asking
from tests.cluster.conftest import EXISTING, Cluster
from tests.cluster.house import on_cluster
from tests.cluster.rig import fakes
from tests.cluster.rig.place import NODE
from tests.integration.house import House, User
from tests.integration.journeys.conftest import ended, events, in_phase, show, submit, until

FAR = ["fake-0", "fake-1"]
TAINT = "pumpkin.io/pool"
SECONDS = 180
"""The node controller waits a minute before it believes that a node is gone."""
pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(bool(EXISTING), reason="Only our own cluster can pretend to have nodes, and lose them."),
]


@pytest.fixture(scope="module")
def admin(cluster: Cluster) -> Asking:
    return Asking(kubeconfig=cluster.kubeconfig)


@pytest.fixture(scope="module")
def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    fakes.fake_nodes(len(FAR), taint=TAINT)
    try:
        yield from on_cluster(cluster, tmp_path_factory.mktemp("places") / "data")
    finally:
        fakes.remove_fake_nodes()


@pytest.fixture(scope="module")
def ann(house: House, admin: Asking) -> User:
    """A user, once both pools and their specs are there."""
    api = house.admin.api
    until(lambda: len(api.get("/resources/nodes").json()["items"]) == 1 + len(FAR))
    for name, accelerators in (("near", 0), ("one", 1), ("six", 6)):
        spec = {"name": name, "cpu_milli": 500, "memory": 1 << 30, "accelerators": accelerators}
        assert api.post("/resources/specs", json=spec).status_code == 201
    pools = {pool["name"]: pool for pool in api.get("/resources/pools").json()["items"]}
    assert set(pools) == {"default"}
    api.patch("/resources/pools/default", json={"nodes": [NODE], "specs": ["near"]}).raise_for_status()
    far = {"name": "far", "nodes": FAR, "specs": ["one", "six"], "everyone": True}
    assert api.post("/resources/pools", json=far).status_code == 201
    until(
        lambda: all(
            f"pool.pumpkin.io/{pool}" in labels(admin, node) for pool, node in [("far", FAR[0]), ("default", NODE)]
        )
    )
    return house.user("ann")


def labels(admin: Asking, node: str) -> dict[str, str]:
    return admin.get(f"/api/v1/nodes/{node}")["metadata"]["labels"]


def left(admin: Asking, workload: str) -> list[str]:
    """Return what the cluster has of a workload."""
    where = ("/api/v1/pods", "/apis/batch.volcano.sh/v1alpha1/jobs", "/apis/scheduling.volcano.sh/v1beta1/podgroups")
    found = [admin.get(f"{path}?labelSelector=pumpkin.io%2Fworkload%3D{workload}")["items"] for path in where]
    return [item["metadata"]["name"] for items in found for item in items]


def pod_of(admin: Asking, workload: str) -> str:
    """Return the path of a workload's only pod."""
    [pod] = admin.get(f"/api/v1/pods?labelSelector=pumpkin.io%2Fworkload%3D{workload}")["items"]
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def queue_of(admin: Asking, workload: str) -> str:
    """Return the Queue in which a job is."""
    [job] = admin.get(f"/apis/batch.volcano.sh/v1alpha1/jobs?labelSelector=pumpkin.io%2Fworkload%3D{workload}")["items"]
    return job["spec"]["queue"]


def told(user: User, workload: str, type_: str) -> str:
    """Return the last event of a type, empty if there is none."""
    return next((item["message"] for item in reversed(events(user, workload)) if item["type"] == type_), "")


def occupy(admin: Asking, namespace: str, node: str, accelerators: int) -> str:
    """Have somebody else use a node's accelerators; return the path of what does."""
    asked = {"nvidia.com/gpu": str(accelerators)}
    container = {"name": "main", "image": "none", "resources": {"limits": asked}}
    pod: dict[str, Any] = {
        "metadata": {"name": f"on-{node}", "annotations": {"rig/run-for": "1h"}},
        "spec": {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0},
    }
    path = f"/api/v1/namespaces/{namespace}/pods"
    assert admin.call("POST", path, pod).status == 201
    return f"{path}/on-{node}"


def test_room_that_is_on_no_single_node_is_given_back_and_waited_for_at_the_head(
    admin: Asking, ann: User, namespace: str
):
    others = [occupy(admin, namespace, node, 5) for node in FAR]  # three are free on each, which makes six
    job = submit(ann, "six", spec="six", command=["sleep", "600"])
    message = until(lambda: told(ann, job, "retry"), seconds=SECONDS)
    assert "no node that can take it" in message
    assert "6 × accelerator in pool far" in message
    assert "head of the queue" in message
    until(lambda: not left(admin, job))
    waiting = show(ann, job)
    assert (waiting["phase"], waiting["message"]) == ("queued", message)
    assert admin.call("DELETE", others[0]).status == 200
    running = in_phase(ann, job, "running", seconds=SECONDS)
    assert running["members"][0]["node"] == FAR[0]
    ann.api.post(f"/workloads/{job}/stop").raise_for_status()
    assert ended(ann, job)["phase"] == "stopped"
    assert admin.call("DELETE", others[1]).status == 200


def test_a_lost_node_is_told_and_what_asked_for_retries_starts_again(admin: Asking, ann: User):
    again = submit(ann, "again", spec="one", command=["sleep", "600"], retries=1, backoff_seconds=0)
    node = in_phase(ann, again, "running", seconds=SECONDS)["members"][0]["node"]
    once = submit(ann, "once", spec="one", command=["sleep", "600"])
    there = in_phase(ann, once, "running", seconds=SECONDS)["members"][0]["node"]
    assert admin.call("DELETE", f"/api/v1/nodes/{node}").status == 200
    try:
        message = until(lambda: told(ann, again, "retry"), seconds=SECONDS)
        assert f"its node {node} was lost" in message
        running = in_phase(ann, again, "running", seconds=SECONDS)
        assert (running["attempt"], running["members"][-1]["node"] != node) == (2, True)
        if there == node:
            failed = ended(ann, once, seconds=SECONDS)
            assert (failed["phase"], failed["reason"]) == ("failed", "lost")
            assert f"its node {node} was lost" in failed["message"]
    finally:
        fakes.fake_nodes(len(FAR), taint=TAINT)
    for job in (again, once):
        ann.api.post(f"/workloads/{job}/stop")
        ended(ann, job, seconds=SECONDS)


def evict(admin: Asking, pod: str) -> None:
    """Have a pod evicted, as `kubectl drain` does."""
    name, namespace = pod.rsplit("/", 1)[1], pod.split("/")[4]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    assert admin.call("POST", f"{pod}/eviction", body).status == 201


def preempt(admin: Asking, pod: str) -> None:
    """End a pod as Volcano's preempt and reclaim do."""
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "volcano"}
    body = {"status": {"conditions": [condition]}}
    assert admin.call("PATCH", f"{pod}/status", body, "application/strategic-merge-patch+json").status == 200
    assert admin.call("DELETE", pod).status == 200


@pytest.mark.parametrize(
    ("take", "words"),
    [
        (evict, f"it was evicted from its node {NODE}, which is being emptied"),
        (preempt, "it was preempted by other workloads"),
    ],
)
def test_what_is_taken_away_says_by_whom(admin: Asking, ann: User, take: Any, words: str):
    # The first process of a container hears only the signals that it asks for.
    job = submit(ann, "taken", spec="near", command="trap 'exit 143' TERM; sleep 600 & wait")
    in_phase(ann, job, "running", seconds=SECONDS)
    take(admin, pod_of(admin, job))
    failed = ended(ann, job, seconds=SECONDS)
    assert (failed["phase"], failed["reason"]) == ("failed", "lost")
    assert words in failed["message"]
    until(lambda: not left(admin, job))


def test_a_notebook_whose_node_is_closed_before_its_pod_is_made_waits_at_the_head_and_starts_then(
    admin: Asking, house: House, ann: User
):
    """The Hub stands still while the cluster gives room, so that the node can be closed in between."""
    where = f"/api/v1/nodes/{NODE}"
    ann.api.get("/accounts/me").raise_for_status()  # whose token it is stays known for a while
    house.kill("hub", signal.SIGSTOP)
    try:
        asked = ann.api.post("/workloads/notebooks", json={"name": "", "spec": "near"}).json()["id"]
        until(lambda: told(ann, asked, "placed"))
        assert admin.call("PATCH", where, {"spec": {"unschedulable": True}}, MERGE).status == 200
    finally:
        house.kill("hub", signal.SIGCONT)
    try:
        message = until(lambda: told(ann, asked, "retry"), seconds=SECONDS)
        assert "no node" in message
        assert "head of the queue" in message
    finally:
        assert admin.call("PATCH", where, {"spec": {"unschedulable": None}}, MERGE).status == 200
    in_phase(ann, asked, "running", seconds=SECONDS)
    ann.api.post(f"/workloads/{asked}/stop").raise_for_status()
    assert ended(ann, asked)["phase"] == "stopped"
    until(lambda: not left(admin, asked))


def test_what_is_guaranteed_to_a_pool_no_other_gets(admin: Asking, house: House, ann: User):
    api = house.admin.api
    spec = {"name": "sure", "cpu_milli": 500, "memory": 1 << 30, "accelerators": 6}
    assert api.post("/resources/specs", json=spec).status_code == 201
    pool = {"name": "sure", "nodes": FAR, "specs": ["sure"], "everyone": True, "guarantee_percent": 50}
    assert api.post("/resources/pools", json=pool).status_code == 201
    queue = "/apis/scheduling.volcano.sh/v1beta1/queues/pumpkin-sure"
    # A queue of this name may be left from a platform before this one.
    until(lambda: "guarantee" in admin.call("GET", queue).body.get("spec", ()))
    assert admin.get(queue)["spec"]["guarantee"]["resource"]["nvidia.com/gpu"] == "8"
    first = submit(ann, "first", spec="six", command=["sleep", "600"])
    in_phase(ann, first, "running", seconds=SECONDS)
    # It would fit the other node, if half of both were not another's.
    second = submit(ann, "second", spec="six", command=["sleep", "600"])
    sure = submit(ann, "sure", spec="sure", command=["sleep", "600"])
    in_phase(ann, sure, "running", seconds=SECONDS)
    assert show(ann, second)["phase"] == "queued"
    ann.api.post(f"/workloads/{sure}/stop").raise_for_status()
    ended(ann, sure, seconds=SECONDS)
    api.patch("/resources/pools/sure", json={"guarantee_percent": 0}).raise_for_status()
    in_phase(ann, second, "running", seconds=SECONDS)
    assert "guarantee" not in admin.get(queue)["spec"]
    for job in (first, second):
        ann.api.post(f"/workloads/{job}/stop").raise_for_status()
        ended(ann, job, seconds=SECONDS)


def test_the_parts_of_a_pool_share_what_is_guaranteed_to_it(admin: Asking, house: House, ann: User):
    """Of 16 accelerators 8 are the lab's; all of them are one part's."""
    api = house.admin.api
    spec = {"name": "part", "cpu_milli": 500, "memory": 1 << 30, "accelerators": 6}
    assert api.post("/resources/specs", json=spec).status_code == 201
    lab = {"name": "lab", "nodes": FAR, "everyone": True, "specs": ["one"], "priority": -1, "guarantee_percent": 50}
    parts = [
        {"name": "vision", "parent": "lab", "specs": ["part"], "everyone": True, "guarantee_percent": 50},
        {"name": "nlp", "parent": "lab", "users": ["ann"], "specs": ["six"], "priority": 1},
    ]
    for pool in (lab, *parts):
        assert api.post("/resources/pools", json=pool).status_code == 201
    queues = "/apis/scheduling.volcano.sh/v1beta1/queues"
    # A part gets its share last.
    vision = until(
        lambda: (found := admin.call("GET", f"{queues}/pumpkin-vision").body.get("spec", {})).get("guarantee") and found
    )
    assert (vision["parent"], vision["guarantee"]["resource"]["nvidia.com/gpu"]) == ("pumpkin-lab.all", "8")
    first = submit(ann, "nlp-first", spec="six", command=["sleep", "600"])
    in_phase(ann, first, "running", seconds=SECONDS)
    assert queue_of(admin, first) == "pumpkin-nlp"
    second = submit(ann, "nlp-second", spec="six", command=["sleep", "600"])
    asked = submit(ann, "vision", spec="part", command=["sleep", "600"])
    in_phase(ann, asked, "running", seconds=SECONDS)
    assert show(ann, second)["phase"] == "queued"
    ann.api.post(f"/workloads/{asked}/stop").raise_for_status()
    ended(ann, asked, seconds=SECONDS)
    # A pool with parts is still one, and nobody waits where Volcano would stop over it.
    api.patch("/resources/pools/far", json={"specs": ["six"]}).raise_for_status()
    own = submit(ann, "own", spec="one", command=["sleep", "600"])
    in_phase(ann, own, "running", seconds=SECONDS)
    assert queue_of(admin, own) == "pumpkin-lab"
    api.patch("/resources/pools/vision", json={"guarantee_percent": 0}).raise_for_status()
    in_phase(ann, second, "running", seconds=SECONDS)
    for job in (first, second, own):
        ann.api.post(f"/workloads/{job}/stop").raise_for_status()
        ended(ann, job, seconds=SECONDS)
    for pool in ("nlp", "vision", "lab"):
        assert api.delete(f"/resources/pools/{pool}").status_code == 204
    api.patch("/resources/pools/far", json={"specs": ["one", "six"]}).raise_for_status()


def test_a_pool_gets_back_what_it_deserves_and_has_lent(admin: Asking, house: House, ann: User):
    api = house.admin.api
    owner = {"name": "owner", "nodes": FAR, "specs": ["owned"], "everyone": True, "deserved_percent": 50}
    spec = {"name": "owned", "cpu_milli": 500, "memory": 1 << 30, "accelerators": 6}
    assert api.post("/resources/specs", json=spec).status_code == 201
    assert api.post("/resources/pools", json=owner).status_code == 201
    lent = [submit(ann, f"lent-{number}", spec="six", command=["sleep", "600"]) for number in range(2)]
    for job in lent:
        in_phase(ann, job, "running", seconds=SECONDS)
    asked = submit(ann, "asked", spec="owned", command=["sleep", "600"])
    api.patch("/resources/pools/far", json={"reclaimable": True}).raise_for_status()
    in_phase(ann, asked, "running", seconds=SECONDS)
    [back] = [job for job in lent if show(ann, job)["phase"] != "running"]
    message = (
        "Its place was given back to the pool owner, which deserves it. Starting again, from the head of the queue."
    )
    until(lambda: message in [event["message"] for event in events(ann, back)])
    ann.api.post(f"/workloads/{asked}/stop").raise_for_status()
    in_phase(ann, back, "running", seconds=SECONDS)
    for job in lent:
        ann.api.post(f"/workloads/{job}/stop").raise_for_status()
        ended(ann, job, seconds=SECONDS)
