"""The words of `%pumpkin`, each a short function: parse, ask the platform, show."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Sequence

from IPython.core.error import UsageError

from pumpkin import Client
from pumpkin.cli import words
from pumpkin.errors import PumpkinError
from pumpkin.magics import lists, notebook, parsers
from pumpkin.magics.environments import save
from pumpkin.magics.links import Portal
from pumpkin.magics.show import Cell, facts
from pumpkin.magics.watch import watch

HELP = """\
%pumpkin                     who you are, what you have running, what is free
%pumpkin dataset | algorithm | model | env | spec | job [NAME]
                             a list, or the one called NAME with its versions; the plurals work too
%pumpkin usage               what you use now, what it costs, what your balances are
%pumpkin attach [JOB]        watch a job again (id or name): the last one of this notebook unless named
%pumpkin stop JOB
%pumpkin env save NAME       keep what this kernel has installed as a version of the environment NAME
%%pumpkin job --spec SPEC [--dataset NAME] [--output MODEL] …
                             run the cell as a job; %%pumpkin job --help lists the options
"""


def run(line: str, cell: str | None) -> None:
    """Run one line (and the cell below it)."""
    try:
        word, *rest = shlex.split(line) or ["status"]
    except ValueError as error:
        raise UsageError(f"The line cannot be read: {error}.") from None
    word = PLURALS.get(word, word)
    if cell is not None and word != "job":
        raise UsageError("A cell is run by '%%pumpkin job --spec SPEC'.")
    command = COMMANDS.get(word)
    if command is None:
        raise UsageError(f"There is no '%pumpkin {word}': see '%pumpkin help'.")
    try:
        command(rest, cell)
    except parsers.Shown:
        pass


def client(*, timeout: float = 30.0) -> Client:
    """Return a client; raise a sentence when nobody is logged in. `timeout` is in seconds per try."""
    made = Client(timeout=timeout)
    if not made.config.token:
        raise PumpkinError(
            "You are not logged in: run 'pumpkin login' in a terminal, or set PUMPKIN_URL and PUMPKIN_TOKEN.",
            status=401,
        )
    return made


def _status(_words: Sequence[str], _cell: str | None) -> None:
    made = client()
    me, queue, sign = made.whoami(), made.workloads.queue(), lists.currency(made)
    busy = [*made.workloads.list(phase=lists.BUSY, creator=me.name, limit=lists.MOST + 1)]
    free = ", ".join(f"{spec.name} ({words.price(spec.price_micro, sign)})" for spec in queue.free_specs)
    facts(
        [
            ("you", me.name),
            ("platform", Cell(made.config.url, f"{Portal.of(made.config).base}/")),
            ("waiting", f"{queue.length} in the queue"),
            ("free now", free or "nothing"),
        ]
    )
    if busy:
        lists.workloads(made, busy, sign=sign)


def _one_name(word: str, rest: Sequence[str]) -> str | None:
    """Return the name that follows a word, None when nothing does."""
    if len(rest) > 1 or any(text.startswith("-") for text in rest):
        raise UsageError(f"'%pumpkin {word}' takes one name or none; see '%pumpkin help'.")
    return rest[0] if rest else None


def _assets(kind: str) -> Callable[[Sequence[str], str | None], None]:
    def show(rest: Sequence[str], _cell: str | None) -> None:
        name = _one_name(kind, rest)
        if name is None:
            lists.assets(client(), kind)
        else:
            lists.asset(client(), kind, name)

    return show


def _spec(rest: Sequence[str], _cell: str | None) -> None:
    lists.specs(client(), _one_name("spec", rest))


def _usage(rest: Sequence[str], _cell: str | None) -> None:
    if rest:
        raise UsageError("'%pumpkin usage' takes nothing more.")
    lists.usage(client())


def _attach(rest: Sequence[str], _cell: str | None) -> None:
    given = parsers.attach().parse_args(rest)
    made = client()
    watch(made, made.jobs.resolve(given.job) if given.job else _last_job(made), wait=given.wait)


def _last_job(made: Client) -> str:
    """Return the id of the caller's newest job from this notebook or, outside of notebooks, from anywhere."""
    label = notebook.label()
    for item in made.jobs.list(label=label, creator=made.whoami().name, limit=1):
        return item.id
    where = "from this notebook" if label else "yet"
    raise PumpkinError(
        f"You submitted no job {where}: name one ('%pumpkin attach JOB'); '%pumpkin jobs' lists them.", status=404
    )


def _stop(rest: Sequence[str], _cell: str | None) -> None:
    item = client().jobs.stop(parsers.stop().parse_args(rest).job)
    print(f"{item.name} is {item.phase}.")


def _env(rest: Sequence[str], _cell: str | None) -> None:
    if rest and rest[0] == "save":
        given = parsers.env_save().parse_args(rest[1:])
        save(client(), given.name, yes=given.yes, leave_out_refused=given.leave_out_refused)
        return
    name = _one_name("env", rest)
    if name is None:
        lists.environments(client())
    else:
        lists.environment(client(), name)


def _help(_words: Sequence[str], _cell: str | None) -> None:
    print(HELP, end="")


def _job(rest: Sequence[str], cell: str | None) -> None:
    if cell is None and not any(text.startswith("-") for text in rest):
        name = _one_name("job", rest)
        if name is None:
            lists.jobs(client())
        else:
            lists.job(client(), name)
        return
    given = parsers.job().parse_args(rest)
    if not (cell or "").strip():
        raise UsageError("There is nothing to run: write '%%pumpkin job …' above the code, in the same cell.")
    source = _checked(cell or "")
    made, label = client(), notebook.label()
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
        labels=[label] if label else None,
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
    "job": _job,
    "dataset": _assets("dataset"),
    "algorithm": _assets("algorithm"),
    "model": _assets("model"),
    "env": _env,
    "spec": _spec,
    "usage": _usage,
    "attach": _attach,
    "stop": _stop,
    "help": _help,
}
PLURALS = {f"{word}s": word for word in ("job", "dataset", "algorithm", "model", "env", "spec")}
