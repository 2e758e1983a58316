"""The rig is a cluster: its pods, names, gangs, volumes and pretended nodes are as anywhere, and it heals."""

from __future__ import annotations

import os
import signal
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import EXISTING, Cluster
from tests.cluster.rig import life, webhooks
from tests.cluster.rig.api import call
from tests.cluster.rig.place import RUN
from tests.cluster.rig.processes import alive, wait

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.skipif(bool(EXISTING), reason="PUMPKIN_TEST_KUBECONFIG names a cluster that is not the rig."),
]
JOBS = "/apis/batch.volcano.sh/v1alpha1/namespaces/{}/jobs"


def container(image: str, script: str, **more: Any) -> dict[str, Any]:
    return {"name": "main", "image": image, "command": ["sh", "-ec", script], **more}


def spec(image: str, script: str, **more: Any) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "schedulerName": "volcano",
        "terminationGracePeriodSeconds": 0,
        "containers": [container(image, script)],
        **more,
    }


def make_pod(namespace: str, name: str, spec: dict[str, Any]) -> str:
    path = f"/api/v1/namespaces/{namespace}/pods"
    call("POST", path, {"metadata": {"name": name}, "spec": spec})
    return f"{path}/{name}"


def phase(path: str) -> str:
    return str(call("GET", path)["status"].get("phase"))


def ended(path: str) -> bool:
    return phase(path) in ("Succeeded", "Failed")


def test_a_pod_runs_and_its_log_is_read(cluster: Cluster, namespace: str) -> None:
    path = make_pod(namespace, "one", spec(cluster.notebook_image, "id -u; python -c 'import pumpkin, numpy'"))
    wait("the pod", lambda: ended(path))
    assert (phase(path), call("GET", f"{path}/log")) == ("Succeeded", "1000\n")


def test_services_have_names_and_addresses(cluster: Cluster, namespace: str) -> None:
    services = f"/api/v1/namespaces/{namespace}/services"
    serving = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]}
    call("POST", services, {"metadata": {"name": "web"}, "spec": serving})
    pods = f"/api/v1/namespaces/{namespace}/pods"
    server = spec(cluster.notebook_image, "cd /etc && exec python -m http.server 8000")
    call("POST", pods, {"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": server})
    asking = "import time, urllib.request\nfor _ in range(100):\n"
    asking += " try: print(urllib.request.urlopen('http://web/hostname').read().decode().strip()); break\n"
    asking += " except OSError: time.sleep(.2)"
    path = make_pod(namespace, "asks", spec(cluster.notebook_image, f'python -c "{asking}"'))
    wait("the answer", lambda: ended(path))
    assert call("GET", f"{path}/log") == "web\n"


def test_a_gang_of_two_completes_and_finds_each_other(cluster: Cluster, namespace: str) -> None:
    script = """
        cat /etc/volcano/worker.host; echo
        until getent hosts gang-worker-0.gang && getent hosts gang-worker-1.gang; do sleep 0.2; done
    """
    template = {"spec": spec(cluster.notebook_image, script)}
    job = {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "metadata": {"name": "gang"},
        "spec": {
            "schedulerName": "volcano",
            "queue": "default",
            "minAvailable": 2,
            "plugins": {"svc": [], "env": []},
            "policies": [{"event": "TaskCompleted", "action": "CompleteJob"}],
            "tasks": [{"name": "worker", "replicas": 2, "template": template}],
        },
    }
    call("POST", JOBS.format(namespace), job)
    path = f"{JOBS.format(namespace)}/gang"
    wait("the gang", lambda: call("GET", path)["status"]["state"]["phase"] == "Completed")
    log = call("GET", f"/api/v1/namespaces/{namespace}/pods/gang-worker-0/log")
    assert log.splitlines()[:2] == ["gang-worker-0.gang", "gang-worker-1.gang"]


