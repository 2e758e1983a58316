"""A job opened as a notebook: in a real Jupyter server, over a real upstream."""

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pumpkin import _models as models
from pumpkin_server.documents import file_name, last_lines, notebook, run_line
from tests.unit.sdk.upstream import Request, Upstream, ok, problem, upstream
from tests.unit.server.server import serving, signed

JOB = "01m86sq63gdx53r7p21r0jmh3n"
RUN = "01m86sq63gdx53r7p21r0jmh3p"
QUEUED = "01m86sq63gdx53r7p21r0jmh3q"
EXECUTED: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"pumpkin": {"job": RUN, "path": "a.ipynb", "phase": "failed"}},
    "cells": [
        {"id": "a", "cell_type": "code", "metadata": {}, "source": "1/0", "execution_count": 1,
         "outputs": [{"output_type": "error", "ename": "ZeroDivisionError", "evalue": "", "traceback": ["boom"]}]}
    ],
}  # fmt: skip


def job(**more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": JOB, "kind": "job", "name": "gan v2", "workspace": "alice", "creator": "alice", "phase": "failed",
        "target": "run", "reason": "exit_code", "message": "main-0 ended with exit code 3", "priority": 0,
        "labels": [], "spec": "cpu-small", "replicas": 1, "attempt": 1, "price_micro": 0, "cost_micro": 0,
        "created": "2026-01-01T00:00:00Z", "started": None, "finished": None, "revision": 1, "notebook": "",
        "request": {"name": "gan v2", "spec": "cpu-small", "command": "python $PUMPKIN_CODE/train.py --lr 0.1",
                    "env": {"SEED": "7"}},
        "notes": "", "environment": "pumpkin/default@1", "datasets": [], "algorithm": "", "models": [],
        "output": "", "output_version": "", "exit_code": 3, "forecast": None, "attempts": [], "members": [], "url": "",
        "hold": "",
    }  # fmt: skip
    return base | more


def answer(request: Request, _: int) -> tuple[int, dict[str, str], bytes]:
    path = request.path.partition("/services/pumpkin/api/v1")[2]
    jobs = {
        JOB: job(),
        RUN: job(id=RUN, notebook="a.ipynb", request={"name": "n", "notebook": {"path": "a.ipynb"}}),
        QUEUED: job(id=QUEUED, phase="queued", reason="", message=""),
    }
    for known, document in jobs.items():
        if path == f"/workloads/{known}":
            return ok(document)
    if path == f"/workloads/{RUN}/notebook":
        return ok(EXECUTED)
    if path.startswith(f"/workloads/{JOB}/logs/main-0?offset=-"):
        return 200, {"Content-Type": "text/plain"}, b"epoch 1\r  10 %\r 100 %\n\x1b[31mValueError\x1b[0m: no ``` here\n"
    return problem(404, "There is no such workload.")


@pytest.fixture(scope="module")
def platform() -> Iterator[Upstream]:
    with upstream(answer) as server:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def lab(platform: Upstream, home: Path) -> Iterator[httpx.Client]:
    with serving(home, PUMPKIN_URL=platform.url, PUMPKIN_TOKEN=secrets.token_hex(8)) as client:
        yield client


def opened(lab: httpx.Client, job: str) -> httpx.Response:
    return lab.get("pumpkin/open", params={"job": job}, headers=signed(), follow_redirects=False)


def test_a_failed_job_is_written_with_its_end_and_opened(lab: httpx.Client, home: Path):
    got = opened(lab, JOB)
    assert got.status_code == 302
    assert got.headers["Location"] == f"/user/alice/lab/tree/jobs/gan-v2-{JOB}.ipynb"
    document = json.loads((home / "jobs" / f"gan-v2-{JOB}.ipynb").read_text())
    story, setting, run = ["".join(cell["source"]) for cell in document["cells"]]
    assert "**failed** (exit_code). main-0 ended with exit code 3" in story
    assert "````text\n 100 %\nValueError: no ``` here\n````" in story
    assert "PUMPKIN_CODE" in setting
    assert "'SEED': '7'" in setting
    assert run == "%run {os.environ['PUMPKIN_CODE']}/train.py --lr 0.1"


def test_what_was_done_in_it_is_kept_when_it_is_opened_again(lab: httpx.Client, home: Path):
    file = home / "jobs" / f"gan-v2-{JOB}.ipynb"
    opened(lab, JOB)
    document = json.loads(file.read_text())
    document["cells"].append({"id": "mine", "cell_type": "markdown", "metadata": {}, "source": "mine"})
    file.write_text(json.dumps(document))
    assert opened(lab, JOB).status_code == 302
    assert json.loads(file.read_text()) == document


