"""`pumpkin schedule`: have a job submitted again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from pumpkin.cli.frame import Columns, Noun, client, confirm, done, facts, table
from pumpkin.errors import PumpkinError

if TYPE_CHECKING:
    from datetime import datetime

    from pumpkin import models

schedule = Noun(
    "schedule",
    help="Have jobs submitted at set times. SCHEDULE is a schedule's id, or its name: then the newest of that name.",
)
named = click.argument("schedule_", metavar="SCHEDULE")


@schedule.command("list")
@click.option("-q", "--search", "q", help="Only names that contain this.")
@click.option("--workspace", help="Only this workspace's.")
@click.option("--all", "everything", is_flag=True, help="Other people's too (admins).")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
def list_(**query: Any) -> None:
    """List schedules, newest first."""
    columns: Columns[models.ScheduleSummary] = [
        ("ID", lambda item: item.id),
        ("NAME", lambda item: item.name),
        ("CRON", lambda item: item.cron),
        ("TIME ZONE", lambda item: item.timezone),
        ("NEXT", lambda item: _when(item.next_run) if item.enabled else "paused"),
        ("LAST", lambda item: f"{_result(item.last)} {_when(item.last_run)}".strip()),
        ("BECAUSE", lambda item: item.message),
    ]
    table(client().schedules.list(**query), columns, empty="No schedules yet: 'pumpkin schedule create' makes one.")


@schedule.command("create")
@click.argument("name")
@click.option("--cron", required=True, help="Minute, hour, day of month, month, day of week: '0 3 * * *'.")
@click.option("--timezone", metavar="ZONE", help="Of the cron expression, like Asia/Shanghai; UTC unless given.")
@click.option("--job", metavar="JOB", help="Repeat what this job ran.")
@click.option("--file", type=click.File("r", encoding="utf-8"), help="Submit the job written here as YAML or JSON.")
@click.option("--overlap", type=click.Choice(["skip", "queue"]), help="While the job before has not ended; skip.")
@click.option("--paused", is_flag=True, help="Make it, but have it submit nothing yet.")
def create(name: str, job: str | None, file: TextIO | None, paused: bool, **options: Any) -> None:
    """Make the schedule NAME, which submits a job (--job or --file) at the times of --cron."""
    if (job is None) == (file is None):
        raise click.UsageError("Give either --job or --file.")
    made = client()
    request = made.jobs.request(job) if job is not None else _read(cast("TextIO", file))
    found = made.schedules.create(name, request=request, enabled=not paused, **options)
    following = f"next at {_when(found.next_run)}" if found.next_run else "paused"
    done(f"Made {found.name} ({found.id}): {following}.", found)


def _read(file: TextIO) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(file)
    except yaml.YAMLError as error:
        raise PumpkinError(f"This is not YAML: {error}", field="file", reason="invalid") from error
    if not isinstance(document, dict):
        raise PumpkinError("The file has to be a mapping with the fields of a job.", field="file", reason="invalid")
    return cast("dict[str, Any]", document)


@schedule.command("show")
@named
def show(schedule_: str) -> None:
    """Show a schedule: when it runs next, what it runs, how it went."""
    item = client().schedules.get(schedule_)
    facts(
        item,
        [
            ("name", item.name),
            ("id", item.id),
            ("cron", f"{item.cron} ({item.timezone})"),
            ("state", "on" if item.enabled else "paused"),
            ("next", "\n".join(_when(time) for time in item.upcoming)),
            ("last", f"{_result(item.last)} {_when(item.last_run)}".strip()),
            ("because", item.message),
            ("workspace", f"{item.workspace}, made by {item.creator}, runs as {item.runs_as}"),
            ("overlap", item.overlap),
            ("job", item.request.name),
            ("spec", item.request.spec),
            ("environment", item.request.environment),
        ],
    )


@schedule.command("runs")
@named
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
def runs(schedule_: str, limit: int) -> None:
    """List what a schedule's times came to, newest first."""
    columns: Columns[models.ScheduleRun] = [
        ("DUE", lambda item: _when(item.due or item.created)),
        ("RESULT", _result),
        ("JOB", lambda item: item.workload.id if item.workload else ""),
        ("BECAUSE", lambda item: item.message or (item.workload.message if item.workload else "")),
    ]
    table(client().schedules.runs(schedule_, limit=limit), columns, empty="It has not run yet.")


@schedule.command("pause")
@named
def pause(schedule_: str) -> None:
    """Have a schedule submit nothing; times that pass meanwhile are not made up for."""
    found = client().schedules.pause(schedule_)
    done(f"{found.name} is paused.", found)


@schedule.command("resume")
@named
def resume(schedule_: str) -> None:
    """Have a paused schedule go on."""
    found = client().schedules.resume(schedule_)
    done(f"{found.name} is on: next at {_when(found.next_run)}.", found)


@schedule.command("run")
@named
def run(schedule_: str) -> None:
    """Submit a schedule's job now."""
    made = client().schedules.run(schedule_)
    assert made.workload is not None
    done(f"{made.workload.name} is {made.workload.phase}: {made.workload.id}", made)


@schedule.command("delete")
@named
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(schedule_: str, yes: bool) -> None:
    """Remove a schedule and its list of runs; the jobs it made stay."""
    confirm(f"Delete the schedule {schedule_}", yes=yes)
    client().schedules.delete(schedule_)
    done(f"Deleted {schedule_}.")


def _when(time: datetime | None) -> str:
    """Return a time on this machine's clock."""
    return f"{time.astimezone():%Y-%m-%d %H:%M}" if time else ""


def _result(run: models.ScheduleRun | None) -> str:
    if run is None:
        return ""
    return run.workload.phase if run.workload else run.outcome
