"""What the words of `%pumpkin` take after them. The commands parse with it, the completions read from it."""

from __future__ import annotations

import argparse
from typing import NoReturn

from IPython.core.error import UsageError


class Shown(Exception):
    """The help was asked for and printed."""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are sentences, not exits."""

    def error(self, message: str) -> NoReturn:
        """Raise the complaint as what IPython shows without a traceback."""
        raise UsageError(f"{message}; see '%pumpkin help'")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Raise `Shown`: a kernel does not end because somebody asked for help."""
        raise Shown

    def options(self) -> dict[str, argparse.Action]:
        """Return every option as it is written (`-d`, `--dataset`), with what is known of it."""
        return dict(self._option_string_actions)


def job() -> Parser:
    """Return the parser of `%%pumpkin job`."""
    parser = Parser(prog="%%pumpkin job", description="Run the cell as a job.")
    parser.add_argument("--spec", required=True, help="what to run on: see %%pumpkin spec")
    parser.add_argument("--name", default="cell")
    parser.add_argument("-d", "--dataset", action="append", default=[], help="repeatable")
    parser.add_argument("-a", "--algorithm", help="code the cell can import")
    parser.add_argument("-m", "--model", action="append", default=[], help="repeatable")
    parser.add_argument("-e", "--environment")
    parser.add_argument("-o", "--output", help="make the output folder a version of this model")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="repeatable")
    parser.add_argument("--workspace")
    parser.add_argument("--wait", action="store_true", help="return when the job has ended")
    return parser


def attach() -> Parser:
    """Return the parser of `%pumpkin attach`."""
    parser = Parser(prog="%pumpkin attach")
    parser.add_argument("job", nargs="?", help="id or name; the last job of this notebook unless given")
    parser.add_argument("--wait", action="store_true", help="return when the job has ended")
    return parser


def stop() -> Parser:
    """Return the parser of `%pumpkin stop`."""
    parser = Parser(prog="%pumpkin stop")
    parser.add_argument("job")
    return parser


def env_save() -> Parser:
    """Return the parser of `%pumpkin env save`."""
    parser = Parser(prog="%pumpkin env save")
    parser.add_argument("name", help="an environment of yours, made when it is new")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--leave-out-refused", action="store_true", help="keep the rest when some cannot be kept")
    return parser
