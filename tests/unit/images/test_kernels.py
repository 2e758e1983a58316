"""Environments as kernels of a notebook; the one with a real kernel needs the package registry uv is set up for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from pumpkin_services.images.kernels import activate, kernelspec, write_kernelspecs
from pumpkin_services.images.views import EnvironmentRef
from tests.unit.images.conftest import Platform, person

REF = EnvironmentRef(
    version_id="v", environment_id="e1", workspace="lab", name="torch", number=3, state="ready", digest="d",
    prefix=Path("/e/d"), python=Path("/e/d/bin/python"), kernel=True, server=False,
)  # fmt: skip


def test_activating_puts_the_environment_before_the_path() -> None:
    assert activate(Path("/e/d"), path="/bin") == {"PATH": "/e/d/bin:/bin", "VIRTUAL_ENV": "/e/d"}


def test_a_version_that_is_not_ready_is_no_kernel() -> None:
    with pytest.raises(ValueError, match="lab/torch@3"):
        kernelspec(replace(REF, prefix=None, python=None, state="building"))


def test_the_kernels_folder_shows_exactly_the_environments_given(tmp_path: Path) -> None:
    (tmp_path / "kernels" / "users-own").mkdir(parents=True)
    other = replace(REF, environment_id="e2", kernel=False)
    assert write_kernelspecs(tmp_path, [REF, other]) == ["pumpkin-e1"]
    spec = json.loads((tmp_path / "kernels/pumpkin-e1/kernel.json").read_text())
    assert spec["metadata"]["pumpkin"]["environment"] == "lab/torch@3"
    assert write_kernelspecs(tmp_path, []) == []
    assert [entry.name for entry in (tmp_path / "kernels").iterdir()] == ["users-own"]


async def test_a_notebook_runs_a_cell_in_a_built_environment(platform: Platform, tmp_path: Path) -> None:
    made = await platform.create("kernel", ["ipykernel", "six"])
    async with platform.building():
        version = await platform.ended(made["id"], seconds=250)
    assert version["state"] == "ready", version
    assert version["kernel"]
    async with platform.database.read() as session:
        refs = await platform.service.usable_kernels(session, person("ann"))
        assert not await platform.service.usable_kernels(session, person("carl"))
    (name,) = write_kernelspecs(tmp_path / "jupyter", refs)
    manager = AsyncKernelManager(
        kernel_name=name, kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(tmp_path / "jupyter/kernels")])
    )
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    printed: list[str] = []
    try:
        await client.wait_for_ready(timeout=60)
        await client.execute_interactive(
            "import os, six, sys; print(sys.prefix, os.environ['PATH'])",
            timeout=60,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
    assert "".join(printed).startswith(f"{version['prefix']} {version['prefix']}/bin:")
