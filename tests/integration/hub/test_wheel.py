"""The wheel alone, in a clean environment, is the whole platform. Needs the Lab extension built (`make` does that)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.house import free_port

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the wheel in it; its `bin` folder."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    # Setuptools builds inside the tree, and what lies in ours must neither get in nor be touched.
    ignored = shutil.ignore_patterns(".venv", ".git", "node_modules", "build", "*.egg-info", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, source, ignore=ignored, symlinks=True)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(place), str(source))
    [wheel] = place.glob("*.whl")
    run(str(UV), "venv", "--quiet", "--python", sys.executable, str(place / "clean"))
    bin_folder = place / "clean" / "bin"
    locked = str(ROOT / "requirements" / "all.txt")
    run(str(UV), "pip", "install", "--quiet", "--python", str(bin_folder / "python"), "-c", locked, f"{wheel}[all]")
    return bin_folder


@pytest.fixture
def pumpkin(installed: Path, tmp_path: Path) -> Iterator[list[str]]:
    """The `pumpkin` command of that environment, with a home and a data folder of its own."""
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PUMPKIN_DATA": str(tmp_path / "data")}
    command = ["env", "-i", *(f"{name}={value}" for name, value in home.items()), str(installed / "pumpkin")]
    try:
        yield command
    finally:
        subprocess.run([*command, "down"], capture_output=True, check=False)


def test_the_wheel_runs_a_platform_and_a_job(installed: Path, pumpkin: list[str]):
    port = free_port()
    assert "first admin" in run(*pumpkin, "up", "--detach", f"--port={port}")
    password = run(*pumpkin, "password", "ann").split()[-1]
    address = f"http://127.0.0.1:{port}"
    login = [*pumpkin, "login", address, "--user", "ann"]
    run(*login, stdin=f"{password}\nharvest-moon-42\nharvest-moon-42\n")
    assert "hello" in run(*pumpkin, "job", "run", "--spec", "cpu-small", "--wait", "echo hello")
    labextensions = run(str(installed / "python"), "-c", LABEXTENSIONS).split()
    assert "@pumpkin/lab" in labextensions


LABEXTENSIONS = """
from pathlib import Path
import pumpkin_spawners.local as local
for package in (local.NOTEBOOK / "data" / "labextensions").glob("*/*/package.json"):
    print("/".join(package.parts[-3:-1]))
"""


def run(*words: str, stdin: str = "") -> str:
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
