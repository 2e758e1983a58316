"""What jobs may count on: replicas that find each other, gang start, the main role, deadline, retries, money, stop."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.integration.house import House
from tests.integration.journeys.conftest import ended, events, in_phase, show, submit, until

ALL_REDUCE = """
import os, socket
import numpy as np

rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
mine = np.arange(100_000, dtype=np.float64) * (rank + 1)

def receive(peer):
    data = bytearray()
    while len(data) < mine.nbytes:
        data += peer.recv(1 << 16) or exit("the other one is gone")
    return np.frombuffer(data)

if rank == 0:
    with socket.create_server(place) as server:
        peers = [server.accept()[0] for _ in range(size - 1)]
    total = mine + sum(receive(peer) for peer in peers)
    for peer in peers:
        peer.sendall(total.tobytes())
else:
    import time
    for _ in range(600):
        try:
            peer = socket.create_connection(place)
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    peer.sendall(mine.tobytes())
    total = receive(peer)
assert np.array_equal(total, np.arange(100_000) * sum(range(1, size + 1)))
print("rank", rank, "of", size, "sum", int(total.sum()), os.environ["PUMPKIN_REPLICA"])
"""


def eighth(house: House, name: str, *, price_micro: int = 0) -> str:
    """Make a spec that fits eight times; return its name."""
    [node] = house.admin.api.get("/resources/nodes").json()["items"]
    spec = {"name": name, "cpu_milli": node["usable_cpu_milli"] // 8, "memory": 256 << 20, "price_micro": price_micro}
    made = house.admin.api.post("/resources/specs", json=spec)
    assert made.status_code in (201, 409), made.text
    return name


def test_two_replicas_sum_their_vectors_over_a_socket(house: House):
    ann, spec = house.user("ann"), eighth(house, "eighth")
    job = submit(ann, "all-reduce", spec=spec, replicas=2, command=["python", "-c", ALL_REDUCE])
    done = ended(ann, job, seconds=90)
    logs = [ann.api.get(f"/workloads/{job}/logs/main-{index}").text for index in (0, 1)]
    total = 3 * sum(range(100_000))
    assert logs == [f"rank {index} of 2 sum {total} main-{index}\n" for index in (0, 1)]
    assert (done["phase"], len(done["members"])) == ("succeeded", 2)


def test_a_gang_starts_together_or_not_at_all_and_nothing_smaller_starves_it(house: House):
    ann, spec = house.user("ann"), eighth(house, "eighth")
    holders = [submit(ann, f"holder-{number}", spec=spec, command="sleep 300") for number in range(6)]
    for holder in holders:
        in_phase(ann, holder, "running")
    gang = submit(ann, "gang", spec=spec, replicas=4, command="sleep 1")
    # Two slots are free: not enough for four, so none is taken.
    until(lambda: show(ann, gang)["forecast"]["position"] == 1)
    assert in_phase(ann, gang, "queued")["members"] == []
    for holder in holders[:2]:
        assert ann.api.post(f"/workloads/{holder}/stop").status_code == 200
        ended(ann, holder)
    began = in_phase(ann, gang, "running", "succeeded")
    assert len(began["members"]) == 4
    assert ended(ann, gang)["phase"] == "succeeded"


def test_the_main_roles_end_is_the_jobs_end(house: House):
    ann, spec = house.user("ann"), eighth(house, "eighth")
    roles = [
        {"name": "server", "spec": spec, "replicas": 2, "command": "trap 'echo told; exit 0' TERM; sleep 300 & wait"},
        {"name": "chief", "spec": spec, "is_main": True, "command": "echo the end; sleep 0.5"},
    ]
    job = submit(ann, "roles", roles=roles)
    done = ended(ann, job)
    assert (done["phase"], done["exit_code"]) == ("succeeded", 0)
    assert {item["name"]: item["state"] for item in done["members"]} == dict.fromkeys(
        ["chief-0", "server-0", "server-1"], "exited"
    )
    assert ann.api.get(f"/workloads/{job}/logs/server-0").text == "told\n"
    roles[1]["command"] = "exit 9"
    failed = ended(ann, submit(ann, "roles", roles=roles))
    assert (failed["phase"], failed["reason"], failed["exit_code"]) == ("failed", "exit_code", 9)


def test_a_job_over_its_deadline_is_stopped_and_says_so(house: House):
    ann = house.user("ann")
    done = ended(ann, submit(ann, "slow", spec="cpu-small", command="sleep 300", deadline_seconds=1))
    assert (done["phase"], done["reason"]) == ("failed", "deadline")
    assert "1 s" in done["message"]


def test_retries_back_off_and_keep_every_attempts_log(house: House):
    ann = house.user("ann")
    command = "echo attempt $PUMPKIN_ATTEMPT; test $PUMPKIN_ATTEMPT = 3"
    job = submit(ann, "retries", spec="cpu-small", command=command, retries=5, backoff_seconds=0.5)
    done = ended(ann, job)
    assert (done["phase"], done["attempt"]) == ("succeeded", 3)
    assert [(item["number"], item["phase"]) for item in done["attempts"]] == [
        (1, "failed"),
        (2, "failed"),
        (3, "succeeded"),
    ]
    for number in (1, 2, 3):
        text = ann.api.get(f"/workloads/{job}/logs/main-0", params={"attempt": number}).text
        assert text == f"attempt {number}\n"
    times = {(item["type"], item["detail"].get("attempt")): item["id"] for item in events(ann, job)}
    assert ("retry", 1) in times
    assert ("retry", 2) in times
    begun, over = [item["started"] for item in done["attempts"]], [item["ended"] for item in done["attempts"]]
    pauses = [seconds(begun[number + 1]) - seconds(over[number]) for number in (0, 1)]
    assert pauses[0] >= 0.45, pauses
    assert pauses[1] >= 0.95, pauses


def seconds(moment: str) -> float:
    """Return a moment of the API in Unix seconds."""
    return datetime.fromisoformat(moment).timestamp()


def rich(house: House, name: str, *, hours_micro: int) -> Any:
    """Return a user with so much money."""
    user = house.user(name)
    user.api.get("/accounts/me")
    body = {"workspace": name, "amount_micro": hours_micro}
    assert house.admin.api.post("/billing/recharges", json=body).status_code == 201
    return user


def test_money_that_runs_out_stops_a_job_before_the_balance_is_overdrawn(house: House):
    price = 3_600_000_000  # a million micro-units a second
    spec = eighth(house, "dear", price_micro=price)
    user = rich(house, "hal", hours_micro=200_000_000)
    job = submit(user, "dear", spec=spec, command="trap '' TERM; sleep 300 & wait; sleep 300")
    in_phase(user, job, "running")
    taken = {"workspace": "hal", "amount_micro": -185_000_000, "note": "a mistaken recharge"}
    assert house.admin.api.post("/billing/adjustments", json=taken).status_code == 201
    done = ended(user, job)
    assert (done["phase"], done["reason"]) == ("stopped", "balance")
    balance = user.api.get("/billing/balances/hal").json()["balance_micro"]
    assert 0 <= balance < 15_000_000
    assert balance == 15_000_000 - done["cost_micro"]
    refused = user.api.post("/workloads/jobs", json={"name": "more", "spec": spec, "command": "true"})
    assert refused.status_code < 500
    assert refused.json()["reason"] == "insufficient_balance"


def test_a_workspaces_budget_stops_its_jobs_before_it_is_overdrawn(house: House):
    spec = eighth(house, "dear", price_micro=3_600_000_000)
    user = rich(house, "iris", hours_micro=1_000_000_000)
    job = submit(user, "dear", spec=spec, command="sleep 300")
    in_phase(user, job, "running")
    budget = {"budget_micro": 15_000_000}
    changed = house.admin.api.patch("/billing/balances/iris", json=budget)
    assert changed.status_code == 200, changed.text
    done = ended(user, job)
    assert (done["phase"], done["reason"]) == ("stopped", "balance")
    assert user.api.get("/billing/balances/iris").json()["month_spent_micro"] == done["cost_micro"] <= 15_000_000


def test_stopping_kills_the_whole_tree(house: House):
    ann = house.user("ann")
    child = "setsid sh -c \"trap '' TERM HUP; sleep 300\" & "
    command = f"trap '' TERM; {child}{child}echo grown; wait; sleep 300"
    job = submit(ann, "tree", spec="cpu-small", command=command)
    until(lambda: ann.api.get(f"/workloads/{job}/logs/main-0").text == "grown\n")
    assert len(processes_of(job)) >= 4
    assert ann.api.post(f"/workloads/{job}/stop").status_code == 200
    done = ended(ann, job)
    assert (done["phase"], done["reason"]) == ("stopped", "stopped_by_user")
    assert processes_of(job) == []
    assert ann.api.delete(f"/workloads/{job}").status_code in (200, 202, 204)
    until(lambda: ann.api.get(f"/workloads/{job}").status_code == 404)
    assert not (house.data / "runs" / job).exists()


def processes_of(workload: str) -> list[str]:
    """Return the ids of all processes that carry the workload's mark."""
    found: list[str] = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            variables = (place / "environ").read_bytes()
        except OSError:
            continue
        if f"/{workload}/".encode() in variables and b"PUMPKIN_RUN=" in variables and int(place.name) != os.getpid():
            found.append(place.name)
    return found
