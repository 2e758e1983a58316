"""`pumpkin job`: run, watch, stop."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from pumpkin import _ipynb
from pumpkin.cli import words
from pumpkin.cli.follow import follow, follow_log, outcome
from pumpkin.cli.frame import Columns, Noun, client, confirm, done, emit, facts, table, wants_json
from pumpkin.errors import PumpkinError

if TYPE_CHECKING:
    from pumpkin import models

job = Noun("job", help="Submit and watch jobs. JOB is a job's id, or its name: then the newest of that name.")

PHASE_NAMES = ["queued", "preparing", "running", "stopping", "succeeded", "failed", "stopped"]


def parse_env(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return `NAME=value` words as variables; raise `PumpkinError` for a word that is none."""
    env: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise PumpkinError(f"'{pair}' is not NAME=value.", field="env", reason="invalid")
        env[name] = value
    return env


def parse_parameters(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return `NAME=value` words as parameters: JSON where a value is that, else text."""
    return {name: _value(text) for name, text in parse_env(pairs).items()}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@job.command("run")
@click.argument("command", nargs=-1, required=True)
@click.option("--name", help="The job's name; made from the command unless given.")
@click.option("--spec", required=True, help="What to run on: see 'pumpkin spec list'.")
@click.option("-e", "--environment", help="The platform's default unless given.")
@click.option("-d", "--dataset", "datasets", multiple=True, metavar="NAME", help="Data to read; repeatable.")
@click.option("-a", "--algorithm", metavar="NAME", help="Code to run, found in $PUMPKIN_CODE.")
@click.option("-m", "--model", "models", multiple=True, metavar="NAME", help="A model to begin from; repeatable.")
@click.option("-o", "--output", metavar="MODEL", help="Make the output folder the next version of this model.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable; repeatable.")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Of a notebook; repeatable.")
@click.option("--cell", "cells", multiple=True, metavar="ID", help="Run this cell of a notebook only; repeatable.")
@click.option("--replicas", type=click.IntRange(1), help="So many processes alike.")
@click.option("--retries", type=click.IntRange(0), help="Try again so often when it fails.")
@click.option("--deadline", "deadline_seconds", type=click.IntRange(1), metavar="SECONDS", help="Stop it after this.")
@click.option("--budget", metavar="AMOUNT", help="Stop it before it costs more.")
@click.option("--priority", type=click.IntRange(-100, 100), help="Higher goes first in your workspace.")
@click.option("--workspace", help="Who owns it and pays; your own unless given.")
@click.option("--label", "labels", multiple=True, help="A label; repeatable.")
@click.option("--wait", is_flag=True, help="Follow the log to the end and answer with the job's exit code.")
def run(command: tuple[str, ...], wait: bool, **options: Any) -> None:
    """Submit COMMAND as a job; put -- before it when it has options of its own.

    One word is run by the shell, several are executed as they are; a file ending in .ipynb is run as a notebook, whose
    values of -p are JSON where they can be, else text. With --wait, Ctrl-C only stops watching.
    """
    made = client()
    options["env"] = parse_env(options["env"])
    options["parameters"] = parse_parameters(options["parameters"])
    budget, name = options.pop("budget"), options.pop("name")
    if budget is not None:
        try:
            options["budget_micro"] = words.micro(budget)
        except ValueError as error:
            raise PumpkinError(str(error), field="budget", reason="invalid") from error
    given = {key: value for key, value in options.items() if value not in (None, (), {})}
    if len(command) == 1 and command[0].endswith(_ipynb.SUFFIX):
        _submitted(made.jobs.submit_notebook(command[0], name, **given), wait)
        return
    if options["parameters"] or options["cells"]:
        raise PumpkinError("Only notebooks have parameters and cells.", field="parameter", reason="invalid")
    words_ = command[0] if len(command) == 1 else list(command)
    submitted = made.jobs.submit(name or _name(command), words_, **given)
    _submitted(submitted, wait)


@job.command("submit")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--wait", is_flag=True, help="Follow the log to the end and answer with the job's exit code.")
def submit(file: TextIO, wait: bool) -> None:
    """Submit the job written in FILE as YAML or JSON ('-' reads standard input)."""
    _submitted(client().jobs.submit_yaml(file.read()), wait)


def _submitted(submitted: Any, wait: bool) -> None:
    if not wait:
        done(f"{submitted.name} is {submitted.phase}: {submitted.id}", submitted)
        return
    if not wants_json():
        click.echo(f"{submitted.name} ({submitted.id})", err=True)
    sys.exit(_watch(submitted.id))


def _watch(workload: str) -> int:
    made = client()
    try:
        follow(made, workload)
        ended = made.jobs.get(workload)
    except KeyboardInterrupt:
        click.echo(f"\nThe job runs on. Come back: pumpkin job wait {workload}  (stop it: job stop)", err=True)
        return 130
    if wants_json():
        emit(ended)
    return outcome(ended)


@job.command("wait")
@click.argument("job_", metavar="JOB")
def wait(job_: str) -> None:
    """Follow a job's log to its end and answer with its exit code."""
    sys.exit(_watch(client().jobs.resolve(job_)))


@job.command("list")
@click.option("-q", "--search", "q", help="Only names that contain this.")
@click.option("--phase", multiple=True, type=click.Choice(PHASE_NAMES), help="Repeatable.")
@click.option("--workspace", help="Only this workspace's.")
@click.option("--creator", help="Only this user's.")
@click.option("--label", help="Only with this label.")
@click.option("--all", "everything", is_flag=True, help="Other people's too (admins).")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
def list_(**query: Any) -> None:
    """List jobs, newest first."""
    columns: Columns[models.WorkloadSummary] = [
        ("ID", lambda item: item.id),
        ("NAME", lambda item: item.name),
        ("PHASE", lambda item: item.phase),
        ("SPEC", lambda item: f"{item.spec} x{item.replicas}" if item.replicas > 1 else item.spec),
        ("RAN", lambda item: words.lasted(item.started, item.finished)),
        ("COST", lambda item: words.money(item.cost_micro)),
        ("MADE", lambda item: words.ago(item.created)),
    ]
    table(client().jobs.list(**query), columns, empty="No jobs yet: 'pumpkin job run' submits one.")


@job.command("show")
@click.argument("job_", metavar="JOB")
def show(job_: str) -> None:
    """Show a job: how it stands, what it reads and made, what it costs."""
    item = client().jobs.get(job_)
    wait = item.forecast
    expected = f", expected in {words.span(wait.p50_seconds)}" if wait and wait.p50_seconds is not None else ""
    facts(
        item,
        [
            ("name", item.name),
            ("id", item.id),
            ("phase", item.phase + (f" ({item.reason})" if item.reason else "")),
            ("because", item.message),
            ("queue", f"position {wait.position}{expected}" if wait else ""),
            ("exit code", item.exit_code),
            ("workspace", f"{item.workspace}, made by {item.creator}"),
            ("spec", f"{item.spec} x {item.replicas}, {words.price(item.price_micro)}"),
            ("ran", words.lasted(item.started, item.finished)),
            ("cost", words.money(item.cost_micro)),
            ("environment", item.environment),
            ("algorithm", item.algorithm),
            ("datasets", ", ".join(item.datasets)),
            ("models", ", ".join(item.models)),
            ("output", item.output),
            ("notebook", item.notebook),
            ("command", _command(item)),
            ("attempts", len(item.attempts) if len(item.attempts) > 1 else ""),
            ("labels", ", ".join(item.labels)),
            ("notes", item.notes),
        ],
    )


@job.command("logs")
@click.argument("job_", metavar="JOB")
@click.argument("replica", required=False)
@click.option("-f", "--follow", "following", is_flag=True, help="Go on until the job ends.")
@click.option("-n", "--tail", type=click.IntRange(1), metavar="BYTES", help="Only the last so many bytes.")
@click.option("--attempt", type=click.IntRange(1), help="The last one unless given.")
def logs(job_: str, replica: str | None, following: bool, tail: int | None, attempt: int | None) -> None:
    """Print a job's log; REPLICA (worker-1) is the main one unless given."""
    made = client()
    offset = -tail if tail else 0
    if following:
        try:
            follow_log(made, made.jobs.resolve(job_), replica=replica, attempt=attempt, offset=offset)
        except KeyboardInterrupt:
            sys.exit(130)
        return
    content = made.jobs.log(job_, replica, attempt=attempt, offset=offset)
    if wants_json():
        emit({"log": content.decode(errors="replace")})
    else:
        sys.stdout.buffer.write(content)


@job.command("events")
@click.argument("job_", metavar="JOB")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on until the job ends.")
def events(job_: str, following: bool) -> None:
    """Print what happened to a job, oldest first."""
    made = client()
    if following:
        for event in made.jobs.follow_events(job_):
            click.echo(_event(event))
        return
    found = [*made.jobs.events(job_)][::-1]
    if wants_json():
        emit(found)
        return
    for event in found:
        click.echo(_event(event))


def _event(event: Any) -> str:
    return f"{event.time.astimezone():%H:%M:%S}  {event.type:<12}  {event.message}"


@job.command("metrics")
@click.argument("job_", metavar="JOB")
@click.argument("metric", required=False)
def metrics(job_: str, metric: str | None) -> None:
    """Print a job's metrics: the last value of each, or every value of METRIC."""
    points = [*client().jobs.metrics(job_, name=metric)]
    if metric is None and not wants_json():
        points = [*{point.name: point for point in points}.values()]
    columns: Columns[models.MetricPoint] = [
        ("METRIC", lambda item: item.name),
        ("STEP", lambda item: item.step),
        ("VALUE", lambda item: "-" if item.value is None else f"{item.value:.6g}"),
    ]
    table(points, columns, empty="No metrics: the code logs them with pumpkin.log_metrics(step=…, loss=…).")


@job.command("stop")
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True)
def stop(jobs: tuple[str, ...]) -> None:
    """Stop jobs; they get a few seconds to clean up."""
    _batch("stop", jobs)


