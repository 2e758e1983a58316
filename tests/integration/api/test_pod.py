"""What runs in a pod beside a workload, tried without a cluster: real jobs run the commands themselves.

A job here plays a pod: it keeps metrics and output in folders of its own, which the platform cannot see, and runs
`python -m pumpkin.pod` with its own token, as the containers of a pod do.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pumpkin import Client
from tests.integration.house import House, User
from tests.integration.journeys.conftest import ended, in_phase, submit, until

EXAMPLE = Path(__file__).parents[3] / "examples" / "allreduce"
POD = """
import os, pathlib, signal, subprocess, sys, time

home = pathlib.Path(os.environ["PUMPKIN_HOME"])
here = home / f"{os.environ['PUMPKIN_WORKLOAD']}-{os.environ['PUMPKIN_REPLICA']}"
rank = os.environ["RANK"]
(here / "output").mkdir(parents=True)
lines = here / "metrics.jsonl"
env = {
    **os.environ,
    "PUMPKIN_METRICS": str(lines),
    "PUMPKIN_OUTPUT": str(here / "output"),
    "PUMPKIN_POD_CACHE": str(home / "cache"),
}

def agent():
    # As in a pod, where a SIGTERM is kept back until the agent can handle it.
    start = ["env", "--block-signal=TERM", sys.executable, "-m", "pumpkin.pod", "agent"]
    return subprocess.Popen(start, env=env)

def log(step):
    code = f"import pumpkin; pumpkin.log_metrics(step={step}, loss={step})"
    subprocess.run([sys.executable, "-c", code], env=env, check=True)

def wait_for(name):
    while not (home / name).exists():
        time.sleep(0.05)
"""
TELL = 'echo "token=$PUMPKIN_TOKEN"; exec sleep 600'


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(data=tmp_path_factory.mktemp("pods") / "data")
    made.configure("c.Platform.stop_grace = 2\n")
    try:
        yield made.up()
    finally:
        made.tear_down()


@pytest.fixture(scope="module")
def ann(house: House) -> User:
    return house.user("ann")


@pytest.fixture(scope="module")
def spec(house: House) -> str:
    """A spec of which several fit."""
    [node] = house.admin.api.get("/resources/nodes").json()["items"]
    made = {"name": "eighth", "cpu_milli": node["usable_cpu_milli"] // 8, "memory": 256 << 20}
    house.admin.api.post("/resources/specs", json=made).raise_for_status()
    return "eighth"


@pytest.fixture
def running(ann: User, spec: str) -> Iterator[tuple[str, httpx.Client]]:
    """A running job, and a client with its token."""
    job = submit(ann, "running", spec=spec, command=TELL, replicas=2)
    in_phase(ann, job, "running")
    found = until(lambda: re.search(r"token=(\S+)", log(ann, job)))
    with httpx.Client(base_url=str(ann.api.base_url), headers={"Authorization": f"token {found[1]}"}) as client:
        yield job, client
    ann.api.post(f"/workloads/{job}/stop")
    ended(ann, job)


def log(user: User, job: str, replica: str = "main-0") -> str:
    answer = user.api.get(f"/workloads/{job}/logs/{replica}")
    return answer.text if answer.is_success else ""


def folder(house: House, user: User, job: str, replica: str = "main-0") -> Path:
    """Return the folder a job that plays a pod keeps in its user's home."""
    return house.data / "homes" / user.name / f"{job}-{replica}"


