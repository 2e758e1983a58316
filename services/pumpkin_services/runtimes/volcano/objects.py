"""What is kept in memory of each object of the cluster: little, for there may be ten thousand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pumpkin_services.runtimes.base import Key
from pumpkin_services.runtimes.volcano import names, pods

NOTEBOOK = "notebook"
"""The name KubeSpawner gives the container of a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """How one container of a pod is. Times are Unix milliseconds."""

    state: Literal["waiting", "running", "terminated"]
    reason: str = ""
    message: str = ""
    exit_code: int = 0
    started: int | None = None
    finished: int | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A replica's pod. `deleted` is when it must have ended by, in Unix milliseconds, if somebody deleted it."""

    key: Key
    kind: str
    replica: str
    namespace: str
    name: str
    uid: str
    phase: str
    reason: str = ""
    message: str = ""
    node: str = ""
    ip: str = ""
    created: int | None = None
    since: int | None = None
    """When its kubelet took it."""
    deleted: int | None = None
    grace: int | None = None
    unschedulable: str = ""
    disruption: str = ""
    disruption_message: str = ""
    main: Container | None = None
    inputs: Container | None = None
    agent: Container | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A PodGroup: a notebook's ticket, or the one Volcano made for a vcjob."""

    key: Key
    kind: str
    namespace: str
    name: str
    uid: str
    phase: str

    @property
    def admitted(self) -> bool:
        """Whether it has its resources."""
        return self.phase not in ("", "Pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A vcjob."""

    key: Key
    kind: str
    namespace: str
    name: str
    uid: str
    phase: str

    @property
    def over(self) -> bool:
        """Whether Volcano will make no more pods for it."""
        return self.phase in ("Aborting", "Aborted", "Terminating", "Terminated", "Failed", "Completed", "Completing")


def words(item: Pod | Group | Job) -> str:
    """Say what an object is and how it is called."""
    kind = {Pod: "pod", Group: "PodGroup", Job: "vcjob"}[type(item)]
    return f"the {kind} {item.namespace}/{item.name}"


def pod(item: Mapping[str, Any]) -> Pod | None:
    """Return what is kept of a pod; None if it is no replica of ours."""
    common = _common(item)
    labels: dict[str, str] = item["metadata"].get("labels") or {}
    if common is None or names.ROLE not in labels or names.INDEX not in labels:
        return None
    spec: dict[str, Any] = item.get("spec") or {}
    status: dict[str, Any] = item.get("status") or {}
    told: list[dict[str, str]] = status.get("conditions") or []
    conditions = {condition["type"]: condition for condition in told}
    scheduled, disruption = conditions.get("PodScheduled", {}), conditions.get("DisruptionTarget", {})
    disrupted = disruption.get("status") == "True"
    containers = _containers(status.get("containerStatuses"))
    helpers = _containers(status.get("initContainerStatuses"))
    return Pod(
        **common,
        replica=f"{labels[names.ROLE]}-{labels[names.INDEX]}",
        phase=status.get("phase", ""),
        reason=status.get("reason", ""),
        message=status.get("message", "")[:500],
        node=spec.get("nodeName", ""),
        ip=status.get("podIP", ""),
        created=milliseconds(item["metadata"].get("creationTimestamp")),
        since=milliseconds(status.get("startTime")),
        deleted=milliseconds(item["metadata"].get("deletionTimestamp")),
        grace=item["metadata"].get("deletionGracePeriodSeconds"),
        unschedulable=scheduled.get("message", "")[:500] if scheduled.get("status") == "False" else "",
        disruption=disruption.get("reason", "") if disrupted else "",
        disruption_message=disruption.get("message", "")[:500] if disrupted else "",
        main=containers.get(pods.MAIN) or containers.get(NOTEBOOK),
        inputs=helpers.get(pods.INPUTS),
        agent=helpers.get(pods.AGENT),
    )


def group(item: Mapping[str, Any]) -> Group | None:
    """Return what is kept of a PodGroup; None if it is not ours."""
    common = _common(item)
    status: dict[str, Any] = item.get("status") or {}
    return None if common is None else Group(**common, phase=status.get("phase", ""))


def job(item: Mapping[str, Any]) -> Job | None:
    """Return what is kept of a vcjob; None if it is not ours."""
    common = _common(item)
    if common is None:
        return None
    status: dict[str, Any] = item.get("status") or {}
    state: dict[str, Any] = status.get("state") or {}
    return Job(**common, phase=state.get("phase", ""))


def _common(item: Mapping[str, Any]) -> dict[str, Any] | None:
    metadata = item["metadata"]
    labels: dict[str, str] = metadata.get("labels") or {}
    key = names.key_of(labels)
    if key is None:
        return None
    return {
        "key": key,
        "kind": labels.get(names.KIND, ""),
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _containers(statuses: Sequence[Mapping[str, Any]] | None) -> dict[str, Container]:
    return {str(item["name"]): _container(item) for item in statuses or []}


def _container(item: Mapping[str, Any]) -> Container:
    state: dict[str, Any] = item.get("state") or {}
    restarts = int(item.get("restartCount", 0))
    for name in ("terminated", "running"):
        if name in state:
            found: dict[str, Any] = state[name] or {}
            return Container(
                state=name,
                reason=found.get("reason", ""),
                message=found.get("message", "")[:1000],
                exit_code=found.get("exitCode", 0),
                started=milliseconds(found.get("startedAt")),
                finished=milliseconds(found.get("finishedAt")),
                restarts=restarts,
            )
    waiting: dict[str, Any] = state.get("waiting") or {}
    return Container(
        state="waiting",
        reason=waiting.get("reason", ""),
        message=waiting.get("message", "")[:1000],
        restarts=restarts,
    )


def milliseconds(text: str | None) -> int | None:
    """Return a time as Kubernetes writes it in Unix milliseconds; what is unset there has the year 1."""
    if not text or text.startswith(("0001", "1970-01-01T00:00:00Z")):
        return None
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
