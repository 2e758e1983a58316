"""A store or a disk that is full or read-only, a database that is locked: told in a sentence, survived, undone.

The full disks are small memory file systems, mounted by the test: that takes root.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sqlite3
import zipfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pumpkin import Client, PumpkinError
from tests.integration.faults.books import ENDED, Books, fsck, until
from tests.integration.faults.disks import MIB, Disk
from tests.integration.house import House, User


@pytest.fixture
def small_store(disks: Callable[..., Disk], make_platform: Callable[[], House]) -> tuple[House, User, Disk]:
    """A platform whose object store has room for 24 MiB, and a user with a dataset."""
    house = make_platform()
    house.data.mkdir(mode=0o700)
    disk = disks(house.data / "objects", size=24 * MIB)
    house.up()
    ann = house.user("ann")
    assert ann.api.post("/datasets", json={"name": "data"}).status_code == 201
    return house, ann, disk


def archive(size: int) -> bytes:
    """Return a zip file with `size` bytes that nothing makes smaller."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as writer:
        for number in range(4):
            writer.writestr(f"{number}.bin", os.urandom(size // 4))
    return memory.getvalue()


def upload(user: User, size: int) -> httpx.Response:
    return user.api.put("/datasets/ann/data/import?format=zip", content=archive(size))


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Return a refusal's document; it is a sentence a person can act on."""
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["detail"].endswith(".")
    assert len(problem["detail"].split()) > 5
    return problem


def versions(user: User) -> list[dict[str, Any]]:
    return user.api.get("/datasets/ann/data/versions").json()["items"]


def job(user: User, command: str, **more: Any) -> str:
    answer = user.api.post("/workloads/jobs", json={"name": "job", "spec": "cpu-small", "command": command, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def ended(house: House, user: User, workload: str, *, seconds: float = 60) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = user.api.get(f"/workloads/{workload}").json()
        return found if found.get("phase") in ENDED else None

    found = until(look, house=house, seconds=seconds)
    assert found is not None
    return found


def test_an_upload_that_does_not_fit_leaves_nothing_and_goes_through_when_room_returns(
    small_store: tuple[House, User, Disk], tmp_path: Path
):
    house, ann, disk = small_store
    assert upload(ann, 4 * MIB).status_code == 201
    problem = refused(upload(ann, 40 * MIB), 507)
    assert problem["reason"] == "storage_full"
    assert [version["number"] for version in versions(ann)] == [1]
    assert list((disk.path / "tmp").iterdir()) == []
    assert "0 objects" in fsck(house).partition("Not referred to:")[2], "nothing half done is left in the store"

    # The other way in: pieces straight to the store. The same refusal, and the same call goes on later.
    source = tmp_path / "large"
    source.mkdir()
    for number in range(5):
        (source / f"{number}.bin").write_bytes(os.urandom(8 * MIB))
    with Client(house.url, ann.token) as client:
        with pytest.raises(PumpkinError, match="full") as refusal:
            client.datasets.push(source, "data")
        assert refusal.value.status == 507
        fsck(house)
        assert upload(ann, MIB).status_code == 507 or versions(ann)[0]["number"] == 2
        disk.remount("size=160m")
        made = client.datasets.push(source, "data")
        assert made.files == 5
    assert upload(ann, 40 * MIB).status_code == 201
    fsck(house)


def test_a_read_only_store_is_read_and_nothing_else(small_store: tuple[House, User, Disk]):
    house, ann, disk = small_store
    assert upload(ann, MIB).status_code == 201
    disk.remount("ro")
    problem = refused(upload(ann, MIB), 503)
    assert problem["reason"] == "storage_read_only"
    read = ann.api.get("/datasets/ann/data/versions/1/files/0.bin")
    assert (read.status_code, len(read.content)) == (200, MIB // 4)
    fsck(house)
    # A job's output waits for the store rather than being lost.
    workload = job(ann, "echo model > $PUMPKIN_OUTPUT/weights", output={"model": "kept"})
    until(lambda: ann.api.get(f"/workloads/{workload}").json()["phase"] == "stopping", house=house)
    disk.remount("rw")
    done = ended(house, ann, workload)
    assert (done["phase"], done["output"]) == ("succeeded", "ann/kept@1")
    assert upload(ann, MIB).status_code == 201
    assert [version["number"] for version in versions(ann)] == [2, 1]
    fsck(house)


def test_a_model_that_does_not_fit_fails_its_job_with_the_reason(small_store: tuple[House, User, Disk]):
    house, ann, _ = small_store
    large = "head -c 40000000 /dev/urandom > $PUMPKIN_OUTPUT/weights"
    done = ended(house, ann, job(ann, large, output={"model": "big"}))
    assert (done["phase"], done["reason"], done["output"]) == ("failed", "output_failed", "")
    assert "full" in done["message"]
    small = ended(house, ann, job(ann, "echo x > $PUMPKIN_OUTPUT/weights", output={"model": "small"}))
    assert (small["phase"], small["output"]) == ("succeeded", "ann/small@1")
    assert ann.api.get("/models/ann/big/versions").json()["items"] == []
    fsck(house)


def test_a_full_data_folder_is_told_and_survived(
    disks: Callable[..., Disk], make_platform: Callable[[], House], tmp_path: Path
):
    house = make_platform()
    disk = disks(house.data, size=192 * MIB)
    (logs := tmp_path / "logs").mkdir()
    (house.data / "logs").symlink_to(logs)  # where there is room
    house.up()
    ann = house.user("ann")
    assert ann.api.post("/datasets", json={"name": "data"}).status_code == 201
    running = job(ann, "while [ ! -e $PUMPKIN_HOME/go ]; do sleep 0.1; done; exit 7")
    until(lambda: ann.api.get(f"/workloads/{running}").json()["phase"] == "running", house=house)

    service = house.pids("service")
    filler = disk.fill()
    answers = [ann.api.post("/datasets", json={"name": f"more-{number}"}) for number in range(30)]
    # The database has a little room of its own; when that is used up, it says so.
    problem = refused(answers[-1], 507)
    assert problem["reason"] == "storage_full"
    assert {answer.status_code for answer in answers} <= {201, 507}
    assert refused(upload(ann, MIB), 507)["reason"] == "storage_full"
    assert ann.api.get("/datasets").status_code == 200
    assert ann.api.get(f"/workloads/{running}").json()["phase"] == "running"
    # How a job ends is kept in room that was taken beforehand.
    (house.data / "homes" / "ann" / "go").symlink_to("/")
    exit_file = house.data / "runs" / running / "1" / "main-0" / "exit.json"
    until(exit_file.exists, house=house)
    # What the service does beside the requests fails, too, and is tried again.
    until(lambda: "no heartbeat" in (logs / "service.log").read_text(), house=house)

    filler.unlink()
    assert ended(house, ann, running)["exit_code"] == 7
    assert ended(house, ann, job(ann, "echo again"))["phase"] == "succeeded"
    made = {item["name"] for item in ann.api.get("/datasets", params={"limit": 100}).json()["items"]}
    kept = {f"more-{number}" for number, answer in enumerate(answers) if answer.status_code == 201}
    assert made == kept | {"data"}, "what was refused was not made, what was answered is there"
    assert upload(ann, MIB).status_code == 201
    assert house.pids("service") == service, "it went on all the time"
    fsck(house)


@contextlib.contextmanager
def locked(data: Path) -> Generator[None]:
    """Hold SQLite's write lock, as somebody's backup might."""
    connection = sqlite3.connect(data / "platform.sqlite", timeout=30, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def test_a_database_that_is_locked_for_long_is_told_and_survived(make_platform: Callable[[], House]):
    house = make_platform().up()
    ann = house.user("ann")
    workloads = [job(ann, f"sleep {seconds}") for seconds in (0.1, 1, 2)]
    with locked(house.data):
        # Reading goes on; a write waits for as long as is sensible, then says that it could not be.
        assert ann.api.get("/workloads").status_code == 200
        problem = refused(ann.api.post("/datasets", json={"name": "late"}, timeout=60), 503)
        assert problem["reason"] == "unavailable"
    assert ann.api.post("/datasets", json={"name": "late"}).status_code == 201
    for workload in workloads:
        assert ended(house, ann, workload)["phase"] == "succeeded"
    assert Books(house.data).endings() == dict.fromkeys(workloads, 1)


def test_the_test_disk_is_really_full(disks: Callable[..., Disk], tmp_path: Path):
    disk = disks(tmp_path / "disk", size=MIB)
    disk.fill()
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        (disk.path / "one more").write_bytes(bytes(4096))
