"""Jobs from submit to end, on the real runtime."""

from __future__ import annotations

from tests.unit.workloads.house import House


async def test_a_job_runs_and_succeeds(house: House) -> None:
    done = await house.ended(await house.submit("echo hello"))
    assert (done.phase, done.exit_code, done.reason) == ("succeeded", 0, "")
    assert await house.log(done.id) == "hello\n"
    assert await house.events(done.id) == ["queued", "placed", "running", "succeeded"]
    assert await house.held() == []
