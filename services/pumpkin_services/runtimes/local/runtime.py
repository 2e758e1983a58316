"""The local runtime: workloads as processes of this machine. What holds across crashes is in `folder`."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import random
import re
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from pumpkin_services.problems import StorageFull, Unavailable
from pumpkin_services.runtimes.base import Key, Launch, LogChunk, Observation, ReplicaSpec, Usage
from pumpkin_services.runtimes.hints import Hints
from pumpkin_services.runtimes.local import cgroups, host, supervisor, usage
from pumpkin_services.runtimes.local.folder import MARK, RunFolder, marks, remove_tree
from pumpkin_services.runtimes.local.layout import DEFAULT_PATH, Layout, environment, sandbox
from pumpkin_services.runtimes.local.nursery import Nursery, NurseryDied
from pumpkin_services.runtimes.logfile import follow, read_chunk
from pumpkin_services.runtimes.ranks import distributed_env

ADDRESS = "127.0.0.1"
# Below Linux's ephemeral ports, so that no outgoing connection takes one between choice and use.
PORTS = range(20000, 32000)
LOG_POLL_FIRST, LOG_POLL_SECONDS = 0.005, 0.05
DELETE_PATIENCE_SECONDS = 10.0
PROCESSES = 16384
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"

P = ParamSpec("P")
T = TypeVar("T")


class LocalRuntime:
    """Runs replicas below `data/runs`; several services may share one data folder.

    `isolate`: `auto` uses bubblewrap when it works, `always` refuses to start without it, `never` does not use it.
    `limits=False` leaves control groups alone even where they could be used.
    """

    def __init__(self, *, data: Path, isolate: str = "auto", limits: bool = True) -> None:
        self._data = data.resolve()
        self._runs = self._data / "runs"
        self._isolate = isolate
        self._limits = limits
        self._id = hashlib.sha256(os.fsencode(self._runs)).hexdigest()[:12]
        self._nursery = Nursery(messages=self._data / "logs" / "supervisor.log")
        self._notify = self._data / "run" / "notify"
        self._socket: socket.socket | None = None
        self._hints = Hints()

    async def start(self) -> None:
        """Find out what this machine can do and listen for supervisors."""
        for folder in (self._runs, self._data / "logs", self._notify):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        await asyncio.to_thread(self._look_around)
        self._socket = _listen(self._notify)
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def _look_around(self) -> None:
        self._bubblewrap = None if self._isolate == "never" else host.bubblewrap()
        if self._isolate == "always" and self._bubblewrap is None:
            raise Unavailable(
                "bubblewrap does not work here: install it and allow user namespaces, or set Platform.isolate = 'auto'."
            )
        self._host = host.find()
        self._groups = cgroups.find(f"pumpkin-{self._id}") if self._limits else cgroups.ControlGroups(bases={})
        self._accelerators = usage.Accelerators()

    @property
    def isolated(self) -> bool:
        """Whether replicas see only what they are given."""
        return self._bubblewrap is not None

    @property
    def limited(self) -> bool:
        """Whether CPU and memory limits are held by control groups (for all processes of a replica together)."""
        return self._groups.version > 0

    async def close(self) -> None:
        """Stop listening and end the nursery."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            (self._notify / _socket_name(self._socket)).unlink(missing_ok=True)
            self._socket.close()
            self._socket = None
            if not _listeners(self._notify):  # another service may be about to use them
                self._groups.remove()
        await asyncio.to_thread(self._nursery.close)

    async def launch(self, launch: Launch) -> None:
        """Start what is absent (see `Runtime.launch`); raise `StorageFull` when there is no room for a run folder."""
        await _in_thread(self._launch, launch)

    def _launch(self, launch: Launch) -> None:
        attempt = self._attempt(launch.key)
        attempt.mkdir(parents=True, exist_ok=True, mode=0o700)
        port = _agree(attempt / "launch.json", [replica.name for replica in launch.replicas])
        hosts = {replica.name: ADDRESS for replica in launch.replicas}
        for rank, spec in enumerate(launch.replicas):
            distributed = distributed_env(launch.replicas, rank, hosts=hosts, master_port=port)
            self._start(launch, spec, distributed)

    def _start(self, launch: Launch, spec: ReplicaSpec, distributed: dict[str, str]) -> None:
        """Start one replica unless it is or was there. Whoever gets the lock decides, so twice at once is safe."""
        folder = self._folder(launch.key, spec.name)
        folder.path.mkdir(exist_ok=True, mode=0o700)
        for _ in range(3):
            lock = folder.take()
            if lock is None:
                return
            try:
                if folder.read("exit.json") is not None:
                    return
                if folder.read("started.json") is not None:
                    folder.bury()
                    return
                self._prepare(launch, spec, folder, distributed)
                self._nursery.fork(folder.path, lock)
            except NurseryDied:
                continue
            finally:
                os.close(lock)
            return
        raise Unavailable("Processes cannot be started just now: see supervisor.log in the data folder's logs.")

    def _prepare(self, launch: Launch, spec: ReplicaSpec, folder: RunFolder, distributed: dict[str, str]) -> None:
        """Write all a supervisor needs into the run folder."""
        layout = Layout(folder=str(folder.path), binds=spec.binds, isolated=self.isolated)
        for place in layout.folders():
            os.makedirs(place, exist_ok=True, mode=0o700)
        for link, source in layout.links().items():
            if not os.path.islink(link):
                os.symlink(source, link)
        mark = {MARK: folder.mark}
        env = environment(spec, layout=layout, distributed=distributed, mark=mark)
        options: list[str] = []
        argv, cwd = list(spec.argv), layout.cwd(spec.cwd)
        if self._bubblewrap:
            options = sandbox(spec, layout=layout, host=self._host, env=env)
            # The shell gives bubblewrap's world the exit codes 126 and 127 for a command that is not there.
            argv = [self._bubblewrap, "--", "/bin/sh", "-c", 'exec "$@"', "sh", *argv]
            env, cwd = {"PATH": DEFAULT_PATH, **mark}, "/"
        groups = self._groups.plan(_group_name(launch.key, spec.name), spec)
        limits = {"RLIMIT_CORE": 0}
        if not groups:
            limits["RLIMIT_NPROC"] = PROCESSES
            if spec.memory:
                limits["RLIMIT_DATA"] = spec.memory
        content = {
            "key": f"{launch.key.workload}/{launch.key.attempt}",
            "argv": argv,
            "env": env,
            "cwd": cwd,
            "sandbox": options,
            "needs": [bind.source for bind in spec.binds],
            "accelerators": list(spec.accelerators),
            "cgroups": groups,
            "rlimits": limits,
            "nice": launch.nice,
            "notify": str(self._notify),
        }
        _write_secret(folder.path / "spec.json", json.dumps(content))

    async def stop(self, key: Key, *, grace: float) -> None:
        """See `Runtime.stop`."""

        def ask() -> None:
            for folder in self._folders(key):
                folder.ask_to_stop(grace)

        await _in_thread(ask)

    async def delete(self, key: Key) -> None:
        """See `Runtime.delete`. Removes the attempt's whole folder, `runs/<workload>/<attempt>`."""
        patience = asyncio.get_running_loop().time() + DELETE_PATIENCE_SECONDS
        left = self._folders(key)
        while left := [folder for folder in left if not await _in_thread(folder.destroy)]:
            if asyncio.get_running_loop().time() > patience:
                for folder in left:
                    folder.signal_supervisor(9)
                raise Unavailable(
                    "Some of the workload's processes do not die: they wait for a device or a network disk."
                )
            await asyncio.sleep(0.02)
        await _in_thread(remove_tree, self._attempt(key))
        supervisor.attempt(os.rmdir, self._attempt(key).parent)

    async def observe(self, key: Key) -> dict[str, Observation]:
        """See `Runtime.observe`."""

        def look() -> dict[str, Observation]:
            return {folder.replica: folder.observe() for folder in self._folders(key)}

        return await _in_thread(look)

    async def list(self) -> list[Key]:
        """See `Runtime.list`."""

        def walk() -> list[Key]:
            found = self._runs.glob("*/*/")
            return [Key(path.parent.name, int(path.name)) for path in found if path.name.isdigit()]

        return sorted(await _in_thread(walk))

    async def alive(self) -> list[Key]:
        """See `Runtime.alive`: what has processes, found by their marks."""

        def look() -> set[Key]:
            # A process can write into its variables what it likes.
            found = [re.fullmatch(rf"{self._id}/({NAME})/([0-9]{{1,9}})/{NAME}", mark) for mark in marks().values()]
            return {Key(match[1], int(match[2])) for match in found if match}

        return sorted(await _in_thread(look))

    async def tidy(self, key: Key) -> list[str]:
        """See `Runtime.tidy`."""

        def end() -> list[str]:
            return [f"processes of {folder.replica}" for folder in self._folders(key) if folder.tidy()]

        return await _in_thread(end)

    async def read_log(self, key: Key, replica: str, *, offset: int = 0, limit: int = 1 << 20) -> LogChunk:
        """See `Runtime.read_log`."""
        return await _in_thread(read_chunk, self._folder(key, replica).path, offset, limit)

    def follow_log(self, key: Key, replica: str, *, offset: int = 0) -> AsyncIterator[LogChunk]:
        """See `Runtime.follow_log`."""
        return follow(
            lambda at: self.read_log(key, replica, offset=at), offset, first=LOG_POLL_FIRST, longest=LOG_POLL_SECONDS
        )

    async def usage(self, key: Key) -> dict[str, Usage]:
        """See `Runtime.usage`."""

        def sample() -> dict[str, Usage]:
            found: dict[str, Usage] = {}
            for folder in self._folders(key):
                started = folder.read("started.json")
                if started is not None and folder.held() and not (folder.path / "exit.json").exists():
                    found[folder.replica] = usage.sample(folder.replica, started, self._accelerators)
            return found

        return await _in_thread(sample)

    async def wait_change(self, timeout: float) -> set[Key]:
        """See `Runtime.wait_change`."""
        return await self._hints.wait(timeout)

    def _hear(self) -> None:
        assert self._socket is not None
        try:
            while True:
                workload, _, attempt = self._socket.recv(512).decode().rpartition("/")
                self._hints.add(Key(workload, int(attempt)))
        except BlockingIOError:
            return

    def _attempt(self, key: Key) -> Path:
        return self._runs / _checked(key.workload) / str(key.attempt)

    def _folder(self, key: Key, replica: str) -> RunFolder:
        return RunFolder(
            path=self._attempt(key) / _checked(replica),
            mark=f"{self._id}/{key.workload}/{key.attempt}/{replica}",
            cgroups=self._groups.plan(_group_name(key, replica)),
        )

    def _folders(self, key: Key) -> list[RunFolder]:
        try:
            names = json.loads((self._attempt(key) / "launch.json").read_text())["replicas"]
        except FileNotFoundError:
            return []
        return [self._folder(key, name) for name in names]


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call beside the loop, and say what a full disk is."""
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                "The disk of the data folder is full: free some room, the workload then goes on."
            ) from error
        raise Unavailable(f"The data folder does not take or give what it should: {error}.") from error


def _checked(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise ValueError(f"not a name of a workload or a replica: {name!r}")
    return name


def _group_name(key: Key, replica: str) -> str:
    return f"{key.workload}.{key.attempt}.{replica}"


def _agree(path: Path, names: list[str]) -> int:
    """Write down a launch's replicas and master port, or find what an earlier or simultaneous launch wrote."""
    if not path.exists():
        draft = path.with_name(f"launch.{os.getpid()}.{random.getrandbits(32):x}")
        draft.write_text(json.dumps({"replicas": names, "port": _free_port()}))
        supervisor.attempt(os.link, draft, path)  # unlike a rename it never replaces
        draft.unlink()
    return int(json.loads(path.read_text())["port"])


