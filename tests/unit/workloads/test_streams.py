"""Following logs, events and metrics while a job runs."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.unit.workloads.house import House


async def test_a_line_arrives_soon_after_it_was_printed(house: House) -> None:
    job = await house.submit(["python", "-c", "import time\nfor _ in range(5): print(time.time()); time.sleep(0.3)"])
    row = await house.row(job)
    assert row is not None
    delays: list[float] = []
    # Asked for while it is still queued: it waits for the start.
    async for event in house.parts.streams.follow_log(row, replica="main-0", attempt=None, offset=0):
        if event.event == "log":
            delays += [time.time() - float(line) for line in json.loads(event.data)["text"].split()]
    assert len(delays) == 5
    assert sorted(delays)[2] < 0.2


async def test_a_log_resumes_where_it_was_left_even_within_a_character(house: House) -> None:
    job = await house.submit("printf 'ä\\033[1mb\\r\\n'; sleep 0.2; printf '\\303'; sleep 0.3; printf '\\244z'")
    done = await house.ended(job)
    row = await house.row(done.id)
    assert row is not None

    async def follow(offset: int) -> list[tuple[str, dict[str, Any]]]:
        stream = house.parts.streams.follow_log(row, replica="main-0", attempt=1, offset=offset)
        return [(event.id or "", json.loads(event.data)) async for event in stream]

    [(last, item), end] = await follow(0)
    assert item == {"offset": 0, "text": "ä\x1b[1mb\r\näz"}
    assert (last, end) == ("12", ("", {"offset": 12}))
    assert (await follow(9))[0][1] == {"offset": 9, "text": "äz"}
    assert await follow(12) == [("", {"offset": 12})]


async def test_events_resume_after_the_last_one_seen_and_end_with_the_workload(house: House) -> None:
    job = await house.submit("sleep 0.3")
    seen = [event async for event in house.parts.streams.follow_events(job, after="")]
    kinds = [json.loads(event.data).get("type") for event in seen[:-1]]
    assert kinds == ["queued", "placed", "running", "succeeded"]
    assert (seen[-1].event, json.loads(seen[-1].data)) == ("end", {"phase": "succeeded"})
    rest = [event async for event in house.parts.streams.follow_events(job, after=seen[1].id or "")]
    assert [event.id for event in rest[:-1]] == [event.id for event in seen[2:-1]]


async def test_metrics_are_followed_while_they_are_logged(house: House) -> None:
    script = "from pumpkin import log_metrics\nfor n in range(3): log_metrics(step=n, loss=n)"
    job = await house.submit(["python", "-c", script])
    points = [json.loads(event.data) async for event in house.parts.streams.follow_metrics(job, after="")]
    assert [(item["step"], item["value"]) for item in points[:-1]] == [(0, 0), (1, 1), (2, 2)]
