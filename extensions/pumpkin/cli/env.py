"""`pumpkin env`: environments, the embedded form of images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpkin.cli import words
from pumpkin.cli.follow import log_text
from pumpkin.cli.frame import Columns, Noun, client, confirm, done, emit, facts, table, wants_json
from pumpkin.errors import PumpkinError
from pumpkin.installed import installed_for

if TYPE_CHECKING:
    from pumpkin import models

env = Noun("env", help="Environments: named, versioned sets of locked Python packages.")


@env.command("list")
@click.option("-q", "--search", "q", help="Only names that contain this.")
@click.option("--workspace", help="Only this workspace's.")
def list_(**query: Any) -> None:
    """List the environments you may use."""
    columns: Columns[models.Environment] = [
        ("NAME", lambda item: f"{item.workspace}/{item.name}"),
        ("VERSION", lambda item: item.latest.number if item.latest else "-"),
        ("STATE", lambda item: item.latest.state if item.latest else "-"),
        ("PYTHON", lambda item: item.latest.python_version if item.latest else ""),
        ("PRESET", lambda item: "yes" if item.preset else ""),
    ]
    table(client().environments.list(**query), columns, empty="No environments yet: 'pumpkin env build' makes one.")


@env.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show a version: its state, Python and packages."""
    version = client().environments.version(name)
    packages = "\n".join(f"{package}=={number}" for package, number in sorted(version.packages.items()))
    facts(
        version,
        [("version", version.number), ("state", version.state), ("because", version.message),
         ("python", version.python_version), ("size", words.size(version.bytes)), ("digest", version.digest),
         ("kernel", "yes" if version.kernel else "no (needs ipykernel)"), ("packages", packages)],
    )  # fmt: skip


@env.command("build")
@click.argument("name")
@click.argument("packages", nargs=-1)
@click.option("-r", "--requirements", type=click.File("r"), help="A requirements.txt.")
@click.option("--pyproject", type=click.File("r"), help="A pyproject.toml; its dependencies are taken.")
@click.option("--python", help="A Python on the platform's machine: 3.12.")
@click.option("--no-wait", is_flag=True, help="Do not follow the build.")
def build(name: str, packages: tuple[str, ...], requirements: Any, pyproject: Any, no_wait: bool, **more: Any) -> None:
    """Build a new version of NAME from PACKAGES or a file, making it when it is new."""
    if bool(packages) + bool(requirements) + bool(pyproject) != 1:
        raise click.UsageError("Give either packages, --requirements or --pyproject.")
    wanted: Any = requirements.read() if requirements else [*packages] or None
    made = client()
    version = made.environments.build(
        name, requirements=wanted, pyproject=pyproject.read() if pyproject else None, **more
    )
    if no_wait:
        done(f"{name}@{version.number} is {version.state}.", version)
        return
    reference = f"{name.partition('@')[0]}@{version.number}"
    for event in made.environments.follow_log(reference):
        if not wants_json():
            sys.stderr.write(log_text(event))
    _built(made.environments.version(reference), reference)


def _built(version: Any, reference: str) -> None:
    if version.state == "failed":
        raise PumpkinError(version.message, reason=version.reason or "build_failed")
    done(f"{reference} is {version.state}: {len(version.packages)} packages, {words.size(version.bytes)}.", version)


@env.command("log")
@click.argument("name")
def log(name: str) -> None:
    """Print a version's build log, to the end of the build."""
    for event in client().environments.follow_log(name):
        sys.stdout.write(log_text(event))


@env.command("freeze")
@click.argument("name")
@click.option("--as", "new_name", help="Keep it under another name.")
@click.option("--python", default=sys.executable, help="The Python whose packages are meant; the one running this.")
@click.option("--leave-out-refused", is_flag=True, help="Leave out what cannot be kept (editable installs).")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def freeze(name: str, new_name: str | None, python: str, leave_out_refused: bool, yes: bool) -> None:
    """Keep what is installed here as a new version of NAME, after showing what differs."""
    try:
        packages = installed_for(python)
    except ValueError as error:
        raise PumpkinError(f"'{python}' does not say what it has installed: {error}", field="python") from error
    made = client()
    difference = made.environments.difference(name, packages)
    if not wants_json():
        _print_difference(difference)
    confirm("Keep this as a new version", yes=yes)
    version = made.environments.freeze(name, packages, name=new_name, leave_out_refused=leave_out_refused or None)
    done(f"{new_name or name.partition('@')[0]}@{version.number} is {version.state}.", version)


def _print_difference(difference: Any) -> None:
    for name, number in sorted(difference.added.items()):
        click.echo(f"+ {name}=={number}")
    for name, number in sorted(difference.removed.items()):
        click.echo(f"- {name}=={number}")
    for change in difference.changed:
        click.echo(f"~ {change.name} {change.before} -> {change.after}")
    for refused in difference.refused:
        click.echo(f"! {refused.line}: {refused.why}")


@env.command("register")
@click.argument("name")
@click.argument("python", type=click.Path(path_type=Path))
@click.option("--description", default="", help="Markdown.")
def register(name: str, python: Path, description: str) -> None:
    """Offer an existing Python of the platform's machine as an environment (admins)."""
    # Not resolve(): a virtual environment's python is a link that must stay one.
    made = client().environments.register(name, str(python.absolute()), description=description)
    done(f"Registered {made.workspace}/{made.name}.", made)


@env.command("delete")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(name: str, yes: bool) -> None:
    """Delete a version, or without a version the environment."""
    confirm(f"Delete {name}", yes=yes)
    client().environments.delete(name)
    done(f"Deleted {name}.")


@env.command("versions")
@click.argument("name")
def versions(name: str) -> None:
    """List an environment's versions."""
    found = [*client().environments.versions(name)]
    if wants_json():
        emit(found)
        return
    for item in found:
        click.echo(f"@{item.number:<5} {item.state:<9} {words.ago(item.created)} by {item.creator} {item.message}")
