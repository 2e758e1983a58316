"""A notebook as a job: what of it runs, where, and what comes back of each cell while it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pumpkin import Client
from tests.integration.house import House, User
from tests.integration.journeys.conftest import ended, in_phase, submit, until

SPEC = "cpu-small"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PLOT = f"import base64\nfrom IPython.display import Image, display\ndisplay(Image(base64.b64decode('{PNG}')))"


def notebook(*cells: str | dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """Return a notebook with these cells of code, called `c0`, `c1`, …"""
    made: list[dict[str, Any]] = [
        {"id": f"c{at}", "cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        | (cell if isinstance(cell, dict) else {"source": cell})
        for at, cell in enumerate(cells)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}


def run(user: User, *cells: str | dict[str, Any], path: str = "work.ipynb", **more: Any) -> str:
    """Submit a notebook; return the job's id. `run` are the other fields of its run."""
    sent = {"path": path, "content": notebook(*cells), **more.pop("run", {})}
    return submit(user, more.pop("name", "notebook"), spec=SPEC, notebook=sent, **more)


def cells_of(user: User, job: str) -> dict[str, dict[str, Any]]:
    """Return the results of a job's cells by their ids."""
    answer = user.api.get(f"/workloads/{job}/cells")
    assert answer.status_code == 200, answer.text
    return {item["cell"]: item for item in answer.json()["items"]}


def log_of(user: User, job: str) -> str:
    return user.api.get(f"/workloads/{job}/logs/main-0").text


