"""Jobs from submit to end, on the real runtime."""

from __future__ import annotations

import json
import time

from sqlalchemy import text

from pumpkin_services.billing.models import Adjustment
from pumpkin_services.db import utcnow
from pumpkin_services.workloads.models import MetricQuery
from pumpkin_services.workloads.tables import WorkloadRow
from tests.unit.workloads.house import House, user


async def test_a_job_runs_and_succeeds(house: House) -> None:
    done = await house.ended(await house.submit("echo hello"))
    assert (done.phase, done.exit_code, done.reason) == ("succeeded", 0, "")
    assert await house.log(done.id) == "hello\n"
    assert await house.events(done.id) == ["queued", "placed", "running", "succeeded"]
    assert await house.held() == []


async def test_a_failure_has_a_reason_and_a_sentence(house: House) -> None:
    done = await house.ended(await house.submit("exit 3"))
    assert (done.phase, done.reason, done.exit_code) == ("failed", "exit_code", 3)
    assert done.message == "main-0 ended with exit code 3: see its log."
    done = await house.ended(await house.submit(["no-such-command"]))
    assert (done.phase, done.reason, done.exit_code) == ("failed", "start_failed", 127)
    done = await house.ended(await house.submit("kill -SEGV $$"))
    assert (done.phase, done.reason, done.message) == ("failed", "signal", "main-0 was ended by SIGSEGV: see its log.")


async def test_a_job_gets_its_variables_and_writable_folders(house: House) -> None:
    script = 'echo "$FROM_REQUEST $PUMPKIN_NAME"; touch $PUMPKIN_OUTPUT/x $PUMPKIN_HOME/y; python -c "print(6*7)"'
    done = await house.ended(await house.submit(script, name="vars", env={"FROM_REQUEST": "a b"}))
    assert await house.log(done.id) == "a b vars\n42\n"
    assert (house.data / "homes/ann/y").exists()


async def test_a_failed_attempt_is_tried_again_in_its_own_folder(house: House) -> None:
    script = 'echo "attempt $PUMPKIN_ATTEMPT"; test $PUMPKIN_ATTEMPT = 3'
    done = await house.ended(await house.submit(script, retries=2, backoff_seconds=0.05))
    assert (done.phase, done.attempt) == ("succeeded", 3)
    assert [(item.number, item.phase) for item in done.attempts] == [(1, "failed"), (2, "failed"), (3, "succeeded")]
    assert [await house.log(done.id, attempt=number) for number in (1, 2, 3)] == [
        f"attempt {number}\n" for number in (1, 2, 3)
    ]
    # The back-off doubles.
    waits = [b.created - a.ended for a, b in zip(done.attempts, done.attempts[1:], strict=False) if a.ended]
    assert waits[1].total_seconds() > 0.09


async def test_retries_end(house: House) -> None:
    done = await house.ended(await house.submit("exit 1", retries=1, backoff_seconds=0))
    assert (done.phase, done.attempt) == ("failed", 2)


async def test_a_running_job_is_stopped_with_all_it_started(house: House) -> None:
    job = await house.submit("sleep 100 & sleep 100 & echo up; wait")
    await house.phase(job, "running")
    await house.stop(job)
    done = await house.ended(job)
    assert (done.phase, done.reason, done.message) == ("stopped", "stopped_by_user", "It was stopped.")
    assert await house.held() == []


async def test_what_ignores_the_request_to_stop_is_killed_after_the_grace(house: House) -> None:
    job = await house.submit("trap '' TERM; echo up; while :; do sleep 0.1; done")
    await house.until(lambda: _logged(house, job, "up"))
    began = time.monotonic()
    await house.stop(job)
    assert (await house.ended(job)).phase == "stopped"
    assert 0.9 < time.monotonic() - began < 5


async def test_a_queued_job_is_stopped_before_it_starts(house: House) -> None:
    first = await house.submit("sleep 100", spec="whole")
    await house.phase(first, "running")
    second = await house.submit("true", spec="whole")
    assert (await house.detail(second)).forecast is not None
    await house.stop(second)
    assert (await house.ended(second)).phase == "stopped"
    assert (await house.detail(second)).attempt == 0


