"""Logs: exact bytes by offset, followed as they grow."""

import time

from pumpkin_services.runtimes.base import Key

from .conftest import PYTHON, Bench

COLOURED = "\x1b[31mred {0:07d}\x1b[0m\n"
MILLION = "import sys\nfor n in range(1_000_000): sys.stdout.write('\\x1b[31mred %07d\\x1b[0m\\n' % n)"


async def test_a_million_coloured_lines_are_kept_exactly_and_read_by_offset(plain: Bench) -> None:
    key = await plain.launch("w", PYTHON, "-c", MILLION, env={"PYTHONUNBUFFERED": ""})
    assert (await plain.end(key, within=60)).exit_code == 0
    width = len(COLOURED.format(0))
    for line in (0, 1, 499_999, 999_999):
        chunk = await plain.runtime.read_log(key, "worker-0", offset=line * width, limit=width)
        assert chunk.data.decode() == COLOURED.format(line)
        assert (chunk.size, chunk.final) == (1_000_000 * width, True)
    tail = await plain.runtime.read_log(key, "worker-0", offset=-2 * width)
    assert tail.data.decode() == COLOURED.format(999_998) + COLOURED.format(999_999)
    beyond = await plain.runtime.read_log(key, "worker-0", offset=10**12)
    assert (beyond.data, beyond.end, beyond.size) == (b"", 10**12, 1_000_000 * width)


async def test_a_line_is_followed_within_two_tenths_of_a_second(plain: Bench) -> None:
    program = "import time\nfor _ in range(5):\n    time.sleep(0.1); print(time.time(), flush=True)"
    key = await plain.launch("w", PYTHON, "-c", program)
    delays = []
    async for chunk in plain.runtime.follow_log(key, "worker-0"):
        delays += [time.time() - float(line) for line in chunk.data.split()]
    assert len(delays) == 5
    assert sorted(delays)[2] < 0.2


async def test_following_resumes_at_an_offset_and_ends_with_the_replica(plain: Bench) -> None:
    key = await plain.launch("w", "sh", "-c", "printf 0123456789; sleep 0.2; printf abc")
    data = b"".join([chunk.data async for chunk in plain.runtime.follow_log(key, "worker-0", offset=5)])
    assert data == b"56789abc"
    again = [chunk async for chunk in plain.runtime.follow_log(key, "worker-0", offset=13)]
    assert again == []


async def test_the_log_of_an_unknown_replica_is_empty_and_final(plain: Bench) -> None:
    chunk = await plain.runtime.read_log(Key("nothing", 1), "worker-0")
    assert (chunk.data, chunk.final) == (b"", True)
