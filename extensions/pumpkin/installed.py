"""What is installed for a Python, as lines of requirements. The standard library only: any Python can run this file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any


def installed() -> list[str]:
    """Return a line per package of the running Python (`numpy==2.0`), sorted; what came from elsewhere names it.

    Of packages that are there twice, the one an import would find counts.
    """
    found: dict[str, str] = {}
    for name, item in _named():
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), _line(name, item))
    return [found[name] for name in sorted(found)]


def installed_for(python: str) -> list[str]:
    """Return the same for another Python; raise `ValueError` with its last words if it cannot tell."""
    try:
        told = subprocess.run([python, __file__], capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(str(error)) from error
    if told.returncode:
        raise ValueError(told.stderr.strip()[-200:])
    return told.stdout.splitlines()


def _named() -> Iterator[tuple[str, Distribution]]:
    here = str(Path(__file__).parent)
    for item in distributions(path=[entry for entry in sys.path if entry != here]):
        if name := item.metadata["Name"]:
            yield name, item


def _line(name: str, item: Distribution) -> str:
    try:
        origin: dict[str, Any] = json.loads(item.read_text("direct_url.json") or "{}")
    except ValueError:
        origin = {}
    url = str(origin.get("url", ""))
    if not url:
        return f"{name}=={item.version}"
    if origin.get("dir_info", {}).get("editable"):
        return f"-e {url}"
    if vcs := origin.get("vcs_info"):
        return f"{name} @ {vcs['vcs']}+{url}@{vcs['commit_id']}"
    return f"{name} @ {url}"


if __name__ == "__main__":
    print("\n".join(installed()))
