"""A replica's run folder: the only place where it is kept what became of the replica.

Who holds the lock of the folder is starting, running or burying the replica. So, lock free: with `exit.json` it
ended; with `started.json` alone its supervisor was killed; with neither it never ran. The lock is of the open-file
kind (`F_OFD_SETLK`): the launcher takes it and hands it on, so there is no instant at which nobody holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumpkin_services.runtimes.base import Observation
from pumpkin_services.runtimes.local import supervisor

MARK = "PUMPKIN_RUN"


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """One replica's folder: `mark` is the value of `PUMPKIN_RUN` its processes carry, `cgroups` the groups planned."""

    path: Path
    mark: str
    cgroups: list[dict[str, Any]]

    @property
    def replica(self) -> str:
        """The replica's name."""
        return self.path.name

    def take(self) -> int | None:
        """Take the lock and return its descriptor; None when somebody has it or the folder is gone."""
        try:
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            return None
        try:
            fcntl.fcntl(lock, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_WRLCK))
        except BlockingIOError:
            os.close(lock)
            return None
        if os.fstat(lock).st_nlink == 0:  # deleted while we were about to take it
            os.close(lock)
            return None
        return lock

    def held(self) -> bool:
        """Tell whether somebody has the lock, without touching it."""
        try:
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            answer = fcntl.fcntl(lock, fcntl.F_OFD_GETLK, _whole_file(fcntl.F_WRLCK))
        finally:
            os.close(lock)
        return struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK

    def read(self, name: str) -> dict[str, Any] | None:
        """Return the content of one of the folder's JSON files, None when it is not there."""
        text = supervisor.read(str(self.path / name))
        return json.loads(text) if text else None

    def observe(self) -> Observation:
        """Return what is true now; what a killed supervisor left alive is killed first."""
        outcome = self.read("exit.json")
        if outcome is None and self.held():
            started = self.read("started.json")
            if started is None:
                return Observation(replica=self.replica, state="starting")
            return Observation(
                replica=self.replica,
                state="running",
                started=started["started"],
                pid=started["pid"],
                host="127.0.0.1",
            )
        outcome = outcome or self.read("exit.json")  # it may have ended between the two looks
        if outcome is None and self.read("started.json") is not None:
            lock = self.take()
            if lock is None:
                return self.observe()
            try:
                self.bury()
            finally:
                os.close(lock)
            outcome = self.read("exit.json")
        if outcome is None:
            return Observation(replica=self.replica, state="absent")
        lost = outcome.pop("lost", False)
        return Observation(replica=self.replica, state="lost" if lost else "exited", **outcome)

    def bury(self) -> None:
        """Kill what a killed supervisor left and write that the replica is lost. The caller has the lock.

        When it ended is not known: if something was still alive, now; else its last sign of life.
        """
        started = self.read("started.json")
        if started is None or (self.path / "exit.json").exists():
            return
        killed = self.kill_remains()
        sign_of_life = max(started["started"], (self.path / "log").stat().st_mtime_ns // 1_000_000)
        outcome = {
            "lost": True,
            "started": started["started"],
            "ended": time.time_ns() // 1_000_000 if killed else sign_of_life,
            **supervisor.totals(self._groups()),
        }
        supervisor.remove_cgroups(self._groups())
        file = os.open(self.path / "exit.tmp", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            supervisor.write_exit_file(file, outcome, folder=str(self.path))
        finally:
            os.close(file)
        shutil.rmtree(self.path / "scratch", ignore_errors=True)

    def ask_to_stop(self, grace: float) -> None:
        """Leave the wish where a supervisor still starting sees it, and signal one that has started."""
        if (self.path / "exit.json").exists() or not self.held():
            return
        temporary = self.path / f"stop.{os.getpid()}.tmp"
        temporary.write_text(json.dumps({"grace": grace}))
        temporary.replace(self.path / "stop.json")
        self.signal_supervisor(signal.SIGTERM)

    def signal_supervisor(self, number: int) -> None:
        """Signal the supervisor if it lives."""
        started = self.read("started.json")
        if started is None:
            return
        try:
            process = os.pidfd_open(started["supervisor"])
        except ProcessLookupError:
            return
        try:
            if self.held():  # so the pid was not given to another process before we opened it
                signal.pidfd_send_signal(process, number)
        except ProcessLookupError:
            pass
        finally:
            os.close(process)

    def tidy(self) -> bool:
        """End what still runs here; tell whether there was anything. An end that is there already stays."""
        lock = self.take()
        if lock is None:
            running = self.held() and not (self.path / "exit.json").exists()
            self.ask_to_stop(0)
            return running
        try:
            found = self.kill_remains()
            self.bury()
        finally:
            os.close(lock)
        return found

    def kill_remains(self) -> bool:
        """Kill every process in the replica's control groups or with its mark; tell whether there was any."""
        found = False
        while pids := supervisor.in_cgroups(self._groups()) | _marked(self.mark):
            found = True
            supervisor.kill(pids, signal.SIGKILL)
            time.sleep(0.01)
        return found

    def destroy(self) -> bool:
        """Kill the replica and remove its folder. False when its supervisor has not let go yet: ask again."""
        lock = self.take()
        if lock is None:
            if not self.path.exists():
                return True
            self.ask_to_stop(0)
            return False
        try:
            if not (self.path / "exit.json").exists():
                self.kill_remains()
                supervisor.remove_cgroups(self._groups())
            remove_tree(self.path)
        finally:
            os.close(lock)
        return True

    def _groups(self) -> list[dict[str, Any]]:
        started = self.read("started.json")
        return started["cgroups"] if started else self.cgroups


def remove_tree(path: Path) -> None:
    """Remove a folder even if a job has taken our own rights to parts of it away. Raises OSError if it stays."""

    def allow_and_retry(function: Callable[..., Any], name: str, _error: object) -> None:
        if isinstance(_error, tuple) and isinstance(_error[1], FileNotFoundError):
            return
        for place in (os.path.dirname(name), name):
            if not os.path.islink(place):
                os.chmod(place, 0o700)
        if function in (os.rmdir, os.unlink):
            function(name)
        else:
            shutil.rmtree(name)

    if path.exists():
        shutil.rmtree(path, onerror=allow_and_retry)


def _whole_file(kind: int) -> bytes:
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


def marks() -> dict[int, str]:
    """Return the mark of every process of this machine that carries one, by its id."""
    prefix = f"{MARK}=".encode()
    found: dict[int, str] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    for variable in file.read().split(b"\0"):
                        if variable.startswith(prefix):
                            found[int(name)] = os.fsdecode(variable[len(prefix) :])
            except OSError:
                continue
    return found


def _marked(mark: str) -> set[int]:
    return {pid for pid, found in marks().items() if found == mark}