def test_a_job_that_ran_a_notebook_opens_as_that_notebook_with_its_traceback(lab: httpx.Client, home: Path):
    assert opened(lab, RUN).status_code == 302
    [cell] = json.loads((home / "jobs" / f"gan-v2-{RUN}.ipynb").read_text())["cells"]
    assert cell["outputs"][0]["ename"] == "ZeroDivisionError"


def test_a_job_that_never_ran_has_no_log_to_show(lab: httpx.Client, home: Path):
    assert opened(lab, QUEUED).status_code == 302
    document = json.loads((home / "jobs" / f"gan-v2-{QUEUED}.ipynb").read_text())
    assert "log" not in "".join(document["cells"][0]["source"])


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "x" * 26 + "/", "short"])
def test_what_is_no_job_is_refused(lab: httpx.Client, name: str):
    assert opened(lab, name).status_code == 400


def test_a_job_one_may_not_see_is_not_there(lab: httpx.Client, home: Path):
    before = {*home.rglob("*.ipynb")}
    assert opened(lab, "0" * 26).status_code == 404
    assert {*home.rglob("*.ipynb")} == before


def test_nobody_opens_a_job_without_the_servers_leave(lab: httpx.Client, platform: Upstream):
    before = len(platform.requests)
    with httpx.Client(base_url=lab.base_url) as stranger:
        got = stranger.get("pumpkin/open", params={"job": JOB})
    assert got.status_code in (302, 403)
    assert "lab/tree" not in got.headers.get("Location", "").partition("?")[0]
    assert len(platform.requests) == before


@pytest.mark.parametrize(
    ("command", "args", "line"),
    [
        (["python", "train.py", "--name", "a b"], [], "%run train.py --name 'a b'"),
        (["/opt/env/bin/python3.11", "-u", "train.py"], ["-x"], "%run train.py -x"),
        (["sh", "-c", "python -m pkg.train --lr 1"], [], "%run -m pkg.train --lr 1"),
        ("python ${PUMPKIN_CODE}/a.py $X", [], "%run {os.environ['PUMPKIN_CODE']}/a.py {os.environ['X']}"),
        ("python a.py | tee log", [], "!python a.py | tee log"),
        ("python a.py && python b.py", ["c d"], "!python a.py && python b.py 'c d'"),
        ("python -c 'print(1)'", [], "!python -c 'print(1)'"),
        (["echo", "a b"], ["$X"], "!echo 'a b' '$X'"),
        ("cd /x\n./run", [], "%%bash\ncd /x\n./run"),
        ("echo 'unclosed", [], "!echo 'unclosed"),
        ("", [], "!"),
    ],
)
def test_a_command_runs_in_a_cell_as_it_ran_in_the_job(command: str | list[str], args: list[str], line: str):
    assert run_line(command, args) == line


def test_of_several_roles_the_main_one_is_opened():
    roles = [
        {"name": "worker", "command": "w", "spec": "s", "is_main": False},
        {
            "name": "chief",
            "command": ["python", "c.py"],
            "args": ["-v"],
            "env": {"A": "2"},
            "spec": "s",
            "is_main": True,
        },
    ]
    found = models.Workload.model_validate(job(request={"name": "j", "env": {"A": "1", "B": "1"}, "roles": roles}))
    _, setting, run = [cell["source"] for cell in notebook(found, "")["cells"]]
    assert run == "%run c.py -v"
    assert "'A': '2'" in setting
    assert "'B': '1'" in setting


def test_a_long_traceback_is_shown_whole_and_nothing_else_is():
    trace = ["Traceback (most recent call last):", *(f"  line {at}" for at in range(60)), "ValueError: no"]
    log = "\n".join([*map(str, range(500)), *trace])
    assert last_lines(log) == "\n".join(trace)
    assert last_lines("\n".join(map(str, range(500)))).split("\n") == [str(at) for at in range(470, 500)]


@pytest.mark.parametrize("name", ["../x", "a/b", "名前", "...", "-"])
def test_no_name_leads_out_of_the_folder(name: str):
    file = file_name(models.Workload.model_validate(job(name=name)))
    assert os.sep not in file
    assert not file.startswith(".")
    assert file.endswith(f"{JOB}.ipynb")