@job.command("delete")
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(jobs: tuple[str, ...], yes: bool) -> None:
    """Stop jobs and remove every trace of them, logs included; their models stay."""
    confirm(f"Delete {', '.join(jobs)}", yes=yes)
    _batch("delete", jobs)


def _batch(action: str, jobs: tuple[str, ...]) -> None:
    made = client()
    ids = [made.jobs.resolve(item) for item in jobs]
    result = made.jobs.batch("stop" if action == "stop" else "delete", ids)
    failed = [item for item in result.items if not item.done]
    if wants_json():
        emit(result)
    for item in failed:
        click.echo(f"{item.id}: {item.message}", err=True)
    if not wants_json():
        told = {"stop": "asked to stop", "delete": "deleted"}[action]
        click.echo(f"{len(ids) - len(failed)} of {len(ids)} {told}.")
    if failed:
        sys.exit(1)


@job.command("rerun")
@click.argument("job_", metavar="JOB")
@click.option("--wait", is_flag=True, help="Follow the log to the end and answer with the job's exit code.")
def rerun(job_: str, wait: bool) -> None:
    """Submit a job's request again, as a new job."""
    _submitted(client().jobs.rerun(job_), wait)


@job.command("export")
@click.argument("job_", metavar="JOB")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def export(job_: str, file: Path | None) -> None:
    """Write a job's request as YAML, to change and submit again."""
    text = client().jobs.export(job_)
    if file is not None:
        file.write_text(text, encoding="utf-8")
        done(f"Wrote {file}.", {"file": str(file)})
    elif wants_json():
        emit({"yaml": text})
    else:
        click.echo(text, nl=False)


@job.command("notebook")
@click.argument("job_", metavar="JOB")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def notebook(job_: str, file: Path | None) -> None:
    """Write the notebook a job runs, with the outputs so far."""
    document = client().jobs.notebook(job_)
    if file is None:
        emit(document)
        return
    file.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    done(f"Wrote {file}.", {"file": str(file)})


job.add_command(submit, "import")


def _command(item: Any) -> str:
    if item.notebook:
        return ""
    command = getattr(item.request, "command", None)
    return command if isinstance(command, str) else shlex.join(command or [])


def _name(command: tuple[str, ...]) -> str:
    """Return a name for a job made from its command: `train` for `python /code/train.py --lr 1`."""
    pieces = shlex.split(command[0]) if len(command) == 1 else list(command)
    script = next((piece for piece in pieces if piece.endswith((".py", ".sh"))), pieces[0] if pieces else "job")
    return _ipynb.job_name(script)
