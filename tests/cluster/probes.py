"""Run inside a pod of a workload, by its Python: what a workload tries that wants more than it was given.

Prints one JSON object: the name of each probe and what came of it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CLONE_NEWNS = 0x00020000
LIBC = ctypes.CDLL(None, use_errno=True)


def http(url: str) -> str:
    """Return the status of a GET without credentials, or the kind of failure."""
    try:
        context = ssl._create_unverified_context()  # pyright: ignore[reportPrivateUsage] - whoever answers will do
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except OSError as error:
        return type(error).__name__


def call(result: int) -> str:
    """Return how a system call ended."""
    return "done" if result == 0 else errno.errorcode[ctypes.get_errno()]


def write(path: str) -> str:
    """Return what comes of making a file."""
    try:
        Path(path).write_text("x")
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def status(field: str) -> str:
    """Return a line of this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(field + ":"))


PROBES: dict[str, Callable[[], object]] = {
    "user": os.getuid,
    "groups": lambda: sorted({os.getgid(), *os.getgroups()}),
    "capabilities": lambda: [int(status(name), 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")],
    "no new privileges": lambda: status("NoNewPrivs"),
    "seccomp": lambda: status("Seccomp"),
    "account": ACCOUNT.exists,
    "names of services": lambda: sorted(name for name in os.environ if name.endswith("_SERVICE_HOST")),
    "api anonymously": lambda: http("https://kubernetes.default.svc/api/v1/namespaces"),
    "api's secrets": lambda: http("https://kubernetes.default.svc/api/v1/secrets"),
    "kubelet": lambda: http(f"https://{os.environ['NODE_IP']}:10250/pods"),
    "kubelet without password": lambda: http(f"http://{os.environ['NODE_IP']}:10255/pods"),
    "mount": lambda: call(LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
    "new namespace": lambda: call(LIBC.unshare(CLONE_NEWNS)),
    "become root": lambda: call(LIBC.setuid(0)),
    "write an input": lambda: write("/dataset/probe/new"),
    "write a program": lambda: write("/usr/bin/new"),
    "devices": lambda: sorted(name for name in ("mem", "kmsg", "sda", "vda", "fuse") if Path("/dev", name).exists()),
    "processes of others": lambda: [pid for pid in os.listdir("/proc") if pid.isdigit() and not _mine(pid)],
    "kernel settings": lambda: write("/proc/sys/kernel/hostname"),
}


def _mine(pid: str) -> bool:
    try:
        return Path("/proc", pid).stat().st_uid == os.getuid()
    except FileNotFoundError:
        return True


if __name__ == "__main__":
    json.dump({name: probe() for name, probe in PROBES.items()}, sys.stdout)
