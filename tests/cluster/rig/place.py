"""Where the rig lies, and what it is called."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

SOURCE = Path(__file__).parent
ROOT = SOURCE.parents[2]
FOLDER = Path(os.environ.get("PUMPKIN_RIG", "~/.cache/pumpkin-rig")).expanduser().resolve()
BIN, PKI, RUN, LOG = FOLDER / "bin", FOLDER / "pki", FOLDER / "run", FOLDER / "log"
KUBECONFIG = FOLDER / "kubeconfig"
SOCKET = RUN / "containerd.sock"

KUBERNETES = "1.35.3"
NODE = "rig-node"
BRIDGE, HOST, PODS, SERVICES = "rig0", "10.89.0.1", "10.89.0.0/16", "10.90.0.0/16"
API = f"https://{HOST}:6443"
PAUSE = "rig.local/pause:1"
IMAGES = {"notebook": "pumpkin/notebook:test", "platform": "pumpkin/platform:test"}
"""What notebooks and jobs run in, and what the Hub and the service do."""


def sh(*words: object, check: bool = True, **how: Any) -> str:
    """Run a program and return what it printed."""
    how.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([str(word) for word in words], check=check, text=True, **how).stdout or ""


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Wait until nobody else on this machine does the same."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"rig: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    """End with a sentence that says what to do."""
    sys.exit(f"rig: {text}")
