"""Finding configurable-http-proxy, and installing it from the packaged lock file when it is not there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from pumpkin_hub.place import Refused

LOCK = Path(__file__).parent / "node"
SCRIPT = "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
LEAST_NODE = (20, 19)  # from here on Node loads the proxy's ES modules by require()
HELP = "install Node.js 20.19 or newer and run this again, or put configurable-http-proxy on PATH"


def beside_python() -> Path:
    """Return the folder of the copy that belongs to this Python environment (`make` puts it there)."""
    return Path(sys.prefix) / "share" / "pumpkin" / "proxy"


def find(data: Path) -> tuple[str, ...] | None:
    """Return the command of the proxy: beside this Python, in the data folder, or on PATH; None if nowhere."""
    node = shutil.which("node")
    for folder in (beside_python(), data / "proxy"):
        if node and (folder / SCRIPT).exists():
            return (node, str(folder / SCRIPT))
    found = shutil.which("configurable-http-proxy")
    return (found,) if found else None


def find_or_install(data: Path) -> tuple[str, ...]:
    """Return the command of the proxy, installed into the data folder if need be; raise `Refused` if it cannot."""
    command = find(data)
    if command is None:
        install(data / "proxy")
        command = find(data)
    if command is None:
        raise Refused(f"The proxy cannot be found after it was installed: {HELP}.")
    return command


def install(folder: Path) -> None:
    """Install the locked proxy into `folder` with npm; raise `Refused` saying what is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Refused(f"The proxy (configurable-http-proxy) is not installed and needs Node.js: {HELP}.")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    match = re.match(r"v(\d+)\.(\d+)", version)
    if match is None or (int(match[1]), int(match[2])) < LEAST_NODE:
        raise Refused(f"Node.js here is {version or 'broken'}, too old for the proxy: {HELP}.")
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(LOCK, fresh)
    # No install scripts: the proxy has none, and nothing that is not in the lock file should run.
    command = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = [line for line in done.stderr.splitlines() if line.startswith("npm error")][:1] or [done.stderr[-200:]]
        raise Refused(f"npm could not install the proxy ({last[0].strip()}): {HELP}.")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


if __name__ == "__main__":
    try:
        install(beside_python())
    except Refused as error:
        sys.exit(str(error))
