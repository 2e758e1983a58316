"""A job submitted again and again: from the first run to a pause, as people and their programs do it."""

from __future__ import annotations

import io
import zipfile

from pumpkin import Client
from tests.integration.house import House
from tests.integration.journeys.conftest import in_phase, until

JOB = {"name": "tick", "spec": "cpu-small", "command": "echo it is $(date); sleep 1"}


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.txt", "hello")
    return buffer.getvalue()


def test_a_schedule_from_its_making_to_its_end(house: House) -> None:
    sam = house.user("sam")
    with Client(house.url, sam.token) as client:
        assert len(client.schedules.preview("0 3 * * MON", timezone="Asia/Shanghai")) == 5
        first = client.jobs.submit_request(JOB)
        every = client.schedules.create("every-minute", "* * * * *", client.jobs.request(first.id))
        assert [item.name for item in client.schedules.list()] == ["every-minute"]
        now = client.schedules.run("every-minute")
        assert now.workload is not None
        assert in_phase(sam, now.workload.id, "succeeded")["creator"] == "sam"

        def came() -> object:
            return next((run for run in client.schedules.runs(every.id) if run.due), None)

        run = until(came, seconds=75)
        assert (run.due, run.outcome) == (every.next_run, "submitted")
        done = in_phase(sam, run.workload.id, "succeeded")
        assert done["request"] == client.jobs.get(now.workload.id).request.model_dump(mode="json")
        events = client.jobs.events(run.workload.id)
        assert any(event.message.startswith("Submitted by the schedule 'every-minute'") for event in events)

        paused = client.schedules.pause("every-minute")
        assert (paused.enabled, paused.next_run) == (False, None)
        client.schedules.delete("every-minute")
        assert [*client.schedules.list()] == []
        assert client.jobs.get(run.workload.id).phase == "succeeded"


def test_a_dataset_that_is_gone_when_the_time_comes_is_said_on_the_schedule(house: House) -> None:
    ria = house.user("ria")
    assert ria.api.post("/datasets", json={"name": "digits"}).status_code == 201
    filled = ria.api.put("/datasets/ria/digits/import", params={"format": "zip"}, content=archive())
    assert filled.is_success, filled.text
    with Client(house.url, ria.token) as client:
        client.schedules.create("every-minute", "* * * * *", JOB | {"datasets": ["digits"]})
        assert ria.api.delete("/datasets/ria/digits").is_success

        def said() -> str:
            return client.schedules.get("every-minute").message

        assert "digits" in until(said, seconds=75)
        run = next(iter(client.schedules.runs("every-minute")))
        assert (run.outcome, run.workload) == ("failed", None)
        client.schedules.delete("every-minute")
