"""Notebooks as pods: a platform on this machine, its Hub with VolcanoSpawner, and the pods of a real cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest

from tests.cluster.asking import Asking
from tests.cluster.conftest import Cluster
from tests.cluster.house import on_cluster
from tests.integration.house import House, User

START_SECONDS = 180
CONFIG = """
c.KubeSpawner.extra_labels = {"team": "vision"}


def other_image(spawner, pod):
    if spawner.user.name == "bea":
        pod.spec.containers[0].image = "pumpkin/none:1"
        pod.spec.containers[0].image_pull_policy = "Never"
    return pod


c.KubeSpawner.modify_pod_hook = other_image
"""


@pytest.fixture(scope="module")
def admin(cluster: Cluster) -> Asking:
    return Asking(kubeconfig=cluster.kubeconfig)


@pytest.fixture(scope="module")
def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from on_cluster(cluster, tmp_path_factory.mktemp("spawner") / "data", more=CONFIG)


class Server:
    """A user's default notebook server, asked for as any client of the Hub does."""

    def __init__(self, house: House, admin: Asking, name: str) -> None:
        self.house, self.admin, self.user = house, admin, house.user(name)
        self.hub = httpx.Client(base_url=f"{house.hub_url}/users/{name}", headers=self._headers, timeout=60)
        self.jupyter = httpx.Client(base_url=f"{house.url}user/{name}/", headers=self._headers, timeout=30)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.user.token}"}

    def start(self, **options: Any) -> httpx.Response:
        return self.hub.post("server", json=options or {"spec": spec(self.user)})

    def model(self) -> dict[str, Any]:
        return self.hub.get(f"{self.house.hub_url}/users/{self.user.name}").json()["servers"].get("", {})

    def ready(self) -> bool:
        return bool(self.model().get("ready"))

    def workload(self) -> dict[str, Any]:
        return self.user.api.get("/workloads", params={"kind": "notebook", "limit": 1}).json()["items"][0]

    def pods(self) -> list[Any]:
        selector = f"pumpkin.io%2Fworkload%3D{self.workload()['id']}"
        return cast("list[Any]", self.admin.get(f"/api/v1/pods?labelSelector={selector}")["items"])

    def tickets(self) -> list[Any]:
        where = "/apis/scheduling.volcano.sh/v1beta1/podgroups"
        return self.admin.get(f"{where}?labelSelector=pumpkin.io%2Fworkload%3D{self.workload()['id']}")["items"]

    def end(self) -> None:
        self.hub.delete("server")
        self.wait(lambda: not self.model() and not self.pods() and not self.tickets())

    def wait(self, condition: Any) -> None:
        try:
            self.house.wait(condition, START_SECONDS)
        except AssertionError as error:
            events = self.user.api.get(f"/workloads/{self.workload()['id']}/events").json()["items"]
            told = "\n".join(f"{item['type']}: {item['message']}" for item in reversed(events))
            raise AssertionError(f"{error}\n--- events\n{told}\n--- {self.workload()}") from error


def spec(user: User) -> str:
    specs = user.api.get("/resources/specs", params={"kind": "notebook"}).json()["items"]
    return min((item for item in specs if not item["accelerators"]), key=lambda item: item["cpu_milli"])["name"]


@pytest.fixture(scope="module")
def running(house: House, admin: Asking) -> Server:
    server = Server(house, admin, "ann")
    server.wait(lambda: server.user.api.get("/resources/specs", params={"kind": "notebook"}).json()["items"])
    assert server.start().status_code in (201, 202)
    server.wait(server.ready)
    return server


