"""Limits that hold, on control groups and on the fallbacks."""

import asyncio
import time

import pytest

from pumpkin_services.runtimes.base import Key

from .conftest import PYTHON, Bench

EAT = "x = bytearray(512 << 20)"
SPIN = """
import os, time
for _ in range(3):
    if os.fork() == 0: break
end = time.monotonic() + 1.5
while time.monotonic() < end: pass
"""


def needs_groups(bench: Bench) -> None:
    if not bench.runtime.limited:
        pytest.skip("control groups cannot be written by this user")


async def test_too_much_memory_ends_a_replica_as_out_of_memory(bench: Bench) -> None:
    needs_groups(bench)
    seen = await bench.run("w", PYTHON, "-c", EAT, memory=64 << 20)
    assert (seen.exit_code, seen.oom) == (137, True)
    assert seen.memory_peak <= 64 << 20


async def test_the_memory_of_all_processes_of_a_replica_counts(bench: Bench) -> None:
    needs_groups(bench)
    program = "import os, time\nfor _ in range(4): os.fork()\nx = bytearray(16 << 20)\ntime.sleep(1)\n"
    seen = await bench.run("w", PYTHON, "-c", program + "os.wait()", memory=96 << 20)
    assert seen.memory_peak <= 96 << 20
    assert seen.oom


async def test_memory_within_the_limit_is_given(bench: Bench) -> None:
    seen = await bench.run("w", PYTHON, "-c", "x = bytearray(64 << 20)", memory=256 << 20)
    assert (seen.exit_code, seen.oom) == (0, False)


async def test_without_control_groups_an_allocation_over_the_limit_fails(plain: Bench) -> None:
    key = await plain.launch("w", PYTHON, "-c", EAT, memory=128 << 20)
    assert (await plain.end(key)).exit_code == 1
    assert "MemoryError" in await plain.log(key)


async def test_four_busy_processes_get_the_half_core_of_their_spec(bench: Bench) -> None:
    needs_groups(bench)
    seen = await bench.run("w", PYTHON, "-c", SPIN, cpu_milli=500)
    assert seen.started is not None
    assert seen.ended is not None
    assert seen.cpu_ms <= 0.5 * (seen.ended - seen.started) + 150


async def test_a_fork_bomb_is_held_and_ends(bench: Bench) -> None:
    needs_groups(bench)
    key = await bench.launch("w", "sh", "-c", "f() { f | f & }; echo up; f; sleep 60", cpu_milli=300, memory=256 << 20)
    await bench.line(key)
    await asyncio.sleep(0.3)
    start = time.monotonic()
    await bench.runtime.delete(key)
    assert time.monotonic() - start < 10
    assert bench.alive() == []


async def test_no_core_files_are_written(bench: Bench) -> None:
    await bench.run("w", "sh", "-c", "ulimit -c")
    assert await bench.log(Key("w", 1)) == "0\n"
