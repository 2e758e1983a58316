"""What all commands share: lazy loading, the client, refusals as one sentence, tables or JSON."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import click

from pumpkin.errors import PumpkinError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from pumpkin import Client

EXITS = {401: 3, 403: 3, 404: 4, 409: 5, 412: 5}


class LazyGroup(click.Group):
    """A group that imports a command when it is used; the help is in the table."""

    def __init__(self, *args: Any, commands_table: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = commands_table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order, which is the order of use."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in self.table:
            return None
        module, attribute = self.table[cmd_name][0].split(":")
        return getattr(importlib.import_module(f"pumpkin.cli.{module}"), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; a refusal is one sentence on stderr and an exit code, never a traceback."""
        try:
            return super().main(*args, **kwargs)
        except PumpkinError as error:
            fail(error)
        except KeyboardInterrupt:
            sys.exit(130)
        except BrokenPipeError:
            sys.stderr.close()  # else the interpreter complains about the pipe once more
            sys.exit(141)


def fail(error: PumpkinError) -> NoReturn:
    """End with the platform's sentence and the exit code for it."""
    click.echo(f"{click.style('Refused' if error.status else 'Error', fg='red', bold=True)}: {error}", err=True)
    if error.status == 401:
        click.echo("Log in with 'pumpkin login'.", err=True)
    sys.exit(6 if error.reason in ("unreachable", "unavailable") else EXITS.get(error.status, 1))


class Money(click.ParamType[int]):
    """A decimal amount, as millionths of the currency unit."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the amount; end the command with a sentence for what is none."""
        from pumpkin.cli import words

        if isinstance(value, int):
            return value
        try:
            return words.micro(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


MONEY = Money()


def version_callback(_context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        from importlib.metadata import version

        click.echo(version("pumpkin-platform"))
        sys.exit(0)


def client() -> Client:
    """Return a client for the platform the command line means; it is closed with the command."""
    _import_httpx()
    from pumpkin import Client

    context = click.get_current_context()
    options: dict[str, Any] = context.find_root().obj or {}
    made = Client(options.get("url"))
    if not made.config.token:
        raise PumpkinError(f"You are not logged in at {made.config.url}.", reason="unauthenticated", status=401)
    return context.with_resource(_closing(made))


def _import_httpx() -> None:
    """Import httpx without its own command line, whose modules take longer to load than all the rest of it."""
    if "httpx" not in sys.modules:
        sys.modules["httpx._main"] = None  # pyright: ignore[reportArgumentType]  (an ImportError it is prepared for)
        importlib.import_module("httpx")
        del sys.modules["httpx._main"]


def confirm(action: str, *, yes: bool) -> None:
    """Ask whether to go on (`Delete digits`); where nobody can answer, `--yes` must have been given."""
    if yes:
        return
    if wants_json() or not sys.stdin.isatty():
        raise PumpkinError(f"{action}? Nobody can answer here: add --yes.", field="yes", reason="not_confirmed")
    click.confirm(f"{action}?", abort=True)


def _closing(made: Client) -> Any:
    import contextlib

    return contextlib.closing(made)


class Noun(click.Group):
    """The group of one noun; each of its commands takes `--json`, which `table`, `facts` and `done` obey."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command."""
        if not isinstance(cmd, click.Group) and not any("--json" in option.opts for option in cmd.params):
            cmd.params.append(_json())
        super().add_command(cmd, name)


def json_option(command: click.Command) -> click.Command:
    """Add `--json` to a command that belongs to no noun."""
    command.params.append(_json())
    return command


def _json() -> click.Option:
    return click.Option(["--json"], is_flag=True, expose_value=False, callback=_remember_json, help="Print JSON.")


def _remember_json(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    context.meta["pumpkin.json"] = wanted


def wants_json() -> bool:
    """Tell whether this command was asked for JSON."""
    return bool(click.get_current_context().meta.get("pumpkin.json"))


def emit(document: Any) -> None:
    """Print a document as JSON."""
    click.echo(json.dumps(plain(document), ensure_ascii=False, indent=2))


def plain(document: Any) -> Any:
    """Return a model, or what is made of models, as JSON values."""
    if hasattr(document, "model_dump"):
        return document.model_dump(mode="json")
    if isinstance(document, dict):
        return {key: plain(value) for key, value in cast(dict[Any, Any], document).items()}
    if isinstance(document, (list, tuple)):
        return [plain(item) for item in cast(Sequence[Any], document)]
    return document


def done(sentence: str, document: Any = None) -> None:
    """Say what was done, or print the outcome as JSON."""
    if wants_json():
        emit(document if document is not None else {"done": True, "message": sentence})
    else:
        click.echo(sentence)


M = TypeVar("M", bound="BaseModel")
Columns = Sequence[tuple[str, Callable[[M], object]]]


def table(items: Iterable[M], columns: Columns[M], *, empty: str) -> None:
    """Print items as a table, or as a JSON array; `empty` is the sentence for none."""
    found = list(items)
    if wants_json():
        emit(found)
        return
    if not found:
        click.echo(empty)
        return
    rows = [[str(value(item)) for _, value in columns] for item in found]
    if not sys.stdout.isatty():
        for row in rows:  # for cut and awk: one line each, tabs between
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, header_style="bold", pad_edge=False, show_edge=False)
    for name, _ in columns:
        grid.add_column(name, overflow="fold", no_wrap=name in ("ID", "PHASE"))
    for row in rows:
        grid.add_row(*[_safe(cell) for cell in row])
    Console(highlight=False).print(grid)


def facts(document: Any, pairs: Sequence[tuple[str, Any]]) -> None:
    """Print one thing as aligned facts (empty ones left out), or the document as JSON."""
    if wants_json():
        emit(document)
        return
    kept = [(name, str(value)) for name, value in pairs if value not in (None, "", [], {})]
    width = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        first, *rest = value.splitlines() or [""]
        click.echo(f"{name:<{width}}  {first}")
        for line in rest:
            click.echo(f"{'':<{width}}  {line}")


def _safe(text: str) -> str:
    from rich.markup import escape

    return escape(text)
