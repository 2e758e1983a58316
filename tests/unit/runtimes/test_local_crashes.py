"""kill -9 of every part in every window: one truth, nothing runs twice, nothing is left."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pumpkin_services.problems import StorageFull
from pumpkin_services.runtimes.base import Key, Launch, ReplicaSpec
from pumpkin_services.runtimes.local import LocalRuntime

from .conftest import PYTHON, Bench
from .test_local_runs import DAEMON


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


async def test_a_killed_supervisor_is_a_lost_replica_and_its_tree_is_dead(bench: Bench) -> None:
    key = await bench.launch("w", PYTHON, "-c", DAEMON + "time.sleep(60)")
    assert await bench.line(key) == "daemon"
    kill(bench.supervisor(key))
    seen = await bench.end(key)
    assert (seen.state, seen.exit_code) == ("lost", None)
    assert seen.started is not None
    assert seen.ended is not None
    assert seen.started <= seen.ended
    assert bench.alive() == []
    await bench.launch("w", "sh", "-c", "echo ran again")
    assert (await bench.see(key)).state == "lost"
    assert await bench.log(key) == "daemon\n"


async def test_a_daemon_of_a_killed_supervisor_is_found_by_its_mark(plain: Bench) -> None:
    key = await plain.launch("w", PYTHON, "-c", DAEMON + "time.sleep(60)")
    assert await plain.line(key) == "daemon"
    kill(plain.supervisor(key))
    assert (await plain.end(key)).state == "lost"
    assert plain.alive() == []


async def test_a_daemon_of_a_killed_supervisor_dies_by_delete_alone(plain: Bench) -> None:
    key = await plain.launch("w", PYTHON, "-c", DAEMON + "time.sleep(60)")
    assert await plain.line(key) == "daemon"
    kill(plain.supervisor(key))
    await plain.runtime.delete(key)
    assert plain.alive() == []


async def test_a_killed_process_is_an_exit_by_signal_9(bench: Bench) -> None:
    key = await bench.launch("w", PYTHON, "-c", "import os, time; print(1, flush=True); time.sleep(60)")
    await bench.line(key)
    seen = await bench.see(key)
    assert seen.pid is not None
    kill(seen.pid)
    ended = await bench.end(key)
    assert (ended.state, ended.exit_code, ended.signal, ended.oom) == ("exited", 137, 9, False)


@pytest.mark.parametrize("seed", range(3))
async def test_a_supervisor_killed_at_any_point_never_lets_a_job_run_twice(bench: Bench, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(10):
        key = await bench.launch(f"w{number}", "sh", "-c", "echo ran; sleep 0.02; echo done")
        await asyncio.sleep(chance.uniform(0, 0.08))
        for pid in supervisors_of(bench.folder(key)):
            kill(pid)
        seen = await bench.until(key, "exited", "lost", "absent")
        log = await bench.log(key)
        if seen.state == "absent":
            assert log == ""
            await bench.launch(key.workload, "sh", "-c", "echo ran; sleep 0.02; echo done")
            seen = await bench.end(key)
            log = await bench.log(key)
        assert log.count("ran") <= 1
        if seen.state == "exited":
            assert (seen.exit_code, log) == (0, "ran\ndone\n")
        assert (await bench.see(key)) == seen
    assert bench.alive() == []


def supervisors_of(folder: Path) -> list[int]:
    """Supervisors work in their run folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if b"supervisor.py" in (place / "cmdline").read_bytes() and (place / "cwd").readlink() == folder:
                found.append(int(place.name))
        except OSError:
            continue
    return found


async def test_the_nursery_may_die_at_any_time(bench: Bench) -> None:
    first = await bench.launch("first", "sleep", "0.5")
    await bench.until(first, "running")
    for number in range(5):
        assert bench.runtime._nursery.pid is not None
        kill(bench.runtime._nursery.pid)
        assert (await bench.run(f"w{number}", "true")).exit_code == 0
    assert (await bench.end(first)).exit_code == 0


LAUNCHER = """
import asyncio, sys
from pathlib import Path
from pumpkin_services.runtimes.base import Key, Launch, ReplicaSpec
from pumpkin_services.runtimes.local import LocalRuntime

async def main():
    runtime = LocalRuntime(data=Path(sys.argv[1]), isolate="never")
    await runtime.start()
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(sys.argv[2])):
        replica = ReplicaSpec(role="worker", index=0, argv=["sh", "-c", "echo ran; sleep 0.3"])
        await runtime.launch(Launch(key=Key(f"w{number}", 1), replicas=[replica]))

asyncio.run(main())
"""


