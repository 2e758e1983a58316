"""`kill -9` of clients, service and S3 server at seeded points while versions are pushed and read.

Whatever is killed: each version is there whole or not at all, what was broken off goes on and ends, and a reader gets
the bytes that were sent or is told what to do.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pumpkin import Client
from tests import s3
from tests.integration.faults.books import fsck, until
from tests.integration.faults.transfers import READ, TURNS, contents, journal, tree
from tests.integration.house import House, User

SEEDS = (3,)
PUSHERS, READERS = 5, 2
DATASETS, READS = 25, 50
KILLS = ("service", "service", "service", *["store"] * 5, *["client"] * 12)
WAY_OUT = re.compile(r"again|see 'pumpkin status'|is the platform up|tell an admin")


class Store:
    """An S3 server that is killed and comes back where it was."""

    def __init__(self, folder: Path) -> None:
        self.process, self.server = s3.start(folder)

    def kill(self, *, away: float) -> None:
        """Kill it; start it again after so many seconds."""
        self.stop()
        time.sleep(away)
        port = int(self.server.endpoint.rpartition(":")[2])
        keys = self.server.access_key, self.server.secret_key
        self.process, _ = s3.start(self.server.folder, port=port, access_key=keys[0], secret_key=keys[1])

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "s3").mkdir()
    made = Store(tmp_path / "s3")
    yield made
    made.stop()


@dataclass(kw_only=True)
class Process:
    """A client process with its plan (`transfers`); killed, it is started again."""

    folder: Path
    words: list[str]
    environment: dict[str, str]
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "tests.integration.faults.transfers", self.words[0], str(self.folder)]
        with (self.folder / "said").open("ab") as said:
            self.running = subprocess.Popen(
                [*command, *self.words[1:]], env=self.environment | {"HOME": str(self.folder)}, stdout=said, stderr=said
            )

    @property
    def ended(self) -> bool:
        """Whether it has done everything; that it fell over is a failure."""
        assert self.running is not None
        code = self.running.poll()
        assert code in (None, 0), (self.folder / "said").read_text()
        return code == 0

    def kill(self) -> None:
        assert self.running is not None
        self.running.kill()
        self.running.wait()


def processes(house: House, ann: User, root: Path) -> list[Process]:
    """Return the clients: each dataset is pushed by one, the reads are shared out."""
    environment = os.environ | {"PUMPKIN_URL": house.url, "PUMPKIN_TOKEN": ann.token}
    plans = [["push", *(f"set-{n}" for n in range(DATASETS) if n % PUSHERS == at)] for at in range(PUSHERS)]
    plans += [["read", *(str(n) for n in range(READS) if n % READERS == at)] for at in range(READERS)]
    return [
        Process(folder=root / f"{plan[0]}-{at}", words=plan, environment=environment) for at, plan in enumerate(plans)
    ]


def storm(house: House, store: Store, clients: list[Process], rng: random.Random) -> None:
    """Start the clients, kill this and that while they work, and return when all have done everything."""
    for client in clients:
        client.start()
    kills = rng.sample(KILLS, len(KILLS))
    limit = time.monotonic() + 300
    while not all(client.ended for client in clients):
        assert time.monotonic() < limit, f"still at work\n{house.logs()}"
        time.sleep(rng.uniform(0.2, 1.2))
        what = kills.pop() if kills else ""
        if what == "service":
            for pid in until(lambda: house.pids("service"), house=house):
                os.kill(pid, signal.SIGKILL)
        elif what == "store":
            store.kill(away=rng.choice((0, 1, 5)))  # the longest is more than the SDK waits for
        elif what == "client" and (busy := [client for client in clients if not client.ended]):
            client = rng.choice(busy)
            client.kill()
            client.start()
    assert not kills, "the work was over before everything was killed that should be"


def left_over(ann: User) -> list[dict[str, Any]]:
    """Return the uploads that are no version. What a killed client had committed is verified all the same."""
    answers = [ann.api.get(f"/datasets/ann/set-{number}/uploads", params={"limit": 100}) for number in range(DATASETS)]
    return [upload for answer in answers for upload in answer.json()["items"]]


def give_up_what_is_left(ann: User, dataset: str) -> None:
    uploads = f"/datasets/ann/{dataset}/uploads"
    for upload in ann.api.get(uploads, params={"limit": 100}).json()["items"]:
        assert upload["state"] == "uploading", upload
        assert ann.api.delete(f"{uploads}/{upload['id']}").status_code == 204


@pytest.mark.timeout(480)
@pytest.mark.parametrize("seed", SEEDS)
def test_versions_are_whole_or_absent_whatever_is_killed(
    make_platform: Callable[[], House], store: Store, tmp_path: Path, seed: int
):
    house = make_platform()
    # What nothing refers to is taken at once: a reference that is late by a moment would show.
    house.configure(store.server.config("data") + "c.Platform.deletion_grace = 0\n")
    house.up()
    ann = house.user("ann")
    with Client(house.url, ann.token) as client:
        for number in range(READ):
            source = tmp_path / f"read-{number}"
            for path, data in tree(source.name, 0).items():
                (source / path).parent.mkdir(parents=True, exist_ok=True)
                (source / path).write_bytes(data)
            client.datasets.push(source, source.name)

        clients = processes(house, ann, tmp_path)
        storm(house, store, clients, random.Random(seed))
        house.wait(lambda: house.pids("service") and house.answers())

        said = [line for process in clients for line in journal(process.folder)]
        assert [line for line in said if "refused" in line and not WAY_OUT.search(line["refused"])] == []
        results = {line["task"]: line["result"] for line in said if "refused" not in line}
        assert len(results) == DATASETS * TURNS + READS
        until(lambda: all(upload["state"] != "verifying" for upload in left_over(ann)), house=house, seconds=120)
        for number in range(DATASETS):
            dataset = f"set-{number}"
            expected = [tree(dataset, turn) for turn in range(TURNS)]
            made = {
                version.number: tmp_path / f"{dataset}-{version.number}"
                for version in client.datasets.versions(dataset)
            }
            for version, folder in made.items():
                client.datasets.pull(f"{dataset}@{version}", folder)
                assert contents(folder) in expected, (dataset, version)
            for turn in range(TURNS):
                assert contents(made[results[f"{dataset} {turn}"]]) == expected[turn], (dataset, turn)
            give_up_what_is_left(ann, dataset)

    fsck(house)
    pid = house.kill("service")  # it collects when it begins
    house.wait(lambda: house.pids("service") not in ([], [pid]) and house.answers())
    until(lambda: "Not referred to: 0 objects,\n0 stray files" in fsck(house), house=house)
