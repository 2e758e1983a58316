"""The product's wheel, built from a copy, so that nothing old of the working tree's build folder gets into it."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from tests.cluster.rig.place import FOLDER, ROOT, sh

PACKAGES = ("hub_config", "spawners", "services", "extensions")
FILES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
PASSED_OVER = ("__pycache__", "node_modules")
WHEELS = FOLDER / "wheels"


def newest_wheel() -> Path:
    """Return the wheel of the working tree as it is, built if need be."""
    files = [ROOT / name for name in FILES]
    for package in PACKAGES:
        every = sorted((ROOT / package).rglob("*"))
        files += [file for file in every if file.is_file() and not set(file.parts) & set(PASSED_OVER)]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    folder = WHEELS / digest.hexdigest()[:16]
    if not list(folder.glob("*.whl")):
        shutil.rmtree(WHEELS, ignore_errors=True)
        copy = WHEELS / "source"
        for file in files:
            target = copy / file.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        sh(sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", folder, copy)
        shutil.rmtree(copy)
    return next(folder.glob("*.whl"))
