"""`%pumpkin` in a real kernel: jobs are found again after a restart, and TAB works over the wire."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.unit.magics.platform import Platform, workload
from tests.unit.sdk.upstream import Upstream

SECONDS = 60


class Notebook:
    """A kernel as a notebook has it, and what its widgets show."""

    def __init__(self, path: str, env: dict[str, str]) -> None:
        self.manager = KernelManager()
        self.manager.start_kernel(extra_arguments=["--ext=pumpkin"], env={**env, "JPY_SESSION_NAME": path})
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def restart(self) -> None:
        self.manager.restart_kernel(now=True)
        self.client.wait_for_ready(timeout=SECONDS)

    def run(self, code: str) -> tuple[str, dict[str, dict[str, Any]]]:
        """Run a cell; return what it printed, and the state of every widget by its id."""
        sent = self.client.execute(code)
        printed, widgets = "", {}
        limit = time.monotonic() + SECONDS
        while time.monotonic() < limit:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                printed += content["text"]
            elif kind == "error":
                printed += "\n".join(content["traceback"])
            elif kind in ("comm_open", "comm_msg"):
                widgets.setdefault(content["comm_id"], {}).update(content["data"].get("state", {}))
            elif (
                kind == "status" and content["execution_state"] == "idle" and message["parent_header"]["msg_id"] == sent
            ):
                return printed, widgets
        raise AssertionError("too slow")

    def click(self, widget: str) -> None:
        """Press a button, and wait until the kernel has dealt with it."""
        content = {"comm_id": widget, "data": {"method": "custom", "content": {"event": "click"}}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))
        self.run("pass")

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook(server: Upstream, tmp_path: Path) -> Iterator[Notebook]:
    env = {**os.environ, "IPYTHONDIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    made = Notebook("/home/alice/train model.ipynb", env)
    yield made
    made.close()


def test_after_a_restart_the_last_job_of_the_notebook_is_on_the_page_again(
    notebook: Notebook, platform: Platform, server: Upstream
):
    platform.log = "<b>first</b> line\n" + "more\n" * 1000 + "last line\n"
    printed, _ = notebook.run("%%pumpkin job --spec cpu-small --name mine --wait\nprint(1)")
    mine = platform.jobs[0]
    assert mine["id"] in printed
    [label] = mine["labels"]
    assert label.startswith("notebook/train-model-")
    # A newer one of another notebook, and one that was submitted elsewhere, are not it.
    platform.jobs.insert(0, workload("other", id="9" * 26, labels=["notebook/other-00000000"]))
    platform.jobs.insert(0, workload("elsewhere", id="8" * 26))
    notebook.restart()
    printed, widgets = notebook.run("%pumpkin attach --wait")
    assert mine["id"] in printed
    values = [str(state.get("value", "")) for state in widgets.values()]
    assert any("&lt;b&gt;first&lt;/b&gt; line" in value and "last line" in value for value in values), "the whole log"
    assert any("<svg" in value and "loss 0.25" in value for value in values)
    assert any("mine" in value and "running" in value and "¥1.50/h" in value for value in values)
    [(stop, button)] = [each for each in widgets.items() if each[1].get("description") == "Stop"]
    assert button["disabled"] is False
    notebook.click(stop)
    assert any(request.path.endswith(f"/workloads/{mine['id']}/stop") for request in server.requests)


def test_a_log_too_long_for_the_page_says_where_all_of_it_is(notebook: Notebook, platform: Platform):
    platform.log = "x" * 70_000 + "\nthe end"
    _, widgets = notebook.run("%pumpkin attach train --wait")
    [text] = [state["value"] for state in widgets.values() if "the end" in str(state.get("value"))]
    assert "The end of the log; all of it: pumpkin job logs" in text
    assert len(text) < 61_000


def test_a_notebook_without_jobs_says_so(notebook: Notebook):
    printed, _ = notebook.run("%pumpkin attach")
    assert "You submitted no job from this notebook" in printed
    assert "Traceback" not in printed


def test_tab_works_over_the_wire(notebook: Notebook):
    line = "%%pumpkin job --spec "
    reply = notebook.client.complete(line + "\nprint(1)", len(line), reply=True, timeout=SECONDS)["content"]
    assert reply["matches"] == ["cpu-small", "gpu"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(line), len(line))
