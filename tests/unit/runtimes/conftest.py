"""Runtimes on real processes. After each test nothing of it may be alive, in a control group or in the data folder."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pumpkin_services.runtimes.base import Key, Launch, Observation, ReplicaSpec
from pumpkin_services.runtimes.local import LocalRuntime

PYTHON = os.path.realpath(sys.executable)  # a sandbox shows the interpreter, not our virtual environment
NAME = "worker-0"


@pytest.fixture(scope="session")
def bubblewrap() -> str:
    """bubblewrap's path; installed here when that is allowed."""
    if shutil.which("bwrap") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "bubblewrap"], check=False, capture_output=True)
    program = shutil.which("bwrap")
    if program is None:
        pytest.skip("bubblewrap is not installed and cannot be installed by this user")
    return program


@pytest.fixture(params=["never", "always"], ids=["open", "isolated"])
def isolate(request: pytest.FixtureRequest) -> str:
    """The two ways a replica may see this machine; the rules tested are the same."""
    if request.param == "always":
        request.getfixturevalue("bubblewrap")
    return request.param


class Bench:
    """A runtime on a data folder, with the few words the tests need."""

    def __init__(self, data: Path, isolate: str, limits: bool = True) -> None:
        self.data = data
        self.runtime = LocalRuntime(data=data, isolate=isolate, limits=limits)

    async def launch(self, workload: str, *argv: str, **spec: object) -> Key:
        key = Key(workload, 1)
        replica = ReplicaSpec(role="worker", index=0, argv=argv, **spec)  # pyright: ignore[reportArgumentType]
        await self.runtime.launch(Launch(key=key, replicas=[replica]))
        return key

    async def run(self, workload: str, *argv: str, **spec: object) -> Observation:
        return await self.end(await self.launch(workload, *argv, **spec))

    async def see(self, key: Key) -> Observation:
        return (await self.runtime.observe(key))[NAME]

    async def end(self, key: Key, *, within: float = 30) -> Observation:
        return await self.until(key, "exited", "lost", within=within)

    async def until(self, key: Key, *states: str, within: float = 30) -> Observation:
        deadline = time.monotonic() + within
        while (seen := await self.see(key)).state not in states:
            assert time.monotonic() < deadline, f"still {seen}"
            await self.runtime.wait_change(0.2)
        return seen

    async def log(self, key: Key) -> str:
        return (await self.runtime.read_log(key, NAME)).data.decode()

    async def line(self, key: Key, number: int = 0) -> str:
        """Wait for a whole line of the log."""
        deadline = time.monotonic() + 20
        while (lines := (await self.log(key)).splitlines(keepends=True))[number:] == [] or lines[number][-1] != "\n":
            assert time.monotonic() < deadline, lines
            await self.runtime.wait_change(0.05)
        return lines[number].strip()

    def folder(self, key: Key) -> Path:
        return self.data / "runs" / key.workload / str(key.attempt) / NAME

    def supervisor(self, key: Key) -> int:
        return json.loads((self.folder(key) / "started.json").read_text())["supervisor"]

    def alive(self) -> list[str]:
        """The command lines of all living processes that carry a mark of this data folder."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if f"PUMPKIN_RUN={self.runtime._id}/".encode() in (place / "environ").read_bytes():
                    found.append((place / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return found

    async def clear(self) -> None:
        for key in await self.runtime.list():
            await self.runtime.delete(key)
        assert self.alive() == []
        assert list((self.data / "runs").iterdir()) == []
        for base in self.runtime._groups.bases.values():
            assert [path for path in base.iterdir() if path.is_dir()] == []

    async def close(self) -> None:
        await self.clear()
        await self.runtime.close()
        assert [base for base in self.runtime._groups.bases.values() if base.exists()] == []


@pytest.fixture
async def bench(tmp_path: Path, isolate: str):
    bench = Bench(tmp_path / "data", isolate)
    await bench.runtime.start()
    yield bench
    await bench.close()


@pytest.fixture
async def plain(tmp_path: Path):
    """A runtime with neither bubblewrap nor control groups: what the least machine gives."""
    bench = Bench(tmp_path / "data", "never", limits=False)
    await bench.runtime.start()
    yield bench
    await bench.close()
