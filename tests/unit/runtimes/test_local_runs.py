"""How a replica starts, ends, is stopped and deleted."""

import asyncio
import time
from pathlib import Path

from pumpkin_services.runtimes.base import Bind, Key, Launch, ReplicaSpec

from .conftest import PYTHON, Bench

DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("daemon", flush=True)
        while True: time.sleep(1)
    os._exit(0)
os.wait()
"""


async def test_a_normal_end_is_known_with_its_times(bench: Bench) -> None:
    before = time.time_ns() // 1_000_000
    seen = await bench.run("w", "sh", "-c", "sleep 0.2; echo out; echo err >&2")
    assert (seen.state, seen.exit_code, seen.signal, seen.oom, seen.error) == ("exited", 0, None, False, "")
    assert seen.started is not None
    assert seen.ended is not None
    assert before <= seen.started <= seen.ended <= time.time_ns() // 1_000_000 + 1
    assert 200 <= seen.ended - seen.started < 2000
    assert await bench.log(Key("w", 1)) == "out\nerr\n"


async def test_an_exit_code_and_a_signal_are_told_apart(bench: Bench) -> None:
    assert (await bench.run("code", "sh", "-c", "exit 7")).exit_code == 7
    killed = await bench.run("killed", "sh", "-c", "kill -SEGV $$")
    assert (killed.exit_code, killed.signal, killed.oom) == (139, 11, False)


async def test_a_command_that_is_not_there_ends_as_127(bench: Bench) -> None:
    seen = await bench.run("w", "no-such-command")
    assert (seen.state, seen.exit_code) == ("exited", 127)


async def test_a_missing_input_folder_is_named(bench: Bench) -> None:
    seen = await bench.run("w", "true", binds=[Bind(source="/no/such/folder", target="/code")])
    assert (seen.state, seen.exit_code) == ("exited", 127)
    assert "/no/such/folder" in seen.error


async def test_nothing_of_the_services_environment_reaches_a_replica(bench: Bench, monkeypatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "the-services-token")
    await bench.run("w", "env", env={"MINE": "two words"})
    log = await bench.log(Key("w", 1))
    assert "the-services-token" not in log
    assert "MINE=two words\n" in log


async def test_the_specification_does_not_stay_on_the_disk(bench: Bench) -> None:
    key = await bench.launch("w", "sleep", "30", env={"TOKEN": "s3cr3t-value"})
    await bench.until(key, "running")
    for path in bench.folder(key).iterdir():
        if path.is_file():
            assert b"s3cr3t-value" not in path.read_bytes(), path
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        if place.exists():
            assert b"s3cr3t-value" not in place.read_bytes()


async def test_a_stop_asks_first_and_reports_the_answer(bench: Bench) -> None:
    key = await bench.launch("w", "sh", "-c", "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done")
    assert await bench.line(key) == "up"
    await bench.runtime.stop(key, grace=20)
    seen = await bench.end(key, within=10)
    assert seen.exit_code == 3
    assert "bye" in await bench.log(key)


async def test_a_stop_kills_after_its_grace_and_a_second_one_can_shorten_it(bench: Bench) -> None:
    key = await bench.launch("w", "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done")
    assert await bench.line(key) == "up"
    start = time.monotonic()
    await bench.runtime.stop(key, grace=60)
    await asyncio.sleep(0.3)
    assert (await bench.see(key)).state == "running"
    await bench.runtime.stop(key, grace=0.3)
    seen = await bench.end(key, within=10)
    assert seen.signal == 9
    assert time.monotonic() - start < 8


async def test_a_stop_in_the_middle_of_a_launch_is_not_missed(bench: Bench) -> None:
    for number in range(20):
        key = await bench.launch(f"w{number}", "sleep", "60")
        await asyncio.sleep(number * 0.002)
        await bench.runtime.stop(key, grace=1)
        assert (await bench.end(key, within=10)).signal in (9, 15)


async def test_a_daemon_ends_with_its_replica(bench: Bench) -> None:
    seen = await bench.run("w", PYTHON, "-c", DAEMON)
    assert seen.exit_code == 0
    assert bench.alive() == []


async def test_a_daemon_ends_with_its_replica_without_control_groups(plain: Bench) -> None:
    key = await plain.launch("w", PYTHON, "-c", DAEMON + "time.sleep(60)")
    assert await plain.line(key) == "daemon"
    assert len(plain.alive()) == 2
    await plain.runtime.stop(key, grace=0.2)
    await plain.end(key, within=10)
    assert plain.alive() == []


async def test_delete_kills_what_runs_and_leaves_nothing(bench: Bench) -> None:
    key = await bench.launch("w", PYTHON, "-c", DAEMON + "time.sleep(60)")
    assert await bench.line(key) == "daemon"
    await bench.runtime.delete(key)
    assert bench.alive() == []
    assert await bench.runtime.observe(key) == {}
    await bench.runtime.delete(key)
    await bench.runtime.stop(key, grace=1)


async def test_what_a_job_made_unremovable_is_removed(bench: Bench) -> None:
    await bench.run("w", "sh", "-c", 'mkdir -p "$TMPDIR/a/b"; chmod 0 "$TMPDIR/a"')
    await bench.runtime.delete(Key("w", 1))
    assert await bench.runtime.list() == []


async def test_a_second_launch_of_a_key_changes_nothing(bench: Bench) -> None:
    key = await bench.launch("w", "sh", "-c", "echo ran; sleep 0.3")
    await bench.launch("w", "sh", "-c", "echo ran again")
    await bench.end(key)
    await bench.launch("w", "sh", "-c", "echo ran again")
    assert (await bench.see(key)).state == "exited"
    assert await bench.log(key) == "ran\n"


async def test_fifty_jobs_at_once_all_end_once(bench: Bench) -> None:
    keys = [await bench.launch(f"w{number}", "sh", "-c", f"echo {number}; exit {number % 3}") for number in range(50)]
    for number, key in enumerate(keys):
        assert (await bench.end(key)).exit_code == number % 3
        assert await bench.log(key) == f"{number}\n"
    assert bench.alive() == []
    assert sorted(await bench.runtime.list()) == sorted(keys)


async def test_two_replicas_meet_over_the_master_port(bench: Bench) -> None:
    program = """