async def test_deleting_a_running_job_leaves_nothing(house: House) -> None:
    job = await house.submit("echo x > $PUMPKIN_OUTPUT/x; sleep 100")
    await house.phase(job, "running")
    await house.delete(job)
    await house.gone(job)
    assert not (house.data / "runs" / job).exists()
    async with house.parts.database.read() as session:
        for table in ("attempts", "replicas", "events", "metrics", "usage", "labels", "versions"):
            assert await session.scalar(text(f"SELECT count(*) FROM workload_{table}")) == 0


async def test_a_deadline_ends_an_attempt(house: House) -> None:
    done = await house.ended(await house.submit("sleep 100", deadline_seconds=1))
    assert (done.phase, done.reason) == ("failed", "deadline")


async def test_the_ledger_says_the_milliseconds_that_ran(house: House) -> None:
    done = await house.ended(await house.submit("sleep 0.3", spec="paid"))
    replica = done.members[0]
    assert replica.started is not None
    assert replica.ended is not None
    ran = round((replica.ended - replica.started).total_seconds() * 1000)
    assert done.cost_micro == 3_600_000 * ran // 3_600_000 > 0


async def test_a_budget_stops_a_job_before_it_is_overdrawn(empty_house: House) -> None:
    house = empty_house
    job = await house.submit("sleep 100", spec="paid", budget_micro=60_000)
    # A submit asks for a minute's worth at least; four seconds, at 1,000 micro-units each, are soon over.
    async with house.parts.database.write() as session:
        row = await session.get_one(WorkloadRow, job)
        row.plan = {**row.plan, "budget_micro": 4_000}
    await house.start_pipeline()
    done = await house.ended(job)
    assert (done.phase, done.reason) == ("stopped", "budget")
    assert 500 < done.cost_micro <= 4_000


async def test_jobs_stop_before_the_balance_they_share_is_overdrawn(empty_house: House) -> None:
    house = empty_house
    async with house.parts.database.write() as session:
        await house.parts.billing.adjust(
            session, user("root", admin=True), request=Adjustment(workspace="ann", amount_micro=-936_000, note="-")
        )
    jobs = [await house.submit("sleep 100", spec="paid") for _ in range(8)]
    await house.start_pipeline()
    for job in jobs:
        done = await house.ended(job, seconds=40)
        assert (done.phase, done.reason) == ("stopped", "balance")
    async with house.parts.database.read() as session:
        balance = await house.parts.billing.balance(session, user("ann"), workspace="ann")
    assert 0 <= balance.balance_micro < 40_000


async def test_the_main_roles_end_is_the_jobs_end(house: House) -> None:
    roles = [
        {"name": "server", "command": "sleep 100", "spec": "slot"},
        {"name": "worker", "command": "sleep 0.2", "spec": "slot", "is_main": True},
    ]
    done = await house.ended(await house.submit(roles=roles))
    assert (done.phase, done.exit_code) == ("succeeded", 0)
    assert {item.name: item.state for item in done.members} == {"server-0": "exited", "worker-0": "exited"}


async def test_a_role_below_its_minimum_fails_the_job(house: House) -> None:
    script = "test $RANK != 1 || exit 5; sleep 100"
    done = await house.ended(await house.submit(script, replicas=3))
    assert (done.phase, done.reason, done.exit_code) == ("failed", "exit_code", 5)
    assert "main-1" in done.message


async def test_a_role_at_its_minimum_goes_on(house: House) -> None:
    role = {"name": "w", "command": "test $RANK != 1 || exit 5; sleep 0.4", "spec": "slot", "replicas": 3}
    done = await house.ended(await house.submit(roles=[{**role, "min_available": 2}]))
    assert done.phase == "succeeded"


