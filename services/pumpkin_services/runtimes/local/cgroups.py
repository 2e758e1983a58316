"""Control groups of this machine, versions 1 and 2: which limits can be held, and the files that hold them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumpkin_services.runtimes.base import ReplicaSpec
from pumpkin_services.runtimes.local import supervisor

PERIOD_US = 100_000
PROCESSES = 4096
CONTROLLERS = ("cpu", "cpuacct", "memory", "pids")
ALL = {"cpu", "memory", "pids"}


@dataclass(frozen=True, kw_only=True)
class ControlGroups:
    """The folders below which a replica's groups are made, by controller; empty when limits are not ours to set.

    On version 2 the only entry is `""`: one folder for all controllers.
    """

    bases: Mapping[str, Path]

    @property
    def version(self) -> int:
        """1 or 2; 0 when there are none."""
        return 2 if "" in self.bases else 1 if self.bases else 0

    @property
    def join(self) -> str:
        """The file a process writes itself into; version 2 moves whole processes only."""
        return "cgroup.procs" if self.version == 2 else "tasks"

    def plan(self, name: str, spec: ReplicaSpec | None = None) -> list[dict[str, Any]]:
        """Return a replica's groups as the supervisor takes them: path, limits, files to read, files that stop it."""
        groups: dict[Path, dict[str, Any]] = {}
        for controller, base in self.bases.items():
            path = base / name
            group = groups.setdefault(
                path, {"path": str(path), "join": self.join, "limits": {}, "read": {}, "stop": {}}
            )
            for part, values in FILES[controller](spec).items():
                group[part].update(values)
        return list(groups.values())

    def remove(self) -> None:
        """Remove the folders themselves, if no replica has a group in them."""
        for base in self.bases.values():
            supervisor.attempt(os.rmdir, base)


def _cpu(spec: ReplicaSpec | None) -> dict[str, dict[str, Any]]:
    if spec is None or not spec.cpu_milli:
        return {}
    return {"limits": {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(_quota_us(spec))}}


def _quota_us(spec: ReplicaSpec) -> int:
    return max(1000, spec.cpu_milli * PERIOD_US // 1000)  # the kernel refuses less than a millisecond


def _cpuacct(_spec: ReplicaSpec | None) -> dict[str, dict[str, Any]]:
    return {"read": {"cpu_ms": ("cpuacct.usage", "", 1_000_000)}}


def _memory(spec: ReplicaSpec | None) -> dict[str, dict[str, Any]]:
    limits = {"memory.limit_in_bytes": str(spec.memory)} if spec and spec.memory else {}
    return {
        "limits": limits,
        "read": {"memory_peak": ("memory.max_usage_in_bytes", "", 1), "oom": ("memory.oom_control", "oom_kill", 1)},
    }


def _pids(_spec: ReplicaSpec | None) -> dict[str, dict[str, Any]]:
    return {"limits": {"pids.max": str(PROCESSES)}, "stop": {"pids.max": "0"}}


def _unified(spec: ReplicaSpec | None) -> dict[str, dict[str, Any]]:
    limits = {"pids.max": str(PROCESSES)}
    if spec and spec.cpu_milli:
        limits["cpu.max"] = f"{_quota_us(spec)} {PERIOD_US}"
    if spec and spec.memory:
        limits |= {"memory.max": str(spec.memory), "memory.oom.group": "1"}
    return {
        "limits": limits,
        "read": {
            "cpu_ms": ("cpu.stat", "usage_usec", 1000),
            "memory_peak": ("memory.peak", "", 1),
            "oom": ("memory.events", "oom_kill", 1),
        },
        "stop": {"cgroup.kill": "1"},
    }


FILES: dict[str, Callable[[ReplicaSpec | None], dict[str, dict[str, Any]]]] = {
    "cpu": _cpu,
    "cpuacct": _cpuacct,
    "memory": _memory,
    "pids": _pids,
    "": _unified,
}


def find(name: str) -> ControlGroups:
    """Make the platform's folders, called `name`, in the control groups of this process where that is allowed."""
    own = dict(_own_groups())
    unified = _join_unified(own[""], name) if "" in own else None
    if unified:
        return ControlGroups(bases={"": unified})
    bases: dict[str, Path] = {}
    for controller in CONTROLLERS:
        base = own[controller] / name if controller in own else None
        try:
            if base is None:
                return ControlGroups(bases={})
            base.mkdir(exist_ok=True)
        except OSError:
            return ControlGroups(bases={})
        bases[controller] = base
    return ControlGroups(bases=bases)


def _own_groups() -> list[tuple[str, Path]]:
    """Return this process's group in each hierarchy as (controller, folder); `""` is version 2's."""
    mounts: dict[str, str] = {}
    for line in supervisor.read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup2":
            mounts.setdefault("", left.split()[4])
        elif kind == "cgroup":
            mounts |= dict.fromkeys(options.split(","), left.split()[4])
    found: list[tuple[str, Path]] = []
    for line in supervisor.read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        found += [(word, Path(mounts[word] + path)) for word in controllers.split(",") if word in mounts]
    return found


def _join_unified(own: Path, name: str) -> Path | None:
    """Make a version 2 folder with all controllers, as near to our own group as its rules allow.

    A group that holds processes cannot hand out controllers, so it is often our parent's; and a process can be
    moved only by who may write to the group above both its old and its new place.
    """
    enable = " ".join(f"+{controller}" for controller in sorted(ALL))
    for parent in (own, *own.parents):
        if not set(supervisor.read(f"{parent}/cgroup.controllers").split()) >= ALL:
            continue
        if not os.access(parent / "cgroup.procs", os.W_OK):
            continue
        base = parent / name
        try:
            supervisor.write(f"{parent}/cgroup.subtree_control", enable)
            base.mkdir(exist_ok=True)
            supervisor.write(f"{base}/cgroup.subtree_control", enable)
        except OSError:
            supervisor.attempt(os.rmdir, base)
            continue
        return base
    return None
