"""Two replicas of the service over one database and data folder, and the pipeline's lease taken from whoever has it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

import httpx
import psutil
import pytest

from tests.integration.faults.books import (
    MARK_START,
    Books,
    all_ended,
    assert_ended_once_and_paid_exactly,
    processes_of,
    until,
)
from tests.integration.faults.conftest import MONEY, open_for_business
from tests.integration.house import House, free_port

LEASE_SECONDS = 3.0


@dataclass(kw_only=True)
class Pair:
    """Two replicas: the Hub's own, and one more. Each is spoken to at its own port."""

    house: House
    token: str
    urls: dict[int, str]
    """Address of the API by process id."""

    def api(self, pid: int) -> httpx.Client:
        return httpx.Client(base_url=self.urls[pid], headers={"Authorization": f"token {self.token}"}, timeout=30)

    def submit(self, pid: int, *, seconds: float) -> str:
        """Submit a job through one replica; return its id."""
        with self.api(pid) as client:
            command = f"{MARK_START}sleep {seconds}"
            answer = client.post("/workloads/jobs", json={"name": "job", "spec": "slot", "command": command})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def leader(self) -> int:
        return Books(self.house.data).lease()[0]

    def other(self, pid: int) -> int:
        [other] = self.urls.keys() - {pid}
        return other