def test_a_notebook_is_a_pod_with_our_jupyter_in_its_home(running: Server) -> None:
    [pod] = running.pods()
    assert pod["metadata"]["labels"]["team"] == "vision"
    assert pod["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "pumpkin"
    assert pod["spec"]["schedulerName"] == "volcano"
    assert pod["spec"]["automountServiceAccountToken"] is False
    kernels = running.jupyter.get("api/kernelspecs").json()["kernelspecs"]
    assert kernels["python3"]["spec"]["display_name"] == "Python 3 (platform)"
    note = {"type": "file", "format": "text", "content": "kept"}
    assert running.jupyter.put("api/contents/note.txt", json=note).status_code == 201
    assert running.workload()["phase"] == "running"


def test_a_hub_that_was_killed_finds_the_server_again(running: Server) -> None:
    running.house.kill("hub")
    running.house.wait(lambda: not running.house.answers())
    running.house.wait(running.house.answers)
    running.wait(running.ready)
    assert running.jupyter.get("api/contents/note.txt").json()["content"] == "kept"


def test_stopping_releases_the_grant_and_removes_the_pod(running: Server) -> None:
    assert running.hub.delete("server").status_code in (202, 204)
    running.wait(lambda: not running.model())
    running.wait(lambda: running.workload()["phase"] == "stopped")
    running.wait(lambda: not running.pods() and not running.tickets())


def test_a_server_that_ends_by_itself_ends_alike_for_the_hub_and_the_platform(running: Server) -> None:
    assert running.start().status_code in (201, 202)
    running.wait(running.ready)
    assert running.jupyter.get("api/contents/note.txt").json()["content"] == "kept"  # the home outlives the pod
    assert running.jupyter.post("api/shutdown").status_code == 200
    running.wait(lambda: running.workload()["phase"] == "succeeded")
    running.wait(lambda: not running.model())


def test_an_image_that_is_not_to_be_had_ends_the_start_with_a_sentence(house: House, admin: Asking) -> None:
    server = Server(house, admin, "bea")
    server.start()
    server.wait(lambda: server.workload()["phase"] == "failed")
    assert "pumpkin/none:1" in server.workload()["message"]
    server.wait(lambda: not server.model() and not server.pods())


def test_options_are_matched_whole_over_rest_too(house: House, admin: Asking) -> None:
    server = Server(house, admin, "cleo")
    answer = server.start(spec="cpu-small\n")
    assert answer.status_code == 400
    assert "name of a spec" in answer.text


def shape(house: House, name: str, **values: int) -> str:
    """Have a spec of this shape; return its name."""
    made = house.admin.api.post("/resources/specs", json={"name": name, "memory": 1 << 30, **values})
    assert made.status_code in (201, 409), made.text
    return name


def test_a_change_from_accelerators_to_none_leaves_nothing_behind(house: House, admin: Asking, accelerators: int):
    server = Server(house, admin, "dora")
    gpu = shape(house, "gpu", cpu_milli=200, accelerators=accelerators)
    server.wait(lambda: gpu in {item["name"] for item in server.user.api.get("/workloads/queue").json()["free_specs"]})
    seen: list[dict[str, Any]] = []
    for chosen in (gpu, shape(house, "plain", cpu_milli=200)):
        assert server.start(spec=chosen).status_code in (201, 202)
        server.wait(server.ready)
        [pod] = server.pods()
        seen.append(pod["spec"])
        server.end()
    with_gpu, without = seen
    [one, other] = [spec["containers"][0]["resources"] for spec in seen]
    assert one["limits"]["nvidia.com/gpu"] == one["requests"]["nvidia.com/gpu"] == str(accelerators)
    assert other["limits"] == other["requests"] == {"cpu": "200m", "memory": str(1 << 30)}
    assert "nvidia.com/gpu" in {item.get("key") for item in with_gpu["tolerations"]}
    assert "nvidia.com/gpu" not in {item.get("key") for item in without["tolerations"]}
    env = {item["name"]: item.get("value") for item in without["containers"][0]["env"]}
    assert env["NVIDIA_VISIBLE_DEVICES"] == "void"


def test_a_killed_hub_knows_who_runs_and_who_waits_and_starts_nothing_twice(house: House, admin: Asking):
    [node] = house.admin.api.get("/resources/nodes").json()["items"]
    most = shape(house, "most", cpu_milli=node["usable_cpu_milli"] * 6 // 10)
    here, waiting = Server(house, admin, "finn"), Server(house, admin, "gus")
    here.start(spec=most)
    here.wait(here.ready)
    assert waiting.start(spec=most).status_code == 503
    before = here.pods()[0]["metadata"]["uid"], waiting.workload()["id"]
    house.kill("hub")
    house.wait(lambda: not house.answers())
    house.wait(house.answers)
    here.wait(here.ready)
    assert (here.pods()[0]["metadata"]["uid"], waiting.workload()["id"]) == before
    assert (waiting.workload()["phase"], waiting.model()) == ("queued", {})
    here.end()
    waiting.wait(waiting.ready)
    for server in (here, waiting):
        assert len(server.user.api.get("/workloads", params={"kind": "notebook"}).json()["items"]) == 1
    assert waiting.workload()["attempt"] == 1
    waiting.end()


def test_a_notebook_nobody_uses_is_stopped_and_gives_back_what_it_held(house: House, admin: Asking):
    server = Server(house, admin, "hal")
    server.start(spec=shape(house, "plain", cpu_milli=200), idle_seconds=60)
    server.wait(server.ready)
    server.wait(lambda: server.workload()["phase"] == "stopped")
    assert server.workload()["reason"] == "idle"
    server.wait(lambda: not server.model() and not server.pods() and not server.tickets())
