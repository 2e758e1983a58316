"""Journey 4: an admin runs the house: what there is, who may use it, what it costs, who uses it, and what was done."""

from __future__ import annotations

import time
from typing import Any

from tests.integration.house import House, User
from tests.integration.journeys.conftest import ended, events, in_phase, submit, until

HOUR_MS = 3_600_000


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def test_an_admin_sets_up_watches_and_settles(house: House):
    admin, ann, bob = house.admin.api, house.user("ann"), house.user("bob")
    for user in (ann, bob):
        ok(user.api.get("/accounts/me"))
    [node] = ok(admin.get("/resources/nodes"))["items"]
    quarter = {"cpu_milli": node["usable_cpu_milli"] // 4, "memory": 64 << 20}

    # A spec with a price, in a pool that only a workspace may use.
    ok(admin.post("/resources/specs", json={"name": "team", "price_micro": 3_600_000, **quarter}), 201)
    ok(ann.api.post("/accounts/workspaces", json={"name": "vision"}), 201)
    ok(ann.api.put("/accounts/workspaces/vision/members/bob", json={"role": "viewer"}))
    pools = {pool["name"]: pool for pool in ok(admin.get("/resources/pools"))["items"]}
    others = [spec["name"] for spec in ok(admin.get("/resources/specs"))["items"] if spec["name"] != "team"]
    for pool in pools.values():
        ok(admin.patch(f"/resources/pools/{pool['name']}", json={"specs": others}))
    vision = {"name": "vision", "specs": ["team"], "kinds": ["job"], "workspaces": ["vision"]}
    ok(admin.post("/resources/pools", json=vision), 201)
    mine = {"name": "x", "spec": "team", "command": "true"}
    assert ann.api.post("/workloads/jobs", json=mine).status_code in (403, 422), "not in her own workspace"

    # No money, no start; the refusal says so. A recharge is booked once, however often it is sent.
    theirs = {**mine, "workspace": "vision"}
    poor = ann.api.post("/workloads/jobs", json=theirs)
    assert poor.status_code < 500
    assert (poor.json()["reason"], poor.json()["errors"][0]["field"]) == ("insufficient_balance", "spec")
    recharge = {"workspace": "vision", "amount_micro": 5_000_000, "reference": "invoice 17"}
    for _ in range(2):
        assert admin.post("/billing/recharges", json=recharge).status_code in (200, 201)
    assert ok(ann.api.get("/billing/balances/vision"))["balance_micro"] == 5_000_000
    assert ann.api.post("/billing/recharges", json=recharge).status_code == 403
    viewer = bob.api.post("/workloads/jobs", json=theirs)
    assert viewer.status_code == 403, "a viewer looks"

    # Who uses what; somebody's job is stopped, and its owner reads why.
    job = submit(ann, "long", spec="team", workspace="vision", command="sleep 300")
    in_phase(ann, job, "running")
    [used] = [item for item in ok(admin.get("/resources/usage"))["items"] if item["workload"] == job]
    assert (used["workspace"], used["creator"], used["spec"]) == ("vision", "ann", "team")
    assert ann.api.get("/resources/usage").status_code == 403
    assert bob.api.post(f"/workloads/{job}/stop").status_code == 403
    ok(admin.post(f"/workloads/{job}/stop"))
    stopped = ended(ann, job)
    assert (stopped["phase"], stopped["reason"]) == ("stopped", "stopped_by_admin")
    assert "admin" in stopped["message"]
    assert [event["source"] for event in events(ann, job) if event["type"] == "stop"] == ["admin"]

    # It cost exactly what it ran.
    [replica] = stopped["members"]
    statement = ok(ann.api.get("/billing/statement", params={"workspace": "vision"}))
    [line] = statement["lines"]
    assert line["milliseconds"] > 0
    assert line["cost_micro"] == 3_600_000 * line["milliseconds"] // HOUR_MS == stopped["cost_micro"]
    assert statement["closing_micro"] == 5_000_000 - line["cost_micro"]
    assert replica["price_micro"] == 3_600_000
    exported = admin.get("/billing/ledger/export", params={"workspace": "vision"})
    assert exported.headers["content-type"].startswith("text/csv")
    assert len(exported.text.splitlines()) == 1 + len(
        ok(admin.get("/billing/ledger", params={"workspace": "vision"}))["items"]
    )

    # All of it is in the audit log, which users do not read.
    lines = ok(admin.get("/accounts/audit", params={"limit": 100}))["items"]
    done = {(entry["actor"], entry["action"]) for entry in lines}
    for action in (
        "POST /resources/specs",
        "POST /resources/pools",
        "POST /billing/recharges",
        "POST /workloads/{workload}/stop",
    ):
        assert ("admin", action) in done
    assert ("ann", "POST /workloads/jobs") in done
    assert ann.api.get("/accounts/audit").status_code == 403


def test_a_limit_holds_a_drained_node_takes_nothing_and_a_frozen_user_is_out(house: House):
    admin, cara = house.admin.api, house.user("cara")
    ok(cara.api.get("/accounts/me"))
    [node] = ok(admin.get("/resources/nodes"))["items"]
    ok(admin.put("/resources/limits/user/cara", json={"running": 1, "queued": 2}))
    assert ok(cara.api.get("/resources/limits/mine"))["user"]["running"] == 1
    first = submit(cara, "first", spec="cpu-small", command="sleep 300")
    in_phase(cara, first, "running")
    second = submit(cara, "second", spec="cpu-small", command="true")
    submit(cara, "third", spec="cpu-small", command="true")
    refused = cara.api.post("/workloads/jobs", json={"name": "fourth", "spec": "cpu-small", "command": "true"})
    assert (refused.status_code, refused.json()["reason"]) == (409, "limit_queued")
    assert in_phase(cara, second, "queued")["forecast"]["position"] >= 1

    ok(admin.post(f"/resources/nodes/{node['name']}/drain", json={"reason": "new disks"}))
    time.sleep(1.5)  # what admins set holds within a second
    ok(cara.api.post(f"/workloads/{first}/stop"))
    ended(cara, first)
    dave = house.user("dave")
    waiting = submit(dave, "waiting", spec="cpu-small", command="true")
    # What is running may end; nothing new begins, though there is room.
    until(lambda: not ok(admin.get("/resources/usage"))["items"])
    assert in_phase(dave, waiting, "queued")["attempt"] == 0
    assert in_phase(cara, second, "queued")["attempt"] == 0
    ok(admin.post(f"/resources/nodes/{node['name']}/undrain"))
    assert ended(cara, second)["phase"] == "succeeded"
    assert ended(dave, waiting)["phase"] == "succeeded"

    running = submit(cara, "running", spec="cpu-small", command="sleep 300")
    in_phase(cara, running, "running")
    ok(admin.post("/accounts/users/cara/freeze", json={"reason": "left the team"}))
    out = until(lambda: (answer := cara.api.get("/accounts/me")).status_code in (401, 403) and answer)
    assert out.status_code == 401 or "left the team" in out.json()["detail"]
    ok(admin.post("/accounts/users/cara/thaw"))
    again: User = house.user("cara")
    ok(again.api.get("/accounts/me"))
    ok(again.api.post(f"/workloads/{running}/stop"))
    ended(again, running)
