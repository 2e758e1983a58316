"""The command of a job that runs a notebook: fetch it, run it, send what becomes of it; ends with 0 or 1."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import os
import sys

NEEDED = ("nbclient", "ipykernel")


def main() -> int:
    """Run the job's notebook; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        environment = os.environ.get("PUMPKIN_ENVIRONMENT", sys.prefix)
        words = (
            f"To run notebooks, the environment {environment} needs {' and '.join(missing)}: add to it what is missing."
        )
        print(words, file=sys.stderr)
        return 1
    from pumpkin.notebook.platform import Platform, Refused, Unreachable
    from pumpkin.notebook.run import run

    try:
        return asyncio.run(run(Platform.of(os.environ)))
    except Refused as error:
        print(error, file=sys.stderr)
    except Unreachable as error:
        print(f"The platform could not be asked for the notebook: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
