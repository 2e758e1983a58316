"""The Hub's spawner against a whole platform: real Hub, real service, real notebook servers."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.house import House
from tests.integration.notebooks.conftest import Person, until


def test_a_notebook_starts_at_once_when_there_is_room(person: Person):
    answer = person.spawn(spec="cpu-small")
    assert answer.status_code in (201, 202), answer.text
    person.ready()
    [notebook] = person.notebooks("running")
    assert notebook["spec"] == "cpu-small"
    assert notebook["workspace"] == person.name


def test_a_start_without_options_takes_the_cheapest_spec_that_is_free(person: Person):
    answer = person.hub.post(f"/users/{person.name}/server")
    assert answer.status_code in (201, 202), answer.text
    person.ready()
    assert person.notebooks("running")[0]["price_micro"] == 0


def test_stopping_in_the_hub_ends_the_workload(person: Person):
    person.spawn(spec="cpu-small")
    person.ready()
    [notebook] = person.notebooks("running")
    person.hub.delete(f"/users/{person.name}/server").raise_for_status()
    until(lambda: person.workload(notebook["id"])["phase"] == "stopped")
    until(lambda: not person.server())


def test_stopping_on_the_platform_stops_the_hubs_server(person: Person):
    person.spawn(spec="cpu-small")
    person.ready()
    [notebook] = person.notebooks("running")
    person.api.post(f"/workloads/{notebook['id']}/stop").raise_for_status()
    until(lambda: not person.server())


def test_a_notebook_asked_for_on_the_platform_is_started_through_the_hub(person: Person):
    made = person.api.post("/workloads/notebooks", json={"name": "second", "spec": "cpu-small"})
    assert made.status_code == 201, made.text
    person.ready("second")
    assert person.workload(made.json()["id"])["phase"] == "running"
    # What was chosen is kept for the next start, the grant is not: it was good for one.
    assert person.server("second")["user_options"] == {"spec": "cpu-small"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"spec": "cpu-small", "gpu": 1}, "gpu"),
        ({"spec": "cpu-small\n"}, "spec"),
        ({"spec": "cpu-small", "datasets": "digits"}, "datasets"),
        ({"spec": "no-such-spec"}, "no-such-spec"),
        ({"spec": "cpu-small", "datasets": ["no-such-dataset@1"]}, "no-such-dataset"),
    ],
)
def test_a_wrong_option_is_refused_by_name(person: Person, options: dict[str, object], named: str):
    answer = person.spawn(**options)
    assert 400 <= answer.status_code < 500, answer.text
    assert named in answer.json()["message"]
    assert not person.notebooks()


def test_without_room_a_start_ends_at_once_and_keeps_its_place(person: Person, whole: str):
    person.spawn(spec=whole)
    person.ready()
    answer = person.spawn("other", spec=whole)
    assert answer.status_code == 503
    [waiting] = person.notebooks("queued")
    assert f"/queue/{waiting['id']}" in answer.json()["message"]
    # The Hub is not occupied by it, and asking again does not queue it twice.
    assert not person.server("other").get("pending")
    assert person.spawn("other", spec=whole).status_code == 503
    assert [one["id"] for one in person.notebooks("queued")] == [waiting["id"]]
    person.hub.delete(f"/users/{person.name}/server")
    person.ready("other")
    assert person.workload(waiting["id"])["phase"] == "running"


def test_a_grant_of_somebody_else_opens_nothing(person: Person, platform: House):
    other = platform.user("bystander")
    made = other.api.post("/workloads/notebooks", json={"name": "", "spec": "cpu-small"}).json()
    try:
        answer = person.spawn(grant=made["id"])
        assert answer.status_code == 404
    finally:
        other.api.post(f"/workloads/{made['id']}/stop")
        until(lambda: other.api.get(f"/workloads/{made['id']}").json()["phase"] in ("stopped", "failed"))


def test_inside_a_server_the_kernel_knows_pumpkin_and_the_home_is_shown(person: Person):
    person.spawn(spec="cpu-small")
    person.ready()
    headers = {"Authorization": f"token {person.user.token}"}
    base = f"{person.house.url}user/{person.name}/api"
    specs = httpx.get(f"{base}/kernelspecs", headers=headers, timeout=30).json()["kernelspecs"]
    assert "--ext=pumpkin" in specs["python3"]["spec"]["argv"]
    note = {"type": "file", "format": "text", "content": "kept"}
    httpx.put(f"{base}/contents/note.txt", headers=headers, json=note, timeout=30).raise_for_status()
    [home] = (person.house.data / "homes").glob(person.name)
    assert (home / "note.txt").read_text() == "kept"