def tar(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def output(house: House, job: str) -> dict[str, str]:
    """Return the files of what was sent home."""
    where = house.data / "runs" / job / "1" / "output"
    return {str(path.relative_to(where)): path.read_text() for path in where.rglob("*") if path.is_file()}


def points(user: User, job: str) -> list[tuple[int, float]]:
    items = user.api.get(f"/workloads/{job}/metrics").json()["items"]
    return sorted((item["step"], item["value"]) for item in items)


def python(code: str) -> list[str]:
    return ["python", "-c", POD + code]


def test_inputs_are_fetched_with_the_jobs_own_token_and_shared(
    house: House, ann: User, spec: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    (data / "sub").mkdir(parents=True)
    (data / "big").write_bytes(os.urandom(3 << 20))
    (data / "sub" / "small").write_text("small")
    with Client(house.url, ann.token) as client:
        client.datasets.push(data, "shared")
    code = """
import filecmp, json
source = "datasets/ann/shared/versions/1"
env["PUMPKIN_POD_INPUTS"] = json.dumps([{"source": source, "target": "/dataset/shared"}])
fetch = [sys.executable, "-m", "pumpkin.pod", "inputs"]
pods = [subprocess.Popen(fetch, env=env) for _ in range(3)]
assert [pod.wait() for pod in pods] == [0, 0, 0]
[tree] = (home / "cache" / "trees").iterdir()
given = pathlib.Path(os.environ["PUMPKIN_DATASETS"]) / "shared"
for name in ("big", "sub/small"):
    assert (tree / name).read_bytes() == (given / name).read_bytes()
"""
    job = submit(ann, "inputs", spec=spec, command=python(code), datasets=["shared@1"])
    done = ended(ann, job)
    told = log(ann, job)
    assert (done["phase"], told.count("datasets/ann/shared/versions/1 is there")) == ("succeeded", 3), told
    assert len(re.findall(r"fetched \d.\d of 3.0 MiB", told)) >= 1


def test_an_input_that_is_not_the_jobs_ends_the_pod_with_one_sentence(house: House, ann: User, spec: str) -> None:
    code = """
import json
env["PUMPKIN_POD_INPUTS"] = json.dumps([{"source": "datasets/ann/secret/versions/1", "target": "/dataset/secret"}])
done = subprocess.run([sys.executable, "-m", "pumpkin.pod", "inputs"], env=env, stderr=subprocess.PIPE, text=True)
print(done.returncode, done.stderr, end="")
"""
    job = submit(ann, "other", spec=spec, command=python(code))
    ended(ann, job)
    told = log(ann, job)
    assert re.fullmatch(r"1 The input datasets/ann/secret/versions/1 cannot be had: .*\n", told), told


def test_each_replica_sends_its_metrics_and_output_home_and_they_become_one_model(
    house: House, ann: User, spec: str
) -> None:
    code = """
(here / "output" / "sub").mkdir()
(here / "output" / "same").write_text(rank)
(here / "output" / "sub" / f"of-{rank}").write_text(rank)
(here / "output" / "out").symlink_to("/etc/passwd")
first = agent()
log(int(rank))
wait_for("seen")
first.kill()       # a container that dies is started again, and knows nothing of what was sent
second = agent()
log(10 + int(rank))
time.sleep(1)
second.terminate()
assert second.wait() == 0
"""
    job = submit(ann, "pods", spec=spec, replicas=2, command=python(code), output={"model": "from-pods"})
    until(lambda: points(ann, job) == [(0, 0), (1, 1)])  # while it runs
    (house.data / "homes" / "ann" / "seen").touch()
    done = ended(ann, job)
    assert (done["phase"], done["output"]) == ("succeeded", "ann/from-pods@1"), log(ann, job)
    assert points(ann, job) == [(0, 0), (1, 1), (10, 10), (11, 11)]
    assert output(house, job) == {"same": "0", "sub/of-0": "0", "sub/of-1": "1"}
    assert "'out' is a link out of the output folder: it is left out" in log(ann, job)
    assert ann.api.get("/models/ann/from-pods/versions/1/files/same").text == "0"


def test_the_output_arrives_through_a_service_that_is_killed_meanwhile(house: House, ann: User, spec: str) -> None:
    code = """
for number in range(20):
    (here / "output" / str(number)).write_bytes(bytes(1 << 20))
running = agent()
wait_for("killed")
lines.write_text('{"step": 0, "time": 1, "values": {"a\\\\u0000b": 0}}\\n')
log(1)
running.terminate()
assert running.wait() == 0
"""
    job = submit(ann, "through", spec=spec, command=python(code), output={"model": "through"})
    in_phase(ann, job, "running")
    until((folder(house, ann, job) / "output" / "19").exists)
    house.kill("service")
    (house.data / "homes" / "ann" / "killed").touch()
    house.wait(house.answers)
    done = ended(ann, job, seconds=120)
    assert (done["phase"], done["output"]) == ("succeeded", "ann/through@1"), log(ann, job)
    assert points(ann, job) == [(0, 0), (1, 1)]
    assert len(output(house, job)) == 20
    assert not list((house.data / "runs" / job / "1" / "incoming").iterdir())


def test_sending_again_replaces_and_what_breaks_off_leaves_nothing(
    house: House, running: tuple[str, httpx.Client]
) -> None:
    job, me = running
    path = f"/workloads/{job}/outputs/main-0"
    for files in ({"a": "1", "b": "1"}, {"a": "2"}):
        assert me.put(path, content=tar(**files)).status_code == 204
        assert output(house, job) == files
    assert me.put(f"/workloads/{job}/outputs/main-1", content=tar(a="other", c="3")).status_code == 204
    assert output(house, job) == {"a": "2", "c": "3"}

    def broken() -> Iterator[bytes]:
        yield tar(a="x" * 5000)[:3000]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        me.put(path, content=broken())
    cut = me.put(path, content=tar(a="x" * 5000)[:3000])
    assert (cut.status_code, cut.json()["reason"]) == (422, "broken_archive")
    assert output(house, job) == {"a": "2", "c": "3"}
    until(lambda: not list((house.data / "runs" / job / "1" / "incoming").iterdir()))


def test_only_the_workload_itself_sends_and_only_files(
    house: House, ann: User, spec: str, running: tuple[str, httpx.Client]
) -> None:
    job, me = running
    path = f"/workloads/{job}/outputs/main-0"
    assert ann.api.put(path, content=tar(a="1")).status_code == 403
    other = submit(ann, "other", spec=spec, command="sleep 600")
    in_phase(ann, other, "running")
    assert me.put(f"/workloads/{other}/outputs/main-0", content=tar(a="1")).status_code == 403
    ann.api.post(f"/workloads/{other}/stop")
    assert me.put(f"/workloads/{job}/outputs/main-7", content=tar(a="1")).status_code == 404
    assert me.put(f"/workloads/{job}/outputs/main-0", content=tar(**{"../a": "1"})).status_code == 422
    assert output(house, job) == {}


def test_lines_of_a_file_are_taken_once_however_they_are_batched(ann: User, running: tuple[str, httpx.Client]) -> None:
    job, me = running

    def send(source: str, *positions: int) -> None:
        lines = [{"step": position, "values": {"loss": 1.0}, "position": position} for position in positions]
        assert me.post(f"/workloads/{job}/metrics", json={"source": source, "lines": lines}).status_code == 204

    send("main-0", 10, 20)
    send("main-0", 10, 20, 30)
    send("main-0", 20)
    send("main-1", 10)
    assert [step for step, _ in points(ann, job)] == [10, 10, 20, 30]


def test_the_output_is_closed_once_the_workload_has_ended(
    house: House, ann: User, running: tuple[str, httpx.Client]
) -> None:
    job, me = running
    ann.api.post(f"/workloads/{job}/stop")
    ended(ann, job)
    assert me.put(f"/workloads/{job}/outputs/main-0", content=tar(a="1")).status_code == 401


def test_the_example_of_a_job_on_several_nodes_trains_one_model(house: House, ann: User, spec: str) -> None:
    with Client(house.url, ann.token) as client:
        client.algorithms.push(EXAMPLE / "code", "allreduce")
    text = (EXAMPLE / "job.yaml").read_text().replace("cpu-small", spec)
    made = ann.api.post("/workloads/jobs/yaml", json={"yaml": text})
    assert made.status_code == 201, made.text
    job = made.json()["id"]
    done = ended(ann, job, seconds=90)
    told = [log(ann, job, f"main-{rank}") for rank in (0, 1)]
    assert (done["phase"], done["output"]) == ("succeeded", "ann/allreduce-line@1"), told
    for rank in (0, 1):
        assert re.fullmatch(
            rf"rank {rank} of 2: 10000 points\nrank {rank} of 2: loss .*, weights \[3.0, -2.0, 0.5, 1.0\]\n", told[rank]
        ), told
    assert len(points(ann, job)) == 50
    assert output_names(house, job) == ["model.npz"]


def output_names(house: House, job: str) -> list[str]:
    return sorted(path.name for path in (house.data / "runs" / job / "1" / "output").iterdir())
