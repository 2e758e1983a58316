"""`python -m pumpkin_hub up | down | status | logs | password`: what `pumpkin up` and its kin run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import click

from pumpkin_hub import launcher
from pumpkin_hub.onetime import OneTime
from pumpkin_hub.place import Place, Refused, default_data, open_data

data_option: Any = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=default_data,
    show_default="$PUMPKIN_DATA or ~/.local/share/pumpkin",
    help="The data folder: everything the platform keeps.",
)
PARTS = ("hub", "service", "proxy", "launcher")


def refuse(error: Exception) -> NoReturn:
    """End with one sentence and exit code 2."""
    click.echo(str(error), err=True)
    sys.exit(2)


@click.group(help="Run the embedded platform on this machine.")
def main() -> None:
    """Dispatch."""


@main.command()
@data_option
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; pumpkin_config.py in the data folder.")
@click.option("--ip", help="Address to listen on; 127.0.0.1 unless set.")
@click.option("--port", type=click.IntRange(1, 65532), help="Port; the next three are used inside. 8000 unless set.")
@click.option("--detach", is_flag=True, help="Return once the platform answers, and leave it running.")
def up(data: Path, config: Path | None, ip: str | None, port: int | None, detach: bool) -> None:
    """Start the platform; Ctrl-C stops it."""
    request = launcher.Request(data=data.expanduser().absolute(), config=config and config.absolute(), ip=ip, port=port)
    try:
        place, chosen = launcher.prepare(request)
        if detach:
            sys.exit(_detached(request, place))
        if f"--data={place.data}" not in sys.argv:
            _again_by_full_name(request)
        sys.exit(launcher.Launcher(place, chosen).run())
    except Refused as error:
        refuse(error)


def _arguments(request: launcher.Request) -> list[str]:
    given = {"config": request.config, "ip": request.ip, "port": request.port}
    options = [f"--{name}={value}" for name, value in given.items() if value is not None]
    return [sys.executable, "-m", "pumpkin_hub", "up", f"--data={request.data}", *options]


def _again_by_full_name(request: launcher.Request) -> NoReturn:
    """Become the same command with the data folder spelled out, by which `down` and `status` know it."""
    sys.stdout.flush()
    arguments = _arguments(request)
    os.execv(arguments[0], arguments)


def _detached(request: launcher.Request, place: Place) -> int:
    log = request.data / "logs" / "launcher.log"
    ready = request.data / "run" / "ready"
    running = launcher.current(request.data)
    if running is not None and request.port in (None, running.port) and launcher.serves(request.data, running):
        click.echo(f"Pumpkin is up already, at {running.url}")
        return 0
    with launcher.only_one(place):
        pass
    ready.unlink(missing_ok=True)
    launcher.shorten(log)
    with open(log, "ab") as output:
        begin = output.tell()
        child = subprocess.Popen(
            _arguments(request), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    while child.poll() is None and not ready.exists():
        time.sleep(0.1)
    with open(log, "rb") as said:
        said.seek(begin)
        text = said.read().decode(errors="replace").rstrip()
    click.echo(text, err=child.poll() is not None)
    return child.poll() or 0


@main.command()
@data_option
@click.option("--all", "everything", is_flag=True, help="End running notebooks and jobs as well.")
def down(data: Path, everything: bool) -> None:
    """Stop Hub, proxy and service. Notebooks and jobs run on, and are found again by the next `up`."""
    data = data.expanduser().absolute()
    try:
        stopped = launcher.stop(data)
    except Refused as error:
        refuse(error)
    ended = launcher.stop_workloads(data) if everything else 0
    if not stopped:
        click.echo(f"Pumpkin does not run on {data}.")
    elif not everything:
        click.echo("Stopped. Notebooks and jobs that were running run on; the next 'pumpkin up' finds them.")
    if everything and (stopped or ended):
        click.echo(f"Stopped, with {ended} running replicas of notebooks and jobs.")


@main.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(data: Path, as_json: bool) -> None:
    """Show what runs. The exit code is 0 if the platform answers, else 1."""
    data = data.expanduser().absolute()
    place, found = launcher.current(data), launcher.parts(data)
    up = place is not None and launcher.serves(data, place)
    document = {
        "up": up,
        "url": place.url if place and up else None,
        "data": str(data),
        "versions": {name: version(name) for name in ("pumpkin-platform", "jupyterhub")},
        "processes": [vars(process) for process in found],
    }
    if as_json:
        click.echo(json.dumps(document))
        sys.exit(0 if up else 1)
    click.echo(f"Pumpkin answers at {document['url']}" if up else f"Pumpkin does not answer on {data}.")
    for process in found:
        since = datetime.fromtimestamp(process.started).strftime("%Y-%m-%d %H:%M:%S")
        click.echo(f"  {process.part:<9} pid {process.pid:<8} since {since}  {process.memory / 2**20:6.0f} MiB")
    sys.exit(0 if up else 1)


@main.command()
@click.argument("part", type=click.Choice(PARTS), default="service")
@data_option
@click.option("-f", "--follow", is_flag=True, help="Go on printing what is added.")
@click.option("-n", "--lines", type=click.IntRange(0), default=100, show_default=True, help="Lines to begin with.")
def logs(part: str, data: Path, follow: bool, lines: int) -> None:
    """Print the end of a log."""
    log = data.expanduser().absolute() / "logs" / f"{part}.log"
    if not log.exists():
        refuse(Refused(f"There is no log {log}: Pumpkin has not run on {data}."))
    for line in launcher.tail(log, lines=lines):
        click.echo(line)
    position = log.stat().st_size
    while follow:
        time.sleep(0.2)
        size = log.stat().st_size
        if size < position:
            position = 0  # begun anew
        if size > position:
            with open(log, "rb") as file:
                file.seek(position)
                click.echo(file.read(size - position).decode(errors="replace"), nl=False)
            position = size


@main.command()
@click.argument("user")
@data_option
def password(user: str, data: Path) -> None:
    """Print a new one-time password for USER, who chooses a password of their own with it at the log-in page."""
    try:
        open_data(data.expanduser().absolute())
        click.echo(OneTime(data.expanduser().absolute()).make(user.lower()))
    except (Refused, ValueError) as error:
        refuse(error)


if __name__ == "__main__":
    main()
