"""`pumpkin dataset`, `algorithm` and `model`: one set of commands, made three times."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpkin.cli import words
from pumpkin.cli.frame import Columns, Noun, client, confirm, done, emit, facts, table, wants_json
from pumpkin.cli.transfers import progress

if TYPE_CHECKING:
    from pumpkin import models

OWN_FIELDS = {
    "dataset": [("--type", "What kind of data: image, text, table, …")],
    "algorithm": [("--framework", "pytorch, sklearn, …"), ("--entrypoint", "The command a job offers first.")],
    "model": [("--framework", "pytorch, sklearn, …")],
}
STAYS = {"in_use": "in use", "lineage": "a model was made from it"}
REFERENCE_HELP = "NAME is name, name@version or workspace/name@version; without a version the newest."


def make(kind: str) -> click.Group:
    """Return the commands of one kind."""
    noun = Noun(kind, help=f"Work with {kind}s. {REFERENCE_HELP}")
    for add in (
        _list,
        _show,
        _create,
        _push,
        _import,
        _imports,
        _pull,
        _ls,
        _cat,
        _diff,
        _share,
        _edit,
        _retain,
        _delete,
    ):
        add(noun, kind)
    return noun


def _own(kind: str) -> Any:
    def decorate(command: Any) -> Any:
        for option, text in reversed(OWN_FIELDS[kind]):
            command = click.option(option, help=text)(command)
        command = click.option("--label", "labels", multiple=True, help="A label; may be repeated.")(command)
        return click.option("--description", help="Markdown.")(command)

    return decorate


def _assets(kind: str) -> Any:
    return getattr(client(), f"{kind}s")


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, ())}


def _list(noun: Noun, kind: str) -> None:
    @noun.command("list")
    @click.option("-q", "--search", "q", help="Only names that contain this.")
    @click.option("--workspace", help="Only this workspace's.")
    @click.option("--label", help="Only with this label.")
    @click.option("--view", type=click.Choice(["all", "mine", "shared", "preset"]), default="all", show_default=True)
    @click.option("--limit", type=click.IntRange(1), default=200, show_default=True)
    def list_(**query: Any) -> None:
        """List what you may use, newest first."""
        columns: Columns[models.Dataset | models.Algorithm | models.Model] = [
            ("NAME", lambda item: f"{item.workspace}/{item.name}"),
            ("VERSION", lambda item: item.latest or "-"),
            ("SIZE", lambda item: words.size(item.bytes)),
            ("LABELS", lambda item: ", ".join(item.labels)),
            ("UPDATED", lambda item: words.ago(item.updated)),
        ]
        table(_assets(kind).list(**query), columns, empty=f"No {kind} yet: 'pumpkin {kind} push FOLDER' makes one.")


def _show(noun: Noun, kind: str) -> None:
    @noun.command("show")
    @click.argument("name")
    def show(name: str) -> None:
        """Show one, its versions, and where a model comes from."""
        assets = _assets(kind)
        item = assets.get(name)
        reference = name if "/" in name else f"{item.workspace}/{name}"
        versions = list(assets.versions(reference, limit=20))
        lineage = assets.lineage(reference) if kind == "model" and item.latest else None
        if wants_json():
            emit({kind: item, "versions": versions} | ({"lineage": lineage} if lineage else {}))
            return
        own = [(option[2:], getattr(item, option[2:])) for option, _ in OWN_FIELDS[kind]]
        shared = "everyone" if item.visibility == "everyone" else ", ".join(item.shared_with)
        made = f"{words.ago(item.created)} by {item.creator}"
        facts(
            item,
            [("name", f"{item.workspace}/{item.name}"), *own, ("labels", ", ".join(item.labels)), ("made", made),
             ("shared with", shared), ("preset", "yes" if item.preset else ""), ("description", item.description)],
        )  # fmt: skip
        for version in versions:
            number = f"@{version.number}" if version.number else version.state
            click.echo(
                f"  {number:<6} {version.files} files  {words.size(version.bytes)}  {words.ago(version.created)} "
                f"by {version.creator}"
            )
        if lineage and lineage.job:
            _print_lineage(lineage)


def _print_lineage(lineage: Any) -> None:
    click.echo("lineage")
    pairs = [
        ("job", f"{lineage.job_name} ({lineage.job})"),
        ("code", lineage.code),
        ("datasets", ", ".join(lineage.datasets)),
        ("from models", ", ".join(lineage.models)),
        ("environment", lineage.environment),
        ("metrics", "  ".join(f"{name}={value:g}" for name, value in lineage.metrics.items())),
    ]
    for name, value in pairs:
        if value:
            click.echo(f"  {name:<12} {value}")


def _create(noun: Noun, kind: str) -> None:
    @noun.command("create")
    @click.argument("name")
    @click.option("--workspace", help="Your own unless given.")
    @click.option("--visibility", type=click.Choice(["private", "everyone"]), default="private", show_default=True)
    @_own(kind)
    def create(name: str, **fields: Any) -> None:
        """Make an empty one (a push makes it too)."""
        item = _assets(kind).create(name, **_given(**fields))
        done(f"Made {kind} {item.workspace}/{item.name}.", item)


def _push(noun: Noun, kind: str) -> None:
    @noun.command("push")
    @click.argument("source", type=click.Path(path_type=Path))
    @click.argument("name", required=False)
    @click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out names or paths like this; repeatable.")
    @_own(kind)
    def push(source: Path, name: str | None, exclude: tuple[str, ...], **fields: Any) -> None:
        """Make a version from a folder, a file, or a zip or tar archive.

        Sends only what the platform does not have. After a break run it again: it goes on where it stopped. The
        options are used when NAME is new; without NAME it is called like SOURCE.
        """
        assets = _assets(kind)
        with progress("Sending") as report:
            made = assets.push(source, name, exclude=exclude, on_progress=report, **_given(**fields))
        done(f"{made.workspace}/{made.name}@{made.number}: {made.files} files, {words.size(made.bytes)}.", made)


def _import(noun: Noun, kind: str) -> None:
    @noun.command("import")
    @click.argument("name")
    @click.argument("url")
    @click.option("--format", type=click.Choice(["zip", "tar", "git", "file"]), help="Told by the URL unless given.")
    @click.option("--ref", default="", help="Of git: a branch, tag or commit; the main branch unless given.")
    @click.option("--endpoint", metavar="URL", help="Of s3://: the server's address.")
    @click.option("--region", default="us-east-1", show_default=True, help="Of s3://.")
    @_own(kind)
    def import_(name: str, url: str, endpoint: str | None, region: str, **fields: Any) -> None:
        """Make a version of what another server has: an archive, a git repository, one file, an s3://bucket/prefix.

        The platform fetches it itself, from the hosts that its admins allow. Ctrl-C leaves the import going; "imports"
        shows and stops it. The other options are used when NAME is new.

        The key for s3:// is the one in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; the platform
        forgets it when the import is over.
        """
        assets = _assets(kind)
        s3 = None if endpoint is None else {"endpoint": endpoint, "region": region, **_key()}
        with progress("Fetching") as report:
            made = assets.import_from(name, url, s3=s3, on_progress=report, **_given(**fields))
        done(f"{made.workspace}/{made.name}@{made.number}: {made.files} files, {words.size(made.bytes)}.", made)


def _key() -> dict[str, str]:
    """Return the key of an S3 server that the environment has, named as other tools name it."""
    names = {
        "access_key": "AWS_ACCESS_KEY_ID",
        "secret_key": "AWS_SECRET_ACCESS_KEY",
        "session_token": "AWS_SESSION_TOKEN",
    }
    return {name: os.environ[variable] for name, variable in names.items() if variable in os.environ}


def _imports(noun: Noun, kind: str) -> None:
    @noun.command("imports")
    @click.argument("name")
    @click.option("--stop", metavar="ID", help="Stop this one, or forget it when it is over.")
    def imports(name: str, stop: str | None) -> None:
        """List the imports from other servers, or stop one."""
        assets = _assets(kind)
        if stop is not None:
            assets.cancel_import(name, stop)
            done(f"Stopped {stop}.")
            return
        columns: Columns[models.Import] = [
            ("ID", lambda item: item.id),
            ("STATE", lambda item: item.state),
            ("VERSION", lambda item: f"@{item.number}" if item.number else "-"),
            ("FETCHED", lambda item: words.size(item.fetched)),
            ("BEGUN", lambda item: words.ago(item.created)),
            ("FROM", lambda item: item.url + (f" {item.commit or item.ref}" if item.format == "git" else "")),
            ("ERROR", lambda item: item.error or ""),
        ]
        table(assets.imports(name, limit=50), columns, empty="Nothing was imported.")


def _pull(noun: Noun, kind: str) -> None:
    @noun.command("pull")
    @click.argument("name")
    @click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
    def pull(name: str, folder: Path | None) -> None:
        """Write a version's files into FOLDER (./NAME unless given); what is there and right stays."""
        target = folder or Path(name.rpartition("/")[2].partition("@")[0])
        with progress("Receiving") as report:
            version = _assets(kind).pull(name, target, on_progress=report)
        done(f"{version.files} files, {words.size(version.bytes)} in {target}.", version)


