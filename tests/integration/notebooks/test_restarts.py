"""Notebooks while parts of the platform are killed."""

from __future__ import annotations

import time

from tests.integration.notebooks.conftest import Person, until


def test_a_notebook_lives_through_a_killed_hub_and_is_found_again(person: Person):
    person.spawn(spec="cpu-small")
    person.ready()
    [notebook] = person.notebooks("running")
    person.house.kill("hub")
    until(person.house.answers)
    person.ready()
    assert person.workload(notebook["id"])["phase"] == "running"
    person.hub.delete(f"/users/{person.name}/server").raise_for_status()
    until(lambda: person.workload(notebook["id"])["phase"] == "stopped")


def test_a_platform_that_is_away_does_not_end_notebooks(person: Person):
    person.spawn(spec="cpu-small")
    person.ready()
    person.house.kill("service")
    time.sleep(2)
    until(person.house.answers)
    assert person.server()["ready"]
    assert person.notebooks("running")
