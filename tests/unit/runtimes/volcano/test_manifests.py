"""A launch becomes objects of the cluster that say all of it and no more."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pumpkin_services.runtimes.base import Bind, Key, Launch, ReplicaSpec
from pumpkin_services.runtimes.volcano import ClusterSettings, manifests, names

SETTINGS = ClusterSettings(image="pumpkin/platform:1", platform_url="http://pumpkin.pumpkin:8000")
KEY = Key("01ky4j6q5n8x3tqz7v0r2s1p9d", 2)
DIGITS = Bind(source="datasets/lab/digits/versions/3", target="/dataset/digits")
CODE = Bind(source="algorithms/lab/train/versions/1", target="/code")


def replica(role: str = "main", index: int = 0, **more: Any) -> ReplicaSpec:
    values: dict[str, Any] = {"argv": ["python", "train.py"], "cpu_milli": 2000, "memory": 4 << 30, "pool": "lab"}
    env = {"PUMPKIN_TOKEN": "pumpkin-w.secret", "LR": "0.1"}
    return ReplicaSpec(role=role, index=index, **{**values, "env": env, **more})


def launch(*replicas: ReplicaSpec, **more: Any) -> Launch:
    return Launch(key=KEY, workspace="vision", user="ana", replicas=replicas or [replica()], **more)


def env(container: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item.get("value", "<secret>") for item in container["env"]}


def main(job: dict[str, Any], task: int = 0) -> dict[str, Any]:
    return job["spec"]["tasks"][task]["template"]["spec"]["containers"][0]


def test_a_job_is_one_vcjob_in_its_workspaces_namespace_and_its_pools_queue() -> None:
    job = manifests.job(SETTINGS, launch())
    assert job["metadata"]["namespace"] == "pumpkin-vision"
    assert job["metadata"]["name"] == f"w-{KEY.workload}-2"
    assert names.key_of(job["metadata"]["labels"]) == KEY
    spec = job["spec"]
    assert (spec["queue"], spec["schedulerName"], spec["minAvailable"]) == ("pumpkin-lab", "volcano", 1)
    assert spec["priorityClassName"] == "pumpkin-default"
    assert manifests.job(SETTINGS, launch(pinned=True))["spec"]["priorityClassName"] == "pumpkin-pinned"


def test_volcano_restarts_nothing() -> None:
    spec = manifests.job(SETTINGS, launch())["spec"]
    assert spec["maxRetry"] == 0
    assert spec["policies"] == [{"event": "PodEvicted", "action": "TerminateJob"}]
    assert spec["tasks"][0]["template"]["spec"]["restartPolicy"] == "Never"


def test_a_gang_starts_with_its_minimum_and_each_replica_knows_its_rank() -> None:
    job = manifests.job(
        SETTINGS,
        launch(replica("chief"), *(replica("worker", index) for index in range(3)), minimum={"chief": 1, "worker": 2}),
    )
    tasks = job["spec"]["tasks"]
    assert job["spec"]["minAvailable"] == 3
    assert [(task["name"], task["minAvailable"]) for task in tasks] == [
        ("chief-0", 1), ("worker-0", 1), ("worker-1", 1), ("worker-2", 0),
    ]  # fmt: skip
    last = env(main(job, 3))
    assert (last["RANK"], last["WORLD_SIZE"], last["PUMPKIN_REPLICA"]) == ("3", "4", "worker-2")
    name = names.job(KEY)
    assert last["MASTER_ADDR"] == f"{name}-chief-0-0.{name}"
    assert last["PUMPKIN_HOSTS_WORKER"].split(",")[1] == f"{name}-worker-1-0.{name}"
    assert job["spec"]["plugins"] == {"svc": ["--publish-not-ready-addresses=true"]}


def test_one_alone_needs_no_names() -> None:
    job = manifests.job(SETTINGS, launch())
    assert "plugins" not in job["spec"]
    assert env(main(job))["MASTER_ADDR"] == "127.0.0.1"


def test_its_words_and_variables_arrive_as_they_are() -> None:
    odd = replica(argv=["sh", "-c", "echo $(id) $$ $HOME"], env={"TEMPLATE": "$(date)"})
    container = main(manifests.job(SETTINGS, launch(odd)))
    assert container["command"][2] == "echo $$(id) $$$$ $$HOME"
    assert env(container)["TEMPLATE"] == "$$(date)"


def test_it_asks_for_what_its_spec_sells_and_its_helpers_for_nothing() -> None:
    job = manifests.job(SETTINGS, launch(replica(accelerators=range(2), accelerator_type="A100")))
    asked = {"cpu": "2000m", "memory": str(4 << 30), "nvidia.com/gpu": "2"}
    assert main(job)["resources"] == {"requests": asked, "limits": asked}
    spec = job["spec"]["tasks"][0]["template"]["spec"]
    for helper in spec["initContainers"]:
        assert helper["resources"]["requests"] == {"cpu": "0", "memory": "0"}
    assert spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] == {
        "nodeSelectorTerms": [
            {
                "matchExpressions": [
                    {"key": "pool.pumpkin.io/lab", "operator": "In", "values": ["true"]},
                    {"key": "nvidia.com/gpu.product", "operator": "In", "values": ["A100"]},
                ]
            }
        ]
    }
    assert "NVIDIA_VISIBLE_DEVICES" not in env(main(job))
    assert env(main(manifests.job(SETTINGS, launch())))["NVIDIA_VISIBLE_DEVICES"] == "void"


def test_the_token_is_in_the_secret_and_nowhere_else() -> None:
    secret = manifests.secret(SETTINGS, launch())
    assert secret is not None
    assert secret["stringData"] == {"PUMPKIN_TOKEN": "pumpkin-w.secret"}
    assert "pumpkin-w.secret" not in json.dumps(manifests.job(SETTINGS, launch()))
    assert "pumpkin-w.secret" not in json.dumps(manifests.notebook_pod(SETTINGS, launch(kind="notebook")))
    reference = {"secretKeyRef": {"name": secret["metadata"]["name"], "key": "PUMPKIN_TOKEN"}}
    assert {"name": "PUMPKIN_TOKEN", "valueFrom": reference} in main(manifests.job(SETTINGS, launch()))["env"]
    assert manifests.secret(SETTINGS, launch(replica(env={}))) is None


def test_inputs_are_fetched_first_and_mounted_read_only() -> None:
    spec = manifests.job(SETTINGS, launch(replica(binds=[DIGITS, CODE])))["spec"]["tasks"][0]["template"]["spec"]
    assert [(item["name"], item.get("restartPolicy")) for item in spec["initContainers"]] == [
        ("inputs", None), ("agent", "Always"),
    ]  # fmt: skip
    assert json.loads(env(spec["initContainers"][0])["PUMPKIN_POD_INPUTS"]) == [
        {"source": DIGITS.source, "target": DIGITS.target},
        {"source": CODE.source, "target": CODE.target},
    ]
    container = spec["containers"][0]
    assert container["workingDir"] == "/code"
    inputs = [mount for mount in container["volumeMounts"] if mount["name"] == "cache"]
    assert [(mount["mountPath"], mount["readOnly"]) for mount in inputs] == [("/dataset/digits", True), ("/code", True)]
    assert inputs[0]["subPath"] == f"trees/{names.tree(DIGITS.source)}"


def test_without_inputs_nothing_is_fetched() -> None:
    spec = manifests.job(SETTINGS, launch())["spec"]["tasks"][0]["template"]["spec"]
    assert [item["name"] for item in spec["initContainers"]] == ["agent"]
    assert "cache" not in [volume["name"] for volume in spec["volumes"]]
    assert manifests.notebook_pod(SETTINGS, launch(kind="notebook"))["init_containers"] == []


def test_every_container_is_restricted() -> None:
    spec = manifests.job(SETTINGS, launch(replica(binds=[CODE])))["spec"]["tasks"][0]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*spec["initContainers"], *spec["containers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]


def test_a_notebook_waits_by_a_podgroup_that_its_pod_names() -> None:
    wanted = launch(replica(accelerators=range(1)), kind="notebook")
    ticket, pod = manifests.ticket(SETTINGS, wanted), manifests.notebook_pod(SETTINGS, wanted)
    assert ticket["spec"]["minMember"] == 1
    assert ticket["spec"]["minResources"] == {
        "pods": "1", "cpu": "2000m", "memory": str(4 << 30), "nvidia.com/gpu": "1",
    }  # fmt: skip
    assert pod["annotations"]["scheduling.k8s.io/group-name"] == ticket["metadata"]["name"]
    assert pod["namespace"] == ticket["metadata"]["namespace"]
    assert (pod["cpu"], pod["memory"], pod["extra_resource_limits"]) == (2.0, 4 << 30, {"nvidia.com/gpu": "1"})
    assert names.key_of(pod["labels"]) == KEY


def test_a_ticket_that_asks_for_nothing_still_has_resources() -> None:
    assert manifests.ticket(SETTINGS, launch(replica(cpu_milli=0, memory=0)))["spec"]["minResources"] == {"pods": "1"}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (replica(accelerators=range(1), accelerator_type="A100"), "1 × A100 in pool lab"),
        (replica(accelerators=range(8)), "8 × accelerator in pool lab"),
        (replica(), "2 CPU and 4 GiB of memory in pool lab"),
        (replica(cpu_milli=500, memory=0, pool=""), "0.5 CPU"),
        (replica(cpu_milli=0, memory=0), "a place in pool lab"),
    ],
)
def test_what_is_asked_for_is_told_in_plain_words(spec: ReplicaSpec, words: str) -> None:
    assert manifests.asked([spec]) == {"main-0": words}


@pytest.mark.parametrize("workspace", ["ana@example.org", "Büro 7", "..x", "a" * 255, "-", "数据", "A", "a_b", "a.b"])
def test_any_workspace_has_a_namespace_of_its_own(workspace: str) -> None:
    found = names.namespace("pumpkin-", workspace)
    assert len(found) <= 63
    assert names.slug(found) == found, "a DNS label"
    assert found != names.namespace("pumpkin-", workspace + "x")
    assert found != names.namespace("pumpkin-", workspace.lower() + "x")


def test_names_that_differ_only_in_what_dns_cannot_say_stay_apart() -> None:
    assert len({names.namespace("p-", item) for item in ("a.b", "a_b", "A.b", "a-b")}) == 4
    assert names.namespace("p-", "vision") == "p-vision"


def test_a_pods_name_is_a_host_name_whatever_the_role_is_called() -> None:
    found = names.pod(replace(KEY, attempt=99999), "r" * 63, 9999)
    assert len(found) <= 63
    assert names.slug(found) == found
