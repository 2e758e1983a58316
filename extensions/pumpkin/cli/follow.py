"""Watching a job from the terminal: its phases on stderr, its log on stdout, an exit code at the end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from pumpkin.cli import words
from pumpkin.cli.frame import wants_json
from pumpkin.errors import PumpkinError

if TYPE_CHECKING:
    from pumpkin import Client

ENDED = ("succeeded", "failed", "stopped")


def follow(client: Client, workload: str) -> None:
    """Print phases until the job runs, then its log, to its end; a retry's log follows the first."""
    attempt = 0
    for event in client.jobs.follow_events(workload):
        if not wants_json():
            click.echo(click.style(f"{event.time.astimezone():%H:%M:%S} {event.message}", dim=True), err=True)
        if event.type == "running" and not wants_json():
            attempt += 1
            follow_log(client, workload, attempt=attempt)


def follow_log(
    client: Client, workload: str, *, replica: str | None = None, attempt: int | None = None, offset: int = 0
) -> None:
    """Print a log to its end, as it is written."""
    for event in client.jobs.follow_log(workload, replica, attempt=attempt, offset=offset):
        sys.stdout.write(log_text(event))
        sys.stdout.flush()


def log_text(event: Any) -> str:
    """Return the text of one log event."""
    return str(event.json()["text"])


def outcome(workload: Any) -> int:
    """Say how a job ended and return the exit code to end with: the job's own, 1 when it has none."""
    if workload.phase not in ENDED:
        raise PumpkinError(f"The job is {workload.phase}.", reason="not_ended")
    color = words.PHASES.get(workload.phase)
    if not wants_json():
        ran = words.lasted(workload.started, workload.finished)
        cost = f", cost {words.money(workload.cost_micro)}" if workload.cost_micro else ""
        because = f": {workload.message}" if workload.message else ""
        click.echo(f"{click.style(workload.phase, fg=color, bold=True)} after {ran or '0 s'}{cost}{because}", err=True)
        if workload.output:
            click.echo(f"It made the model {workload.output}.", err=True)
    if workload.phase == "succeeded":
        return 0
    return workload.exit_code or 1
