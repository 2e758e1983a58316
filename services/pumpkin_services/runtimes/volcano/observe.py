"""What a pod's state means for its replica: pure functions."""

from __future__ import annotations

import re
from typing import Any

from pumpkin_services.runtimes.base import Observation
from pumpkin_services.runtimes.volcano.objects import Container, Pod

PLACE_SECONDS = 30
"""A pod that no node can take for so long holds in vain what it was let in with."""
PULL_SECONDS = 120
"""For so long an image that cannot be pulled is tried again: a registry may be away."""
NODE_SECONDS = 60
"""So long after a pod's time to end has run out its node is taken to be lost."""
HOPELESS = ("InvalidImageName", "ErrImageNeverPull")
NO_SUCH_IMAGE = ("code = NotFound", "manifest unknown", "pull access denied", "insufficient_scope")
"""What registries answer that are there: asking again does not help."""
PULLING = ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable")
UNSTARTABLE = ("StartError", "ContainerCannotRun", "RunContainerError")
BROKEN_OFF = ("context canceled", "context deadline exceeded")
"""How a container runtime's message ends when its kubelet died while it made the container: the command is well."""
NO_COMMAND = 127
TERMINATED = 143
CAUSES = {
    "PreemptionByScheduler": "it was preempted by other workloads",
    "DeletionByTaintManager": "its node {node} was lost or closed",
    "DeletionByPodGC": "its node {node} was lost",
    "EvictionByEvictionAPI": "it was evicted from its node {node}, which is being emptied",
    "TerminationByKubelet": "its node {node} was short of resources or shutting down",
    "Evicted": "it was evicted, its node {node} was short of resources",
    "Preempting": "it was preempted by other workloads",
    "Preempted": "it was preempted by other workloads",
    "NodeLost": "its node {node} was lost",
    "NodeShutdown": "its node {node} was shut down",
    "Shutdown": "its node {node} was shut down",
    "Terminated": "its node {node} was shut down",
    "DeadlineExceeded": "its pod had a deadline of its own",
}
RESOURCES = {"cpu": "CPU", "memory": "memory", "pods": "places for pods", "ephemeral-storage": "disk"}


def observe(pod: Pod, *, asked: str, now: int, stopped: bool) -> Observation:
    """Return what is true of a replica whose pod is there at `now` (Unix milliseconds).

    `asked` says in plain words what it asks for, `stopped` whether we are ending it. It is final only when its whole
    pod has ended, for its output is sent home last.
    """
    if pod.phase in ("Succeeded", "Failed"):
        return _ended(pod, stopped=stopped)
    if pod.deleted is not None and now > pod.deleted + NODE_SECONDS * 1000:
        return _lost(pod, f"its node {pod.node} does not answer" if pod.node else "nobody ended it", now=now)
    main = pod.main
    if main is not None and main.state != "waiting" and main.started is not None:
        return Observation(replica=pod.replica, state="running", started=main.started, host=pod.ip, node=pod.node)
    refused = _refused(pod, now)
    if refused:
        return Observation(
            replica=pod.replica, state="exited", exit_code=NO_COMMAND, error=refused, node=pod.node, ended=now
        )
    stuck = not pod.node and pod.unschedulable and now > (pod.created or now) + PLACE_SECONDS * 1000
    return Observation(
        replica=pod.replica, state="starting", node=pod.node, waiting=_waiting(pod, asked), unplaced=bool(stuck)
    )


def vanished(last: Pod, *, now: int, stopped: bool) -> Observation | None:
    """Return what became of a replica whose pod is gone, as last seen; None if it may still have another."""
    if last.phase in ("Succeeded", "Failed") or (last.main is not None and last.main.state == "terminated"):
        return _ended(last, stopped=stopped, now=now)
    if last.main is None or last.main.started is None:
        return _lost(last, _cause(last), now=now) if _cause(last) and not stopped else None
    if stopped:
        return ended_by_us(last.replica, started=last.main.started, now=now)
    return _lost(last, _cause(last) or "somebody deleted its pod", now=now)


def ended_by_us(replica: str, *, started: int, now: int) -> Observation:
    """Return the end of a replica that was stopped, and whose end nobody saw."""
    return Observation(
        replica=replica, state="exited", exit_code=TERMINATED, signal=TERMINATED - 128, started=started, ended=now
    )


# -- the end --------------------------------------------------------------------------------------------------


def _ended(pod: Pod, *, stopped: bool, now: int | None = None) -> Observation:
    main = pod.main
    cause = "" if stopped else _cause(pod)
    if not cause and not stopped and pod.deleted is not None and pod.kind == "job":
        cause = "somebody deleted its pod"
    if main is None or main.state != "terminated":
        return _without_end(pod, cause, now)
    if main.reason in UNSTARTABLE and _start_error(main).endswith(BROKEN_OFF):
        return _lost(pod, f"its node {pod.node} broke off starting it", now=main.finished or now or 0)
    if main.reason in UNSTARTABLE:
        return _exited(pod, main, exit_code=NO_COMMAND, error=_start_error(main))
    if cause:
        # However it took it: what was ended from outside is not done, even if it says 0.
        return _lost(pod, cause, now=main.finished or now or main.started or 0)
    unsent = _unsent(pod, main)
    if unsent and not stopped:
        return _lost(pod, unsent, now=main.finished or now or 0)
    return _exited(pod, main)


