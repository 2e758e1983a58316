"""`kill -9` of each part of the cluster and of the platform, at seeded moments, while two hundred jobs run."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.business import Busy, job, open_for_business
from tests.cluster.conftest import EXISTING, Cluster
from tests.cluster.rig import life
from tests.cluster.rig.api import call, create
from tests.cluster.rig.processes import kill, restart, revive, wait
from tests.cluster.witness import Witness, assert_books_tell_what_pods_did, left
from tests.integration.faults.books import Books, all_ended, assert_ended_once_and_paid_exactly, until
from tests.integration.faults.conftest import MONEY
from tests.integration.faults.test_kills import OUTCOMES, Storm, stop_the_endless

pytestmark = [
    pytest.mark.skipif(bool(EXISTING), reason="Only our own cluster may be broken."),
    pytest.mark.timeout(540, func_only=True),
]
SEED = 20
JOBS = {
    "far": {"plain": 150, "pair": 20, "endless": 10},
    "near": {"plain": 8, "pair": 2, "fails": 4, "retries": 4, "endless": 2},
}
"""How many of each kind on pretended nodes, where all ends well, and how many in real containers."""
CLUSTER = ("etcd", "kube-apiserver", "volcano-scheduler", "volcano-controller-manager", "kubelet")
PLATFORM = ("service", "hub")
TIMES = 2
"""How often each part is killed."""
SUBMIT_SECONDS = 0.3
"""Between two jobs at most, so that they are submitted while things break."""


def mend() -> None:
    """Start again what has died, and return when the API server answers."""
    for name in (*CLUSTER, "kube-controller-manager", "provisioner", "kwok", "fakelogs"):
        revive(name)
    wait("the API server", lambda: call("GET", "/readyz") == "ok", "kube-apiserver")


@pytest.fixture
def busy(cluster: Cluster, far: list[str], tmp_path: Path) -> Iterator[Busy]:
    for busy in open_for_business(cluster, far, tmp_path / "data"):
        yield busy
        life.up()  # whatever happened, it is taken down on a whole cluster


def submit(storm: Storm, rng: random.Random) -> None:
    """Submit all jobs, then stop the endless ones, whatever happens meanwhile."""
    wanted = [(spec, kind) for spec, kinds in JOBS.items() for kind, count in kinds.items() for _ in range(count)]
    rng.shuffle(wanted)
    for number, (spec, kind) in enumerate(wanted):
        request = job(kind, spec, number=number, seconds=rng.uniform(1, 15))
        answer = storm.send("POST", "/workloads/jobs", key=f"job {number}", body=request)
        assert answer.status_code == 201, answer.text
        storm.kinds[answer.json()["id"]] = kind
        time.sleep(rng.uniform(0, SUBMIT_SECONDS))
    stop_the_endless(storm, Books(storm.house.data))


def strike(storm: Storm, part: str) -> None:
    """Kill a part; the platform's come back by themselves, the cluster's after a seeded while."""
    if part in PLATFORM:
        storm.kill(part)
        return
    kill(part)
    time.sleep(storm.rng.uniform(0.2, 3))
    mend()
    if part in ("etcd", "kube-apiserver"):
        restart("kwok")  # unlike a kubelet it never tries again what it could not write meanwhile


def test_two_hundred_jobs_end_exactly_once_whatever_is_killed(busy: Busy) -> None:
    storm = Storm(house=busy.house, ann=busy.ann, rng=random.Random(SEED))
    books, house = busy.books, busy.house
    failures: list[BaseException] = []
    rng = random.Random(storm.rng.random())

    def submitting() -> None:
        try:
            submit(storm, rng)
        except BaseException as error:
            failures.append(error)

    with Witness(prefix=busy.prefix) as witness:
        thread = threading.Thread(target=submitting)
        thread.start()
        parts = [*CLUSTER, *PLATFORM] * TIMES
        for part in storm.rng.sample(parts, len(parts)):
            time.sleep(storm.rng.uniform(0.5, 2.5))  # the seeded moment
            assert not failures, failures
            strike(storm, part)
        thread.join()
        assert not failures, failures
        until(all_ended(books, storm.kinds), house=house, seconds=180)
        leave_strays(busy, ended=next(iter(storm.kinds)))
        until(lambda: left(busy.prefix) == [], house=house, seconds=90)
        assert_ended_once_and_paid_exactly(books, user="ann", workloads=storm.kinds, recharged_micro=MONEY)
        assert_each_ended_as_it_should(storm.kinds, books)
        assert_books_tell_what_pods_did(books, witness, least=len(storm.kinds) // 2)


def leave_strays(busy: Busy, *, ended: str) -> None:
    """Leave what an unlucky crash could: tickets and Secrets of a workload nobody knows, and of one that has ended."""
    namespace = f"{busy.prefix}ann"
    for workload, attempt in (("01stranger", "1"), (ended, "2")):
        labels = {
            "app.kubernetes.io/managed-by": "pumpkin",
            "pumpkin.io/workload": workload,
            "pumpkin.io/attempt": attempt,
            "pumpkin.io/kind": "notebook",
        }
        secret = {"metadata": {"name": f"w-{workload}-{attempt}", "labels": labels}, "stringData": {"a": "b"}}
        create(f"/api/v1/namespaces/{namespace}/secrets", secret)
        ticket = {
            "apiVersion": "scheduling.volcano.sh/v1beta1",
            "kind": "PodGroup",
            "metadata": {"name": f"n-{workload}-{attempt}", "labels": labels},
            "spec": {"minMember": 1, "queue": "default", "minResources": {"cpu": "1"}},
        }
        create(f"/apis/scheduling.volcano.sh/v1beta1/namespaces/{namespace}/podgroups", ticket)


def assert_each_ended_as_it_should(kinds: dict[str, str], books: Books) -> None:
    """Each ended as its command says, at the try at which it must; what had a real container ran in it."""
    phases, attempts, replicas, ran = books.phases(), books.attempts(), books.replicas(), books.ran("ann")
    names = dict(books.rows("SELECT id, name FROM workloads"))
    ends = {workload: (kind, phases[workload]) for workload, kind in kinds.items()}
    assert ends == {workload: (kind, OUTCOMES.get(kind, "succeeded")) for workload, kind in kinds.items()}
    began = {place for place, item in replicas.items() if item.started_ms is not None}
    # An attempt that its node broke off before it began is no try.
    assert all(item.reason == "lost" for key, item in attempts.items() if key not in {place[:2] for place in began})
    tries = Counter(workload for workload, _ in {place[:2] for place in began})
    assert tries == {workload: 2 if kind == "retries" else 1 for workload, kind in kinds.items()}
    assert {*ran} == {place for place in began if names[place[0]].startswith("near-")}