def test_a_claim_gets_a_volume_that_anybody_writes_to_and_that_goes_with_it(cluster: Cluster, namespace: str) -> None:
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    home = {"metadata": {"name": "home"}, "spec": {"storageClassName": cluster.storage_class, **wanted}}
    call("POST", claims, home)
    mounted: dict[str, Any] = {"volumeMounts": [{"name": "home", "mountPath": "/userhome"}]}
    volumes = [{"name": "home", "persistentVolumeClaim": {"claimName": "home"}}]
    for name, script in (("writes", "echo kept > /userhome/note"), ("reads", "cat /userhome/note")):
        one = spec(cluster.notebook_image, "", volumes=volumes)
        one["containers"] = [container(cluster.notebook_image, script, **mounted)]
        path = make_pod(namespace, name, one)
        wait("the pod", lambda path=path: ended(path))
    assert call("GET", f"{path}/log") == "kept\n"
    volume = call("GET", f"{claims}/home")["spec"]["volumeName"]
    folder = Path(call("GET", f"/api/v1/persistentvolumes/{volume}")["spec"]["hostPath"]["path"])
    for name in ("writes", "reads"):
        call("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}")
    call("DELETE", f"{claims}/home")
    wait("the volume's end", lambda: not folder.exists())


def test_an_accelerator_is_given_to_one_pod_at_a_time(cluster: Cluster, namespace: str, accelerators: int) -> None:
    gpus = {"limits": {"nvidia.com/gpu": str(accelerators)}}
    script = "echo $NVIDIA_VISIBLE_DEVICES | tr , '\\n' | wc -l"
    one = spec(cluster.notebook_image, "")
    one["containers"] = [container(cluster.notebook_image, script, resources=gpus)]
    path = make_pod(namespace, "gpus", one)
    wait("the pod", lambda: ended(path))
    assert call("GET", f"{path}/log") == f"{accelerators}\n"


def test_pretended_nodes_take_pods_that_tolerate_them(namespace: str, fake_nodes: int) -> None:
    nodes = call("GET", "/api/v1/nodes?labelSelector=rig%2Ffake")["items"]
    assert len(nodes) >= fake_nodes
    fake = {
        "nodeSelector": {"rig/fake": "true"},
        "tolerations": [{"key": "rig/fake", "operator": "Exists"}],
    }
    path = make_pod(namespace, "played", spec("none", "", **fake))
    wait("the pod", lambda: phase(path) == "Succeeded")


def test_volcanos_webhooks_can_be_put_on_and_off(namespace: str) -> None:
    task = {"name": "main", "replicas": 1, "template": {"spec": spec("none", "")}}
    job = {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "metadata": {"name": "much"},
        "spec": {"minAvailable": 2, "schedulerName": "volcano", "queue": "default", "tasks": [task]},
    }
    path = f"{JOBS.format(namespace)}?dryRun=All"

    def refused() -> bool:
        try:
            call("POST", path, job)
        except urllib.error.HTTPError as error:
            return error.code == 400
        return False

    assert not refused()
    webhooks.start_webhooks()
    try:
        assert refused()
    finally:
        webhooks.stop_webhooks()
    wait("nobody asks them", lambda: not refused())


def running() -> dict[str, int | None]:
    return {file.stem: alive(file.stem) for file in RUN.glob("*.pid")}


def test_starting_again_starts_nothing() -> None:
    before = running()
    life.up()
    assert running() == before


def test_after_every_process_was_killed_it_heals_and_pods_live_on(cluster: Cluster, namespace: str) -> None:
    path = make_pod(namespace, "lives", spec(cluster.notebook_image, "sleep 600"))
    wait("the pod", lambda: phase(path) == "Running")
    for pid in running().values():
        if pid:
            os.kill(pid, signal.SIGKILL)
    wait("their end", lambda: not any(running().values()))
    life.up()
    assert phase(path) == "Running"
    after = make_pod(namespace, "after", spec(cluster.notebook_image, "true"))
    wait("a new pod", lambda: phase(after) == "Succeeded")


def test_who_is_not_root_is_told_what_else_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="PUMPKIN_TEST_KUBECONFIG"):
        life.check()


def test_who_lacks_packages_is_told_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemExit, match=r"apt-get install .*containerd"):
        life.check()
