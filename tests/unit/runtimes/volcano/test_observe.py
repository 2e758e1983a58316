"""What a pod's state means, for states as the API server shows them."""

from __future__ import annotations

from typing import Any

import pytest

from pumpkin_services.runtimes.base import Key, Observation
from pumpkin_services.runtimes.volcano import names, objects
from pumpkin_services.runtimes.volcano.observe import observe, vanished

KEY = Key("01ky4j6q5n8x3tqz7v0r2s1p9d", 1)
START, END = "2026-11-24T17:00:00Z", "2026-11-24T17:00:05Z"
NOW = objects.milliseconds("2026-11-24T17:10:00Z") or 0
RAN = {"startedAt": START, "finishedAt": END}


def pod(status: dict[str, Any], *, kind: str = "job", node: str = "n1", **metadata: Any) -> objects.Pod:
    labels = {**names.labels(KEY), names.KIND: kind, names.ROLE: "main", names.INDEX: "0"}
    found = objects.pod(
        {
            "metadata": {"namespace": "p-lab", "name": "x", "uid": "u", "labels": labels, **metadata},
            "spec": {"nodeName": node},
            "status": {"startTime": START, "podIP": "10.0.0.7", **status},
        }
    )
    assert found is not None
    return found


def main(name: str = "main", **state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": name, "state": state}]}


def helper(name: str, **state: Any) -> dict[str, Any]:
    return {"initContainerStatuses": [{"name": name, "state": state}]}


def look(item: objects.Pod, *, now: int = NOW, stopped: bool = False) -> Observation:
    return observe(item, asked="1 × A100 in pool lab", now=now, stopped=stopped)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("", "Waiting for 1 × A100 in pool lab."),
        (
            "0/3 nodes are unavailable: 3 Insufficient nvidia.com/gpu.",
            "Waiting for 1 × A100 in pool lab: no node has enough nvidia.com/gpu free.",
        ),
        (
            "0/3 nodes are unavailable: 1 Insufficient cpu, 2 Insufficient memory.",
            "Waiting for 1 × A100 in pool lab: no node has enough CPU and memory free.",
        ),
        (
            "0/1 nodes are unavailable: 1 node(s) didn't match Pod's node affinity/selector.",
            "Waiting for 1 × A100 in pool lab: no node of the pool that could take it has room.",
        ),
    ],
)
def test_a_pod_without_a_node_says_what_is_short(message: str, words: str) -> None:
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]
    seen = look(pod({"phase": "Pending", "conditions": conditions}, node=""))
    assert (seen.state, seen.waiting) == ("starting", words)


def test_a_pod_that_no_node_can_take_is_given_a_while() -> None:
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "full"}]
    made = objects.milliseconds(START) or 0
    item = pod({"phase": "Pending", "conditions": conditions}, node="", creationTimestamp=START)
    assert [look(item, now=made + after).unplaced for after in (29_000, 31_000)] == [False, True]
    not_looked_at = pod({"phase": "Pending"}, node="", creationTimestamp=START)
    assert not look(not_looked_at).unplaced


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (main(waiting={"reason": "ContainerCreating"}), "Pulling its image and preparing its volumes on n1."),
        (helper("inputs", running={"startedAt": START}), "Fetching its inputs."),
        (
            main(waiting={"reason": "ErrImagePull", "message": "failed to pull x: not found"}),
            "Its image cannot be pulled yet: failed to pull x: not found.",
        ),
    ],
)
def test_a_pod_on_its_node_says_what_goes_on(status: dict[str, Any], words: str) -> None:
    seen = look(pod({"phase": "Pending", **status}))
    assert (seen.state, seen.waiting) == ("starting", words)


def test_an_image_is_tried_for_a_while_and_then_given_up() -> None:
    item = pod({"phase": "Pending", **main(waiting={"reason": "ImagePullBackOff", "message": "no such image"})})
    began = objects.milliseconds(START) or 0
    assert look(item, now=began + 10_000).state == "starting"
    seen = look(item, now=began + 130_000)
    assert (seen.state, seen.exit_code, seen.error) == ("exited", 127, "its image cannot be had: no such image")
    assert look(pod({"phase": "Pending", **main(waiting={"reason": "InvalidImageName"})}), now=began).final
    answer = "rpc error: code = NotFound desc = failed to pull and unpack image: docker.io/x/y:1: not found"
    waiting = {"reason": "ErrImagePull", "message": answer}
    assert look(pod({"phase": "Pending", **main(waiting=waiting)}), now=began).final, "the registry has answered"


def test_a_running_pod_says_where_and_since_when() -> None:
    seen = look(pod({"phase": "Running", **main(running={"startedAt": START})}))
    assert (seen.state, seen.host, seen.node) == ("running", "10.0.0.7", "n1")
    assert seen.started == objects.milliseconds(START)


def test_it_runs_until_its_whole_pod_has_ended() -> None:
    assert look(pod({"phase": "Running", **main(terminated={**RAN, "exitCode": 0})})).state == "running"


@pytest.mark.parametrize(
    ("terminated", "code", "number", "oom"),
    [
        ({"exitCode": 0, "reason": "Completed"}, 0, None, False),
        ({"exitCode": 3, "reason": "Error"}, 3, None, False),
        ({"exitCode": 137, "reason": "Error"}, 137, 9, False),
        ({"exitCode": 137, "reason": "OOMKilled"}, 137, 9, True),
        ({"exitCode": 143, "reason": "Error"}, 143, 15, False),
        ({"exitCode": 255, "reason": "Error"}, 255, None, False),
    ],
)
def test_an_end_is_told_exactly(terminated: dict[str, Any], code: int, number: int | None, oom: bool) -> None:
    phase = "Failed" if code else "Succeeded"
    seen = look(pod({"phase": phase, **main(terminated={**RAN, **terminated})}))
    assert (seen.state, seen.exit_code, seen.signal, seen.oom) == ("exited", code, number, oom)
    assert (seen.started, seen.ended) == (objects.milliseconds(START), objects.milliseconds(END))
    assert (seen.cause, seen.error) == ("", "")