def test_cells_run_up_to_the_one_that_fails_and_their_outputs_come_back(house: House):
    ann = house.user("ann")
    job = run(
        ann,
        "import pumpkin\nprint('hello')\npumpkin.log_metrics(step=1, loss=0.5)",
        {"cell_type": "markdown", "source": "# Not code"},
        "",
        PLOT,
        "6 * 7",
        "raise ValueError('what a pity')",
        "print('never')",
    )
    done = ended(ann, job)
    assert (done["phase"], done["reason"], done["exit_code"]) == ("failed", "exit_code", 1), log_of(ann, job)
    assert done["message"] == "Cell 5 raised ValueError: what a pity"
    assert (done["notebook"], done["request"]["notebook"]["content"]) == ("work.ipynb", None)
    cells = cells_of(ann, job)
    assert {name: cell["state"] for name, cell in cells.items()} == {
        "c0": "done", "c2": "skipped", "c3": "done", "c4": "done", "c5": "failed", "c6": "skipped",
    }  # fmt: skip
    assert cells["c0"]["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "hello\n"}]
    [image] = cells["c3"]["outputs"]
    assert (image["output_type"], image["data"]["image/png"].strip()) == ("display_data", PNG)
    [result] = cells["c4"]["outputs"]
    assert (result["output_type"], result["data"], result["execution_count"]) == (
        "execute_result",
        {"text/plain": "42"},
        3,
    )
    [error] = cells["c5"]["outputs"]
    assert (error["output_type"], error["ename"], error["evalue"]) == ("error", "ValueError", "what a pity")
    assert cells["c0"]["started"] <= cells["c0"]["finished"] <= cells["c5"]["finished"]
    assert [point["value"] for point in ann.api.get(f"/workloads/{job}/metrics").json()["items"]] == [0.5]
    log = log_of(ann, job)
    assert "--- cell 1 ---\nhello\n" in log
    assert "ValueError" in log
    assert "never" not in log
    executed = ann.api.get(f"/workloads/{job}/notebook").json()
    assert executed["metadata"]["pumpkin"] == {"job": job, "path": "work.ipynb", "phase": "failed"}
    assert [cell["id"] for cell in executed["cells"]] == [f"c{at}" for at in range(7)]
    assert executed["cells"][4]["outputs"] == cells["c4"]["outputs"]


def test_parameters_are_set_and_only_the_cells_asked_for_run_beside_the_notebook(house: House):
    ann = house.user("ann")
    (home(house) / "deep" / "er").mkdir(parents=True)
    (home(house) / "deep" / "er" / "data.txt").write_text("beside")
    job = run(
        ann,
        {"source": "rate, name = 0.1, 'default'", "metadata": {"tags": ["parameters"]}},
        "print('left out')",
        "print(rate, name, open('data.txt').read())\nimport os; print(os.getcwd())",
        path="deep/er/a.ipynb",
        run={"cells": ["c2", "c0"], "parameters": {"rate": 0.5, "name": "it's"}},
    )
    assert ended(ann, job)["phase"] == "succeeded", log_of(ann, job)
    cells = cells_of(ann, job)
    assert {name: cell["state"] for name, cell in cells.items()} == dict.fromkeys(
        ("c0", "injected-parameters", "c2"), "done"
    )
    where = "/userhome/deep/er"
    text = cells["c2"]["outputs"][0]["text"]
    assert text.startswith("0.5 it's beside\n")
    assert text.rstrip().endswith(where)
    executed = ann.api.get(f"/workloads/{job}/notebook").json()["cells"]
    assert [cell["id"] for cell in executed] == ["c0", "injected-parameters", "c1", "c2"]
    source = ann.api.get(f"/workloads/{job}/notebook/source").json()
    assert (len(source["content"]["cells"]), source["cells"]) == (3, ["c2", "c0"])


def test_outputs_come_while_the_cell_runs_and_a_broken_stream_goes_on(house: House):
    ann = house.user("ann")
    go = home(house) / "go"
    job = run(
        ann,
        "import os, time\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.3)\n"
        "while not os.path.exists(os.environ['PUMPKIN_HOME'] + '/go'): time.sleep(0.05)\nprint('gone on')",
        "from IPython.display import display\nshown = display('first', display_id=True)",
        "shown.update('second')",
    )
    seen: list[tuple[int, dict[str, Any]]] = []
    for revision, cell in cell_events(ann, job):
        seen.append((revision, cell))
        if cell["state"] == "running" and cell["outputs"] and cell["outputs"][0]["text"] == "0\n1\n2\n":
            break
    assert in_phase(ann, job, "running")["finished"] is None
    go.touch()
    seen += cell_events(ann, job, last=seen[-1][0])
    revisions = [revision for revision, _ in seen]
    assert revisions == sorted(set(revisions))
    final = {cell["cell"]: cell for _, cell in seen}
    assert final["c0"]["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "0\n1\n2\ngone on\n"}]
    # Shown by one cell, changed by a later one.
    assert final["c1"]["outputs"][0]["data"] == {"text/plain": "'second'"}
    assert final == cells_of(ann, job)
    go.unlink()


def cell_events(user: User, job: str, *, last: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Follow a job's cells to the end of the job."""
    headers = {"Last-Event-ID": str(last)} if last else {}
    with user.api.stream("GET", f"/workloads/{job}/cells/stream", headers=headers, timeout=60) as answer:
        event: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            event[name] = value
            if not line:
                if event.get("event") == "end":
                    return
                if event.get("event") == "cell":
                    yield int(event["id"]), json.loads(event["data"])
                event = {}
    raise AssertionError("the stream ended before the job")


def test_a_new_attempt_begins_anew(house: House):
    ann = house.user("ann")
    last = "import os\nassert os.environ['PUMPKIN_ATTEMPT'] == '2'"
    job = run(
        ann, "print('attempt', __import__('os').environ['PUMPKIN_ATTEMPT'])", last, retries=1, backoff_seconds=0.1
    )
    seen = [(cell["cell"], cell["state"]) for _, cell in cell_events(ann, job)]
    done = ended(ann, job)
    assert (done["phase"], done["attempt"]) == ("succeeded", 2), log_of(ann, job)
    assert done["attempts"][0]["message"] == "Cell 2 raised AssertionError."
    cells = cells_of(ann, job)
    assert [cells[name]["state"] for name in ("c0", "c1")] == ["done", "done"]
    assert cells["c0"]["outputs"][0]["text"] == "attempt 2\n"
    assert cells["c1"]["outputs"] == []
    if ("c1", "failed") in seen:
        assert ("c1", "waiting") in seen[seen.index(("c1", "failed")) :]


def test_what_was_printed_before_a_stop_is_kept(house: House):
    ann = house.user("ann")
    job = run(ann, "import time\nprint('so far', flush=True)\ntime.sleep(600)", "print('never')")
    until(lambda: cells_of(ann, job)["c0"]["outputs"])
    assert ann.api.post(f"/workloads/{job}/stop").status_code == 200
    done = ended(ann, job)
    assert (done["phase"], done["reason"]) == ("stopped", "stopped_by_user")
    cells = cells_of(ann, job)
    assert [(cells[name]["state"], len(cells[name]["outputs"])) for name in ("c0", "c1")] == [
        ("failed", 1),
        ("skipped", 0),
    ]
    assert cells["c0"]["outputs"][0]["text"] == "so far\n"


def test_a_kernel_that_dies_is_told_from_an_error(house: House):
    ann = house.user("ann")
    job = run(ann, "print('alive', flush=True)", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "1")
    done = ended(ann, job)
    assert done["message"] == "The kernel ended while cell 2 ran: see the log.", log_of(ann, job)
    cells = cells_of(ann, job)
    assert [cells[name]["state"] for name in ("c0", "c1", "c2")] == ["done", "failed", "skipped"]


def test_outputs_of_any_kind_and_size_come_back_clean(house: House):
    ann = house.user("ann")
    job = run(
        ann,
        "print('a\\0b')",
        "print('x' * (9 << 20))",
        "import sys\nprint('one')\nprint('two', file=sys.stderr)\nprint('three')",
        {"source": "1 / 0", "metadata": {"tags": ["raises-exception"]}},
        {"source": "print('not now')", "metadata": {"tags": ["skip-execution"]}},
    )
    done = ended(ann, job)
    assert done["phase"] == "succeeded", log_of(ann, job)[-3000:]
    cells = cells_of(ann, job)
    assert cells["c0"]["outputs"][0]["text"] == "a\u2400b\n"
    kept, note = cells["c1"]["outputs"]
    assert len(kept["text"]) > 1 << 20
    assert "left out here" in note["text"]
    assert cells["c3"]["outputs"][0]["ename"] == "ZeroDivisionError"
    assert (cells["c3"]["state"], cells["c4"]["state"]) == ("done", "skipped")
    assert len(log_of(ann, job)) > 9 << 20


def test_an_environment_that_runs_no_notebooks_is_refused_with_what_it_lacks(house: House):
    made = house.admin.api.post("/images/interpreters", json={"name": "bare", "python": "/usr/bin/python3"})
    assert made.status_code == 201, made.text
    ann = house.user("ann")
    body = {"name": "x", "spec": SPEC, "environment": "bare", "notebook": {"path": "a.ipynb", "content": notebook("1")}}
    refused = ann.api.post("/workloads/jobs", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "environment")
    assert "needs ipykernel and nbclient: add them to it" in refused.json()["detail"]


def test_landing_is_marked_and_a_deleted_job_is_gone(house: House):
    ann = house.user("ann")
    job = run(ann, "1", path="mine.ipynb")
    ended(ann, job)
    left = {"landed": False}

    def listed() -> dict[str, dict[str, Any]]:
        return {item["id"]: item for item in ann.api.get("/workloads/notebook-runs", params=left).json()["items"]}

    assert (listed()[job]["path"], listed()[job]["phase"]) == ("mine.ipynb", "succeeded")
    assert ann.api.post(f"/workloads/{job}/landed").status_code == 204
    assert job not in listed()
    assert ann.api.delete(f"/workloads/{job}").status_code == 204
    until(lambda: ann.api.get(f"/workloads/{job}/notebook").status_code == 404)


def test_from_a_file_to_the_executed_file_by_sdk_and_command_line(house: House, tmp_path: Path):
    ann = house.user("ann")
    file = tmp_path / "Digits.ipynb"
    file.write_text(json.dumps(notebook("rate = 1", "print('rate is', rate)")))
    with Client(house.url, token=ann.token) as client:
        job = client.jobs.submit_notebook(file, spec=SPEC, cells=["c1"], parameters={"rate": 0.25})
        states = [cell.state for cell in client.jobs.follow_cells(job.id) if cell.cell == "c1"]
        assert (states[0], states[-1]) == ("waiting", "done")
        assert [cell.cell for cell in client.jobs.cells("digits")] == ["injected-parameters", "c1"]
        assert client.jobs.notebook("digits")["cells"][2]["outputs"][0]["text"] == "rate is 0.25\n"
        assert client.jobs.get(job.id).notebook == "Digits.ipynb"

    def command(*words: str, status: int = 0) -> str:
        env = os.environ | {"PUMPKIN_TOKEN": ann.token, "PUMPKIN_URL": house.url, "HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", "from pumpkin.cli import main; main()", *words],
            capture_output=True,
            text=True,
            env=env,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    said = command("job", "run", "--spec", SPEC, str(file), "--name", "by-hand", "-p", "rate=[1, 2]", "--wait")
    assert "rate is 1" in said  # the cell of parameters comes first here, so the notebook's own value is the last
    assert "--- parameters ---" in said
    command("job", "notebook", "by-hand", str(tmp_path / "out.ipynb"))
    out = json.loads((tmp_path / "out.ipynb").read_text())
    assert out["cells"][0]["source"] == "# Parameters\nrate = [1, 2]"
    assert out["cells"][2]["outputs"][0]["text"] == "rate is 1\n"
    assert "Digits.ipynb" in command("job", "show", "by-hand")
    assert "Only notebooks have" in command("job", "run", "--spec", SPEC, "-p", "a=1", "true", status=1)


def home(house: House) -> Path:
    """Return ann's home."""
    folder = house.data / "homes" / "ann"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
