"""The words of `%pumpkin`, each a short function: parse, ask the platform, show."""

from __future__ import annotations

import argparse
import ast
import shlex
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from IPython.core.error import UsageError

from pumpkin import Client
from pumpkin.cli import words
from pumpkin.errors import PumpkinError
from pumpkin.magics.environments import save
from pumpkin.magics.show import facts, grid
from pumpkin.magics.watch import watch

HELP = """\
%pumpkin                     who you are, what you have running, what is free
%pumpkin jobs                your latest jobs
%pumpkin datasets | algorithms | models | specs | usage
%pumpkin attach JOB          watch a job again (id or name)
%pumpkin stop JOB
%pumpkin env save NAME       keep what this kernel has installed as a version of the environment NAME
%%pumpkin job --spec SPEC [--dataset NAME] [--output MODEL] …
                             run the cell as a job; %%pumpkin job --help lists the options
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are sentences, not exits."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '%pumpkin help'")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise _Shown


class _Shown(Exception):
    """The help was asked for and printed."""


def run(line: str, cell: str | None) -> None:
    """Run one line (and the cell below it)."""
    try:
        word, *rest = shlex.split(line) or ["status"]
    except ValueError as error:
        raise UsageError(f"The line cannot be read: {error}.") from None
    if cell is not None and word != "job":
        raise UsageError("A cell is run by '%%pumpkin job --spec SPEC'.")
    command = COMMANDS.get(word)
    if command is None:
        raise UsageError(f"There is no '%pumpkin {word}': see '%pumpkin help'.")
    try:
        command(rest, cell)
    except _Shown:
        pass


def client() -> Client:
    """Return a client; raise a sentence when nobody is logged in."""
    made = Client()
    if not made.config.token:
        raise PumpkinError(
            "You are not logged in: run 'pumpkin login' in a terminal, or set PUMPKIN_URL and PUMPKIN_TOKEN.",
            status=401,
        )
    return made


def _status(_words: Sequence[str], _cell: str | None) -> None:
    made = client()
    me, queue = made.whoami(), made.workloads.queue()
    busy = [*made.workloads.list(phase=("queued", "preparing", "running", "stopping"), creator=me.name, limit=20)]
    free = ", ".join(f"{spec.name} ({words.price(spec.price_micro)})" for spec in queue.free_specs)
    facts([("you", me.name), ("platform", made.config.url), ("waiting", queue.length), ("free now", free or "nothing")])
    if busy:
        _workloads(busy)


def _workloads(items: Sequence[Any]) -> None:
    grid(
        ["name", "phase", "spec", "ran", "cost", "id"],
        [
            [item.name or item.kind, item.phase, item.spec, words.lasted(item.started, item.finished),
             words.money(item.cost_micro), item.id]
            for item in items
        ],
    )  # fmt: skip


def _jobs(_words: Sequence[str], _cell: str | None) -> None:
    found = [*client().jobs.list(limit=20)]
    if not found:
        print("No jobs yet: '%%pumpkin job --spec SPEC' runs a cell as one.")
        return
    _workloads(found)


def _assets(kind: str) -> Callable[[Sequence[str], str | None], None]:
    def show(_words: Sequence[str], _cell: str | None) -> None:
        found = [*getattr(client(), kind).list(limit=50)]
        rows = [[f"{item.workspace}/{item.name}", item.latest or "-", words.size(item.bytes)] for item in found]
        if rows:
            grid(["name", "version", "size"], rows)
        else:
            print(f"No {kind} yet.")

    return show


def _specs(_words: Sequence[str], _cell: str | None) -> None:
    made = client()
    free = {item.name for item in made.workloads.queue().free_specs}
    rows = [
        [item.name, words.shape(item), words.price(item.price_micro), "free" if item.name in free else "taken"]
        for item in made.resources.specs()
    ]
    grid(["spec", "shape", "price", "now"], rows)


def _usage(_words: Sequence[str], _cell: str | None) -> None:
    rows = [
        [
            item.workspace,
            words.money(item.balance_micro - item.accrued_micro, item.currency),
            words.money(item.month_spent_micro, item.currency),
            f"{words.money(item.burn_micro, item.currency)}/h",
        ]
        for item in client().billing.balances()
    ]
    grid(["workspace", "balance", "this month", "now"], rows)


def _attach(rest: Sequence[str], _cell: str | None) -> None:
    parser = _Parser(prog="%pumpkin attach")
    parser.add_argument("job")
    parser.add_argument("--wait", action="store_true", help="return when the job has ended")
    given = parser.parse_args(rest)
    made = client()
    watch(made, made.jobs.resolve(given.job), wait=given.wait)


def _stop(rest: Sequence[str], _cell: str | None) -> None:
    parser = _Parser(prog="%pumpkin stop")
    parser.add_argument("job")
    item = client().jobs.stop(parser.parse_args(rest).job)
    print(f"{item.name} is {item.phase}.")


def _env(rest: Sequence[str], _cell: str | None) -> None:
    parser = _Parser(prog="%pumpkin env")
    parser.add_argument("action", choices=["save"])
    parser.add_argument("name", help="an environment of yours, made when it is new")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--leave-out-refused", action="store_true", help="keep the rest when some cannot be kept")
    given = parser.parse_args(rest)
    save(client(), given.name, yes=given.yes, leave_out_refused=given.leave_out_refused)


def _help(_words: Sequence[str], _cell: str | None) -> None:
    print(HELP, end="")


def _job(rest: Sequence[str], cell: str | None) -> None:
    parser = _Parser(prog="%%pumpkin job", description="Run the cell as a job.")
    parser.add_argument("--spec", required=True, help="what to run on: see %%pumpkin specs")
    parser.add_argument("--name", default="cell")
    parser.add_argument("-d", "--dataset", action="append", default=[], help="repeatable")
    parser.add_argument("-a", "--algorithm", help="code the cell can import")
    parser.add_argument("-m", "--model", action="append", default=[], help="repeatable")
    parser.add_argument("-e", "--environment")
    parser.add_argument("-o", "--output", help="make the output folder a version of this model")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="repeatable")
    parser.add_argument("--workspace")
    parser.add_argument("--wait", action="store_true", help="return when the job has ended")
    given = parser.parse_args(rest)
    if not (cell or "").strip():
        raise UsageError("There is nothing to run: write '%%pumpkin job …' above the code, in the same cell.")
    source = _checked(cell or "")
    made = client()
    submitted = made.jobs.submit(
        given.name,
        ["python", "-u", "-c", source],
        spec=given.spec,
        environment=given.environment,
        datasets=given.dataset,
        algorithm=given.algorithm,
        models=given.model,
        output=given.output,
        env=_variables(given.env),
        workspace=given.workspace,
    )
    watch(made, submitted.id, wait=given.wait)


def _checked(source: str) -> str:
    """Return the source if it is Python; raise a sentence before it costs a place in the queue."""
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise UsageError(
            f"Line {error.lineno} of the cell is not Python ({error.msg}); magics and ! do not work in a job."
        ) from None
    return source


def _variables(pairs: Sequence[str]) -> dict[str, str]:
    from pumpkin.cli.job import parse_env

    return parse_env(tuple(pairs))


COMMANDS: dict[str, Callable[[Sequence[str], str | None], None]] = {
    "status": _status,
    "jobs": _jobs,
    "datasets": _assets("datasets"),
    "algorithms": _assets("algorithms"),
    "models": _assets("models"),
    "specs": _specs,
    "usage": _usage,
    "attach": _attach,
    "stop": _stop,
    "env": _env,
    "job": _job,
    "help": _help,
}