async def test_replicas_find_each_other(house: House) -> None:
    script = """python -c "
import os, socket, time
rank, size = int(os.environ['RANK']), int(os.environ['WORLD_SIZE'])
where = (os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT']))
if rank == 0:
    s = socket.create_server(where); print(size, s.accept()[0].recv(9).decode(), flush=True)
else:
    for _ in range(100):
        try: c = socket.create_connection(where); break
        except OSError: time.sleep(0.05)
    c.send(b'hi')
" """
    done = await house.ended(await house.submit(script, replicas=2))
    assert done.phase == "succeeded", await house.log(done.id)
    assert await house.log(done.id) == "2 hi\n"


async def test_logged_metrics_are_kept_once(house: House) -> None:
    lines = "\\n".join(json.dumps({"step": n, "time": 1e9 + n, "values": {"loss": 1 / (n + 1)}}) for n in range(3))
    bad = 'not json\\n{"step": 1}\\n'
    done = await house.ended(await house.submit(["python", "-c", f"""
import os
open(os.environ["PUMPKIN_METRICS"], "a").write('''{lines}\\n{bad}''')
from pumpkin import log_metrics
log_metrics(step=3, loss=float("nan"), accuracy=1)
"""]))  # fmt: skip
    assert done.phase == "succeeded", await house.log(done.id)
    async with house.parts.database.read() as session:
        page = await house.parts.queries.metrics(session, workload=done.id, query=MetricQuery())
    assert [(p.name, p.step, p.value) for p in page.items] == [
        ("loss", 0, 1), ("loss", 1, 0.5), ("loss", 2, 1 / 3), ("loss", 3, None), ("accuracy", 3, 1)
    ]  # fmt: skip


async def test_tensorboard_files_are_read(house: House) -> None:
    script = """
import os
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
writer = EventFileWriter(os.environ["PUMPKIN_OUTPUT"] + "/tb")
for step in range(3):
    value = Summary.Value(tag="train/loss", simple_value=2.0 ** -step)
    writer.add_event(Event(step=step, wall_time=1e9 + step, summary=Summary(value=[value])))
writer.close()
"""
    done = await house.ended(await house.submit(["python", "-c", script]), seconds=60)
    assert done.phase == "succeeded", await house.log(done.id)
    async with house.parts.database.read() as session:
        page = await house.parts.queries.metrics(session, workload=done.id, query=MetricQuery())
    assert [(p.name, p.step, p.value) for p in page.items] == [
        ("train/loss", 0, 1), ("train/loss", 1, 0.5), ("train/loss", 2, 0.25)
    ]  # fmt: skip


async def test_the_output_becomes_a_model_with_its_lineage(house: House) -> None:
    script = """
import os
from pumpkin import log_metrics
log_metrics(step=1, accuracy=0.5)
log_metrics(step=2, accuracy=0.75)
open(os.environ["PUMPKIN_OUTPUT"] + "/weights", "w").write("w")
"""
    job = await house.submit(["python", "-c", script], output={"model": "net"}, env={"LR": "0.1"})
    done = await house.ended(job)
    assert (done.phase, done.output) == ("succeeded", "ann/net@1"), (done.message, await house.log(job))
    async with house.parts.database.read() as session:
        lineage = await house.parts.models.lineage(session, version_id=done.output_version)
    assert (lineage.job, lineage.attempt, lineage.metrics) == (job, 1, {"accuracy": 0.75})
    assert lineage.parameters["main"]["env"] == {"LR": "0.1"}
    again = await house.ended(await house.submit("ls $PUMPKIN_PRETRAINED/net", models=["net"]))
    assert await house.log(again.id) == "weights\n"


async def test_nothing_left_makes_no_model(house: House) -> None:
    done = await house.ended(await house.submit("true", output={"model": "none"}))
    assert (done.phase, done.output) == ("succeeded", "")


async def test_jobs_wait_for_room_and_are_started_in_order(house: House) -> None:
    began = utcnow()
    jobs = [await house.submit("sleep 0.2", spec="whole") for _ in range(3)]
    ends = [(await house.ended(job)).finished for job in jobs]
    assert ends == sorted(ends, key=lambda item: item or began)


async def _logged(house: House, job: str, word: str) -> bool:
    return word in await house.log(job)
