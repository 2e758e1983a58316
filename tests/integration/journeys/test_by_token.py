"""Journey 5: journey 1 with a token only: REST with narrow scopes, the asynchronous SDK, the command line."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pumpkin import AsyncClient, PumpkinError
from tests.integration.house import House, User
from tests.integration.journeys.conftest import ended, submit
from tests.integration.journeys.files import code_folder, data_folder


def scoped(house: House, name: str, *scopes: str) -> User:
    """Return a user whose token has these scopes of the platform and no others."""
    house.user(name).api.get("/accounts/me")
    return house.user(
        name, scopes=["access:services!service=pumpkin", *[f"custom:pumpkin:{scope}" for scope in scopes]]
    )


def test_a_token_does_what_its_scopes_say_and_nothing_else(house: House):
    data = scoped(house, "eve", "datasets:write")
    made = data.api.post("/datasets", json={"name": "mine"})
    assert made.status_code == 201
    assert data.api.get("/datasets/eve/mine").headers["etag"]
    for method, path, scope in (
        ("GET", "/workloads", "workloads:read"),
        ("POST", "/workloads/jobs", "workloads:write"),
        ("GET", "/models", "models:read"),
        ("GET", "/accounts/audit", "accounts:admin"),
    ):
        refused = data.api.request(method, path, json={} if method == "POST" else None)
        assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
        assert scope in refused.json()["detail"]
    reader = scoped(house, "eve", "datasets:read")
    assert reader.api.get("/datasets/eve/mine").status_code == 200
    assert reader.api.delete("/datasets/eve/mine").status_code == 403
    stale = data.api.patch("/datasets/eve/mine", json={"labels": ["a"]}, headers={"If-Match": '"99"'})
    assert stale.status_code == 412
    runner = scoped(house, "eve", "workloads:write", "datasets:read", "models:read", "images:read", "algorithms:read")
    request = {"name": "once", "spec": "cpu-small", "command": "echo ran", "output": {"model": "none"}}
    twice = [runner.api.post("/workloads/jobs", json=request, headers={"Idempotency-Key": "the one"}) for _ in range(2)]
    assert [answer.status_code for answer in twice] == [201, 201]
    assert twice[0].json()["id"] == twice[1].json()["id"]
    assert ended(runner, twice[0].json()["id"])["phase"] == "succeeded"
    nothing = scoped(house, "eve")
    assert nothing.api.get("/datasets").status_code == 403


def test_a_jobs_own_token_is_good_for_its_own_metrics_only(house: House):
    ann = house.user("ann")
    ask = (
        "import os, sys, urllib.request, urllib.error\n"
        "def ask(path):\n"
        "    request = urllib.request.Request(os.environ['PUMPKIN_URL'] + '/services/pumpkin/api/v1' + path)\n"
        "    request.add_header('Authorization', 'token ' + os.environ['PUMPKIN_TOKEN'])\n"
        "    try:\n"
        "        return urllib.request.urlopen(request).status\n"
        "    except urllib.error.HTTPError as error:\n"
        "        return error.code\n"
        "own = '/workloads/' + os.environ['PUMPKIN_WORKLOAD']\n"
        "print(ask(own), *[ask(path) for path in sys.argv[1:]])\n"
    )
    other = submit(ann, "other", spec="cpu-small", command="true")
    paths = [f"/workloads/{other}", "/accounts/users", "/billing/balances/ann", "/datasets/ann/none"]
    job = submit(ann, "asking", spec="cpu-small", command=["python", "-c", ask, *paths])
    assert ended(ann, job)["phase"] == "succeeded"
    own, *others = ann.api.get(f"/workloads/{job}/logs/main-0").text.split()
    assert own == "200"
    assert all(status in ("401", "403", "404") for status in others), others


def test_the_asynchronous_client_takes_the_whole_road(house: House, tmp_path: Path):
    ann = house.user("fred")

    async def road() -> None:
        async with AsyncClient(house.url, ann.token) as client:
            assert (await client.whoami()).name == "fred"
            await asyncio.gather(
                client.datasets.push(data_folder(tmp_path, "line"), "line"),
                client.algorithms.push(code_folder(tmp_path, "fit"), "fit"),
            )
            job = await client.jobs.submit(
                "train",
                ["sh", "-c", "python $PUMPKIN_CODE/train.py"],
                spec="cpu-small",
                datasets=["line"],
                algorithm="fit",
                output="line",
            )
            steps, text = await asyncio.gather(curve(client, job.id), log(client, job.id))
            assert (len(steps), text) == (200, "first epoch\nlast epoch\n")
            ended = await client.jobs.get(job.id)
            assert ended.output == "fred/line@1"
            assert (await client.models.lineage("line")).job == job.id
            saved = json.loads(await client.models.read("line", "line.json"))
            assert round(saved["slope"], 2) == 3.0
            with pytest.raises(PumpkinError) as refusal:
                await client.jobs.submit("x", "true", spec="none-such")
            assert (refusal.value.status, refusal.value.field) == (422, "spec")

    async def curve(client: AsyncClient, job: str) -> list[int]:
        return [point.step async for point in client.jobs.follow_metrics(job)]

    async def log(client: AsyncClient, job: str) -> str:
        return "".join([piece.json()["text"] async for piece in client.jobs.follow_log(job)])

    asyncio.run(road())


def test_the_command_line_speaks_json_and_exit_codes(house: House, tmp_path: Path):
    user = house.user("gina")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PUMPKIN_", "JUPYTERHUB_"))}
    environment = clean | {"XDG_CONFIG_HOME": str(tmp_path), "PUMPKIN_URL": house.url, "PUMPKIN_TOKEN": user.token}

    def run(*words: str, code: int = 0, token: str | None = None) -> Any:
        command = [sys.executable, "-c", "from pumpkin.cli import main; main()", *words]
        given = environment if token is None else environment | {"PUMPKIN_TOKEN": token}
        answer = subprocess.run(command, env=given, capture_output=True, text=True, timeout=120, check=False)
        assert answer.returncode == code, (words, answer.stdout, answer.stderr)
        assert "Traceback" not in answer.stderr
        return json.loads(answer.stdout) if "--json" in words and answer.stdout else answer.stderr

    assert run("dataset", "push", str(data_folder(tmp_path, "line")), "--json")["number"] == 1
    run("algorithm", "push", str(code_folder(tmp_path, "fit")))
    words = ("-a", "fit", "-d", "line", "-o", "line", "--name", "train", "--wait", "--json")
    job = run("job", "run", "--spec", "cpu-small", *words, "python $PUMPKIN_CODE/train.py")
    assert (job["phase"], job["output"]) == ("succeeded", "gina/line@1")
    assert run("model", "show", "line", "--json")["lineage"]["datasets"] == ["gina/line@1"]
    assert [item["name"] for item in run("job", "list", "--json")] == ["train"]
    assert len(run("job", "metrics", "train", "loss", "--json")) == 200
    score = ("-a", "fit", "-m", "line", "--wait")
    run("job", "run", "--spec", "cpu-small", *score, "python $PUMPKIN_CODE/score.py")

    # The job's own exit code; then 3 not allowed, 4 not found, 5 in conflict, 6 not reachable.
    run("job", "run", "--spec", "cpu-small", "--wait", "exit 42", code=42)
    run("whoami", code=3, token="not-a-token")
    run("job", "show", "none-such", code=4)
    run("dataset", "create", "line", code=5)
    said = run("--url", "http://127.0.0.1:9/", "whoami", code=6)
    assert len(said.strip().splitlines()) == 1
