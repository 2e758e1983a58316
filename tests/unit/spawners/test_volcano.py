"""Needs nothing outside Python. The same on a real cluster is in tests/cluster/test_spawner.py."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from kubernetes_asyncio.client import ApiClient
from kubernetes_asyncio.client.rest import ApiException
from kubespawner import KubeSpawner
from traitlets import TraitError
from traitlets.config import Config

import pumpkin_spawners.volcano as module
from pumpkin_spawners.base import NoStart, PumpkinSpawner
from pumpkin_spawners.options import parse
from pumpkin_spawners.platform import Grant
from pumpkin_spawners.volcano import VolcanoSpawner
from tests.unit.spawners.cluster_stand_ins import INPUTS, WORKLOAD, Platform, Pods, gpu_pod, pod

NAME = f"pumpkin-lab/n-{WORKLOAD.lower()}-1"
Make = Callable[..., Any]


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def pods() -> Pods:
    return Pods()


@pytest.fixture
async def server() -> AsyncIterator[asyncio.Server]:
    """What listens where pods say that they are."""

    async def served(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    made = await asyncio.start_server(served, "127.0.0.1", 0)
    yield made
    made.close()


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, platform: Platform, pods: Pods, server: asyncio.Server) -> Make:
    monkeypatch.setattr("kubespawner.spawner.load_config", lambda **_: None)
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(module, "AGREE_SECONDS", 0.3)
    monkeypatch.setattr(PumpkinSpawner, "platform", property(lambda _: platform))

    async def watched(*_: Any, **__: Any) -> None: ...

    monkeypatch.setattr(KubeSpawner, "_start_watching_pods", watched)
    monkeypatch.setattr(KubeSpawner, "_start_watching_events", watched)
    monkeypatch.setattr(KubeSpawner, "reflectors", {("pods", None): pods, ("events", None): pods})

    def spawner(**options: Any) -> Any:
        made: Any = VolcanoSpawner(_mock=True, config=Config(KubeSpawner=Config(options)))
        made.api, made.options = pods, {"spec": "small"}
        made.port = server.sockets[0].getsockname()[1]
        return made

    return spawner


async def dressed(spawner: Any, description: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest of a pod as it is sent."""
    spawner._dress(description)
    return ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest())


def notebook(manifest: dict[str, Any]) -> dict[str, Any]:
    return next(item for item in manifest["spec"]["containers"] if item["name"] == "notebook")


async def test_the_pod_is_what_the_grant_demands(make: Make) -> None:
    manifest = await dressed(make(), pod())
    spec, container = manifest["spec"], notebook(manifest)
    assert manifest["metadata"]["labels"] | pod()["labels"] == manifest["metadata"]["labels"]
    assert manifest["metadata"]["annotations"]["scheduling.k8s.io/group-name"] == f"n-{WORKLOAD.lower()}-1"
    assert spec["schedulerName"] == "volcano"
    assert spec["restartPolicy"] == "Never"
    assert spec["enableServiceLinks"] is False
    assert spec["automountServiceAccountToken"] is False
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert container["resources"] == {
        "requests": {"cpu": 0.5, "memory": 1 << 30},
        "limits": {"cpu": 0.5, "memory": 1 << 30},
    }
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["args"][-1] == "jupyterhub-singleuser"


async def test_text_with_braces_arrives_as_it_was(make: Make) -> None:
    inputs, agent = (await dressed(make(), pod()))["spec"]["initContainers"]
    assert inputs["env"][0]["value"] == INPUTS
    assert agent["restartPolicy"] == "Always"


async def test_pods_reach_hub_and_platform_by_the_platforms_address(make: Make) -> None:
    env = {item["name"]: item.get("value") for item in notebook(await dressed(make(), pod()))["env"]}
    assert env["PUMPKIN_URL"] == "http://pumpkin.hub:8000/ai"
    assert env["JUPYTERHUB_API_URL"].startswith("http://pumpkin.hub:8000/")
    assert env["HOME"] == "/userhome"


