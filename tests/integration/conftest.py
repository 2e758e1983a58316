"""Fixtures of the tests that need a whole platform.

`platform`: one running instance shared by the session; make users of your own, with `platform.user("name")`.
`make_platform`: a factory of instances for tests that kill or configure things; not started, see `House.up`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.house import House, running


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from running(tmp_path_factory.mktemp("platform") / "data")


@pytest.fixture
def make_platform(tmp_path: Path) -> Iterator[Callable[[], House]]:
    houses: list[House] = []

    def make() -> House:
        houses.append(House(data=tmp_path / f"data{len(houses)}"))
        return houses[-1]

    try:
        yield make
    finally:
        for house in houses:
            house.tear_down()
