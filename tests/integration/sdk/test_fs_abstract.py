"""fsspec's own tests of a filesystem, over `pumpkin://` and a running platform."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fsspec.tests.abstract import (
    AbstractCopyTests,
    AbstractFixtures,
    AbstractGetTests,
    AbstractOpenTests,
    AbstractPipeTests,
    AbstractPutTests,
)

from pumpkin import Client
from pumpkin.fs import PumpkinFileSystem
from tests.integration.house import House

BOX = "datasets/fs-user/abstract/box"


@pytest.fixture(scope="module")
def filesystem(platform: House, tmp_path_factory: pytest.TempPathFactory) -> PumpkinFileSystem:
    """A filesystem with one dataset that has one file, for a version has one at least."""
    token = platform.user("fs-user").token
    folder: Path = tmp_path_factory.mktemp("fs")
    (folder / "keep.txt").touch()
    with Client(platform.url, token) as client:
        client.datasets.push(folder, "abstract")
    return PumpkinFileSystem(platform.url, token, skip_instance_cache=True)


class PumpkinFixtures(AbstractFixtures):
    """Scenarios nothing changes are made once, each as one version; one by one and for each test they would be many."""

    @pytest.fixture(scope="class")
    def scenarios(self, filesystem: PumpkinFileSystem) -> dict[str, str]:
        def join(*parts: str) -> str:
            return "/".join(parts)

        with filesystem.transaction:
            return {
                name: getattr(self, name)(filesystem, join, f"{BOX}/{name}")
                for name in (
                    "_glob_edge_cases_files",
                    "_bulk_operations_scenario_0",
                    "_dir_and_file_with_same_name_prefix",
                    "_10_files_with_hashed_names",
                )
            }

    @pytest.fixture
    def fs_bulk_operations_scenario_0(self, scenarios: dict[str, str]) -> str:
        return scenarios["_bulk_operations_scenario_0"]

    @pytest.fixture
    def fs_glob_edge_cases_files(self, scenarios: dict[str, str]) -> str:
        return scenarios["_glob_edge_cases_files"]

    @pytest.fixture
    def fs_dir_and_file_with_same_name_prefix(self, scenarios: dict[str, str]) -> str:
        return scenarios["_dir_and_file_with_same_name_prefix"]

    @pytest.fixture
    def fs_10_files_with_hashed_names(self, scenarios: dict[str, str]) -> str:
        return scenarios["_10_files_with_hashed_names"]

    @pytest.fixture
    def fs(self, filesystem: PumpkinFileSystem) -> PumpkinFileSystem:
        return filesystem

    @pytest.fixture
    def fs_path(self) -> str:
        return BOX

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *parts: "/".join(parts)

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return False


class TestCopy(AbstractCopyTests, PumpkinFixtures):
    pass


class TestGet(AbstractGetTests, PumpkinFixtures):
    pass


class TestPut(AbstractPutTests, PumpkinFixtures):
    pass


class TestPipe(AbstractPipeTests, PumpkinFixtures):
    pass


class TestOpen(AbstractOpenTests, PumpkinFixtures):
    pass
