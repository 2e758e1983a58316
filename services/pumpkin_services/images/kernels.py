"""Environments in use: the variables that activate one, and the kernels notebooks see."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pumpkin_services.images.views import EnvironmentRef

KERNEL_PREFIX = "pumpkin-"


def activate(prefix: Path, *, path: str = os.defpath) -> dict[str, str]:
    """Return the variables that make `prefix` the Python of a process; `path` is the PATH behind it."""
    return {"PATH": f"{prefix}/bin{os.pathsep}{path}", "VIRTUAL_ENV": str(prefix)}


def kernel_name(ref: EnvironmentRef) -> str:
    """Return the kernel's name: the same for every version, so that notebooks keep it when a new one comes."""
    return f"{KERNEL_PREFIX}{ref.environment_id}"


def kernelspec(ref: EnvironmentRef) -> dict[str, Any]:
    """Return the `kernel.json` of a ready version that has ipykernel.

    Raises:
        ValueError: if the version is not ready or has no ipykernel.
    """
    if ref.prefix is None or ref.python is None or not ref.kernel:
        raise ValueError(f"{ref} cannot be a kernel")
    return {
        # `pumpkin` is on every workload's PYTHONPATH; loading it gives the kernel `%pumpkin`.
        "argv": [str(ref.python), "-m", "ipykernel_launcher", "--ext=pumpkin", "-f", "{connection_file}"],
        "display_name": f"{ref.name} @{ref.number} ({ref.workspace})",
        "language": "python",
        "env": {**activate(ref.prefix, path="${PATH}"), "PUMPKIN_ENVIRONMENT": str(ref)},
        "metadata": {
            "debugger": True,
            "pumpkin": {"environment": str(ref), "version_id": ref.version_id, "digest": ref.digest},
        },
    }


def write_kernelspecs(folder: Path, refs: Iterable[EnvironmentRef]) -> list[str]:
    """Make `folder`, an entry of JUPYTER_PATH, show exactly these environments as kernels; return their names.

    Versions that are not ready or have no ipykernel are left out.
    """
    kernels = folder / "kernels"
    kernels.mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    for ref in refs:
        if ref.prefix is None or not ref.kernel:
            continue
        target = kernels / kernel_name(ref)
        target.mkdir(exist_ok=True)
        fresh = target / ".kernel.json"
        fresh.write_text(json.dumps(kernelspec(ref), indent=1))
        fresh.replace(target / "kernel.json")
        written.append(target.name)
    for stale in kernels.glob(f"{KERNEL_PREFIX}*"):
        if stale.name not in written:
            shutil.rmtree(stale, ignore_errors=True)
    return written
