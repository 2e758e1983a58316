"""`kill -9` of service, hub, proxy and supervisors at seeded points while a hundred short jobs run."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from pumpkin_hub import processes
from tests.integration.faults.books import (
    ENDED,
    MARK_START,
    Books,
    Place,
    all_ended,
    assert_ended_once_and_paid_exactly,
    processes_of,
    until,
)
from tests.integration.faults.conftest import MONEY
from tests.integration.house import House, User

JOBS = 100
SEEDS = (1, 7, 2024)
KILLS = ("service", "service", "service", "proxy", "proxy", "hub", *["supervisor"] * 8)
BEGUN = ("running", *ENDED)
STUBBORN = "(trap '' TERM; sleep 300) & "
"""A child in the background that survives everything but SIGKILL."""


def short_job(kind: str, *, number: int, seconds: float) -> dict[str, Any]:
    """Return the request of one of the jobs."""
    work = f"{MARK_START}sleep {seconds:.2f}"
    job: dict[str, Any] = {"name": f"{kind}-{number}", "spec": "slot", "backoff_seconds": 0.1}
    if kind == "fails":
        return job | {"command": f"{work}; exit 3"}
    if kind == "retries":
        return job | {"command": f"{work}; test $PUMPKIN_ATTEMPT -ge 2", "retries": 2}
    if kind == "pair":
        return job | {"command": work, "replicas": 2, "retries": 1}
    if kind == "roles":
        role = {"spec": "slot"}
        main = role | {"name": "main", "command": work, "is_main": True}
        helper = role | {"name": "helper", "command": f"{MARK_START}sleep 300"}
        return {key: value for key, value in job.items() if key != "spec"} | {"roles": [main, helper]}
    if kind == "tree":
        return job | {"command": f"{MARK_START}{STUBBORN}sleep {seconds:.2f}"}
    if kind == "endless":
        return job | {"command": f"{MARK_START}{STUBBORN}wait"}
    return job | {"command": work}


OUTCOMES = {"fails": "failed", "endless": "stopped"}
"""How each kind ends when nobody kills it; `succeeded` unless listed."""


@dataclass(kw_only=True)
class Storm:
    """A hundred jobs being submitted and run while parts of the house are killed."""

    house: House
    ann: User
    rng: random.Random
    kinds: dict[str, str] = field(default_factory=dict[str, str])
    """Of each job submitted so far."""
    murdered: dict[Place, int] = field(default_factory=dict[Place, int])
    """Replicas whose supervisors were killed while they ran, with the time in Unix milliseconds."""

    def send(self, method: str, path: str, *, key: str = "", body: Any = None) -> httpx.Response:
        """Send until there is an answer: whoever gets none asks again, with the same Idempotency-Key."""
        limit = time.monotonic() + 90
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                answer = self.ann.api.request(method, path, json=body, headers=headers)
                # What comes from the proxy or the Hub in place of the service is not an answer.
                if answer.status_code < 500 and answer.headers.get("content-type", "").startswith("application/"):
                    return answer
                said = f"{answer.status_code} {answer.text[:200]}"
                assert answer.status_code != 500, said
            except httpx.TransportError as error:
                said = repr(error)
            assert time.monotonic() < limit, f"{method} {path}: {said}\n{self.house.logs()}"
            time.sleep(0.1)

    def submit(self) -> None:
        """Submit all jobs, whatever happens meanwhile; some are stopped while they run."""
        kinds = ["plain"] * 44 + ["fails"] * 14 + ["retries"] * 14 + ["pair"] * 10 + ["roles"] * 6 + ["tree"] * 8
        kinds += ["endless"] * (JOBS - len(kinds))
        rng = random.Random(self.rng.random())
        rng.shuffle(kinds)
        for number, kind in enumerate(kinds):
            request = short_job(kind, number=number, seconds=rng.uniform(0.05, 0.6))
            answer = self.send("POST", "/workloads/jobs", key=f"job {number}", body=request)
            assert answer.status_code == 201, answer.text
            self.kinds[answer.json()["id"]] = kind

    def kill(self, part: str) -> None:
        """Kill one process of a part, once there is one."""
        if part == "supervisor":
            self._kill_supervisor()
            return
        pids = until(lambda: self.house.pids(part), house=self.house, seconds=90)  # pyright: ignore[reportArgumentType]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def _kill_supervisor(self) -> None:
        """Kill a supervisor whose replica runs: it is held first, so that it is known what it had written."""
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            for process in self.rng.sample(found := processes.supervisors(self.house.data), len(found)):
                try:
                    folder = Path(process.cwd())
                    parent = process.parent()
                    if parent is not None and parent.cwd() == str(folder):
                        continue  # the replica itself, between fork and exec: its end is an ordinary one
                    process.suspend()
                    # It stops when it leaves the kernel: until then it may still write.
                    until(
                        lambda p=process: p.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE),
                        house=self.house,
                        seconds=10,
                    )
                    if (folder / "started.json").exists() and not (folder / "exit.json").exists():
                        workload, attempt, replica = folder.parts[-3:]
                        self.murdered[workload, int(attempt), replica] = time.time_ns() // 1_000_000
                        process.kill()
                        return
                    process.resume()
                except (psutil.Error, OSError):
                    continue
            if self.done():
                return
            time.sleep(0.02)

    def done(self) -> bool:
        """Tell whether all but the endless jobs have ended."""
        books = Books(self.house.data)
        ending = [workload for workload, kind in self.kinds.items() if kind != "endless"]
        return len(self.kinds) == JOBS and all_ended(books, ending)()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hundred_jobs_end_exactly_once_whatever_is_killed(busy_house: tuple[House, User], seed: int):
    house, ann = busy_house
    print(f"seed {seed}")
    storm = Storm(house=house, ann=ann, rng=random.Random(seed))
    books = Books(house.data)
    failures: list[BaseException] = []

    def submit() -> None:
        try:
            storm.submit()
        except BaseException as error:
            failures.append(error)

    submitting = threading.Thread(target=submit)
    submitting.start()
    for part in storm.rng.sample(KILLS, len(KILLS)):
        time.sleep(storm.rng.uniform(0.2, 2.5))  # the seeded moment
        assert not failures, failures
        storm.kill(part)
    submitting.join()
    assert not failures, failures
    house.wait(house.answers)
    stop_the_endless(storm, books)
    until(all_ended(books, storm.kinds), house=house, seconds=120)

    print(f"killed while running: {sorted(storm.murdered)}")
    assert_ended_once_and_paid_exactly(books, user="ann", workloads=storm.kinds, recharged_micro=MONEY)
    assert_all_ended_as_they_should(storm, books)
    assert processes_of(storm.kinds) == []
    ids = list(storm.kinds)
    answer = storm.send("POST", "/workloads/batch", body={"action": "delete", "ids": ids})
    assert all(item["done"] for item in answer.json()["items"]), answer.text
    until(lambda: not books.phases(), house=house)
    until(lambda: books.folders() == [], house=house)
    assert books.charges() != {}, "the ledger stays"


def stop_the_endless(storm: Storm, books: Books) -> None:
    """Stop, one after the other as they get their places, the jobs that would run for ever."""
    for workload, kind in storm.kinds.items():
        if kind == "endless":
            until(lambda w=workload: books.phases()[w] in BEGUN, house=storm.house, seconds=120)
            assert storm.send("POST", f"/workloads/{workload}/stop").status_code == 200


def assert_all_ended_as_they_should(storm: Storm, books: Books) -> None:
    """Jobs nobody touched ended as their commands say; a killed supervisor's replica is lost, its attempt failed."""
    phases, attempts, replicas, ran = books.phases(), books.attempts(), books.replicas(), books.ran("ann")
    touched = {workload for workload, _, _ in storm.murdered}
    for workload, kind in storm.kinds.items():
        if workload not in touched:
            assert phases[workload] == OUTCOMES.get(kind, "succeeded"), (workload, kind)
            last = max(number for of, number in attempts if of == workload)
            assert last == (2 if kind == "retries" else 1), (workload, kind)
            assert {place for place in ran if place[0] == workload} == {
                place for place in replicas if place[0] == workload
            }, (workload, kind)
    for (workload, number, replica), when in storm.murdered.items():
        assert replicas[workload, number, replica].state == "lost", (workload, number, replica)
        attempt, kind = attempts[workload, number], storm.kinds[workload]
        if kind in ("pair", "roles") and decided_before(replicas, workload, number, replica, when):
            continue
        assert (attempt.phase, attempt.reason) == ("failed", "lost"), (workload, kind, attempt)
        tries = {"retries": 3, "pair": 2}.get(kind, 1)
        assert ((workload, number + 1) in attempts) == (number < tries), (workload, kind)


def decided_before(replicas: dict[Place, Any], workload: str, number: int, replica: str, when: int) -> bool:
    """Tell whether another replica of the attempt had ended before, so that the end was decided without this one."""
    others = [item for place, item in replicas.items() if place[:2] == (workload, number) and place[2] != replica]
    return any(item.ended_ms is not None and item.ended_ms <= when for item in others)
