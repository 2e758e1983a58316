"""What is kept of each attempt on our own disk, so that it is known after the cluster has forgotten it.

`runs/<workload>/<attempt>/launch.json` says what was asked for; below it each replica has `started.json`, `exit.json`
and its `log`. `exit.json` is written once, last, and is what makes a replica's end final. `stop.json` says we ended it.
All calls block, shortly.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pumpkin_services.runtimes.base import Key, Launch, Observation
from pumpkin_services.runtimes.volcano import manifests, names
from pumpkin_services.runtimes.volcano.settings import ClusterSettings


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A launch as it is remembered: its namespace, and by name what each replica asks for, in words."""

    namespace: str
    kind: str
    replicas: Mapping[str, str]


class Records:
    """The folders below `runs`."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs

    def attempt(self, key: Key) -> Path:
        """Return an attempt's folder."""
        return self.runs / _checked(key.workload) / str(key.attempt)

    def replica(self, key: Key, replica: str) -> Path:
        """Return a replica's folder."""
        return self.attempt(key) / _checked(replica)

    def keys(self) -> list[Key]:
        """Return all attempts that have left a trace."""
        return [Key(path.parent.parent.name, int(path.parent.name)) for path in self.runs.glob("*/[0-9]*/launch.json")]

    def remember(self, settings: ClusterSettings, launch: Launch) -> None:
        """Write down what was asked for; repeating it changes nothing."""
        content = {
            "namespace": names.namespace(settings.namespace_prefix, launch.workspace),
            "kind": launch.kind,
            "replicas": manifests.asked(launch.replicas),
        }
        folder = self.attempt(launch.key)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write(folder / "launch.json", content)

    def asked(self, key: Key) -> Asked | None:
        """Return what was asked for, None for what is unknown."""
        content = read(self.attempt(key) / "launch.json")
        return None if content is None else Asked(**content)

    def began(self, key: Key) -> bool:
        """Tell whether any replica has started or ended, or the attempt was stopped: then it is never started again."""
        return self.stopped(key) or self.ran(key)

    def ran(self, key: Key) -> bool:
        """Tell whether any replica has started or ended."""
        folder = self.attempt(key)
        return any(folder.glob("*/started.json")) or any(folder.glob("*/exit.json"))

    def stop(self, key: Key) -> None:
        """Write that it is we who end it."""
        if self.attempt(key).exists():
            write(self.attempt(key) / "stop.json", {})

    def stopped(self, key: Key) -> bool:
        """Tell whether we ended it."""
        return (self.attempt(key) / "stop.json").exists()

    def started(self, key: Key, replica: str) -> dict[str, Any] | None:
        """Return what was written when a replica started."""
        return read(self.replica(key, replica) / "started.json")

    def start(self, key: Key, seen: Observation, *, uid: str) -> None:
        """Write that a replica has started, and in which pod."""
        if seen.started is not None:
            content = {"started": seen.started, "node": seen.node, "host": seen.host, "uid": uid}
            write(self.replica(key, seen.replica) / "started.json", content)

    def exit(self, key: Key, seen: Observation) -> bool:
        """Write how a replica ended; False when that was written already."""
        return write(self.replica(key, seen.replica) / "exit.json", asdict(seen))

    def exited(self, key: Key, replica: str) -> Observation | None:
        """Return how a replica ended, None while that is not known."""
        content = read(self.replica(key, replica) / "exit.json")
        return None if content is None else Observation(**content)

    def over(self, key: Key) -> bool:
        """Tell whether every replica has ended."""
        asked = self.asked(key)
        return asked is not None and all((self.replica(key, name) / "exit.json").exists() for name in asked.replicas)

    def forget(self, key: Key) -> None:
        """Remove everything of an attempt."""
        shutil.rmtree(self.attempt(key), ignore_errors=True)
        try:
            os.rmdir(self.attempt(key).parent)
        except OSError:
            pass

    def lock(self, key: Key, replica: str) -> int | None:
        """Become the one process that keeps a replica's log and end; None when another is."""
        folder = self.replica(key, replica)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return None
        return lock


def read(path: Path) -> dict[str, Any] | None:
    """Return the content of a JSON file, None when it is not there."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def write(path: Path, content: Mapping[str, Any]) -> bool:
    """Write a JSON file that is whole or absent; what is there stays, and the answer is False then."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{random.getrandbits(32):x}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            json.dump(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, path)  # unlike a rename it never replaces
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _checked(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ValueError(f"not a name of a workload or a replica: {name!r}")
    return name
