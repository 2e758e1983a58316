"""The chart, running: with the rights it gives itself and no others, its pods take a user's journeys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pumpkin import Client
from pumpkin.login import request_token
from tests.cluster.asking import Asking, clear, until
from tests.cluster.conftest import EXISTING, Cluster
from tests.cluster.rig.place import FOLDER
from tests.cluster.test_chart import CHART, helm
from tests.integration.journeys.files import code_folder, data_folder

SPACE, PREFIX = "pumpkin-t-installed", "pumpkin-t-installed-"
PASSWORD = "fresh-winter-turnip-9"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def admin(kubeconfig: Path) -> Asking:
    return Asking(kubeconfig=kubeconfig)


@pytest.fixture(scope="module")
def address(admin: Asking, cluster: Cluster) -> Iterator[str]:
    """The platform's address, once its pods are ready."""
    if EXISTING:
        pytest.skip("The address of a Service is reached from the nodes alone; our own cluster's node is this machine.")
    where = ("--namespace", SPACE, "--kubeconfig", str(cluster.kubeconfig))
    repository, tag = cluster.platform_image.rsplit(":", 1)
    values = {
        "image.platform": repository,
        "image.notebook": cluster.notebook_image.rsplit(":", 1)[0],
        "image.tag": tag,
        "data.storageClass": cluster.storage_class,
        "data.size": "5Gi",
        "workloads.storageClass": cluster.storage_class,
        "workloads.namespacePrefix": PREFIX,
        "cache.path": f"{FOLDER}/installed/cache",
        "resources.requests.cpu": "100m",
    }
    clear(admin, SPACE)
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    admin.call("POST", "/api/v1/namespaces", {"metadata": {"name": SPACE, "labels": labels}})
    settings = [f"--set={name}={value}" for name, value in values.items()]
    helm("upgrade", "--install", "pumpkin", str(CHART), *where, *settings, "--wait", "--timeout=180s")
    service = admin.get(f"/api/v1/namespaces/{SPACE}/services/pumpkin")
    yield f"http://{service['spec']['clusterIP']}:8000"
    helm("uninstall", "pumpkin", *where, "--wait")
    clear(admin, SPACE)


def log(admin: Asking, container: str) -> str:
    [pod] = admin.get(f"/api/v1/namespaces/{SPACE}/pods?labelSelector=app.kubernetes.io%2Fcomponent%3Dhub")["items"]
    answer = admin.call("GET", f"/api/v1/namespaces/{SPACE}/pods/{pod['metadata']['name']}/log?container={container}")
    return str(answer.body)


@pytest.fixture(scope="module")
def token(admin: Asking, address: str) -> str:
    """The first admin's, whose one-time password is in the log as the chart's notes say."""
    found: Any = until(lambda: re.search(r"one-time password +(\S+)", log(admin, "hub")))
    return request_token(address, "admin", found[1], new_password=PASSWORD, note="tests")


def test_from_a_folder_of_data_to_a_model(address: str, token: str, tmp_path: Path):
    with Client(address, token) as client:
        client.datasets.push(data_folder(tmp_path, "line"), "line", type="table")
        client.algorithms.push(code_folder(tmp_path, "fit"), "fit", framework="none")
        train = client.jobs.submit(
            "train", "python $PUMPKIN_CODE/train.py", spec="cpu-small", datasets=["line"], algorithm="fit", output="fit"
        )
        ended = client.jobs.wait(train.id)
        assert (ended.phase, ended.output) == ("succeeded", "admin/fit@1"), ended
        assert client.jobs.log(train.id) == b"first epoch\nlast epoch\n"


def test_a_notebook_opens_behind_the_same_door(address: str, token: str):
    with Client(address, token) as client:
        asked = client.notebooks.start("try", spec="cpu-small")
        for event in client.notebooks.follow_events(asked.id):
            if event.type == "running":
                break
        now = client.notebooks.get(asked.id)
        assert now.phase == "running", now
        # Once it is the notebook that answers, it sends whoever has not logged in to ask the Hub for leave.
        until(lambda: "/hub/api/oauth2/authorize" in httpx.get(f"{address}/user/admin/try/lab").headers["location"])
        client.notebooks.stop(asked.id)
        assert client.notebooks.wait(asked.id).phase == "stopped"


def test_nothing_it_wanted_was_refused_by_the_cluster(admin: Asking, address: str, token: str):
    said = log(admin, "logs")
    refused = [line for line in said.splitlines() if "is forbidden" in line or "ValidatingAdmissionPolicy" in line]
    assert not refused


def test_its_nodes_have_the_cache_for_the_workloads_user(address: str):
    cache = FOLDER / "installed" / "cache"
    assert (cache.stat().st_uid, cache.stat().st_gid) == (1000, 1000)
    assert [tree.name for tree in (cache / "trees").iterdir()]
