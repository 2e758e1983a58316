"""The work queue against a model of it."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from pumpkin_services.pipeline.queue import WorkQueue

KEYS = st.sampled_from("abc")
STEPS = st.lists(st.tuples(st.sampled_from(["add", "get", "done", "failed"]), KEYS), max_size=60)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_no_key_is_worked_on_twice_at_once_and_none_is_forgotten(steps: list[tuple[str, str]]) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[str, str]]) -> None:
    queue = WorkQueue(first=0.001, longest=0.001)
    working: set[str] = set()
    wanted: set[str] = set()  # added since its last turn began
    for step, key in steps:
        if step == "add":
            queue.add(key)
            wanted.add(key)
        elif step == "get" and len(queue):
            got = await queue.get()
            assert got not in working
            working.add(got)
            wanted.discard(got)
        elif step in ("done", "failed") and key in working:
            working.discard(key)
            if step == "failed":
                queue.failed(key)
                wanted.add(key)
            else:
                queue.done(key)
    for key in working:
        queue.done(key)
    # Everything that was wanted comes, once each.
    rest: list[str] = []
    while wanted - set(rest):
        key = await asyncio.wait_for(queue.get(), 1)
        assert key not in rest
        rest.append(key)
        queue.done(key)
    queue.close()


async def test_a_key_that_fails_waits_longer_each_time() -> None:
    queue = WorkQueue(first=0.2, longest=1.0)
    pauses: list[float] = []
    for _ in range(5):
        queue.add("a")
        pauses.append(queue.failed(await queue.get()))
    assert pauses == [0.2, 0.4, 0.8, 1.0, 1.0]
    queue.add("a")
    queue.done(await queue.get())
    queue.add("a")
    assert queue.failed(await queue.get()) == 0.2
    queue.close()


async def test_of_two_timers_the_earlier_counts() -> None:
    queue = WorkQueue()
    queue.add_after("a", 0.01)
    queue.add_after("a", 100)
    assert await asyncio.wait_for(queue.get(), 1) == "a"
    queue.close()
