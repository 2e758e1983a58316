"""What becomes of the platform's pods, seen beside it: who ran, from when to when, and what the cluster has left."""

from __future__ import annotations

import http.client
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.cluster.rig import api
from tests.integration.faults.books import Books, Place

KINDS = (
    "/apis/batch.volcano.sh/v1alpha1/jobs",
    "/apis/scheduling.volcano.sh/v1beta1/podgroups",
    "/api/v1/pods",
    "/api/v1/secrets",
    "/api/v1/configmaps",
    "/api/v1/services",
)
"""What a workload has in the cluster."""


NEVER = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Interval:
    """When a pod's own container ran, in Unix milliseconds; without an end it went before that was seen.

    There are several of either when a pretended kubelet got no answer to the first and told a later one.
    """

    starts_ms: frozenset[int] = frozenset()
    ends_ms: frozenset[int] = frozenset()


@dataclass(kw_only=True)
class Witness:
    """Watches the pods of the namespaces that begin with `prefix`; use it as a context."""

    prefix: str
    ran: defaultdict[Place, dict[str, Interval]] = field(default_factory=lambda: defaultdict(dict))
    """Of each replica the pods that ran, by their uid."""
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Witness:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _look(self) -> None:
        while not self._over.is_set():
            try:
                for event in api.watch("/api/v1/pods", seconds=20):
                    if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
                        self._note(event["object"])
            except (OSError, ValueError, http.client.HTTPException):
                self._over.wait(0.05)  # the API server is away: it tells all there is when it is back

    def _note(self, pod: dict[str, Any]) -> None:
        metadata = pod["metadata"]
        if not metadata["namespace"].startswith(self.prefix):
            return
        labels = metadata["labels"]
        replica = f"{labels['pumpkin.io/role']}-{labels['pumpkin.io/index']}"
        place = labels["pumpkin.io/workload"], int(labels["pumpkin.io/attempt"]), replica
        for status in pod["status"].get("containerStatuses", []):
            state = status["state"].get("terminated") or status["state"].get("running")
            # What could not be started is said to have started when Unix did.
            if state and state.get("startedAt", NEVER) != NEVER:
                pods, uid = self.ran[place], metadata["uid"]
                known = pods.get(uid, Interval())
                ends = {milliseconds(state["finishedAt"])} if "finishedAt" in state else set[int]()
                pods[uid] = Interval(known.starts_ms | {milliseconds(state["startedAt"])}, known.ends_ms | ends)


class ClusterBooks(Books):
    """The books of a platform whose homes are volumes of the rig."""

    def __init__(self, data: Path, prefix: str) -> None:
        super().__init__(data)
        self.prefix = prefix

    def home(self, user: str) -> Path:
        """Return where a user's home lies on this machine."""
        claim = api.call("GET", f"/api/v1/namespaces/{self.prefix}{user}/persistentvolumeclaims/home-{user}")
        volume = api.call("GET", f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
        return Path(volume["spec"]["hostPath"]["path"])


def left(prefix: str) -> list[str]:
    """Return all that is left of workloads in the namespaces that begin with `prefix`."""
    found: list[str] = []
    for path in KINDS:
        for item in api.call("GET", path)["items"]:
            metadata = item["metadata"]
            if metadata["namespace"].startswith(prefix) and metadata["name"] != "kube-root-ca.crt":
                found.append(f"{path.rpartition('/')[2]}/{metadata['namespace']}/{metadata['name']}")
    return found


def assert_books_tell_what_pods_did(books: Books, witness: Witness, *, least: int) -> None:
    """What ran, ran once, and the times that are paid for are those of its pod; `least` pods were seen to end."""
    replicas = books.replicas()
    assert {place: list(pods) for place, pods in witness.ran.items() if len(pods) != 1} == {}, "ran twice"
    seen = {place: pod for place, pods in witness.ran.items() for pod in pods.values()}
    assert seen.keys() <= {place for place, item in replicas.items() if item.started_ms is not None}
    ends = {place: pod.ends_ms for place, pod in seen.items() if pod.ends_ms}
    wrong = {
        place: (pod, replicas[place])
        for place, pod in seen.items()
        if replicas[place].started_ms not in pod.starts_ms
        or (place in ends and replicas[place].ended_ms not in ends[place])
    }
    assert not wrong, wrong
    assert len(ends) >= least, f"{len(ends)} of {len(replicas)} were seen to their end"


def milliseconds(text: str) -> int:
    """Return a time as Kubernetes writes it in Unix milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)