import os, socket, time
rank, port = int(os.environ["RANK"]), int(os.environ["MASTER_PORT"])
if rank == 0:
    with socket.create_server((os.environ["MASTER_ADDR"], port)) as server:
        peer, _ = server.accept()
        print(peer.recv(100).decode())
else:
    for _ in range(200):
        try:
            peer = socket.create_connection((os.environ["MASTER_ADDR"], port))
            break
        except OSError:
            time.sleep(0.05)
    peer.sendall(f"{os.environ['PUMPKIN_REPLICA']} of {os.environ['WORLD_SIZE']}".encode())
"""
    key = Key("w", 1)
    replicas = [ReplicaSpec(role="worker", index=index, argv=[PYTHON, "-c", program]) for index in range(2)]
    launch = Launch(key=key, replicas=replicas)
    await bench.runtime.launch(launch)
    await bench.runtime.launch(launch)
    await bench.end(key)
    assert await bench.log(key) == "worker-1 of 2\n"


async def test_use_is_sampled_while_a_replica_runs(bench: Bench) -> None:
    await _check_use(bench)


async def test_use_is_sampled_without_control_groups(plain: Bench) -> None:
    await _check_use(plain)


async def _check_use(bench: Bench) -> None:
    work = (
        "import time\nx = bytearray(64 << 20)\nend = time.process_time() + 0.5\n"
        "while time.process_time() < end: pass\nprint('done', flush=True)\ntime.sleep(60)"
    )
    key = await bench.launch("w", PYTHON, "-c", work)
    await bench.line(key)
    used = (await bench.runtime.usage(key))["worker-0"]
    assert used.cpu_ms >= 450
    assert 64 << 20 <= used.memory < 512 << 20
    await bench.runtime.stop(key, grace=0)
    ended = await bench.end(key)
    assert ended.cpu_ms >= 450
    assert ended.memory_peak >= 64 << 20
    assert await bench.runtime.usage(key) == {}