def launcher(data: Path, count: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(data), str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def say_go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


async def test_two_processes_launching_the_same_keys_at_once_run_each_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "data", "never")
    await bench.runtime.start()
    both = [launcher(bench.data, 10) for _ in range(2)]
    for process in both:
        say_go(process)
    for process in both:
        assert process.wait(30) == 0
    for number in range(10):
        key = Key(f"w{number}", 1)
        assert (await bench.end(key)).exit_code == 0
        assert await bench.log(key) == "ran\n"
    await bench.close()


@pytest.mark.parametrize("seed", range(4))
async def test_a_service_killed_while_it_launches_is_carried_on_by_the_next(tmp_path: Path, seed: int) -> None:
    data = tmp_path / "data"
    process = launcher(data, 10)
    say_go(process)
    await asyncio.sleep(random.Random(seed).uniform(0, 0.25))
    process.kill()
    process.wait()
    bench = Bench(data, "never")
    await bench.runtime.start()
    for number in range(10):
        key = await bench.launch(f"w{number}", "sh", "-c", "echo ran; sleep 0.3")
        assert (await bench.end(key)).exit_code == 0
        assert await bench.log(key) == "ran\n"
    await bench.close()


async def test_jobs_outlive_the_service_and_are_found_again(tmp_path: Path) -> None:
    process = launcher(tmp_path / "data", 1)
    say_go(process)
    assert process.wait(30) == 0
    bench = Bench(tmp_path / "data", "never")
    await bench.runtime.start()
    key = Key("w0", 1)
    assert await bench.runtime.list() == [key]
    assert (await bench.end(key)).exit_code == 0
    await bench.close()


async def test_supervisors_leave_no_zombie(bench: Bench) -> None:
    await bench.run("w", "true")
    await asyncio.sleep(0.2)
    assert bench.runtime._nursery.pid is not None
    for stat in Path("/proc").glob("[0-9]*/stat"):
        state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        assert not (state == "Z" and int(parent) in (os.getpid(), bench.runtime._nursery.pid))


@pytest.fixture
def disk(tmp_path: Path):
    """A disk of 4 MiB."""
    disk = tmp_path / "data"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.call(mount) != 0:
        pytest.skip("a small disk can only be mounted by root")
    yield disk
    subprocess.check_call(["umount", "-l", str(disk)])


@pytest.fixture
async def small(disk: Path):
    """A runtime whose data folder is a small disk."""
    bench = Bench(disk, "never")
    await bench.runtime.start()
    yield bench
    await bench.close()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


async def test_a_job_on_a_full_disk_still_tells_how_it_ended(small: Bench) -> None:
    key = await small.launch("w", "sh", "-c", "sleep 0.5; echo more; exit 5")
    await small.until(key, "running")
    fill(small.data / "full")
    assert (await small.end(key)).exit_code == 5


async def test_a_launch_on_a_full_disk_says_so_and_can_be_repeated(small: Bench) -> None:
    fill(small.data / "full")
    with pytest.raises(StorageFull):
        await small.launch("w", "true", env={"BIG": "x" * 100_000})
    (small.data / "full").unlink()
    assert (await small.run("w", "true")).exit_code == 0


async def test_changes_are_heard_at_once_even_by_a_second_service(bench: Bench) -> None:
    other = LocalRuntime(data=bench.data, isolate="never")
    await other.start()
    try:
        key = await bench.launch("w", "sh", "-c", "sleep 0.5")
        await bench.until(key, "running")
        await other.wait_change(0.1)
        start = time.monotonic()
        while key not in await other.wait_change(5):
            pass
        assert time.monotonic() - start < 3
        assert (await other.observe(key))["worker-0"].state == "exited"
    finally:
        await other.close()


async def test_a_stale_socket_of_a_killed_service_is_removed(tmp_path: Path) -> None:
    process = launcher(tmp_path / "data", 1)
    process.kill()
    process.wait()
    notify = tmp_path / "data/run/notify"
    assert len(list(notify.iterdir())) == 1
    runtime = LocalRuntime(data=tmp_path / "data", isolate="never")
    await runtime.start()
    assert len(list(notify.iterdir())) == 1
    await runtime.close()
    assert list(notify.iterdir()) == []


async def test_a_launch_cut_short_names_what_is_absent(bench: Bench) -> None:
    key = await bench.launch("w", "true")
    await bench.end(key)
    plan = bench.folder(key).parent / "launch.json"
    plan.write_text(json.dumps({**json.loads(plan.read_text()), "replicas": ["worker-0", "worker-1"]}))
    assert (await bench.runtime.observe(key))["worker-1"].state == "absent"
    replicas = [ReplicaSpec(role="worker", index=index, argv=["true"]) for index in range(2)]
    await bench.runtime.launch(Launch(key=key, replicas=replicas))
    while not (await bench.runtime.observe(key))["worker-1"].final:
        await bench.runtime.wait_change(0.2)
