"""Journeys on the cluster, as on one machine: from data to a model in use, several nodes, a notebook and its job.

The objects are in an S3 server, as in an installation of several nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pumpkin import Client
from tests import s3
from tests.cluster.asking import Asking
from tests.cluster.conftest import Cluster
from tests.cluster.house import address, on_cluster
from tests.integration.house import House
from tests.integration.journeys.files import code_folder, data_folder
from tests.integration.notebooks.conftest import Person, until
from tests.integration.notebooks.test_environments import jupyter, run_cell

EXAMPLE = Path(__file__).parents[2] / "examples" / "allreduce"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def store(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Server]:
    folder = tmp_path_factory.mktemp("store")
    host = address(Asking(kubeconfig=cluster.kubeconfig))
    with s3.running(folder, host=host) as server:
        yield server


@pytest.fixture(scope="module")
def house(cluster: Cluster, store: s3.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from on_cluster(cluster, tmp_path_factory.mktemp("house") / "data", more=store.config("journeys"))


def test_from_a_folder_of_data_to_a_model_in_use(house: House, tmp_path: Path):
    with Client(house.url, house.user("ann").token) as client:
        client.datasets.push(data_folder(tmp_path, "line"), "line", type="table")
        client.algorithms.push(code_folder(tmp_path, "fit"), "fit", framework="none")
        train = client.jobs.submit(
            "train",
            "python $PUMPKIN_CODE/train.py",
            spec="cpu-small",
            datasets=["line"],
            algorithm="fit@1",
            output="line-model",
        )
        log = "".join(piece.json()["text"] for piece in client.jobs.follow_log(train.id))
        assert log == "first epoch\nlast epoch\n"
        ended = client.jobs.wait(train.id)
        assert (ended.phase, ended.output) == ("succeeded", "ann/line-model@1"), ended
        losses = [*client.jobs.follow_metrics(train.id)]
        assert [point.step for point in losses] == [*range(1, 201)]
        lineage = client.models.lineage("line-model@1")
        assert (lineage.job, lineage.code, lineage.datasets) == (train.id, "ann/fit@1", ["ann/line@1"])
        assert lineage.metrics == {"loss": losses[-1].value}
        score = client.jobs.submit(
            "score", "python $PUMPKIN_CODE/score.py", spec="cpu-small", algorithm="fit", models=["line-model"]
        )
        assert client.jobs.wait(score.id).phase == "succeeded"
        assert client.jobs.log(score.id) == b"y = 3.00 x + 1.00\n"


def test_replicas_on_several_pods_train_one_model_together(house: House):
    with Client(house.url, house.user("ann").token) as client:
        client.algorithms.push(EXAMPLE / "code", "allreduce")
        job = client.jobs.wait(client.jobs.submit_yaml((EXAMPLE / "job.yaml").read_text()).id)
        told = client.jobs.log(job.id, "main-0").decode()
        assert (job.phase, job.output) == ("succeeded", "ann/allreduce-line@1"), told


@pytest.fixture(scope="module")
def tools(house: House) -> str:
    """An environment of ann's that is being built; its id."""
    made = house.user("ann").api.post(
        "/images", json={"name": "tools", "requirements": ["ipykernel", "six"], "visibility": "everyone"}
    )
    assert made.status_code == 201, made.text
    return made.json()["id"]


def test_a_job_runs_in_the_environment_built_for_it(house: House, tools: str):
    code = "import six, sys, pumpkin; pumpkin.log_metrics(1, seen=1); print(sys.prefix)"
    with Client(house.url, house.user("ann").token) as client:
        job = client.jobs.submit("uses", f'python -c "{code}"', spec="cpu-small", environment="tools")
        ended = client.jobs.wait(job.id)
        assert (ended.phase, client.jobs.log(job.id)) == ("succeeded", b"/pumpkin/environment\n"), ended
        assert [(point.name, point.value) for point in client.jobs.follow_metrics(job.id)] == [("seen", 1)]
    events = house.user("ann").api.get(f"/workloads/{job.id}/events").json()["items"]
    assert "Its environment ann/tools@1 is being built." in [event["message"] for event in events]


@pytest.fixture
def ben(house: House) -> Iterator[Person]:
    user = house.user("ben")
    with httpx.Client(base_url=house.hub_url, headers={"Authorization": f"token {user.token}"}, timeout=60) as hub:
        person = Person(house=house, user=user, hub=hub)
        yield person
        person.stop_all()


async def test_a_cell_of_a_notebooks_pod_becomes_a_job(ben: Person):
    assert ben.spawn(spec="cpu-small").status_code in (201, 202)
    ben.ready()
    kernel = jupyter(ben, "kernels", name="python3")["id"]
    said = await run_cell(ben, kernel, "%%pumpkin job --spec cpu-small --name cell --wait\nprint(6 * 7)")
    [job] = ben.api.get("/workloads", params={"kind": "job"}).json()["items"]
    assert (job["phase"], job["name"]) == ("succeeded", "cell"), said
    assert ben.api.get(f"/workloads/{job['id']}/logs/main-0").text == "42\n"


async def test_an_environment_built_is_a_kernel_of_a_notebooks_pod(ben: Person, tools: str):
    assert ben.spawn(spec="cpu-small", environment="ann/tools").status_code in (201, 202)
    ben.ready()
    found = jupyter(ben, "kernelspecs")
    assert (found["default"], set(found["kernelspecs"])) == (f"pumpkin-{tools}", {f"pumpkin-{tools}", "python3"})
    kernel = jupyter(ben, "kernels", name=f"pumpkin-{tools}")["id"]
    said = await run_cell(
        ben, kernel, "import six, sys\nprint(sys.prefix, 'pumpkin' in get_ipython().magics_manager.magics['line'])"
    )
    assert said == "/pumpkin/environment True\n"


async def test_a_notebooks_server_runs_on_the_environment_chosen_for_it_when_that_has_one(ben: Person):
    made = ben.api.post("/images", json={"name": "whole", "requirements": ["jupyterhub", "jupyterlab"]})
    assert made.status_code == 201, made.text
    image = f"/images/{made.json()['id']}"
    until(lambda: ben.api.get(image).json()["latest"]["state"] in ("ready", "failed"), seconds=240)
    assert ben.spawn(spec="cpu-small", environment="whole").status_code in (201, 202)
    ben.ready()
    kernel = jupyter(ben, "kernels", name="python3")["id"]
    said = await run_cell(ben, kernel, "import os, sys; print(sys.prefix, os.environ['PUMPKIN_ENVIRONMENT'])")
    assert said.split() == ["/pumpkin/environment", "ben/whole@1"]
