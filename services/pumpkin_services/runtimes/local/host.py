"""What this machine offers a sandbox: whether bubblewrap works, interpreters, device files, what to hide."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from pumpkin_services.runtimes.local.layout import SYSTEM, Host

HIDDEN_FILES = ("shadow", "shadow-", "gshadow", "gshadow-", "sudoers", "krb5.keytab")
HIDDEN_FOLDERS = ("ssh", "ssl/private", "sudoers.d")
SHARED_DEVICES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")


def find() -> Host:
    """Look at this machine once."""
    etc, dev = Path("/etc"), Path("/dev")
    # /etc/resolv.conf is often a link to where the sandbox shows nothing.
    wanted = [sys.base_prefix, str(Path("/etc/resolv.conf").resolve())]
    devices = {-1: [str(dev / name) for name in SHARED_DEVICES if (dev / name).exists()]}
    for path in dev.glob("nvidia*"):
        if match := re.fullmatch(r"nvidia(\d+)", path.name):
            devices[int(match[1])] = [str(path)]
    return Host(
        prefixes=[path for path in wanted if not path.startswith(SYSTEM) and Path(path).exists()],
        hidden_files=[str(etc / name) for name in HIDDEN_FILES if (etc / name).is_file()],
        hidden_folders=[str(etc / name) for name in HIDDEN_FOLDERS if (etc / name).is_dir()],
        devices=devices,
    )


def bubblewrap() -> str | None:
    """Return bubblewrap's path if it is there and this user may make sandboxes with it."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    trial = [program, "--unshare-pid", "--unshare-ipc", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    try:
        done = subprocess.run([*trial, "/bin/true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return program if done.returncode == 0 else None
