"""The package `pumpkin` as workloads get it: a copy any Python can import, whatever its environment has installed."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path


def sdk_folder(data: Path) -> Path | None:
    """Return a folder that holds `pumpkin` and nothing else, made when it is new; None when it is not installed here.

    A copy, since where the package is installed everything else lies beside it. `pumpkin.log_metrics` and its kin need
    the standard library only; the client needs httpx and pydantic of the environment. Blocking, quick.
    """
    found = importlib.util.find_spec("pumpkin")
    if found is None or found.origin is None:
        return None
    package = Path(found.origin).parent
    sources = sorted(path for path in package.rglob("*.py"))
    digest = hashlib.sha256()
    for path in sources:
        digest.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes() + b"\0")
    target = data / "cache" / "sdk" / digest.hexdigest()[:16]
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=target.parent))
    for path in sources:
        copy = fresh / "pumpkin" / path.relative_to(package)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    fresh.chmod(0o755)
    try:
        fresh.rename(target)
    except OSError:  # another replica of the service was first
        shutil.rmtree(fresh)
    return target


def with_sdk(env: Mapping[str, str], folder: Path | None) -> dict[str, str]:
    """Return `env` with the folder behind whatever PYTHONPATH says already."""
    if folder is None:
        return dict(env)
    before = env.get("PYTHONPATH")
    return {**env, "PYTHONPATH": f"{before}{os.pathsep}{folder}" if before else str(folder)}
