"""Running one instance in the foreground: one Hub, watched; the Hub runs the proxy and the service.

Nothing here knows a notebook or a job: they outlive all of it, and the service finds them again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil

from pumpkin_hub import processes, proxy
from pumpkin_hub.onetime import OneTime
from pumpkin_hub.place import Place, Refused, check_ports, open_data
from pumpkin_hub.settings import Pumpkin, SettingsError, load, settings

STOP_SECONDS = 45
WORKLOAD_SECONDS = 60
START_SECONDS = 90
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60
GIVE_UP_AFTER = 5
LOG_BYTES = 32 << 20
CONFIG_NAME = "pumpkin_config.py"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What `up` was asked for; None leaves it to the settings file."""

    data: Path
    config: Path | None = None
    ip: str | None = None
    port: int | None = None


def prepare(request: Request) -> tuple[Place, Pumpkin]:
    """Return the place and settings of an instance, its data folder made; raise `Refused`."""
    open_data(request.data)
    config = request.config or request.data / CONFIG_NAME
    if request.config is not None and not config.is_file():
        raise Refused(f"There is no settings file {config}.")
    path = config if config.is_file() else None
    try:
        loaded = load(path)
        if request.ip is not None:
            loaded.Pumpkin.ip = request.ip
        if request.port is not None:
            loaded.Pumpkin.port = request.port
        chosen = settings(loaded)
    except SettingsError as error:
        raise Refused(str(error)) from error
    place = Place(data=request.data, ip=chosen.ip, port=chosen.port, base_url=chosen.base_url, config=path)
    return place, chosen


@contextmanager
def only_one(place: Place) -> Generator[None]:
    """Hold the data folder's lock; raise `Refused` if another instance has it. The kernel lets go at any death."""
    with open(place.run / "lock", "a+") as lock:
        if not _lock(lock, tries=5):
            other = current(place.data)
            where = f" at {other.url}" if other else ""
            raise Refused(
                f"Pumpkin already runs on {place.data}{where}: stop it with 'pumpkin down', "
                "or choose another folder with --data and other ports with --port."
            )
        yield


def current(data: Path) -> Place | None:
    """Return the place of the instance that runs, or last ran, on a data folder."""
    with suppress(OSError, ValueError, KeyError):
        return Place.read(data / "run" / "place.json")
    return None


def _lock(lock: IO[str], *, tries: int) -> bool:
    """Take the lock; `is_up` elsewhere may hold it for an instant, so a second try is worth its tenth of a second."""
    for attempt in range(tries):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.1 if attempt < tries - 1 else 0)
    return False


def is_up(data: Path) -> bool:
    """Tell whether a launcher holds the data folder's lock."""
    try:
        with open(data / "run" / "lock", "a+") as lock:
            return not _lock(lock, tries=1)
    except OSError:
        return False


def answers(place: Place) -> bool:
    """Tell whether the Hub and, through its proxy, the service answer."""
    # The Hub first and directly: asking the proxy before it knows its routes fills its log with errors.
    hub, service = _status(f"http://127.0.0.1:{place.hub_port}{place.base_url}hub/health"), 0
    if hub == 200 and _status(f"{place.url}hub/health") == 200:
        service = _status(f"{place.url}services/pumpkin/api/v1/health")
    return 0 < service < 500


def serves(data: Path, place: Place) -> bool:
    """Tell whether an instance holds the data folder and answers at `place`."""
    return is_up(data) and answers(place)


def _status(url: str) -> int:
    """Return the HTTP status, 0 for no answer, 503 where the Hub answers in place of a service it cannot reach."""
    try:
        with urlopen(url, timeout=2) as answer:
            return answer.status
    except HTTPError as error:
        return 503 if error.code == 404 and "X-JupyterHub-Version" in error.headers else error.code
    except (URLError, OSError):
        return 0


def greeting(place: Place, chosen: Pumpkin) -> str:
    """Return what to tell who started the platform: where it is, and the first admin's password while unused."""
    lines = [f"Pumpkin is up at {place.url}", f"  data folder  {place.data}"]
    password = OneTime(place.data).unused(chosen.first_admin) if chosen.authenticator == "native" else None
    if password:
        lines += [
            f"  first admin  {chosen.first_admin}",
            f"  one-time password  {password}   (you choose your own when you log in with it)",
        ]
    return "\n".join(lines)


