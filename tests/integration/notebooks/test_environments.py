"""Environments in notebooks: as kernels, and as what a server itself runs on. Building needs the package registry."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import uuid
from pathlib import Path
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.integration.notebooks.conftest import Person, until


def jupyter(person: Person, path: str, /, **body: Any) -> Any:
    """Ask the person's notebook server."""
    answer = httpx.request(
        "POST" if body else "GET",
        f"{person.house.url}user/{person.name}/api/{path}",
        headers={"Authorization": f"token {person.user.token}"},
        json=body or None,
        timeout=60,
    )
    answer.raise_for_status()
    return answer.json()


async def run_cell(person: Person, kernel: str, code: str) -> str:
    """Run a cell and return what it printed."""
    url = f"{person.house.url}user/{person.name}/api/kernels/{kernel}/channels".replace("http", "ws", 1)
    socket = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {person.user.token}"}))
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "s", "version": "5"}
    content = {"code": code, "silent": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await socket.write_message(json.dumps(message))
    printed = ""
    while True:
        text = await socket.read_message()
        assert isinstance(text, str), "the kernel's channel closed"
        answer = json.loads(text)
        if answer["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        if answer["msg_type"] == "stream":
            printed += answer["content"]["text"]
        assert answer["msg_type"] != "error", answer["content"]
        # The reply comes by another way, and may be sooner than what was printed.
        if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            socket.close()
            return printed


def register(person: Person, folder: Path, name: str, *, whole: bool) -> str:
    """Register a fresh virtual environment, with everything we have ourselves if `whole`; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    if whole:
        packages = sysconfig.get_path("purelib", vars={"base": str(folder)})
        Path(packages, "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    python = f"{folder}/bin/python"
    made = person.house.admin.api.post("/images/interpreters", json={"name": name, "python": python})
    assert made.status_code == 201, made.text
    return python


async def test_a_built_environment_is_a_kernel_of_its_users_notebooks(person: Person):
    made = person.api.post("/images", json={"name": "tools", "requirements": ["ipykernel"]})
    assert made.status_code == 201, made.text
    image = made.json()["id"]
    until(lambda: person.api.get(f"/images/{image}").json()["latest"]["state"] in ("ready", "failed"), seconds=240)
    latest = person.api.get(f"/images/{image}/versions/1").json()
    assert latest["state"] == "ready", latest
    person.spawn(spec="cpu-small")
    person.ready()
    found = jupyter(person, "kernelspecs")
    assert found["default"] == "python3"
    assert f"pumpkin-{image}" in found["kernelspecs"], found
    kernel = jupyter(person, "kernels", name=f"pumpkin-{image}")["id"]
    assert (await run_cell(person, kernel, "import sys; print(sys.prefix)")).strip() == latest["prefix"]
    # It has not what the client needs: that is said in one sentence.
    said = await run_cell(person, kernel, "%pumpkin jobs")
    assert "needs click, httpx and pydantic" in said
    assert "Traceback" not in said
    # A notebook started on it begins with its kernel: it has no server of its own.
    person.stop_all()
    person.spawn(spec="cpu-small", environment="tools")
    person.ready()
    assert jupyter(person, "kernelspecs")["default"] == f"pumpkin-{image}"


async def test_what_a_notebook_has_installed_is_kept_as_an_environment(person: Person):
    person.spawn(spec="cpu-small")
    person.ready()
    kernel = jupyter(person, "kernels", name="python3")["id"]
    refused = await run_cell(person, kernel, "%pumpkin env save mine")
    assert "Compared with pumpkin/default@" in refused
    assert "--leave-out-refused" in refused, "this checkout is installed editable: it cannot be kept"
    unasked = await run_cell(person, kernel, "%pumpkin env save mine --leave-out-refused")
    assert "add --yes" in unasked
    kept = await run_cell(person, kernel, "%pumpkin env save mine --leave-out-refused --yes")
    assert "mine@1 is queued" in kept
    [made] = person.api.get("/images", params={"workspace": person.name}).json()["items"]
    lines = person.api.get(f"/images/{made['id']}/versions/1").json()["requirements"]
    assert any(line.startswith("jupyterhub==") for line in lines)
    person.api.delete(f"/images/{made['id']}").raise_for_status()


async def test_a_server_runs_on_the_environment_chosen_for_it_when_that_has_one(person: Person, tmp_path: Path):
    python = register(person, tmp_path / "whole", "whole-lab", whole=True)
    person.spawn(spec="cpu-small", environment="whole-lab")
    person.ready()
    kernel = jupyter(person, "kernels", name="python3")["id"]
    said = await run_cell(person, kernel, "import os, sys; print(sys.executable, os.environ['PUMPKIN_ENVIRONMENT'])")
    assert said.split() == [python, "pumpkin/whole-lab@1"]


def test_an_environment_with_neither_server_nor_kernel_is_refused(person: Person, tmp_path: Path):
    register(person, tmp_path / "bare", "bare", whole=False)
    answer = person.spawn(spec="cpu-small", environment="bare")
    assert answer.status_code == 422, answer.text
    assert "neither ipykernel" in answer.json()["message"]
