"""The commands of a pod: their words, their exit status, and their last word when they fail."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path

from pumpkin.errors import PumpkinError
from pumpkin.pod import agent, inputs
from pumpkin.pod.cache import Cache
from pumpkin.pod.settings import CACHE, Pod

TERMINATION_LOG = Path("/dev/termination-log")
"""Where Kubernetes looks for a container's last word; it is there in a container of a pod."""


def main(ended: threading.Event) -> int:
    """Do as the command line says; return the exit status. `ended` is set when the process is told to end."""
    words = _parser().parse_args()
    try:
        if words.command == "agent":
            agent.run(Pod.of(os.environ), ended)
        elif words.command == "inputs":
            inputs.fetch(Pod.of(os.environ))
        else:
            _evict(words.limit, every=words.every)
        return 0
    except PumpkinError as error:
        print(error, file=sys.stderr, flush=True)
        if TERMINATION_LOG.exists():
            TERMINATION_LOG.write_text(f"{error}\n", encoding="utf-8")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pumpkin.pod", description="What runs beside a workload.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("inputs", help="fetch the workload's inputs into the node's cache")
    commands.add_parser("agent", help="send metrics and, once told to end, the output folder home")
    evict = commands.add_parser("evict", help="remove what no workload on this node has used for the longest time")
    evict.add_argument("--limit", type=int, required=True, metavar="BYTES", help="how much the cache may keep")
    evict.add_argument("--every", type=float, metavar="SECONDS", help="do so again and again (default: once)")
    return parser


def _evict(limit: int, *, every: float | None) -> None:
    cache = Cache(Path(os.environ.get("PUMPKIN_POD_CACHE", CACHE)))
    while True:
        try:
            print(f"the cache keeps {inputs.sized(cache.evict(limit))} of {inputs.sized(limit)}", flush=True)
        except OSError as error:
            message = f"The cache {cache.root} cannot be cleaned: {error.strerror or error}."
            if every is None:
                raise PumpkinError(message) from error
            print(message, file=sys.stderr, flush=True)
        if every is None:
            return
        time.sleep(every)
