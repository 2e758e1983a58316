"""The contract between the pipeline and the place where workloads run.

A runtime keeps no truth of its own beside what runs: everything is found again from a `Key`, so each call may
be repeated after any crash, by another process too. It knows nothing of phases, owners, prices or databases.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

State = Literal["absent", "starting", "running", "exited", "lost"]


@dataclass(frozen=True, order=True)
class Key:
    """One try of one workload; what a runtime call is idempotent over."""

    workload: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Bind:
    """A folder given to a replica.

    `source` is the folder's real path on the node, `target` its absolute path as the workload knows it: `/code`,
    `/dataset/<name>`, `/pretrainmodel/<name>`, `/model`, `/userhome`, or the same as `source` for an
    environment's prefix. Where the runtime cannot change what a process sees, the `PUMPKIN_*` variables
    tell the real paths. On a cluster only inputs are given: `source` is the version's path in the API
    (`datasets/<workspace>/<name>/versions/3`), and what fetches it is the runtime's affair, as `/model` and
    `/userhome` are.
    """

    source: str
    target: str
    writable: bool = False


@dataclass(frozen=True, kw_only=True)
class ReplicaSpec:
    """One process to run, with what it is given and what it may not exceed.

    `argv` is executed as is (no shell); its first word is looked up in the replica's `PATH`. `cwd` is a path as the
    workload knows it (a bind's target or below; empty: `/code` when bound, else the home, else a private folder).
    `env` is added to the runtime's own variables and wins over them, except over the granted accelerators and
    the distributed set. `cpu_milli` are thousandths of a core, `memory` bytes, `accelerators` indices on the node
    (on a cluster, which chooses them itself, only their number counts); zero cpu or memory means unlimited.
    `accelerator_type` and `pool` say on which nodes of a cluster it may run.
    """

    role: str
    index: int
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: str = ""
    cpu_milli: int = 0
    memory: int = 0
    accelerators: Sequence[int] = ()
    accelerator_type: str = ""
    pool: str = ""
    binds: Sequence[Bind] = ()

    @property
    def name(self) -> str:
        """The replica's name within its launch, `<role>-<index>`."""
        return f"{self.role}-{self.index}"


@dataclass(frozen=True, kw_only=True)
class Launch:
    """All replicas of one try, started together.

    The order is the rank: the first replica is rank 0 and the master, so the main role comes first. `nice` is
    added to the priority of the processes (0 to 19, higher yields more).

    The rest is a cluster's: `workspace` has a namespace, `user` a home, `image` is what the replicas run in, `minimum`
    the replicas of each role that must start together, `main` the role whose end is the job's. The pool of the first
    replica is the queue, at whose head `pinned` puts it.
    """

    key: Key
    replicas: Sequence[ReplicaSpec]
    nice: int = 0
    kind: Literal["job", "notebook"] = "job"
    workspace: str = ""
    user: str = ""
    image: str = ""
    minimum: Mapping[str, int] = field(default_factory=dict[str, int])
    main: str = ""
    pinned: bool = False


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is true of one replica now.

    States: `absent` was never started (launching it is safe); `starting` has a supervisor but no process yet;
    `running`; `exited` ended and it is known how; `lost` ran, but how it ended is not known: all of it is dead and
    it is never run again under this key. `exited` and `lost` are final.

    `exit_code` follows the shell (128 + signal for a signalled process, 127 when the command could not be
    started, then `error` says why); `signal` is set when one ended it; `oom` when it was for memory.
    `started` and `ended` are Unix milliseconds: just before the process started, just after it ended. `host` is where
    the ports of a running replica are reached. `cpu_ms` and `memory_peak` (bytes) are the totals of a replica that
    exited. `node` is where it runs, where that is not known before. `waiting` is one plain sentence on what a
    starting replica waits for; `cause` one on why it ended, when that was not its own doing (evicted, preempted, its
    node lost, its image not to be had). `unplaced`: it has been let in, and no node can take it.
    """

    replica: str
    state: State
    exit_code: int | None = None
    signal: int | None = None
    oom: bool = False
    started: int | None = None
    ended: int | None = None
    pid: int | None = None
    host: str = ""
    error: str = ""
    cpu_ms: int = 0
    memory_peak: int = 0
    node: str = ""
    waiting: str = ""
    cause: str = ""
    unplaced: bool = False

    @property
    def final(self) -> bool:
        """Whether nothing about this replica will change any more."""
        return self.state in ("exited", "lost")


@dataclass(frozen=True, kw_only=True)
class AcceleratorUsage:
    """One accelerator at one instant: `utilization` 0 to 1, `memory` bytes in use (of all its processes)."""

    index: int
    utilization: float
    memory: int


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One sample of a running replica: cumulative `cpu_ms`, present `memory` bytes, and its accelerators.

    `time` is Unix milliseconds; the cores in use are the difference of two samples.
    """

    replica: str
    time: int
    cpu_ms: int
    memory: int
    accelerators: Sequence[AcceleratorUsage] = ()


@dataclass(frozen=True, kw_only=True)
class LogChunk:
    """Bytes `[offset, offset + len(data))` of a replica's log, which has `size` bytes now.

    `final` tells that the log will not grow beyond `size`.
    """

    data: bytes
    offset: int
    size: int
    final: bool

    @property
    def end(self) -> int:
        """The offset to read on from."""
        return self.offset + len(self.data)


class Runtime(Protocol):
    """A place where workloads run.

    A call that meets trouble which may pass raises `problems.Unavailable`: repeat it. An unknown key is no error
    (`observe` answers nothing, `stop` and `delete` have nothing to do). Calls for one key are made one at a time;
    two callers at once are still safe.
    """

    async def start(self) -> None:
        """Make ready; raise `problems.Unavailable` when what the settings demand cannot be had here."""
        ...

    async def close(self) -> None:
        """Let go of sockets and helpers. What runs keeps running."""
        ...

    async def launch(self, launch: Launch) -> None:
        """Start every replica that is `absent`; leave the others alone.

        Returns when each has been handed to something that outlives the caller, which may be before it runs.
        A command that cannot be started is no error here: its replica ends as `exited` with code 127.
        """
        ...

    async def stop(self, key: Key, *, grace: float) -> None:
        """Ask every replica to end: SIGTERM to all its processes now, SIGKILL after `grace` seconds.

        Returns at once; the end is observed. Repeating it can only shorten the time left.
        """
        ...

    async def delete(self, key: Key) -> None:
        """Kill what still runs and remove every trace, logs included. Returns when nothing is left."""
        ...

    async def observe(self, key: Key) -> dict[str, Observation]:
        """Return what is true of each replica of the launch, by name; empty when the key is unknown."""
        ...

    async def list(self) -> list[Key]:
        """Return all keys that have left a trace here, running or ended, so that orphans can be found."""
        ...

    async def alive(self) -> list[Key]:
        """Return the keys of which more is here than logs and ends: processes, objects of a cluster. It is quick."""
        ...

    async def tidy(self, key: Key) -> list[str]:
        """End and remove what is still alive of an attempt that is over; its logs and ends stay.

        Returns in a few words each what that was; nothing while an end is still on its way home: ask again.
        """
        ...

    async def read_log(self, key: Key, replica: str, *, offset: int = 0, limit: int = 1 << 20) -> LogChunk:
        """Return at most `limit` bytes of stdout and stderr from byte `offset` on (negative: from the end).

        Beyond the end there is no data yet, which is no error.
        """
        ...

    def follow_log(self, key: Key, replica: str, *, offset: int = 0) -> AsyncIterator[LogChunk]:
        """Yield non-empty chunks from `offset` on as they are written; end when the log is final and read."""
        ...

    async def usage(self, key: Key) -> dict[str, Usage]:
        """Sample the running replicas, by name."""
        ...

    async def wait_change(self, timeout: float) -> set[Key]:
        """Wait until replicas start or end, at most `timeout` seconds; return the keys heard of.

        Hints may be lost (never invented): whoever waits also looks by himself now and then.
        """
        ...


class Tickets(Protocol):
    """How a runtime that has a queue of its own is asked for room, before a workload starts.

    A ticket stands for one try of one workload. Offering is idempotent; tickets are found again after any crash.
    """

    async def offer(self, launch: Launch) -> None:
        """Put a ticket for everything `launch.minimum` says into the queue of its pool.

        A job's replicas start by themselves when it is admitted; a notebook's when its server is claimed.
        """
        ...

    async def withdraw(self, key: Key) -> None:
        """Take a ticket back, and whatever started by it. An unknown one is no error."""
        ...

    async def tickets(self) -> dict[Key, bool]:
        """Return every ticket there is, and whether it is admitted: the resources are its own from then on."""
        ...


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A node of a cluster: what pods may have of it (memory in bytes), and its accelerators by type.

    `ready` is whether it can run something now; `closed` whether it was closed to new pods, `ours` whether by us.
    """

    name: str
    cpu_milli: int
    memory: int
    accelerators: Mapping[str, int] = field(default_factory=dict[str, int])
    ready: bool = True
    closed: bool = False
    ours: bool = False


@dataclass(frozen=True, kw_only=True)
class Share:
    """A pool's machines, and what it gets of them beside other pools, in percent; zero says nothing.

    What is guaranteed to it it deserves, too. What a pool with a `parent` gets is a part of what that one does.
    """

    machines: tuple[Machine, ...]
    parent: str = ""
    guarantee_percent: int = 0
    deserved_percent: int = 0


class Machines(Protocol):
    """The nodes and queues of a cluster. Trouble that may pass raises `problems.Unavailable`."""

    async def machines(self) -> list[Machine]:
        """Return every node that takes workloads, by name."""
        ...

    async def close(self, name: str, *, closed: bool) -> None:
        """Close a node to new pods, or open it again; what runs there goes on."""
        ...

    async def set_pools(self, pools: Mapping[str, Share]) -> None:
        """Make each pool's nodes known by its label, and give it a queue that may fill them; other pools' labels go."""
        ...
