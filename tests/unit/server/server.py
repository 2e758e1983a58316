"""A real Jupyter server with the extension, as a notebook server has it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

TOKEN = secrets.token_hex(8)


@contextmanager
def serving(home: Path, **variables: str) -> Generator[httpx.Client]:
    """Yield a client of a server in `home`, below `/user/alice/`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, **variables, "HOME": str(home)}
    env.pop("JUPYTER_CONFIG_PATH", None)
    config: dict[str, Any] = {
        "ServerApp": {"jpserver_extensions": {"pumpkin_server": True}},
        "IdentityProvider": {"token": TOKEN},
    }
    (home / "jupyter_server_config.json").write_text(json.dumps(config))
    command = [
        sys.executable, "-m", "jupyter_server", f"--port={port}", "--ServerApp.base_url=/user/alice/",
        f"--config={home / 'jupyter_server_config.json'}", "--allow-root", "--no-browser",
        f"--ServerApp.root_dir={home}",
    ]  # fmt: skip
    log = (home / "log").open("w")
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}/user/alice/", timeout=20)
    try:
        for _ in range(600):
            try:
                client.get("api")
                break
            except httpx.TransportError:
                assert process.poll() is None, (home / "log").read_text()
                time.sleep(0.1)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(20)
        log.close()


def signed(**more: str) -> dict[str, str]:
    """Return the headers of a request the server lets in."""
    return {"Authorization": f"token {TOKEN}", **more}
