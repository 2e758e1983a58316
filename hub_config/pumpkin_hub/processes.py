"""The processes of one instance: found by what they run and for which data folder, and ended.

No process id is ever trusted from a file: ids are reused. A process is ours if its command line names this data
folder's own files, and psutil signals it by id and start time together.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from pumpkin_hub.place import Place

Part = Literal["launcher", "hub", "proxy", "service"]
SERVING: tuple[Part, ...] = ("hub", "service", "proxy")
TERM_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Running:
    """One process of an instance, as `status` shows it."""

    part: Part
    pid: int
    started: float
    """Seconds since the epoch."""
    memory: int
    """Resident bytes."""


def command_mark(place: Place, part: Part) -> tuple[str, ...]:
    """Return words that the command line of this instance's `part` contains, and nobody else's."""
    marks: dict[Part, tuple[str, ...]] = {
        "launcher": ("pumpkin_hub", "up", f"--data={place.data}"),
        "hub": ("jupyterhub", f"--pid-file={place.run / 'hub.pid'}"),
        "proxy": ("configurable-http-proxy", f"--pid-file={place.run / 'chp.pid'}"),
        "service": ("pumpkin_services", f"--data={place.data}"),
    }
    return marks[part]


def find(place: Place, *parts: Part) -> list[tuple[Part, psutil.Process]]:
    """Return the living processes of the named parts (all but the launcher unless named)."""
    wanted: tuple[Part, ...] = parts or SERVING
    found: list[tuple[Part, psutil.Process]] = []
    for process in psutil.process_iter():
        try:
            if process.uids().effective != os.geteuid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = process.cmdline()
        except psutil.Error:
            continue
        # The shell that starts a part carries the same words, until it becomes that part.
        found.extend((part, process) for part in wanted if _carries(words, command_mark(place, part)))
    return found


def supervisors(data: Path) -> list[psutil.Process]:
    """Return the supervisors of running workloads: each works in a run folder of the data folder."""
    runs = f"{data / 'runs'}/"
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(runs) and any(word.endswith("supervisor.py") for word in process.cmdline()):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def describe(found: list[tuple[Part, psutil.Process]]) -> list[Running]:
    """Return what to show of these processes; those that ended meanwhile are left out."""
    shown: list[Running] = []
    for part, process in found:
        try:
            memory = process.memory_info().rss
            shown.append(Running(part=part, pid=process.pid, started=process.create_time(), memory=memory))
        except psutil.Error:
            continue
    return shown


def end(processes: list[psutil.Process], *, seconds: float = TERM_SECONDS) -> None:
    """End processes: SIGTERM, and SIGKILL for what still lives after `seconds`."""
    for process in processes:
        try:
            process.terminate()
        except psutil.Error:
            pass
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        try:
            process.kill()
        except psutil.Error:
            pass
    psutil.wait_procs(alive, timeout=5)


def end_leftovers(place: Place) -> list[Part]:
    """End what an instance that was killed left behind, the Hub first so that it restarts nothing; say which."""
    ended: list[Part] = []
    for part in SERVING:
        left = find(place, part)
        end([process for _, process in left])
        ended.extend(name for name, _ in left)
    return ended


def _carries(words: list[str], mark: tuple[str, ...]) -> bool:
    program, *rest = mark
    return any(program in word for word in words) and all(word in words for word in rest)
