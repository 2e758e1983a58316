"""The whole OpenAPI document against a platform, with input made up from it: no 5xx, every answer as declared.

Each made-up request is sent twice: as it is, and about things that exist. The node is drained, so nothing runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.api.world import STREAMS, World, build, problem_faults
from tests.integration.house import House

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The coverage phase makes a text of every greatest length: gigabytes of them.
CONFIG = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
schema = schemathesis.openapi.from_path(Path(__file__).parents[3] / "docs" / "openapi.json", config=CONFIG)
SETTINGS = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
KEEPS = re.compile(r"/undrain$|/stop$|/freeze$")
"""What would take away, start or shut out what the others need is tried on things that do not exist only."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    house = House(data=tmp_path_factory.mktemp("made-up") / "data")
    # Made-up requirements are nobody's business: no index is asked.
    house.configure('c.Platform.environment_index = "http://127.0.0.1:9/simple"\n')
    try:
        yield build(house.up())
    finally:
        house.tear_down()


def send(world: World, case: Any, who: str) -> None:
    headers = {"Authorization": world.people[who].headers["Authorization"]}
    if not (STREAMS.search(case.path) and case.path_parameters == real(world, case)):
        answer = case.call_and_validate(
            base_url=world.house.api_url, headers=headers, checks=CHECKS, timeout=30, allow_redirects=False
        )
        if answer.status_code >= 400 and case.method != "HEAD":
            assert not problem_faults(Answer(answer)), answer.text


class Answer:
    """A schemathesis response, as far as `problem_faults` looks."""

    def __init__(self, answer: Any) -> None:
        self.status_code = answer.status_code
        self.headers = {"Content-Type": answer.headers["content-type"][0]}
        self.json = answer.json


def real(world: World, case: Any) -> dict[str, str]:
    values = world.parts(str(case.operation.definition.raw["tags"][0]))
    return {name: values[name] for name in case.path_parameters or {}}


def both(world: World, case: Any, who: str) -> None:
    send(world, case, who)
    if (
        case.path_parameters
        and case.method != "DELETE"
        and not KEEPS.search(case.path)
        and not STREAMS.search(case.path)
    ):
        case.path_parameters = real(world, case)
        send(world, case, who)


# Datasets, algorithms and models share one implementation.
@schema.exclude(tag="algorithms").parametrize()
@SETTINGS
def test_an_admin_gets_the_answers_declared_whatever_they_send(case: Any, world: World) -> None:
    both(world, case, "admin")


@schema.include(tag=["accounts", "billing", "datasets", "images", "workloads"]).parametrize()
@SETTINGS
def test_a_user_gets_the_answers_declared_whatever_they_send(case: Any, world: World) -> None:
    both(world, case, "olga")
