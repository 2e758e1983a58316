"""A whole platform for tests: the real launcher, Hub, proxy and service on free ports and a data folder of its own."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from pumpkin_hub import launcher, processes
from pumpkin_hub.onetime import OneTime

ADMIN_PASSWORD = "harvest-moon-42"
UP_SECONDS = 120


def free_port() -> int:
    """Return a port that is free, with the three after it; workers of one run look in ranges of their own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 2
    while True:
        base = random.randrange(20_000 + worker * 6000, 26_000 + worker * 6000, 4)
        try:
            for port in range(base, base + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base


@dataclass(kw_only=True)
class User:
    """A user of the platform, with a Hub token and a client of the API that sends it."""

    name: str
    token: str
    api: httpx.Client


@dataclass(kw_only=True)
class House:
    """One instance, started with `up()` and always taken down by the fixture that made it."""

    data: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    _admin: User | None = None
    _clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def api_url(self) -> str:
        return f"{self.url}services/pumpkin/api/v1"

    @property
    def hub_url(self) -> str:
        return f"{self.url}hub/api"

    def configure(self, text: str) -> None:
        """Write `pumpkin_config.py`."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.data / launcher.CONFIG_NAME).write_text(text)

    def command(self, *words: str, timeout: float = UP_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run `python -m pumpkin_hub <words> --data=<ours>` to its end."""
        arguments = [sys.executable, "-m", "pumpkin_hub", *words, f"--data={self.data}"]
        return subprocess.run(arguments, capture_output=True, text=True, timeout=timeout, check=False)

    def launch(self) -> subprocess.Popen[str]:
        """Start the launcher in the foreground and return at once."""
        arguments = [sys.executable, "-m", "pumpkin_hub", "up", f"--data={self.data}", f"--port={self.port}"]
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with open(self.data.parent / f"{self.data.name}.out", "a") as output:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True, start_new_session=True
            )
        return self.process

    def said(self) -> str:
        """Return what the launcher has printed so far."""
        return (self.data.parent / f"{self.data.name}.out").read_text()

    def up(self) -> House:
        """Start, and return once the platform answers."""
        self.launch()
        self.wait((self.data / "run" / "ready").exists)
        return self

    def wait(self, condition: Any, seconds: float = UP_SECONDS) -> None:
        """Wait until `condition()` is true; fail with the ends of the logs if that takes too long."""
        limit = time.monotonic() + seconds
        while not condition():
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > limit:
                raise AssertionError(f"{'the launcher ended' if ended else 'too slow'}\n{self.logs()}")
            time.sleep(0.05)

    def logs(self) -> str:
        """Return what the launcher said and the end of each log."""
        ends = [f"--- {log}\n" + "\n".join(launcher.tail(log, lines=25)) for log in (self.data / "logs").glob("*.log")]
        return "\n".join([self.said() if self.process else "", *ends])

    def answers(self) -> bool:
        """Tell whether Hub and service answer."""
        place = launcher.current(self.data)
        return place is not None and launcher.answers(place)

    def pids(self, *parts: processes.Part) -> list[int]:
        """Return the ids of the named parts' processes (Hub, service and proxy unless named)."""
        place = launcher.current(self.data)
        return [] if place is None else [process.pid for _, process in processes.find(place, *parts)]

    def kill(self, part: processes.Part, number: int = signal.SIGKILL) -> int:
        """Send a signal to one part and return its process id."""
        [pid] = self.pids(part)
        os.kill(pid, number)
        return pid

    def down(self) -> int | None:
        """Stop as Ctrl-C does; return the launcher's exit status."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(90)
        return self.process.returncode if self.process else None

    def tear_down(self) -> None:
        """Stop everything of this instance, by force if need be, running workloads included."""
        for client in self._clients:
            client.close()
        try:
            self.down()
        finally:
            launcher.stop(self.data)
            self._end_workloads()

    def _end_workloads(self) -> None:
        # Workloads outlive the platform by design; every process of theirs has a folder of ours on its command line
        # or as its working folder.
        ours = f"{self.data}/"
        for process in psutil.process_iter():
            try:
                if any(ours in word for word in process.cmdline()) or process.cwd().startswith(ours):
                    process.kill()
            except (psutil.Error, OSError):
                continue

    def browser(self) -> httpx.Client:
        """Return a client that follows redirects and keeps cookies, as a browser does."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=30)
        self._clients.append(client)
        return client

    def log_in(self, name: str, password: str) -> httpx.Client:
        """Log in through the pages; a one-time password is traded for ADMIN_PASSWORD on the way."""
        browser = self.browser()
        form = {"username": name, "password": password, "_xsrf": xsrf(browser.get("hub/login"))}
        answer = browser.post("hub/login", data=form)
        if "Choose your password" in answer.text:
            form |= {"new_password": ADMIN_PASSWORD, "repeated": ADMIN_PASSWORD, "_xsrf": xsrf(answer)}
            answer = browser.post("hub/login", data=form)
        assert "jupyterhub-session-id" in browser.cookies, answer.text
        return browser

    @property
    def admin(self) -> User:
        """The first admin, logged in through the pages the first time this is asked for."""
        if self._admin is None:
            password = OneTime(self.data).unused("admin") or ADMIN_PASSWORD
            browser = self.log_in("admin", password)
            home = browser.get("hub/token")
            made = browser.post("hub/api/users/admin/tokens", json={}, headers={"X-XSRFToken": xsrf(home)})
            made.raise_for_status()
            self._admin = self._as("admin", made.json()["token"])
        return self._admin

    def user(self, name: str, *, scopes: Sequence[str] | None = None, admin: bool = False) -> User:
        """Return a user, made if new, with a fresh token; `scopes` narrows it (None: all the user may do)."""
        hub = {"headers": {"Authorization": f"token {self.admin.token}"}, "timeout": 30}
        made = httpx.post(f"{self.hub_url}/users/{name}", json={"admin": admin}, **hub)
        assert made.status_code in (201, 409), made.text
        body = {} if scopes is None else {"scopes": list(scopes)}
        token = httpx.post(f"{self.hub_url}/users/{name}/tokens", json=body, **hub)
        token.raise_for_status()
        return self._as(name, token.json()["token"])

    def start_notebook(self, *, spec: str = "cpu-small") -> None:
        """Start the admin's default notebook server, and return when it runs."""
        api = self.admin.api
        api.post("/workloads/notebooks", json={"name": "", "spec": spec}).raise_for_status()
        newest = {"kind": "notebook", "limit": 1}
        self.wait(lambda: api.get("/workloads", params=newest).json()["items"][0]["phase"] == "running", 90)

    def _as(self, name: str, token: str) -> User:
        client = httpx.Client(base_url=self.api_url, headers={"Authorization": f"token {token}"}, timeout=30)
        self._clients.append(client)
        return User(name=name, token=token, api=client)


def running(data: Path) -> Iterator[House]:
    """Yield a started instance on `data`, and take it down."""
    house = House(data=data)
    try:
        yield house.up()
    finally:
        house.tear_down()


def xsrf(page: httpx.Response) -> str:
    """Return the XSRF token in a Hub page."""
    found = re.search(r'name="_xsrf" value="([^"]+)"|xsrf_token: "([^"]+)"', page.text)
    assert found, f"no XSRF token in {page.url}: {page.status_code}"
    return found[1] or found[2]
