"""A job as a notebook document.

Of a job that ran a notebook that is its executed document; of any other it is what one needs to run it again by hand:
why it ended, the last lines of its log, its folder and variables, and its command.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, cast

from pumpkin import AsyncClient, PumpkinError
from pumpkin import _models as models

TAIL_BYTES = 64 << 10
TAIL_LINES = 30
MOST_LINES = 200
"""Lines of a log's end when it has a traceback that began earlier."""
TRACEBACK = re.compile(r"\s*(?:\[?\w+\]?:? ?)?Traceback \(most recent call last\)")
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SHELLS = frozenset({"sh", "bash", "dash"})
PYTHON = re.compile(r"(?:.*/)?python[0-9.]*")
MEANS_SHELL = re.compile(r"[|&;<>()`*?#~\n]")
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
PLAIN = re.compile(r"[\w@%+=:,./{}'\[\]-]+")


def file_name(job: models.Workload) -> str:
    """Return what a job's notebook is called: the same whenever it is opened, so that what was done there is kept."""
    name = re.sub(r"[^\w.-]+", "-", job.name).strip(".-") or "job"
    return f"{name}-{job.id}.ipynb"


async def document_of(client: AsyncClient, job: models.Workload) -> dict[str, Any]:
    """Return a job as a notebook of format 4.5."""
    if job.notebook:
        return (await client.request("GET", f"/workloads/{job.id}/notebook")).json()
    try:
        log = (await client.jobs.log(job.id, offset=-TAIL_BYTES)).decode(errors="replace")
    except PumpkinError as error:
        if error.status != 404:
            raise
        log = ""  # it never ran
    return notebook(job, last_lines(log))


def last_lines(log: str) -> str:
    """Return the end of a log as one reads it: without colours, of progress bars their last state, tracebacks whole."""
    lines = [ANSI.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in log.rstrip().split("\n")]
    begins = max((at for at, line in enumerate(lines) if TRACEBACK.match(line)), default=len(lines))
    wanted = len(lines) - begins if len(lines) - begins <= MOST_LINES else 0
    return "\n".join(lines[-max(wanted, TAIL_LINES) :])


def notebook(job: models.Workload, log: str) -> dict[str, Any]:
    """Return the notebook of a job that ran a command; `log` is the end of what it said."""
    request = cast(models.JobRequest, job.request)
    roles = request.roles or []
    role = next((role for role in roles if role.is_main), roles[0] if roles else None)
    command, args = (role.command, role.args) if role else (request.command or "", request.args)
    variables = {**request.env, **(role.env if role else {})}
    sources = [("markdown", _story(job, log)), ("code", _setting(variables)), ("code", run_line(command, args))]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"pumpkin": {"job": job.id, "phase": job.phase}},
        "cells": [_cell(kind, source, at) for at, (kind, source) in enumerate(sources)],
    }


def _cell(kind: str, source: str, at: int) -> dict[str, Any]:
    cell: dict[str, Any] = {"id": f"job-{at}", "cell_type": kind, "metadata": {}, "source": source}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _story(job: models.Workload, log: str) -> str:
    why = f" ({job.reason})" if job.reason else ""
    parts = [f"# {job.name}", f"Job `{job.id}`: **{job.phase}**{why}. {job.message}".rstrip()]
    if log:
        fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", log))])
        parts += ["The last lines of its log:", f"{fence}text\n{log}\n{fence}"]
    return "\n\n".join(parts)


def _setting(variables: Mapping[str, str]) -> str:
    lines = [
        "import os",
        "",
        "# The job's folder and variables.",
        'os.chdir(os.environ.get("PUMPKIN_CODE") or os.environ.get("PUMPKIN_HOME") or ".")',
    ]
    if variables:
        pairs = "".join(f"    {name!r}: {value!r},\n" for name, value in variables.items())
        lines.append(f"os.environ.update({{\n{pairs}}})")
    return "\n".join(lines)


def run_line(command: str | list[str], args: Iterable[str]) -> str:
    """Return what runs a command in a cell.

    A script of Python gets `%run`, so that one can look around in it afterwards; all else goes to a shell.
    """
    args = [*args]
    if isinstance(command, list) and len(command) == 3 and _is_shell(command):
        command = command[2]
    if python := _python(_words(command), args):
        return "%run " + " ".join(map(_in_magic, python))
    if isinstance(command, list):
        return f"!{shlex.join([*command, *args])}"
    line = " ".join([command.strip(), *map(shlex.quote, args)])
    return f"%%bash\n{line}" if "\n" in line else f"!{line}"


def _python(words: list[str], args: list[str]) -> list[str]:
    """Return what follows `python` when that is a script or a module with its arguments, else nothing."""
    if not words or not PYTHON.fullmatch(words[0]):
        return []
    what = [*(words[2:] if words[1:2] == ["-u"] else words[1:]), *args]
    is_script = bool(what) and (what[0].endswith(".py") or (what[0] == "-m" and len(what) > 1))
    return what if is_script else []


def _is_shell(command: list[str]) -> bool:
    return command[0].rpartition("/")[2] in SHELLS and command[1] == "-c"


def _words(command: str | list[str]) -> list[str]:
    """Return a command's words; none when only a shell understands it."""
    if isinstance(command, list):
        return command
    try:
        return [] if MEANS_SHELL.search(command) else shlex.split(command)
    except ValueError:
        return []


def _in_magic(word: str) -> str:
    """Return a word for a line of magic, where `$NAME` would be a variable of Python's, not one of the environment."""
    replaced = VARIABLE.sub(lambda found: f"{{os.environ['{found[1] or found[2]}']}}", word)
    return replaced if PLAIN.fullmatch(replaced) else shlex.quote(replaced)