class Launcher:
    """Keeps one instance up until SIGINT, SIGTERM or `down`."""

    def __init__(self, place: Place, chosen: Pumpkin) -> None:
        self.place = place
        self.chosen = chosen
        self._hub: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._was_up = False

    def run(self) -> int:
        """Bring the platform up, watch it, take it down; return the exit status. Raises `Refused` before that."""
        with only_one(self.place):
            self._ready_the_place()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._stop)
            try:
                return self._watch()
            finally:
                self._take_down()

    def _ready_the_place(self) -> None:
        left = processes.end_leftovers(current(self.place.data) or self.place)
        if left:
            print(f"Ended what an earlier run left behind: {', '.join(left)}.", flush=True)
        check_ports(self.place)
        self.place = replace(self.place, proxy_command=self._proxy_command())
        self.place.write(self.place.run / "place.json")
        (self.place.run / "ready").unlink(missing_ok=True)
        # Made by the Hub's first start, wherever its database is.
        first_start = not (self.place.data / "secrets" / "hub_cookie_secret").exists()
        if first_start and self.chosen.authenticator == "native":
            passwords = OneTime(self.place.data)
            if passwords.unused(self.chosen.first_admin) is None:
                passwords.make(self.chosen.first_admin)

    def _proxy_command(self) -> tuple[str, ...]:
        if proxy.find(self.place.data) is None:
            print("Installing the proxy with npm; this happens once.", flush=True)
        command = proxy.find_or_install(self.place.data)
        # The proxy's own pid file makes its command line tell whose it is.
        return (*command, f"--pid-file={self.place.run / 'chp.pid'}")

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _watch(self) -> int:
        pause, failures = 1.0, 0
        while not self._stopping:
            began = time.monotonic()
            self._start_hub()
            was_ready = self._wait_ready()
            if was_ready:
                self._announce()
            self._wait_end()
            if self._stopping:
                break
            status = self._hub.returncode if self._hub else None
            failures = 0 if was_ready else failures + 1
            if failures == (GIVE_UP_AFTER if self._was_up else 1):
                print(self._failure(status), file=sys.stderr, flush=True)
                return 1
            if time.monotonic() - began > STEADY_SECONDS:
                pause = 1.0
            print(f"The Hub ended (status {status}); starting it again in {pause:.0f} s.", flush=True)
            processes.end_leftovers(self.place)
            self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        return 0

    def _start_hub(self) -> None:
        for part in ("hub", "service", "proxy"):
            shorten(self.place.log(part))
        command = [
            *(sys.executable, "-m", "jupyterhub"),
            f"--config={Path(__file__).with_name('jupyterhub_config.py')}",
            f"--pid-file={self.place.run / 'hub.pid'}",
        ]
        # Our own variables go by file; JUPYTERHUB_* of a notebook we may have been started in would mislead the Hub.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTERHUB_")}
        environment["PUMPKIN_PLACE"] = str(self.place.run / "place.json")
        with open(self.place.log("hub"), "ab") as log:
            self._hub = subprocess.Popen(
                command,
                cwd=self.place.data / "hub",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours to pass on, once
            )

    def _wait_ready(self) -> bool:
        assert self._hub is not None
        limit = time.monotonic() + START_SECONDS
        while not self._stopping and self._hub.poll() is None:
            if answers(self.place):
                return True
            if time.monotonic() > limit:
                self._end_hub()
                return False
            self._sleep(0.5)
        return False

    def _announce(self) -> None:
        print("The Hub is back." if self._was_up else greeting(self.place, self.chosen), flush=True)
        self._was_up = True
        (self.place.run / "ready").write_bytes(b"")

    def _wait_end(self) -> None:
        assert self._hub is not None
        next_look = time.monotonic() + 60
        while not self._stopping and self._hub.poll() is None:
            self._sleep(0.5)
            if time.monotonic() > next_look:
                next_look = time.monotonic() + 60
                for part in ("hub", "service", "proxy"):
                    shorten(self.place.log(part))

    def _sleep(self, seconds: float) -> None:
        """Sleep, but not through a signal (`time.sleep` resumes after a handler that only sets a flag)."""
        limit = time.monotonic() + seconds
        while not self._stopping and (left := limit - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    def _failure(self, status: int | None) -> str:
        # A service that dies while the Hub starts ends the Hub, whose log says no more than that.
        blamed = any("Service pumpkin exited" in line for line in tail(self.place.log("hub"), lines=5))
        part = "hub" if status and not blamed else "service"
        text = "\n".join(f"  {line}" for line in tail(self.place.log(part), lines=12))
        return f"Pumpkin did not come up. The end of the {part}'s log ({self.place.log(part)}):\n{text}"

    def _end_hub(self) -> None:
        if self._hub is not None and self._hub.poll() is None:
            self._hub.terminate()
            try:
                self._hub.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._hub.kill()
                self._hub.wait()

    def _take_down(self) -> None:
        self._end_hub()
        processes.end_leftovers(self.place)
        (self.place.run / "ready").unlink(missing_ok=True)


def stop(data: Path) -> bool:
    """Stop the instance on a data folder, or what is left of one; tell whether anything ran."""
    place = current(data)
    if place is None:
        return False
    launchers = [process for _, process in processes.find(place, "launcher") if process.pid != os.getpid()]
    if is_up(data) and not launchers:
        raise Refused(f"Something holds {data}/run/lock that is not this user's Pumpkin: end it by hand.")
    processes.end(launchers, seconds=STOP_SECONDS + 15)
    return bool(processes.end_leftovers(place)) or bool(launchers)


def stop_workloads(data: Path) -> int:
    """End every running notebook and job; return how many replicas that were. Their supervisors end them cleanly."""
    running = processes.supervisors(data)
    processes.end(running, seconds=WORKLOAD_SECONDS)
    return len(running)


def shorten(log: Path) -> None:
    """Begin a log anew when it is long, keeping the old part beside it as `.1`; its writers append, and go on."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            os.truncate(log, 0)


def tail(log: Path, *, lines: int) -> list[str]:
    """Return the last lines of a log; none if there is none."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 64_000))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def parts(data: Path) -> list[processes.Running]:
    """Return the processes of the instance on a data folder, launcher first."""
    place = current(data)
    if place is None:
        return []
    with suppress(psutil.Error):
        return processes.describe(processes.find(place, "launcher", "hub", "proxy", "service"))
    return []
