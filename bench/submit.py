"""From submit to the first line of output: the platform, Ray Jobs and the bare process, for the same script.

Each runs `python -c "print(...)"` with one interpreter and is timed from the call until its client holds the
first line. Ray is installed into a cache of its own for this benchmark alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
from tests.integration.house import User

from bench.common import fresh_house, median, report

RUNS = 20
RAY = "ray[default]==2.60.0"
SCRIPT = [sys.executable, "-I", "-c", "print('ready', flush=True)"]
RAY_CLIENT = """
import asyncio, json, sys, time
from ray.job_submission import JobSubmissionClient

async def once(client, entrypoint):
    begin = time.perf_counter()
    job = client.submit_job(entrypoint=entrypoint)
    async for text in client.tail_job_logs(job):
        if "ready" in text:
            return time.perf_counter() - begin

async def main():
    client = JobSubmissionClient(sys.argv[1])
    print(json.dumps([await once(client, sys.argv[2]) for _ in range(int(sys.argv[3]))]))

asyncio.run(main())
"""


def bare() -> float:
    """Return the seconds from starting the process until its first line."""
    begin = time.perf_counter()
    with subprocess.Popen(SCRIPT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return time.perf_counter() - begin


def ours(user: User, spec: str) -> float:
    """Return the seconds from submitting the job until the first line of its log is here."""
    begin = time.perf_counter()
    made = user.api.post("/workloads/jobs", json={"name": "hello", "spec": spec, "command": SCRIPT})
    made.raise_for_status()
    url = f"/workloads/{made.json()['id']}/logs/main-0/stream"
    with user.api.stream("GET", url, timeout=httpx.Timeout(60)) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:") and "ready" in line:
                return time.perf_counter() - begin
    raise RuntimeError(f"the log ended without the line: {user.api.get(url).text}")


def ray(runs: int) -> list[float]:
    """Return Ray's seconds for each run, on a Ray head started for this."""
    venv = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pumpkin-bench" / "ray-2.60.0"
    uv = [sys.executable, "-m", "uv"]
    if not (venv / "bin" / "ray").exists():
        subprocess.run([*uv, "venv", "--quiet", f"--python={sys.executable}", str(venv)], check=True)
        subprocess.run([*uv, "pip", "install", "--quiet", f"--python={venv}/bin/python", RAY], check=True)
    env = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    options = ["--head", "--port=6399", "--dashboard-port=8299", "--num-cpus=8", "--disable-usage-stats"]
    subprocess.run([venv / "bin/ray", "start", *options], check=True, env=env, stdout=subprocess.DEVNULL)
    try:
        client = [venv / "bin/python", "-c", RAY_CLIENT, "http://127.0.0.1:8299"]
        words = [*client, " ".join([*SCRIPT[:3], f'"{SCRIPT[3]}"']), str(runs)]
        done = subprocess.run(words, check=True, env=env, stdout=subprocess.PIPE, text=True)
        return list(json.loads(done.stdout.splitlines()[-1]))
    finally:
        subprocess.run([venv / "bin/ray", "stop"], check=False, env=env, stdout=subprocess.DEVNULL)


def main() -> None:
    """Run and print."""
    with fresh_house("submit") as house:
        house.up()
        user = house.user("bench")
        spec = user.api.get("/resources/specs").json()["items"][-1]["name"]
        for _ in range(3):
            ours(user, spec), bare()
        pairs = [(ours(user, spec), bare()) for _ in range(RUNS)]
    peer = ray(5)
    mine, floor = median([pair[0] for pair in pairs]), median([pair[1] for pair in pairs])
    theirs = median(peer)
    rows = [
        ("submit → first line", "median", "over the bare process"),
        ("bare process", f"{floor * 1000:.0f} ms", ""),
        ("Pumpkin", f"{mine * 1000:.0f} ms", f"{(mine - floor) * 1000:.0f} ms"),
        (RAY, f"{theirs * 1000:.0f} ms", f"{(theirs - floor) * 1000:.0f} ms"),
    ]
    report("submit", ours=round(mine, 4), reference=round(theirs, 4), ratio=theirs / mine, rows=rows,
           over_bare_ms=round((mine - floor) * 1000, 1))  # fmt: skip


if __name__ == "__main__":
    main()