def _ls(noun: Noun, kind: str) -> None:
    @noun.command("ls")
    @click.argument("name")
    @click.argument("path", default="")
    def ls(name: str, path: str) -> None:
        """List a folder of a version."""
        columns: Columns[models.TreeEntry] = [
            ("NAME", lambda item: item.name + ("/" if item.type == "folder" else "")),
            ("SIZE", lambda item: words.size(item.bytes)),
            ("FILES", lambda item: item.files if item.type == "folder" else ""),
        ]
        table(_assets(kind).tree(name, path.strip("/")), columns, empty="Nothing there.")


def _cat(noun: Noun, kind: str) -> None:
    @noun.command("cat")
    @click.argument("name")
    @click.argument("path")
    def cat(name: str, path: str) -> None:
        """Print a file of a version."""
        with _assets(kind).open(name, path.strip("/")) as response:
            for block in response.iter_bytes():
                sys.stdout.buffer.write(block)


def _diff(noun: Noun, kind: str) -> None:
    @noun.command("diff")
    @click.argument("name")
    @click.argument("old", type=click.IntRange(1))
    @click.argument("new", type=click.IntRange(1))
    def diff(name: str, old: int, new: int) -> None:
        """Compare two versions."""
        found = _assets(kind).diff(name, old, new)
        if wants_json():
            emit(found)
            return
        for change in found.items:
            mark = {"added": "+", "removed": "-", "changed": "~"}[change.change]
            click.echo(f"{mark} {change.path}  {words.size(change.new_bytes or change.old_bytes or 0)}")
        more = " (the first 500 are shown)" if found.next else ""
        click.echo(f"{found.added} added, {found.removed} removed, {found.changed} changed{more}")