def test_a_command_that_cannot_be_started_ends_as_127_and_says_why() -> None:
    message = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        'unable to start container process: exec: "nope": executable file not found in $PATH: unknown'
    )
    terminated = {"exitCode": 128, "reason": "StartError", "message": message, "startedAt": "1970-01-01T00:00:00Z"}
    seen = look(pod({"phase": "Failed", **main(terminated=terminated)}))
    assert (seen.state, seen.exit_code, seen.signal) == ("exited", 127, None)
    assert seen.error == 'exec: "nope": executable file not found in $PATH'
    assert seen.started is None


@pytest.mark.parametrize("end", ["context canceled", "context canceled: unknown", "context deadline exceeded"])
def test_a_start_that_its_node_broke_off_is_no_fault_of_the_command(end: str) -> None:
    message = f"failed to create containerd task: failed to create shim task: {end}"
    terminated = {"exitCode": 128, "reason": "StartError", "message": message, "startedAt": "1970-01-01T00:00:00Z"}
    seen = look(pod({"phase": "Failed", **main(terminated=terminated)}))
    assert (seen.state, seen.started, seen.error) == ("lost", None, "")
    assert "broke off" in seen.cause


def test_inputs_that_cannot_be_had_keep_it_from_starting() -> None:
    terminated = {**RAN, "exitCode": 1, "reason": "Error", "message": "The input x cannot be had: it is gone.\n"}
    status = {**helper("inputs", terminated=terminated), **main(waiting={"reason": "PodInitializing"})}
    seen = look(pod({"phase": "Failed", **status}))
    assert (seen.state, seen.exit_code) == ("exited", 127)
    assert seen.error == "its inputs could not be fetched: The input x cannot be had: it is gone"


def test_an_output_that_did_not_come_home_is_a_loss() -> None:
    status = {
        **main(terminated={**RAN, "exitCode": 0}),
        **helper("agent", terminated={**RAN, "exitCode": 1, "message": "The platform refuses the output: too large."}),
    }
    seen = look(pod({"phase": "Succeeded", **status}))
    assert (seen.state, seen.cause) == (
        "lost", "its output could not be sent home: The platform refuses the output: too large",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ({"reason": "Evicted", "message": "low on memory"}, "it was evicted, its node n1 was short of resources"),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]},
            "it was preempted by other workloads",
        ),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}]},
            "its node n1 was lost or closed",
        ),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]},
            "it was evicted from its node n1, which is being emptied",
        ),
    ],
)
def test_what_was_ended_from_outside_is_lost_and_says_why(status: dict[str, Any], cause: str) -> None:
    ended = pod({"phase": "Failed", **main(terminated={**RAN, "exitCode": 0}), **status})
    assert (look(ended).state, look(ended).cause) == ("lost", cause), "even if it says that all went well"
    gone = pod({"phase": "Running", **main(running={"startedAt": START}), **status})
    seen = vanished(gone, now=NOW, stopped=False)
    assert seen is not None
    assert (seen.state, seen.cause) == ("lost", cause)


def test_who_deletes_a_jobs_pod_loses_it_but_a_notebooks_pod_is_the_hubs_to_delete() -> None:
    deleted = {"deletionTimestamp": END, "deletionGracePeriodSeconds": 1}
    state = {"phase": "Failed", **main(terminated={**RAN, "exitCode": 143})}
    assert look(pod(state, **deleted)).cause == "somebody deleted its pod"
    notebook = {"phase": "Failed", **main("notebook", terminated={**RAN, "exitCode": 0})}
    assert look(pod(notebook, kind="notebook", **deleted)).state == "exited"


def test_what_we_stop_ends_as_it_ends() -> None:
    state = {"phase": "Failed", **main(terminated={**RAN, "exitCode": 143})}
    seen = look(pod(state, deletionTimestamp=END), stopped=True)
    assert (seen.state, seen.exit_code, seen.signal, seen.cause) == ("exited", 143, 15, "")


def test_a_pod_that_vanishes_before_it_started_leaves_nothing() -> None:
    assert vanished(pod({"phase": "Pending"}), now=NOW, stopped=False) is None
    conditions = [{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}]
    lost = pod({"phase": "Pending", "conditions": conditions})
    seen = vanished(lost, now=NOW, stopped=False)
    assert seen is not None
    assert (seen.state, seen.started, seen.cause) == ("lost", None, "its node n1 was lost")


def test_a_pod_that_vanishes_while_we_stop_it_has_ended() -> None:
    seen = vanished(pod({"phase": "Running", **main(running={"startedAt": START})}), now=NOW, stopped=True)
    assert seen is not None
    assert (seen.state, seen.exit_code, seen.signal) == ("exited", 143, 15)


def test_a_node_that_does_not_answer_is_lost_a_while_after_its_pod_should_have_ended() -> None:
    item = pod({"phase": "Running", **main(running={"startedAt": START})}, deletionTimestamp=END)
    by = objects.milliseconds(END) or 0
    assert look(item, now=by + 59_000).state == "running"
    assert (look(item, now=by + 61_000).state, look(item, now=by + 61_000).cause) == (
        "lost", "its node n1 does not answer",
    )  # fmt: skip


def test_pods_that_are_not_ours_are_not_kept() -> None:
    assert objects.pod({"metadata": {"namespace": "x", "name": "y", "uid": "z", "labels": {"app": "web"}}}) is None
