"""What this machine offers a sandbox: whether bubblewrap works, interpreters, device files, what to hide."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from pumpkin_services.runtimes.local.layout import SYSTEM, Host

HIDDEN_FILES = ("shadow", "shadow-", "gshadow", "gshadow-", "sudoers", "krb5.keytab")
HIDDEN_FOLDERS = ("ssh", "ssl/private", "sudoers.d")
SHARED_DEVICES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")


def find() -> Host:
    """Look at this machine once."""
    etc, dev = Path("/etc"), Path("/dev")
    # /etc/resolv.conf is often a link to where the sandbox shows nothing.
    # The platform's own Python too: notebook servers run from it, whatever environment their kernels have.
    wanted = [sys.base_prefix, sys.prefix, *_sources(), str(Path("/etc/resolv.conf").resolve())]
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


def _sources() -> list[str]:
    """Return the folders of what the user's processes load of ours, where it is not installed but a checkout."""
    found = [find_spec(name) for name in ("pumpkin", "pumpkin_server", "pumpkin_spawners")]
    roots = {str(Path(spec.origin).parent.parent) for spec in found if spec is not None and spec.origin}
    return sorted(root for root in roots if not Path(root).is_relative_to(sys.prefix))


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
