"""Samples of what running replicas use, from control groups or process times, and from NVML when it is there."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any, cast

import pynvml

from pumpkin_services.runtimes.base import AcceleratorUsage, Usage
from pumpkin_services.runtimes.local import supervisor

TICK_MS = 1000 // os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Accelerators:
    """NVML, opened once; without a driver there are simply no accelerators."""

    def __init__(self) -> None:
        try:
            pynvml.nvmlInit()
            self._count = int(pynvml.nvmlDeviceGetCount())
        except pynvml.NVMLError:
            self._count = 0

    def sample(self, indices: Sequence[int]) -> list[AcceleratorUsage]:
        """Return utilization and memory of the accelerators that answer."""
        nvml = cast(Any, pynvml)
        found: list[AcceleratorUsage] = []
        for index in indices:
            if index >= self._count:
                continue
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                rates = nvml.nvmlDeviceGetUtilizationRates(handle)
                memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            except pynvml.NVMLError:
                continue
            found.append(AcceleratorUsage(index=index, utilization=float(rates.gpu) / 100, memory=int(memory.used)))
        return found


def sample(replica: str, started: dict[str, Any], accelerators: Accelerators) -> Usage:
    """Return a running replica's sample; `started` is what its supervisor wrote when it started."""
    groups: list[dict[str, Any]] = started["cgroups"]
    cpu_ms, memory = _of_groups(groups) if groups else _of_processes(started["supervisor"])
    return Usage(
        replica=replica,
        time=time.time_ns() // 1_000_000,
        cpu_ms=cpu_ms,
        memory=memory,
        accelerators=accelerators.sample(started["accelerators"]),
    )


def _of_groups(groups: list[dict[str, Any]]) -> tuple[int, int]:
    """Return CPU time and memory without the file cache the kernel can take back."""
    memory = 0
    for group in groups:
        for file, cache in (("memory.usage_in_bytes", "total_inactive_file"), ("memory.current", "inactive_file")):
            used = supervisor.counter(supervisor.read(f"{group['path']}/{file}"), "")
            if used is not None:
                stat = supervisor.read(f"{group['path']}/memory.stat")
                memory = max(0, used - (supervisor.counter(stat, cache) or 0))
    return int(supervisor.totals(groups).get("cpu_ms", 0)), memory


def _of_processes(root: int) -> tuple[int, int]:
    """Sum up a supervisor's descendants, with the time of those already reaped."""
    ticks = pages = 0
    for pid in {root, *supervisor.descendants(root)}:
        fields = supervisor.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        if fields:
            own = [int(value) for value in fields[11:15]]
            ticks += sum(own[2:]) if pid == root else sum(own)
            pages += 0 if pid == root else int(fields[21])
    return ticks * TICK_MS, pages * PAGE
