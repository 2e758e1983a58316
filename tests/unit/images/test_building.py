"""Environments are really built, by uv, from packages."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import tarfile
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from pumpkin_services.images.kernels import activate
from pumpkin_services.images.tables import EnvironmentVersionRow
from pumpkin_services.problems import Unavailable
from tests.unit.images.conftest import Index, Platform, person


def output(*command: str, **environment: str) -> str:
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def run(version: dict[str, Any], *command: str) -> str:
    return output(*command, **activate(Path(version["prefix"])))


def start(program: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program])


async def until(condition: Any, *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.05)


async def test_packages_of_the_registry_are_locked_installed_and_importable(platform: Platform) -> None:
    made = await platform.create("small", "six  # old friend\n\niniconfig>=2,<3\n")
    async with platform.building():
        version = await platform.ended(made["id"])
    assert version["state"] == "ready", version
    assert version["requirements"] == ["six", "iniconfig<3,>=2"]
    assert set(version["packages"]) == {"six", "iniconfig"}
    assert "--hash=sha256:" in version["lock"]
    assert version["bytes"] > 0
    assert run(version, "python", "-c", "import six, iniconfig; print(six.__version__)") == version["packages"]["six"]


async def test_console_scripts_work_where_the_environment_ends_up(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    made = await platform.create("scripts", ["hello"])
    async with platform.building(uv=index.uv):
        version = await platform.ended(made["id"])
    assert run(version, "hello") == f"hello {version['prefix']}"


async def test_a_built_environment_cannot_be_written(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    made = await platform.create("sealed", ["hello"])
    async with platform.building(uv=index.uv):
        version = await platform.ended(made["id"])
    for path in Path(version["prefix"]).rglob("*"):
        if not path.is_symlink():
            assert not path.stat().st_mode & 0o222, path


async def test_an_environment_without_requirements_is_an_empty_python(platform: Platform, index: Index) -> None:
    made = await platform.create("bare", [])
    async with platform.building(uv=index.uv):
        version = await platform.ended(made["id"])
    assert (version["state"], version["packages"]) == ("ready", {})


async def test_one_lock_is_built_once_even_by_two_builders_at_once(platform: Platform, index: Index) -> None:
    index.wheel("big", size=1000)
    made = [await platform.create(f"twin{number}", ["big"]) for number in range(4)]
    async with platform.building(uv=index.uv, concurrency=2), platform.building(uv=index.uv, concurrency=2):
        versions = [await platform.ended(one["id"]) for one in made]
    assert {version["state"] for version in versions} == {"ready"}
    assert len({version["prefix"] for version in versions}) == 1
    built = [platform.service.files.log(version["id"]).read_text().count("$ uv pip sync") for version in versions]
    assert sum(built) == 1


async def test_a_second_environment_with_the_same_package_downloads_nothing(platform: Platform, index: Index) -> None:
    index.wheel("big", size=100_000)
    index.wheel("small")
    async with platform.building(uv=index.uv):
        first = await platform.ended((await platform.create("one", ["big"]))["id"])
        second = await platform.ended((await platform.create("two", ["big", "small"]))["id"])
    assert index.downloads.count("big-1.0-py3-none-any.whl") == 1
    data = [next(Path(version["prefix"]).rglob("big_data.bin")) for version in (first, second)]
    assert os.path.samefile(*data)


@pytest.mark.parametrize(
    ("requirements", "reason", "sentence"),
    [
        (["nosuchthing"], "not_found", "nosuchthing was not found in the package registry"),
        (["hello==7"], "not_found", "there is no version of hello==7"),
        (["hello==1.0", "hello==2.0"], "resolution_failed", "you require hello==1.0 and hello==2.0"),
        (
            ["needy", "hello==2.0"],
            "resolution_failed",
            "all versions of needy depend on hello<2 and you require needy",
        ),
        (["sourced"], "resolution_failed", "Only packages that come as wheels are installed here"),
    ],
)
async def test_a_build_that_cannot_be_says_why(
    platform: Platform, index: Index, requirements: list[str], reason: str, sentence: str
) -> None:
    index.wheel("hello", "1.0")
    index.wheel("hello", "2.0")
    index.wheel("needy", requires=("hello<2",))
    source_distribution(index, "sourced")
    made = await platform.create("broken", requirements)
    async with platform.building(uv=index.uv):
        version = await platform.ended(made["id"])
    assert (version["state"], version["reason"]) == ("failed", reason)
    assert sentence in version["message"]


async def test_a_source_distribution_that_does_not_build_says_its_last_words(platform: Platform, index: Index) -> None:
    source_distribution(index, "sourced")
    made = await platform.create("broken", ["sourced"])
    async with platform.building(uv=type(index.uv)(index=index.url, from_source=True)):
        version = await platform.ended(made["id"])
    assert (version["state"], version["reason"]) == ("failed", "build_failed")
    assert "the C compiler went home" in version["message"]


async def test_a_registry_that_is_away_is_a_network_failure_and_can_be_tried_again(
    platform: Platform, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    index.wheel("hello")
    made = await platform.create("later", ["hello"])
    async with platform.building(uv=type(index.uv)(index="http://127.0.0.1:9/simple")):
        version = await platform.ended(made["id"])
    assert (version["state"], version["reason"]) == ("failed", "network")
    async with platform.client() as client:
        assert (await client.post(f"/images/{made['id']}/versions/1/retry")).json()["state"] == "queued"
        async with platform.building(uv=index.uv):
            assert (await platform.ended(made["id"]))["state"] == "ready"
        assert (await client.post(f"/images/{made['id']}/versions/1/retry")).status_code == 409


async def test_a_build_over_its_time_is_stopped(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    index.gate.clear()
    made = await platform.create("slow", ["hello"])
    async with platform.building(uv=index.uv, timeout=2.0):
        version = await platform.ended(made["id"])
    assert (version["state"], version["reason"]) == ("failed", "timeout")
    assert list((platform.root / "work").iterdir()) == []


async def test_deleting_stops_the_build_and_leaves_nothing(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    index.gate.clear()
    made = await platform.create("gone", ["hello"])
    async with platform.building(uv=index.uv, deletion_grace=0.0), platform.client() as client:
        await until(lambda: bool(index.downloads))
        assert (await client.delete(f"/images/{made['id']}")).status_code == 204
        await until(lambda: not list((platform.root / "work").iterdir()))
        assert (await client.get(f"/images/{made['id']}")).status_code == 404
    assert list((platform.root / "prefixes").iterdir()) == []
    assert not uv_processes(platform.root)


async def test_a_service_killed_in_the_middle_of_a_build_builds_it_again(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    index.gate.clear()
    made = await platform.create("killed", ["hello"])
    program = textwrap.dedent(f"""
        import asyncio
        from pathlib import Path
        from pumpkin_services.db import Database
        from pumpkin_services.events import Wakeups
        from pumpkin_services.images.builder import Builder, BuildSettings
        from pumpkin_services.images.uv import UvSettings
        settings = BuildSettings(uv=UvSettings(index={index.url!r}), lease=3.0)
        builder = Builder(database=Database({platform.database.url!r}), wakeups=Wakeups(),
                          root=Path({str(platform.root)!r}), settings=settings)
        asyncio.run(builder.run())
    """)
    service = start(program)
    try:
        await until(lambda: bool(index.downloads))
    finally:
        service.send_signal(signal.SIGKILL)
        service.wait()
    await until(lambda: not uv_processes(platform.root), seconds=5)
    assert (await platform.version(made["id"]))["state"] == "building"
    assert list((platform.root / "prefixes").iterdir()) == []
    index.gate.set()
    async with platform.building(uv=index.uv):
        version = await platform.ended(made["id"])
        await until(lambda: not list((platform.root / "work").iterdir()))
    assert version["state"] == "ready"
    assert run(version, "hello").startswith("hello ")


async def test_a_service_stopped_in_order_gives_its_build_back_at_once(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    index.gate.clear()
    made = await platform.create("handed", ["hello"])
    async with platform.building(uv=index.uv, lease=60.0):
        await until(lambda: bool(index.downloads))
    assert (await platform.version(made["id"]))["state"] == "queued"
    index.gate.set()
    async with platform.building(uv=index.uv, lease=60.0):
        assert (await platform.ended(made["id"]))["state"] == "ready"


async def test_a_prefix_that_was_lost_is_built_again_from_its_lock(platform: Platform, index: Index) -> None:
    index.wheel("hello", "1.0")
    made = await platform.create("lost", ["hello"])
    async with platform.building(uv=index.uv):
        version = await platform.ended(made["id"])
        index.wheel("hello", "2.0")
        platform.service.files.remove(Path(version["prefix"]), aside="lost")
        ref = await asyncio.wait_for(platform.service.ensure_ready(version["id"]), 60)
    assert ref.python is not None
    assert output(str(ref.python), "-c", "import hello; print(hello.version)") == "1.0"


async def test_waiting_for_a_version_that_fails_says_why(platform: Platform, index: Index) -> None:
    made = await platform.create("hopeless", ["nosuchthing"])
    version = await platform.version(made["id"])
    async with platform.building(uv=index.uv):
        with pytest.raises(Unavailable, match="nosuchthing was not found"):
            await asyncio.wait_for(platform.service.ensure_ready(version["id"]), 60)


async def test_a_prefix_goes_with_the_last_version_that_needs_it(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    made = [await platform.create(f"shared{number}", ["hello"]) for number in range(2)]
    async with platform.building(uv=index.uv), platform.client() as client:
        versions = [await platform.ended(one["id"]) for one in made]
        await client.delete(f"/images/{made[0]['id']}")
    prefix = Path(versions[0]["prefix"])
    async with platform.building(deletion_grace=0.0):
        await until(lambda: not platform.service.files.log(versions[0]["id"]).exists())
    assert prefix.exists()
    async with platform.client() as client:
        await client.delete(f"/images/{made[1]['id']}")
    async with platform.building(deletion_grace=0.0):
        await until(lambda: not prefix.exists())
    async with platform.database.read() as session:
        assert (await session.get_one(EnvironmentVersionRow, versions[1]["id"])).lock


async def test_the_index_password_is_in_no_log_and_no_lock(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    made = await platform.create("private", ["hello", "nosuchthing"])
    url = index.url.replace("http://", "http://user:hunter2@")
    async with platform.building(uv=type(index.uv)(index=url)):
        version = await platform.ended(made["id"])
    assert "hunter2" not in str(version) + platform.service.files.log(version["id"]).read_text()


async def test_a_job_of_the_callers_python_can_use_what_was_resolved(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    await platform.create("tools", ["hello"])
    async with platform.building(uv=index.uv):
        async with platform.database.read() as session:
            ref = await platform.service.resolve(session, person("ann"), reference="tools@1", field="environment")
        ready = await asyncio.wait_for(platform.service.ensure_ready(ref.version_id), 60)
    assert ready.prefix is not None
    found = output("sh", "-c", "command -v python; command -v hello", **activate(ready.prefix))
    assert found.split() == [f"{ready.prefix}/bin/python", f"{ready.prefix}/bin/hello"]


def source_distribution(index: Index, name: str) -> None:
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": 'raise RuntimeError("the C compiler went home")\n',
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
    }
    path = index.folder / f"{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            entry = tarfile.TarInfo(f"{name}-1.0/{file}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    index.link(name, path)


def uv_processes(root: Path) -> list[int]:
    """Return the processes whose command line or environment names our environments folder (uv's cache is in it)."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"UV_CACHE_DIR={root}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