async def test_a_switch_from_gpu_to_cpu_leaves_nothing_behind(make: Make) -> None:
    spawner, fresh = make(), make()
    gpu = await dressed(spawner, gpu_pod())
    assert notebook(gpu)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    again, first = await dressed(spawner, pod()), await dressed(fresh, pod())
    for manifest in (again, first):
        del manifest["metadata"]["annotations"]["pumpkin.io/start"]
    assert again == first


async def test_what_was_configured_is_back_when_the_server_is_gone(make: Make) -> None:
    spawner = make(extra_labels={"team": "vision"}, node_affinity_required=[{"matchExpressions": []}])
    names = set(KubeSpawner.class_trait_names()) - {"config"}
    before = {name: getattr(spawner, name) for name in names}
    spawner._dress(gpu_pod())
    spawner.clear_state()
    assert {name: getattr(spawner, name) for name in names} == before


async def test_kubespawners_own_options_keep_working(make: Make) -> None:
    spawner = make(
        extra_labels={"team": "vision", "pumpkin.io/workload": "forged", "who": "{username}"},
        extra_annotations={"note": "x"},
        environment={"HF_HOME": "/userhome/hf", "PUMPKIN_HOME": "/elsewhere"},
        extra_containers=[{"name": "cron", "image": "cron:1"}],
        extra_pod_config={"dnsPolicy": "None", "enableServiceLinks": True},
        extra_container_config={"envFrom": [{"configMapRef": {"name": "shared"}}]},
        lifecycle_hooks={"postStart": {"exec": {"command": ["true"]}}},
        volumes={"b": {"name": "scratch", "emptyDir": {}}, "a": {"name": "home", "emptyDir": {}}},
        volume_mounts=[{"name": "scratch", "mountPath": "/scratch"}, {"name": "scratch", "mountPath": "/userhome"}],
        init_containers=[{"name": "greet", "image": "busybox:1"}],
        tolerations=[{"key": "spot", "operator": "Exists"}],
        node_selector={"disk": "ssd"},
        image_pull_secrets=["mine"],
        cmd=["start-notebook.sh"],
        service_account="reader",
    )
    manifest = await dressed(spawner, pod())
    labels, spec, container = manifest["metadata"]["labels"], manifest["spec"], notebook(manifest)
    assert (labels["team"], labels["pumpkin.io/workload"]) == ("vision", WORKLOAD.lower())
    assert labels["who"].startswith("mock")
    assert manifest["metadata"]["annotations"]["note"] == "x"
    env = {item["name"]: item.get("value") for item in container["env"]}
    assert (env["HF_HOME"], env["PUMPKIN_HOME"]) == ("/userhome/hf", "/userhome")
    assert [item["name"] for item in spec["containers"]] == ["notebook", "cron"]
    assert (spec["dnsPolicy"], spec["enableServiceLinks"]) == ("None", True)
    assert container["envFrom"] == [{"configMapRef": {"name": "shared"}}]
    assert container["lifecycle"]["postStart"]
    volumes = {item["name"]: item for item in spec["volumes"]}
    assert volumes["home"]["persistentVolumeClaim"]
    assert "emptyDir" in volumes["scratch"]
    assert sorted((item["mountPath"], item["name"]) for item in container["volumeMounts"]) == [
        ("/scratch", "scratch"),
        ("/userhome", "home"),
    ]
    assert [item["name"] for item in spec["initContainers"]] == ["inputs", "agent", "greet"]
    assert spec["tolerations"] == [{"key": "spot", "operator": "Exists"}]
    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert spec["imagePullSecrets"] == [{"name": "mine"}, {"name": "registry"}]
    assert container["args"][-1] == "start-notebook.sh"
    assert spec["serviceAccountName"] == "reader"


async def test_configured_nodes_narrow_the_pool_and_never_widen_it(make: Make) -> None:
    theirs = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    spec = (await dressed(make(node_affinity_required=[theirs]), pod()))["spec"]
    required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = required["nodeSelectorTerms"]
    assert [rule["key"] for rule in term["matchExpressions"]] == ["disk", "pool"]


