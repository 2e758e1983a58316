"""What this machine has: cores and memory within its control group, accelerators by NVML when there is a driver."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import Any, cast

import psutil

from pumpkin_services.resources.models import Accelerator
from pumpkin_services.resources.shapes import NodeCapacity

log = logging.getLogger("pumpkin.resources")
CGROUP = Path("/sys/fs/cgroup")


def detect_node(name: str | None = None) -> NodeCapacity:
    """Look at this machine (blocking: the driver may take a second)."""
    return NodeCapacity(
        name=name or socket.gethostname(),
        cpu_milli=_cpu_milli(),
        memory=_memory(),
        accelerators=tuple(_accelerators()),
    )


def _cpu_milli() -> int:
    cores = len(os.sched_getaffinity(0)) * 1000
    quota, _, period = _read("cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        return max(1, min(cores, int(quota) * 1000 // int(period)))
    return cores


def _memory() -> int:
    total = int(psutil.virtual_memory().total)
    limit = _read("memory.max")
    return min(total, int(limit)) if limit.isdigit() and int(limit) else total


def _read(name: str) -> str:
    """Return a limit of our own control group (version 2), "" when there is none to read."""
    try:
        own = Path("/proc/self/cgroup").read_text().strip().rpartition("::")[2].lstrip("/")
        return (CGROUP / own / name).read_text().strip()
    except OSError:
        return ""


def _accelerators() -> list[Accelerator]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    nvml = cast(Any, pynvml)
    try:
        found: list[Accelerator] = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            found.append(
                Accelerator(
                    index=index,
                    type=_text(nvml.nvmlDeviceGetName(handle)),
                    memory=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
                    uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
                )
            )
        return found
    except pynvml.NVMLError as error:
        log.warning("the accelerators cannot be listed, so none is offered: %s", error)
        return []
    finally:
        pynvml.nvmlShutdown()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
