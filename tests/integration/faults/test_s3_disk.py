"""An S3 store without room, and a node without room for what a job reads: said in a sentence, nothing half done, and
the same upload or job works once there is room."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pumpkin import Client, PumpkinError
from tests import s3
from tests.integration.faults.books import fsck, until
from tests.integration.faults.disks import MIB, Disk
from tests.integration.faults.test_disk import ended, job, refused, upload, versions
from tests.integration.house import House, User

NOTHING_LEFT = "Not referred to: 0 objects,\n0 stray files"


@pytest.fixture
def small_bucket(
    disks: Callable[..., Disk], make_platform: Callable[[], House], tmp_path: Path
) -> Iterator[tuple[House, User, Disk]]:
    """A platform whose S3 server has room for 32 MiB, and a user with a dataset."""
    disk = disks(tmp_path / "s3", size=32 * MIB)
    with s3.running(disk.path) as server:
        house = make_platform()
        house.configure(server.config("data"))
        house.up()
        ann = house.user("ann")
        assert ann.api.post("/datasets", json={"name": "data"}).status_code == 201
        yield house, ann, disk


def folder(root: Path, *, files: int, size: int) -> Path:
    root.mkdir()
    for number in range(files):
        (root / f"{number}.bin").write_bytes(os.urandom(size))
    return root


def test_what_a_bucket_has_no_room_for_is_refused_and_goes_through_when_it_has(
    small_bucket: tuple[House, User, Disk], tmp_path: Path
):
    house, ann, disk = small_bucket
    assert upload(ann, 4 * MIB).status_code == 201
    # Through the service.
    problem = refused(upload(ann, 40 * MIB), 507)
    assert (problem["reason"], [version["number"] for version in versions(ann)]) == ("storage_full", [1])
    assert NOTHING_LEFT in fsck(house)
    large = "head -c 40000000 /dev/urandom > $PUMPKIN_OUTPUT/weights"
    done = ended(house, ann, job(ann, large, output={"model": "big"}))
    assert (done["phase"], done["reason"]) == ("failed", "output_failed")
    assert "full" in done["message"]
    # From the client straight to the store, in several packs: those there was room for are not sent again.
    source = folder(tmp_path / "large", files=5, size=8 * MIB)
    sent: list[int] = []
    with Client(house.url, ann.token) as client:
        with pytest.raises(PumpkinError, match=r"is full.*tell an admin") as refusal:
            client.datasets.push(source, "data", on_progress=lambda at: sent.append(at.sent))
        assert (refusal.value.status, refusal.value.reason) == (507, "storage_full")
        assert [version["number"] for version in versions(ann)] == [1]
        fsck(house)
        disk.remount("size=160m")
        again: list[int] = []
        made = client.datasets.push(source, "data", on_progress=lambda at: again.append(at.sent))
        assert (made.number, made.files) == (2, 5)
        assert max(sent) + max(again) == 40 * MIB
        client.datasets.pull("data@2", tmp_path / "back")
    assert all((tmp_path / "back" / path.name).read_bytes() == path.read_bytes() for path in source.iterdir())
    assert upload(ann, 40 * MIB).status_code == 201
    assert ended(house, ann, job(ann, large, output={"model": "big"}))["output"] == "ann/big@1"
    fsck(house)


@pytest.fixture
def small_node(
    disks: Callable[..., Disk], make_platform: Callable[[], House], s3_server: s3.Server, tmp_path: Path
) -> tuple[House, User, Disk]:
    """A platform whose node has room for 24 MiB of what jobs read, and a user."""
    house = make_platform()
    house.configure(s3_server.config(f"node-{os.urandom(4).hex()}"))
    disk = disks(house.data / "cache", size=24 * MIB)
    house.up()
    return house, house.user("ann"), disk


def reading(user: User, dataset: str, source: Path) -> str:
    """Submit a job that ends well if it finds the bytes of `source`; return its id."""
    names = sorted(path.name for path in source.iterdir())
    whole = hashlib.sha256(b"".join((source / name).read_bytes() for name in names)).hexdigest()
    check = f"cd $PUMPKIN_DATASETS/{dataset} && ls | LC_ALL=C sort | xargs cat | sha256sum | grep {whole}"
    return job(user, check, datasets=[f"{dataset}@1"])


def waits_for(user: User, workload: str) -> list[str]:
    """Return what a job has said it waits for."""
    events = user.api.get(f"/workloads/{workload}/events").json()["items"]
    return [event["message"] for event in events if event["type"] == "waiting"]


def test_a_job_waits_for_room_on_its_node_and_then_reads_what_was_sent(
    small_node: tuple[House, User, Disk], tmp_path: Path
):
    house, ann, disk = small_node
    large = folder(tmp_path / "large", files=4, size=8 * MIB)
    # Far smaller than the disk, but each file takes a page of it: that the disk is full shows in the middle.
    many = folder(tmp_path / "many", files=8000, size=16)
    with Client(house.url, ann.token) as client:
        for source in (large, many):
            client.datasets.push(source, source.name)
    jobs = [reading(ann, source.name, source) for source in (large, many)]
    for workload in jobs:
        said = until(lambda workload=workload: waits_for(ann, workload), house=house)
        assert all("node" in words and "ask an admin" in words for words in said), said
    assert list((disk.path / "versions").iterdir()) == []
    disk.remount("size=160m")
    for workload in jobs:
        done = ended(house, ann, workload, seconds=120)
        assert (done["phase"], done["attempt"]) == ("succeeded", 1), done
    assert list((disk.path / "tmp").iterdir()) == []


def test_versions_nobody_reads_make_room_on_a_disk_smaller_than_the_cache_may_grow(
    small_node: tuple[House, User, Disk], tmp_path: Path
):
    house, ann, _ = small_node
    sources = [folder(tmp_path / f"part-{number}", files=2, size=5 * MIB) for number in range(4)]
    with Client(house.url, ann.token) as client:
        for source in sources:
            client.datasets.push(source, source.name)
    for source in sources:
        done = ended(house, ann, reading(ann, source.name, source))
        assert (done["phase"], done["attempt"]) == ("succeeded", 1), done