async def test_a_configured_accelerator_does_not_slip_past_the_queue(make: Make) -> None:
    spawner = make(extra_resource_limits={"nvidia.com/gpu": "8"}, extra_resource_guarantees={"nvidia.com/gpu": "8"})
    assert "nvidia.com/gpu" not in notebook(await dressed(spawner, pod()))["resources"]["limits"]


async def test_asynchronous_options_are_awaited_and_ours_still_win(make: Make) -> None:
    async def theirs(_spawner: Any) -> dict[str, Any]:
        return {"runAsUser": 0, "sysctls": []}

    spawner = make(pod_security_context=theirs)
    context = (await dressed(spawner, pod()))["spec"]["securityContext"]
    assert (context["runAsUser"], context["sysctls"]) == (1000, [])
    with pytest.raises(TraitError):  # why ours are plain values
        spawner.image = theirs


async def test_specs_take_the_place_of_profiles(make: Make) -> None:
    spawner = make(profile_list=[{"display_name": "huge", "kubespawner_override": {"cpu_limit": 99}}])
    assert spawner.profile_list == []
    assert spawner.enable_user_namespaces is True
    assert callable(spawner.options_form)
    form = {"spec": ["small"], "profile": ["huge"]}
    with pytest.raises(Exception, match="no option 'profile'"):
        parse(spawner.options_from_form(form))


async def test_a_start_claims_without_waiting_and_tells_where_the_server_is(
    make: Make, platform: Platform, pods: Pods
) -> None:
    spawner = make()
    assert await spawner.start() == f"http://127.0.0.1:{spawner.port}"
    assert platform.calls[:3] == ["ask", "pod", f"claim port={spawner.port} wait=False"]
    assert list(pods.pods) == [NAME]
    assert await spawner.poll() is None


async def test_a_start_is_over_as_soon_as_the_server_listens(make: Make) -> None:
    spawner = make()
    with socket.socket() as reserved:  # bound, but nobody listens
        reserved.bind(("127.0.0.1", 0))
        spawner.port = reserved.getsockname()[1]
        starting = asyncio.create_task(spawner.start())
        done, _ = await asyncio.wait({starting}, timeout=0.5)
        assert not done
        reserved.listen()
        assert await asyncio.wait_for(starting, 5) == f"http://127.0.0.1:{spawner.port}"


async def test_a_request_that_timed_out_but_made_the_pod_is_no_second_pod(make: Make, pods: Pods) -> None:
    pods.answered_late = True
    await make().start()
    assert len(pods.made) == 1


async def test_a_pod_of_a_start_that_was_cut_off_is_ended(make: Make, platform: Platform, pods: Pods) -> None:
    await make().start()
    with pytest.raises(NoStart, match="start it again"):
        await make().start()
    assert pods.pods == {}
    assert "release" in platform.calls


async def test_a_pod_the_cluster_refuses_gives_the_grant_back(make: Make, platform: Platform, pods: Pods) -> None:
    pods.refusal = ApiException(status=403, reason="Forbidden")
    pods.refusal.body = '{"message": "pods \\"n-1\\" is forbidden: exceeded quota"}'
    spawner = make()
    with pytest.raises(NoStart, match=r"refused the notebook's pod: .*exceeded quota"):
        await spawner.start()
    assert platform.calls[-1] == "release"
    assert spawner.workload == ""


async def test_a_start_the_platform_ends_says_why(make: Make, platform: Platform, pods: Pods) -> None:
    pods.runs = False
    spawner = make()
    starting = asyncio.ensure_future(spawner.start())
    await pods.created.wait()
    platform.grant = Grant(workload=WORKLOAD, state="ended", message="The image pumpkin/none:1 is not to be had.")
    with pytest.raises(NoStart, match="is not to be had"):
        await starting
    assert pods.pods == {}
    assert await spawner.poll() == 0


async def test_a_pod_that_somebody_removed_ends_the_start(make: Make, platform: Platform, pods: Pods) -> None:
    pods.runs = False
    spawner = make()
    starting = asyncio.ensure_future(spawner.start())
    await pods.created.wait()
    await asyncio.sleep(0.05)  # it is seen
    pods.pods.clear()
    with pytest.raises(NoStart, match="removed from the cluster"):
        await starting
    assert platform.calls[-1] == "release"


