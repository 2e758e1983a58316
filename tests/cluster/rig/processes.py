"""Programs that outlive whoever started them, found again by pid and start time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.cluster.rig.place import LOG, RUN, fail


def _started(pid: int) -> str | None:
    """The kernel's start time of a process, so that a reused pid is not mistaken for ours."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def alive(name: str) -> int | None:
    """Return a program's pid, None when it does not run."""
    try:
        pid, begun, _ = json.loads((RUN / f"{name}.pid").read_text())
    except (OSError, ValueError):
        return None
    return pid if _started(pid) == begun else None


def start(name: str, *words: object, env: Mapping[str, str] | None = None) -> None:
    """Start a program unless it runs."""
    if alive(name):
        return
    if env:  # among the words by which it is started again; the program takes the place of env(1)
        words = ("env", *(f"{key}={value}" for key, value in env.items()), *words)
    with (LOG / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=RUN,
        )
    known = process.pid, _started(process.pid), [str(word) for word in words]
    (RUN / f"{name}.pid").write_text(json.dumps(known))


def revive(name: str) -> None:
    """Start a program again as it was, if it has died and nobody stopped it."""
    file = RUN / f"{name}.pid"
    if file.exists() and not alive(name):
        start(name, *json.loads(file.read_text())[2])


def kill(name: str) -> None:
    """End a program at once, as a crash would: `revive` starts it again."""
    pid = alive(name)
    assert pid is not None, f"{name} does not run"
    os.kill(pid, signal.SIGKILL)
    while alive(name):
        time.sleep(0.01)


def restart(name: str) -> None:
    """End a program at once and start it again."""
    kill(name)
    revive(name)


def stop(name: str, patience: float = 15) -> None:
    """End a program, by force after `patience` seconds."""
    pid = alive(name)
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5)):
        if pid and alive(name):
            os.kill(pid, number)
            until = time.monotonic() + seconds
            while alive(name) and time.monotonic() < until:
                time.sleep(0.05)
    (RUN / f"{name}.pid").unlink(missing_ok=True)


def wait(what: str, there: Callable[[], object], program: str = "", patience: float = 120) -> None:
    """Wait until `there` answers truly; end when it does not, or when its program has died."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            if there():
                return
        except (OSError, urllib.error.URLError, subprocess.CalledProcessError, KeyError):
            pass
        if program and not alive(program):
            break
        time.sleep(0.2)
    fail(f"{what} did not come up: see {LOG / program}.log" if program else f"{what} did not come up: see {LOG}")