def _share(noun: Noun, kind: str) -> None:
    @noun.command("share")
    @click.argument("name")
    @click.argument("workspace", required=False)
    @click.option("--everyone", is_flag=True, help="With everybody on the platform.")
    @click.option("--end", is_flag=True, help="End the sharing instead.")
    def share(name: str, workspace: str | None, everyone: bool, end: bool) -> None:
        """Share with a workspace, or with everyone; nothing is copied."""
        if (workspace is None) == (not everyone):
            raise click.UsageError("Name a WORKSPACE, or give --everyone.")
        assets = _assets(kind)
        if everyone:
            item = assets.update(name, visibility="private" if end else "everyone")
        else:
            item = assets.unshare(name, workspace) if end else assets.share(name, workspace)
        partner = "everyone" if everyone else workspace
        done(f"{item.workspace}/{item.name} is {'no longer ' if end else ''}shared with {partner}.", item)


def _edit(noun: Noun, kind: str) -> None:
    @noun.command("edit")
    @click.argument("name")
    @click.option("--preset/--no-preset", default=None, help="Offer it to everybody (admins).")
    @_own(kind)
    def edit(name: str, **changes: Any) -> None:
        """Change description, labels and the like."""
        wanted = _given(**changes)
        if not wanted:
            raise click.UsageError("Say what to change, for example --description.")
        item = _assets(kind).update(name, **wanted)
        done(f"Changed {item.workspace}/{item.name}.", item)


def _retain(noun: Noun, kind: str) -> None:
    @noun.command("retain")
    @click.argument("name")
    @click.option("--last", type=click.IntRange(1), help="Keep so many of the newest versions.")
    @click.option("--days", type=click.IntRange(1), help="Keep the versions younger than so many days.")
    @click.option("--all", "everything", is_flag=True, help="Keep all versions again.")
    @click.option("--preview", is_flag=True, help="Show what would be removed, and change nothing.")
    @click.option("-y", "--yes", is_flag=True, help="Do not ask.")
    def retain(name: str, last: int | None, days: int | None, everything: bool, preview: bool, yes: bool) -> None:
        """Say which versions are kept; the others are removed by and by.

        The newest version, what a job or notebook reads and what a model was made from always stay.
        """
        if everything == (last is not None or days is not None):
            raise click.UsageError("Give --last, --days or both, or --all.")
        assets = _assets(kind)
        found = assets.preview_retention(name, last=last, days=days)
        if preview:
            columns: Columns[models.Fate] = [
                ("VERSION", lambda item: f"@{item.number}"),
                ("SIZE", lambda item: words.size(item.bytes)),
                ("MADE", lambda item: words.ago(item.committed)),
                ("STAYS", lambda item: STAYS[item.stays] if item.stays else ""),
            ]
            table(found.items, columns, empty="Every version is kept.")
            return
        if found.removed:
            confirm(f"Remove {found.removed} versions of {name} ({words.size(found.removed_bytes)})", yes=yes)
        item = assets.retain(name, last=last, days=days)
        rules = [f"the last {last}" if last else "", f"those younger than {days} days" if days else ""]
        kept = " and ".join(filter(None, rules)) or "all"
        done(f"Of the versions of {item.workspace}/{item.name}, {kept} are kept.", item)


def _delete(noun: Noun, kind: str) -> None:
    @noun.command("delete")
    @click.argument("name")
    @click.option("-y", "--yes", is_flag=True, help="Do not ask.")
    def delete(name: str, yes: bool) -> None:
        """Delete a version, or without a version the whole thing."""
        what = f"version {name}" if "@" in name else f"{kind} {name} with all its versions"
        confirm(f"Delete {what}", yes=yes)
        _assets(kind).delete(name)
        done(f"Deleted {what}.")


dataset = make("dataset")
algorithm = make("algorithm")
model = make("model")