def _free_port() -> int:
    for port in random.sample(PORTS, 100):
        with socket.socket() as trial:
            try:
                trial.bind((ADDRESS, port))
            except OSError:
                continue
            return port
    raise Unavailable("No free port was found for a distributed job on this machine.")


def _write_secret(path: Path, text: str) -> None:
    """Write a file only we can read; it may hold tokens."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(text)


def _listen(folder: Path) -> socket.socket:
    """Open this service's socket in `folder`, and remove those nobody listens to any more."""
    _listeners(folder)
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ears.setblocking(False)
        # Through /proc, for a socket's address holds 107 bytes and a data folder's path may be longer.
        ears.bind(f"/proc/self/fd/{place}/{os.getpid()}-{random.getrandbits(32):x}.sock")
        return ears
    finally:
        os.close(place)


def _listeners(folder: Path) -> int:
    """Return how many services listen in `folder`, removing the sockets of those that were killed."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    count = 0
    try:
        for name in os.listdir(place):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as trial:
                try:
                    trial.connect(f"/proc/self/fd/{place}/{name}")
                    count += 1
                except OSError:
                    supervisor.forget(f"{folder}/{name}")
    finally:
        os.close(place)
    return count


def _socket_name(ears: socket.socket) -> str:
    return os.path.basename(ears.getsockname())
