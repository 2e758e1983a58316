"""TAB after `%pumpkin`: its words, their options, and the names the user may use there."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from IPython.core import completer as ipython
from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from pumpkin import Client

IDENTIFIER = "pumpkin"
TIMEOUT = 1.0
"""Seconds a TAB waits for the platform at most; an answer that comes later serves the next one."""
FRESH = 10.0
"""Seconds for which names are kept, and for which a platform that is away is left alone."""
MOST = 200
"""Names asked for at most."""
LINE = re.compile(r"\s*%pumpkin\s+(?P<rest>.*)")
CELL = re.compile(r"%%pumpkin\s+(?P<rest>.*)")
REPEATABLE = ("dataset", "model", "env")
"""Options of `%%pumpkin job` that are offered again when they were given."""


def register(shell: InteractiveShell) -> None:
    """Complete `%pumpkin` lines in a shell.

    A matcher of its own, not a `complete_command` hook: what a hook finds is mixed with Jedi's guesses, for which
    the line is Python.
    """
    names = Names()

    def match(context: CompletionContext) -> SimpleMatcherResult:
        line = context.full_text.split("\n")[context.cursor_line][: context.cursor_position]
        fragment, found = complete(line, first=context.cursor_line == 0, names=names)
        return SimpleMatcherResult(
            completions=[SimpleCompletion(text=text, type="pumpkin") for text in found],
            matched_fragment=fragment,
            ordered=True,
            suppress=True,
        )

    completer: Any = shell.Completer
    others = [each for each in completer.custom_matchers if getattr(each, "matcher_identifier", "") != IDENTIFIER]
    context_matcher = cast(Any, ipython).context_matcher
    completer.custom_matchers = [*others, context_matcher(identifier=IDENTIFIER, priority=100)(match)]


def complete(line: str, *, first: bool, names: Names) -> tuple[str, list[str]]:
    """Return what is being typed at the end of `line`, and what it may become. `first`: the cell's first line."""
    is_cell = first and line.startswith("%%")
    found = (CELL if is_cell else LINE).fullmatch(line)
    if found is None:
        return "", []
    try:
        # Loaded on first use, like the commands themselves; without the client there is nothing to complete.
        from pumpkin.magics.commands import COMMANDS, PLURALS
    except ModuleNotFoundError:
        return "", []
    *before, fragment = re.split(r"\s+", found["rest"])
    if not before:
        candidates: Sequence[str] = ["job"] if is_cell else [*COMMANDS]
    else:
        word = PLURALS.get(before[0], before[0])
        fragment, candidates = _after(word, before[1:], fragment, is_cell=is_cell, names=names)
    return fragment, [text for text in candidates if text.startswith(fragment)]


def _after(
    word: str, before: Sequence[str], fragment: str, *, is_cell: bool, names: Names
) -> tuple[str, Sequence[str]]:
    """Return what is being typed after `word`, and the candidates for it."""
    if word == "job" and is_cell:
        return _job_option(before, fragment, names=names)
    if word == "env" and before[:1] == ["save"]:
        return fragment, names.of("own env", fragment) if len(before) == 1 else ["--yes", "--leave-out-refused"]
    if before:
        return fragment, []
    if word == "env":
        return fragment, ["save", *names.of("env", fragment)]
    kind = {"attach": "job", "stop": "open job"}.get(word, word)
    return fragment, names.of(kind, fragment) if kind in SOURCES else []


def _job_option(before: Sequence[str], fragment: str, *, names: Names) -> tuple[str, Sequence[str]]:
    """Return candidates for an option of `%%pumpkin job`, or for the value of one."""
    from pumpkin.magics import parsers

    options = parsers.job().options()
    flag, equals, value = fragment.partition("=")
    if not (equals and flag in options):
        flag, value = (before[-1] if before else ""), fragment
    action = options.get(flag)
    if action is not None and action.nargs != 0:
        kind = VALUES.get(action.dest)
        return value, names.of(kind, value) if kind else []
    flags = {text.partition("=")[0] for text in before}
    given = {options[flag].dest for flag in flags if flag in options}.difference(REPEATABLE)
    return fragment, [flag for flag, option in options.items() if flag.startswith("--") and option.dest not in given]


VALUES = {
    "spec": "job spec",
    "dataset": "dataset",
    "algorithm": "algorithm",
    "model": "model",
    "environment": "env",
    "output": "own model",
    "workspace": "workspace",
}
"""What the options of `%%pumpkin job` take, as keys of `SOURCES`."""


@dataclass(frozen=True)
class _Asked:
    """Names that were asked for at a time of the monotonic clock, and their answer when it comes."""

    at: float
    answer: Future[list[str]]


class Names:
    """Names the user may use. They are asked for in the background, so that no TAB waits longer than `TIMEOUT`."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._away = float("-inf")

    def of(self, kind: str, fragment: str) -> list[str]:
        """Return names of a kind (a key of `SOURCES`) for what was typed; none when the platform does not answer."""
        now, key = time.monotonic(), (kind, fragment)
        self._asked = {key: asked for key, asked in self._asked.items() if now - asked.at < FRESH}
        if key not in self._asked:
            if now - self._away < FRESH:
                return []
            self._asked[key] = _Asked(now, _in_background(lambda: _ask(kind, fragment)))
        asked = self._asked[key]
        try:
            return asked.answer.result(timeout=max(asked.at + TIMEOUT - now, 0))
        except Exception:  # whatever went wrong, somebody who presses TAB wants to go on typing
            self._away = asked.at
            return []


def _in_background(work: Callable[[], list[str]]) -> Future[list[str]]:
    """Do `work` in a thread of its own. No pool: the interpreter's end would wait for a pool's threads."""
    answer: Future[list[str]] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer


def _ask(kind: str, fragment: str) -> list[str]:
    from pumpkin.magics.commands import client

    with client(timeout=5.0) as made:
        return [*dict.fromkeys(SOURCES[kind](made, fragment))]


def _references(kind: str, *, own: bool = False) -> Callable[[Client, str], Iterable[str]]:
    """Return what finds names of a kind: bare where that is enough, with the workspace where it is not or was typed."""

    def find(client: Client, fragment: str) -> Iterable[str]:
        workspace, slash, part = fragment.rpartition("/")
        found: list[Any] = [
            item
            for item in getattr(client, kind).list(q=part or None, workspace=workspace or None, limit=MOST)
            if item.may_write or not own
        ]
        if slash:
            return [f"{item.workspace}/{item.name}" for item in found]
        count = Counter(item.name for item in found)
        return [item.name if count[item.name] == 1 else f"{item.workspace}/{item.name}" for item in found]

    return find


def _jobs(*, phase: Sequence[Any] = ()) -> Callable[[Client, str], Iterable[str]]:
    def find(client: Client, _fragment: str) -> Iterable[str]:
        found = [*client.jobs.list(phase=phase, limit=20)]
        return [*(item.name for item in found), *(item.id for item in found)]

    return find


SOURCES: dict[str, Callable[[Client, str], Iterable[str]]] = {
    "dataset": _references("datasets"),
    "algorithm": _references("algorithms"),
    "model": _references("models"),
    "own model": _references("models", own=True),
    "env": _references("environments"),
    "own env": _references("environments", own=True),
    "spec": lambda client, _: [item.name for item in client.resources.specs()],
    "job spec": lambda client, _: [item.name for item in client.resources.specs(kind="job")],
    "workspace": lambda client, _: [item.workspace for item in client.whoami().workspaces if item.role != "viewer"],
    "job": _jobs(),
    "open job": _jobs(phase=("queued", "preparing", "running")),
}