async def test_one_whose_room_was_none_keeps_its_place_in_the_queue(
    make: Make, platform: Platform, pods: Pods, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VolcanoSpawner, "public_platform", "/services/pumpkin/")
    pods.runs = False
    starting = asyncio.ensure_future(make().start())
    await pods.created.wait()
    platform.grant = Grant(workload=WORKLOAD, state="queued", position=1)
    with pytest.raises(NoStart, match="number 1 in the queue"):
        await starting
    assert pods.pods == {}
    assert "release" not in platform.calls


async def test_a_stop_tells_the_platform_first_and_may_be_repeated(make: Make, platform: Platform, pods: Pods) -> None:
    spawner = make()
    await spawner.start()
    await spawner.stop()
    await spawner.stop()
    assert platform.calls.count("release") == 2
    assert pods.pods == {}
    assert await spawner.poll() == 0


async def test_a_restarted_hub_finds_the_server_again(make: Make, platform: Platform, pods: Pods) -> None:
    before, after = make(), make()
    await before.start()
    state = before.get_state()
    after.load_state(state)
    assert after.get_state() == state
    assert await after.poll() is None
    await after.stop()
    assert pods.pods == {}
    after.clear_state()
    assert "workload" not in after.get_state()


async def test_platform_and_pod_agree_on_the_exit_status(make: Make, platform: Platform, pods: Pods) -> None:
    spawner = make()
    await spawner.start()
    pods.state(NAME, "cron", {"terminated": {"exitCode": 9}})
    assert await spawner.poll() is None  # somebody else's container

    pods.state(NAME, "notebook", {"terminated": {"exitCode": 3}})
    platform.grant = Grant(workload=WORKLOAD, state="running")
    polling = asyncio.ensure_future(spawner.poll())
    await asyncio.sleep(0.01)
    platform.grant = Grant(workload=WORKLOAD, state="ended", exit_code=3)
    assert await polling == 3
    assert NAME in pods.pods  # what it left may still be on its way home
    assert "release" not in platform.calls


async def test_an_ended_pod_counts_when_the_platform_is_away(make: Make, platform: Platform, pods: Pods) -> None:
    spawner = make()
    await spawner.start()
    platform.away = True
    assert await spawner.poll() is None
    pods.state(NAME, "notebook", {"terminated": {"exitCode": 7}})
    assert await spawner.poll() == 7


async def test_progress_is_told_in_words_the_platforms_first(make: Make, platform: Platform, pods: Pods) -> None:
    platform.told = [{"id": "0", "type": "placed", "message": "There is room."}]
    pods.events = [
        event("1", "Scheduled", "Successfully assigned pumpkin-lab/n to node-7"),
        event("2", "Pulling", 'Pulling image "pumpkin/notebook:1"', field="spec.containers{notebook}"),
        event("3", "Created", "Created container notebook", field="spec.containers{notebook}"),
        event("4", "Odd", "something is wrong", kind="Warning"),
        event("5", "Started", "Started container notebook", field="spec.containers{notebook}"),
    ]
    spawner = make()
    spawner._dress(pod())
    spawner.workload = spawner._pod_of = WORKLOAD
    spawner._spawn_pending = True
    told: list[dict[str, Any]] = []
    async for item in spawner.progress():
        told.append(item)
        spawner._spawn_pending = len(told) < 5
    assert [item["message"] for item in told] == [
        "There is room.",
        "It has a place on node-7.",
        "Fetching the image pumpkin/notebook:1.",
        "Odd: something is wrong",
        "The server is starting.",
    ]
    assert [item["progress"] for item in told] == sorted(item["progress"] for item in told)


def event(uid: str, reason: str, message: str, *, kind: str = "Normal", field: str = "") -> dict[str, Any]:
    involved = {"kind": "Pod", "name": f"n-{WORKLOAD.lower()}-1", "namespace": "pumpkin-lab", "fieldPath": field}
    return {
        "metadata": {"uid": uid}, "reason": reason, "message": message, "type": kind, "involvedObject": involved,
        "lastTimestamp": "2026-11-24T17:00:00Z", "eventTime": None,
    }  # fmt: skip