def _exited(pod: Pod, main: Container, **more: Any) -> Observation:
    code = main.exit_code
    values: dict[str, Any] = {
        "exit_code": code,
        "signal": code - 128 if 128 < code < 128 + 65 else None,
        "oom": main.reason == "OOMKilled",
        **more,
    }
    if values.get("error"):
        values["signal"] = None
    return Observation(
        replica=pod.replica, state="exited", started=main.started, ended=main.finished or main.started,
        node=pod.node, **values,
    )  # fmt: skip


def _without_end(pod: Pod, cause: str, now: int | None) -> Observation:
    """Tell of a pod that ended though its own container did not, or never began."""
    started = pod.main.started if pod.main is not None else None
    inputs = pod.inputs
    if started is None and inputs is not None and inputs.state == "terminated" and inputs.exit_code:
        error = f"its inputs could not be fetched: {_sentence(inputs.message) or f'exit code {inputs.exit_code}'}"
        return Observation(
            replica=pod.replica, state="exited", exit_code=NO_COMMAND, error=error, node=pod.node,
            ended=inputs.finished,
        )  # fmt: skip
    return _lost(pod, cause or _sentence(pod.message) or "its pod ended before it did", now=now or pod.since or 0)


def _unsent(pod: Pod, main: Container) -> str:
    """Say why an output did not come home, if one did not though all went well."""
    agent = pod.agent
    if main.exit_code or agent is None or agent.state != "terminated" or not agent.exit_code:
        return ""
    return f"its output could not be sent home: {_sentence(agent.message) or f'exit code {agent.exit_code}'}"


def _lost(pod: Pod, cause: str, *, now: int) -> Observation:
    main = pod.main
    started = main.started if main is not None else None
    ended = main.finished if main is not None and main.finished is not None else now
    code = main.exit_code if main is not None and main.state == "terminated" else None
    return Observation(
        replica=pod.replica,
        state="lost",
        started=started,
        ended=max(ended, started or ended),
        exit_code=code,
        node=pod.node,
        cause=cause,
    )


def _cause(pod: Pod) -> str:
    """Say who ended a pod from outside, empty if nobody did."""
    for reason in (pod.reason, pod.disruption):
        if reason in CAUSES:
            return CAUSES[reason].format(node=pod.node or "?")
    if pod.disruption:
        return _sentence(pod.disruption_message) or pod.disruption
    return ""


def _start_error(main: Container) -> str:
    """Return the last, telling part of a container runtime's message."""
    text = _sentence(main.message)
    found = re.search(r'exec: "[^"]*": .*|chdir to cwd .*', text)
    return (found.group() if found else text).removesuffix(": unknown") or "it cannot be executed"


# -- the beginning --------------------------------------------------------------------------------------------


def _refused(pod: Pod, now: int) -> str:
    """Say why a pod will never start, empty if it may."""
    for container in (pod.inputs, pod.agent, pod.main):
        if container is None or container.state != "waiting":
            continue
        late = pod.since is not None and now > pod.since + PULL_SECONDS * 1000
        gone = container.reason in PULLING and any(words in container.message for words in NO_SUCH_IMAGE)
        if container.reason in HOPELESS or gone or (container.reason == "ImagePullBackOff" and late):
            return f"its image cannot be had: {_sentence(container.message) or container.reason}"
        if container.reason == "CreateContainerConfigError" and late:
            return f"its container cannot be made: {_sentence(container.message)}"
    return ""


def _waiting(pod: Pod, asked: str) -> str:
    """Say in plain words what a pod waits for."""
    if not pod.node:
        return f"Waiting for {asked}{_short(pod.unschedulable)}."
    containers = [item for item in (pod.inputs, pod.agent, pod.main) if item is not None]
    for item in containers:
        if item.state == "waiting" and item.reason in PULLING:
            return f"Its image cannot be pulled yet: {_sentence(item.message) or item.reason}."
    if pod.inputs is not None and pod.inputs.state == "running":
        return "Fetching its inputs."
    if pod.inputs is not None and pod.inputs.state == "terminated" and pod.inputs.exit_code:
        return "Its inputs could not be fetched."
    return f"Pulling its image and preparing its volumes on {pod.node}."


def _short(message: str) -> str:
    """Say which resource is short, as far as the scheduler's message tells."""
    short: list[str] = re.findall(r"Insufficient ([\w./-]*\w)", message, re.IGNORECASE)
    words = [RESOURCES.get(name, name) for name in dict.fromkeys(short)]
    if words:
        return f": no node has enough {' and '.join(words)} free"
    if "affinity" in message or "selector" in message:
        return ": no node of the pool that could take it has room"
    return ""


def _sentence(text: str) -> str:
    """Return the last line of a message, without its full stop."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else ""