def hold_still(pid: int, database: Path) -> None:
    """Stop a process with SIGSTOP, but not while it has SQLite's write lock: nobody could write then."""
    for _ in range(100):
        os.kill(pid, signal.SIGSTOP)
        # A thread stops only when it leaves the kernel, and may get the lock on its way.
        while set(_states(pid)) != {"T"}:
            time.sleep(0.001)
        connection = sqlite3.connect(database, timeout=0.5, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            os.kill(pid, signal.SIGCONT)
        finally:
            connection.close()
    raise AssertionError("it always has the write lock")


def _states(pid: int) -> list[str]:
    """Return the state of each thread, as proc(5) names it."""
    stats = Path(f"/proc/{pid}/task").glob("*/stat")
    return [stat.read_text().rpartition(")")[2].split()[0] for stat in stats]


@pytest.fixture
def pair(make_platform: Callable[[], House]) -> Iterator[Pair]:
    house = make_platform()
    house.configure(f"c.Platform.lease_seconds = {LEASE_SECONDS}\n")
    house.up()
    ann = open_for_business(house)
    [first] = house.pids("service")
    service = psutil.Process(first)
    environment = service.environ()
    url = urlparse(environment["JUPYTERHUB_SERVICE_URL"])
    port = free_port()
    second_url = f"http://127.0.0.1:{port}{url.path}"
    with open(house.data / "logs/second.log", "w") as log:
        second = subprocess.Popen(
            [sys.executable, *service.cmdline()[1:]],
            env=environment | {"JUPYTERHUB_SERVICE_URL": second_url},
            stdout=log,
            stderr=log,
        )
    try:
        api = "/services/pumpkin/api/v1"
        urls = {first: f"http://127.0.0.1:{url.port}{api}", second.pid: f"http://127.0.0.1:{port}{api}"}
        made = Pair(house=house, token=ann.token, urls=urls)

        def answers() -> bool:
            try:
                return httpx.get(f"{urls[second.pid]}/health").status_code == 200
            except httpx.TransportError:
                return False

        until(answers, house=house)
        yield made
    finally:
        second.kill()
        second.wait()


def test_a_leader_that_slept_over_its_lease_is_deposed_and_writes_nothing(pair: Pair):
    books = Books(pair.house.data)
    first, epoch = books.lease()
    heir = pair.other(first)
    # Some will still run, some wait, some end while the leader sleeps.
    jobs = [pair.submit(pid, seconds=seconds) for seconds in (0.1, 2, 4, 6) for pid in (first, heir) for _ in "abc"]
    until(lambda: "running" in books.phases().values(), house=pair.house)
    hold_still(first, pair.house.data / "platform.sqlite")
    try:
        until(lambda: pair.leader() == heir, house=pair.house, seconds=5 * LEASE_SECONDS)
        jobs += [pair.submit(heir, seconds=0.1) for _ in range(6)]
        until(lambda: any(phase == "succeeded" for phase in books.phases().values()), house=pair.house)
    finally:
        os.kill(first, signal.SIGCONT)
    # It wakes up in the middle of what it was doing, still believing that it leads.
    jobs += [pair.submit(pid, seconds=0.1) for pid in (first, heir) for _ in range(3)]
    until(all_ended(books, jobs), house=pair.house, seconds=90)
    assert books.lease() == (heir, epoch + 1)
    assert set(books.phases().values()) == {"succeeded"}
    assert_ended_once_and_paid_exactly(books, user="ann", workloads=jobs, recharged_micro=MONEY)
    assert processes_of(jobs) == []


def test_the_lease_goes_back_and_forth_while_jobs_run(pair: Pair):
    books = Books(pair.house.data)
    jobs: list[str] = []
    for _ in range(3):
        leader, epoch = books.lease()
        heir = pair.other(leader)
        jobs += [pair.submit(heir, seconds=seconds) for seconds in (0.1, 0.5, 1.5) for _ in "ab"]
        hold_still(leader, pair.house.data / "platform.sqlite")
        try:
            until(lambda epoch=epoch: books.lease()[1] > epoch, house=pair.house, seconds=5 * LEASE_SECONDS)
        finally:
            os.kill(leader, signal.SIGCONT)
    until(all_ended(books, jobs), house=pair.house, seconds=90)
    assert set(books.phases().values()) == {"succeeded"}
    assert_ended_once_and_paid_exactly(books, user="ann", workloads=jobs, recharged_micro=MONEY)


def test_when_the_leader_is_killed_the_other_goes_on_at_once(pair: Pair):
    books = Books(pair.house.data)
    leader, epoch = books.lease()
    heir = pair.other(leader)
    jobs = [pair.submit(heir, seconds=seconds) for seconds in (0.1, 1, 2, 3) for _ in "abcd"]
    until(lambda: "running" in books.phases().values(), house=pair.house)
    os.kill(leader, signal.SIGKILL)
    # On the same machine a dead holder is seen to be dead: nobody waits for the lease to run out.
    until(lambda: books.lease()[1] == epoch + 1, house=pair.house, seconds=LEASE_SECONDS)
    jobs += [pair.submit(heir, seconds=0.1) for _ in range(4)]
    until(all_ended(books, jobs), house=pair.house, seconds=90)
    assert set(books.phases().values()) == {"succeeded"}
    assert_ended_once_and_paid_exactly(books, user="ann", workloads=jobs, recharged_micro=MONEY)
    assert processes_of(jobs) == []


def test_both_replicas_answer_alike_and_a_change_through_one_is_seen_in_the_other(pair: Pair):
    first, second = pair.urls
    with pair.api(first) as one, pair.api(second) as two:
        made = one.post("/datasets", json={"name": "shared"}, headers={"Idempotency-Key": "same"})
        again = two.post("/datasets", json={"name": "shared"}, headers={"Idempotency-Key": "same"})
        assert (made.status_code, again.status_code) == (201, 201)
        assert again.json() == made.json()
        assert two.get("/datasets/ann/shared").json() == made.json()
        job = one.post("/workloads/jobs", json={"name": "seen", "spec": "slot", "command": "echo seen; sleep 1"}).json()
        # Its log and events stream from the replica that does not run it.
        with two.stream("GET", f"/workloads/{job['id']}/events/stream") as events:
            said = "".join(events.iter_text())
        assert "succeeded" in said
        assert two.get(f"/workloads/{job['id']}/logs/main-0").text == "seen\n"
