"""`pumpkin notebook`: servers, started through the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpkin.cli import words
from pumpkin.cli.frame import Columns, Noun, client, done, emit, table, wants_json
from pumpkin.errors import PumpkinError

if TYPE_CHECKING:
    from pumpkin import models

notebook = Noun("notebook", help="Notebook servers. Without NAME the default server is meant.")


@notebook.command("start")
@click.argument("name", default="")
@click.option("--spec", required=True, help="What to run on: see 'pumpkin spec list'.")
@click.option("-e", "--environment", help="The platform's default unless given.")
@click.option("-d", "--dataset", "datasets", multiple=True, metavar="NAME", help="Repeatable.")
@click.option("-a", "--algorithm", metavar="NAME")
@click.option("-m", "--model", "models", multiple=True, metavar="NAME", help="Repeatable.")
@click.option("--idle", "idle_seconds", type=click.IntRange(60), metavar="SECONDS", help="Stop it when idle so long.")
@click.option("--workspace", help="Who pays; your own unless given.")
@click.option("--no-wait", is_flag=True, help="Do not wait until it runs.")
def start(name: str, spec: str, no_wait: bool, **options: Any) -> None:
    """Ask for a server; it starts when its turn comes, whether you wait here or not."""
    made = client()
    given = {key: value for key, value in options.items() if value not in (None, ())}
    asked = made.notebooks.start(name, spec=spec, **given)
    if no_wait:
        done(f"It is {asked.phase} ({asked.id}).", asked)
        return
    try:
        for event in made.notebooks.follow_events(asked.id):
            if not wants_json():
                click.echo(click.style(event.message, dim=True), err=True)
            if event.type == "running":
                break
    except KeyboardInterrupt:
        click.echo("\nIt stays in the queue. See: pumpkin notebook list", err=True)
        raise
    now = made.notebooks.get(asked.id)
    if now.phase in ("failed", "stopped"):
        raise PumpkinError(now.message or f"It {now.phase}.", reason=now.reason or "failed")
    done(_address(made, now), now)


@notebook.command("list")
@click.option("--all", "everything", is_flag=True, help="Other people's too (admins).")
@click.option("--ended", is_flag=True, help="Ended ones too.")
def list_(everything: bool, ended: bool) -> None:
    """List notebook servers."""
    open_phases = () if ended else ("queued", "preparing", "running", "stopping")
    columns: Columns[models.WorkloadSummary] = [
        ("ID", lambda item: item.id),
        ("NAME", lambda item: item.name),
        ("PHASE", lambda item: item.phase),
        ("SPEC", lambda item: item.spec),
        ("RAN", lambda item: words.lasted(item.started, item.finished)),
        ("COST", lambda item: words.money(item.cost_micro)),
    ]
    found = client().notebooks.list(phase=open_phases, everything=everything)
    table(found, columns, empty="No notebook runs: 'pumpkin notebook start --spec SPEC' starts one.")


@notebook.command("stop")
@click.argument("name", default="")
def stop(name: str) -> None:
    """Stop a server; files in the home folder stay."""
    item = client().notebooks.stop(name)
    done(f"The server {item.name} is asked to stop.", item)


@notebook.command("open")
@click.argument("name", default="")
@click.option("--print", "only_print", is_flag=True, help="Print the address instead.")
def open_(name: str, only_print: bool) -> None:
    """Open a running server in the browser."""
    made = client()
    item = made.notebooks.get(name)
    if item.phase != "running":
        raise PumpkinError(f"The server is {item.phase}: wait until it runs.", reason="not_running", status=409)
    address = _address(made, item)
    if wants_json():
        emit({"url": address})
    elif only_print or click.launch(address):
        click.echo(address)


def _address(made: Any, item: Any) -> str:
    return item.url if "://" in item.url else made.config.origin + item.url
