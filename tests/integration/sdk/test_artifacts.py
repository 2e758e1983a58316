"""Pushing and pulling against a whole platform, broken off and gone on with."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from pumpkin import AsyncClient, Client, Progress, PumpkinError
from tests.integration.house import House


@pytest.fixture(scope="module")
def client(platform: House) -> Iterator[Client]:
    user = platform.user("sdk-user")
    with Client(platform.url, user.token) as made:
        yield made


def folder(root: Path, *, files: int, size: int = 64, large: int = 0) -> Path:
    for number in range(files):
        path = root / f"d{number % 7}" / f"f{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(f"{root.name}{number}".encode()).digest() * (size // 32))
    if large:
        (root / "large.bin").write_bytes(os.urandom(large))
    (root / "empty").touch()
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    return root


def contents(root: Path) -> dict[str, tuple[bytes, bool]]:
    return {
        str(path.relative_to(root)): (path.read_bytes(), os.access(path, os.X_OK))
        for path in root.rglob("*")
        if path.is_file()
    }


def test_what_is_pushed_is_what_is_pulled(client: Client, tmp_path: Path):
    source = folder(tmp_path / "source", files=400, large=40 << 20)
    seen: list[Progress] = []
    made = client.datasets.push(source, "whole", on_progress=seen.append, type="binary")
    assert (made.number, made.files) == (1, 403)
    assert seen[-1].done == seen[-1].total == made.bytes
    client.datasets.pull("whole@1", tmp_path / "copy")
    assert contents(tmp_path / "copy") == contents(source)


def test_a_new_version_sends_only_what_is_new_and_an_unchanged_folder_makes_none(client: Client, tmp_path: Path):
    source = folder(tmp_path / "source", files=300, size=4096)
    client.datasets.push(source, "again")
    assert client.datasets.push(source, "again").number == 1
    (source / "d0" / "f0.bin").write_bytes(b"changed")
    seen: list[Progress] = []
    assert client.datasets.push(source, "again", on_progress=seen.append).number == 2
    assert max(progress.sent for progress in seen) == len(b"changed")
    change = client.datasets.diff("again", 1, 2)
    assert [(item.path, item.change) for item in change.items] == [("d0/f0.bin", "changed")]


def test_a_killed_push_goes_on_where_it_stopped(platform: House, client: Client, tmp_path: Path):
    source = folder(tmp_path / "source", files=3, large=200 << 20)
    env = os.environ | {"PUMPKIN_URL": platform.url, "PUMPKIN_TOKEN": client.config.token}
    code = (
        "import sys, pumpkin\n"
        "def tell(at):\n"
        "    print(at.sent, flush=True)\n"
        "pumpkin.Client().datasets.push(sys.argv[1], 'killed', on_progress=tell)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(source)], env=env, stdout=subprocess.PIPE, text=True
    ) as push:
        assert push.stdout is not None
        for line in push.stdout:
            if int(line) > 40 << 20:
                push.send_signal(signal.SIGKILL)
                break
    seen: list[Progress] = []
    made = client.datasets.push(source, "killed", on_progress=seen.append)
    assert made.number == 1
    assert max(progress.sent for progress in seen) < (200 << 20) - (30 << 20)


def test_a_broken_pull_is_repaired_and_keeps_other_files(client: Client, tmp_path: Path):
    source = folder(tmp_path / "source", files=20, large=33 << 20)
    client.datasets.push(source, "broken")
    target = tmp_path / "copy"
    client.datasets.pull("broken", target)
    (target / "mine.txt").write_text("stays")
    (target / "d0" / "f0.bin").write_bytes(b"wrong")
    whole = (target / "large.bin").read_bytes()
    (target / "large.bin").unlink()
    (target / "large.bin.pumpkin-part").write_bytes(whole[: 20 << 20])
    seen: list[Progress] = []
    client.datasets.pull("broken", target, on_progress=seen.append)
    assert contents(target) == contents(source) | {"mine.txt": (b"stays", False)}
    assert max(progress.sent for progress in seen) < 20 << 20


def test_an_archive_is_unpacked_by_the_platform(client: Client, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "Packed Up.zip", "w") as archive:
        archive.writestr("a/b.txt", "hello")
    made = client.algorithms.push(tmp_path / "Packed Up.zip")
    assert (made.name, made.files) == ("packed-up", 1)
    assert client.algorithms.read("packed-up", "a/b.txt", start=1, end=3) == b"el"


async def test_the_asynchronous_client_pushes_and_lists_too(platform: House, client: Client, tmp_path: Path):
    async with AsyncClient(platform.url, client.config.token) as other:
        made = await other.models.push(folder(tmp_path / "m", files=3), "async-model", framework="none")
        assert [item.name async for item in other.models.list()] == ["async-model"]
        assert (await other.models.stat(f"async-model@{made.number}", "run.sh")).mode == 0o755


def test_refusals_name_the_field(client: Client, tmp_path: Path):
    for name in ("..", "a\nb", "x" * 10_000, "🎃"):
        with pytest.raises(PumpkinError) as caught:
            client.datasets.create(name)
        assert (caught.value.status, caught.value.field) == (422, "name")
    with pytest.raises(PumpkinError, match="no dataset 'none'"):
        client.datasets.get("none")
    with pytest.raises(PumpkinError, match="one at least"):
        client.datasets.push(tmp_path, "nothing")


def test_a_version_is_a_filesystem(platform: House, client: Client, tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "t.csv").write_text("a,b\n1,2\n")
    client.datasets.push(tmp_path / "in", "tables")
    fs = fsspec.filesystem("pumpkin", url=platform.url, token=client.config.token, skip_instance_cache=True)
    assert fs.cat_file("datasets/tables@1/t.csv", 4, 7) == b"1,2"
    with fs.open("pumpkin://datasets/tables/t.csv", "r") as file:
        assert file.read() == "a,b\n1,2\n"
    with fs.transaction:
        for name in ("x/one.txt", "two.txt"):
            with fs.open(f"datasets/tables/{name}", "wb") as file:
                file.write(name.encode())
    assert client.datasets.get("tables").latest == 2
    assert sorted(fs.find("datasets/tables@2")) == [
        "datasets/tables@2/t.csv",
        "datasets/tables@2/two.txt",
        "datasets/tables@2/x/one.txt",
    ]
    with pytest.raises(RuntimeError), fs.open("datasets/tables/three.txt", "wb") as file:
        raise RuntimeError
    assert client.datasets.get("tables").latest == 2
    assert not fs.exists("datasets/tables/three.txt")
    with pytest.raises(FileNotFoundError):
        fs.info("datasets/none-of-that-name/x")


def test_ten_thousand_small_files_go_up_and_come_back(client: Client, tmp_path: Path):
    source = folder(tmp_path / "many", files=10_000, size=128)
    begin = time.monotonic()
    made = client.datasets.push(source, "many")
    client.datasets.pull("many", tmp_path / "copy")
    assert made.files == 10_002
    assert contents(tmp_path / "copy") == contents(source)
    assert time.monotonic() - begin < 120
