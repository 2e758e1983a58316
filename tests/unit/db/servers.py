"""Real MariaDB and PostgreSQL servers, each in a temporary folder of its own, run by a user who is not root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_SECONDS = 60
POSTGRES_FOLDERS = "/usr/lib/postgresql"


def program(name: str) -> str | None:
    """Return the path of a server's program, also where Debian keeps it off PATH; None when it is not installed."""
    places = [str(folder / "bin") for folder in sorted(Path(POSTGRES_FOLDERS).glob("*"), reverse=True)]
    return shutil.which(name, path=os.pathsep.join([*places, os.environ["PATH"], "/usr/sbin"]))


@contextmanager
def mariadb() -> Iterator[str]:
    """Run a server; yield the URL of an empty database, without its name."""
    with _folder() as folder:
        port, socket_path = _free_port(), folder / "s"
        _run("mariadb-install-db", "--no-defaults", f"--datadir={folder}/data", "--skip-test-db",
             "--auth-root-authentication-method=normal")  # fmt: skip
        with _server("mariadbd", "--no-defaults", f"--datadir={folder}/data", f"--socket={socket_path}",
                     f"--port={port}", "--bind-address=127.0.0.1", f"--pid-file={folder}/pid",
                     "--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4", port=port):  # fmt: skip
            yield f"mysql+asyncmy://root@127.0.0.1:{port}/"


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server; yield the URL of an empty database, without its name."""
    with _folder() as folder:
        port = _free_port()
        _run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "pumpkin", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        with _server("postgres", "-D", f"{folder}/data", "-k", str(folder), "-p", str(port), "-c", "fsync=off",
                     "-c", "listen_addresses=127.0.0.1", port=port):  # fmt: skip
            yield f"postgresql+asyncpg://pumpkin@127.0.0.1:{port}/"


@contextmanager
def _folder() -> Iterator[Path]:
    # Not below pytest's own folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="pumpkin-db-"))
    if os.getuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_nobody() -> dict[str, Any]:
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run(
        [program(name) or name, *arguments], capture_output=True, text=True, check=False, cwd="/", **_as_nobody()
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _server(name: str, *arguments: str, port: int) -> Iterator[None]:
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [program(name) or name, *arguments], stdout=output, stderr=output, cwd="/", **_as_nobody()
        )
        try:
            give_up = time.monotonic() + START_SECONDS
            while not _listens(port):
                output.seek(0)
                assert process.poll() is None, output.read()
                assert time.monotonic() < give_up, output.read()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
