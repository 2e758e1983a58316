"""What people and programs get wrong: each refusal names the field and the way out, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.api.world import problem_faults
from tests.integration.house import House

HUGE = 10**30
NAMES = {
    "dots": "a..b",
    "climbing": "../../etc/passwd",
    "newline": "two\nlines",
    "trailing newline": "name\n",
    "10,000 characters": "a" * 10_000,
    "emoji": "南瓜🎃",
    "upper case": "Digits",
    "space": "my data",
    "slash": "lab/data",
    "leading dash": "-rf",
    "empty": "",
    "NUL": "a\0b",
    "a number": 7,
    "null": None,
}
MADE: dict[str, dict[str, Any]] = {
    "/datasets": {},
    "/algorithms": {},
    "/models": {},
    "/images": {"requirements": []},
    "/workloads/jobs": {"spec": "cpu-small", "command": ["true"]},
    "/accounts/workspaces": {},
    "/resources/specs": {"cpu_milli": 100, "memory": 1 << 26},
    "/resources/pools": {},
}


@pytest.fixture(scope="module")
def api(platform: House) -> httpx.Client:
    """An admin: whoever may do everything is refused only for what is wrong."""
    return platform.admin.api


def refusal(answer: httpx.Response, status: int, field: str | None = None) -> str:
    """Check a refusal's form, status and field; return its sentence."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:300]}"
    assert not problem_faults(answer), answer.text
    document = answer.json()
    if field is not None:
        assert field in [error["field"] for error in document["errors"]], document
    assert len(document["detail"]) < 1000, "a sentence does not repeat what was sent"
    return document["detail"]


@pytest.mark.parametrize("path", MADE)
@pytest.mark.parametrize("case", NAMES)
def test_a_bad_name_is_refused_everywhere(api: httpx.Client, path: str, case: str) -> None:
    detail = refusal(api.post(path, json=MADE[path] | {"name": NAMES[case]}), 422, "name")
    if isinstance(NAMES[case], str) and case not in ("10,000 characters", "NUL"):
        assert "lower-case letters, digits" in detail


@pytest.mark.parametrize(
    "reference",
    ["../x", "a@0", "a@-1", "a@99999999999", "a@b", "@1", "/a", "a\nb", "🎃", "x" * 10_000, "", "a/b/c/d@1"],
)
@pytest.mark.parametrize("kind", ["datasets", "algorithms", "models", "images"])
def test_what_is_no_reference_is_refused(api: httpx.Client, kind: str, reference: str) -> None:
    refusal(api.get(f"/{kind}/resolve", params={"reference": reference}), 422, "reference")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spec", "no-such-spec"),
        ("spec", HUGE),
        ("datasets", ["no-such-dataset@1"]),
        ("algorithm", "no-such-algorithm"),
        ("models", ["nobody/no-such-model@7"]),
        ("environment", "no-such-environment"),
        ("workspace", "no-such-workspace"),
        ("retries", -1),
        ("retries", HUGE),
        ("priority", 101),
        ("replicas", 0),
        ("deadline_seconds", HUGE),
        ("budget_micro", -1),
        ("backoff_seconds", "soon"),
        ("command", []),
        ("command", ["a\0b"]),
        ("env", {"A=B": "c"}),
        ("env", {"PUMPKIN_TOKEN": "mine"}),
        ("labels", ["\n"]),
        ("nonsense", 1),
    ],
)
def test_a_job_that_cannot_be_is_refused_at_submit(api: httpx.Client, field: str, value: Any) -> None:
    job: dict[str, Any] = {"name": "bad", "spec": "cpu-small", "command": ["true"], field: value}
    answer = api.post("/workloads/jobs", json=job)
    assert answer.status_code in (403, 404, 422), answer.text
    assert not problem_faults(answer)
    fields = [error["field"] for error in answer.json()["errors"]]
    assert any(name == field or name.startswith(f"{field}.") for name in fields), answer.text


def test_a_spec_that_can_never_fit_is_refused_naming_the_largest_that_would(api: httpx.Client) -> None:
    whale = {"name": "whale", "cpu_milli": 10**9, "memory": 1 << 50}
    api.post("/resources/specs", json=whale).raise_for_status()
    try:
        answer = api.post("/workloads/jobs", json={"name": "bad", "spec": "whale", "command": ["true"]})
        detail = refusal(answer, 422, "spec")
        assert answer.json()["largest"] in detail
    finally:
        api.delete("/resources/specs/whale").raise_for_status()


@pytest.mark.parametrize("price", [-1, HUGE, 1.5, "free"])
def test_a_price_is_a_whole_number_from_zero_up(api: httpx.Client, price: Any) -> None:
    spec = {"name": "priced", "cpu_milli": 1, "memory": 1, "price_micro": price}
    refusal(api.post("/resources/specs", json=spec), 422, "price_micro")
    refusal(api.patch("/resources/specs/cpu-small", json={"price_micro": price}), 422, "price_micro")


@pytest.mark.parametrize("amount", [0, -5, HUGE, 0.1])
def test_a_recharge_is_a_positive_whole_number(api: httpx.Client, amount: Any) -> None:
    refusal(api.post("/billing/recharges", json={"workspace": "admin", "amount_micro": amount}), 422, "amount_micro")


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/datasets", {"cursor": "not-a-cursor"}, "cursor"),
        ("/workloads", {"cursor": "AAAA"}, "cursor"),
        ("/accounts/audit", {"cursor": "/w=="}, "cursor"),
        ("/datasets", {"limit": 0}, "limit"),
        ("/datasets", {"limit": HUGE}, "limit"),
        ("/datasets", {"limit": "many"}, "limit"),
        ("/datasets", {"nonsense": 1}, "nonsense"),
        ("/resources/limits/mine", {"nonsense": 1}, "nonsense"),
        ("/workloads", {"phase": "dreaming"}, "phase.0"),
        ("/billing/ledger", {"start": "yesterday"}, "start"),
        ("/billing/ledger", {"start": "2026-01-01T00:00:00"}, "start"),
        ("/billing/statement", {}, "workspace"),
    ],
)
def test_a_bad_query_names_its_parameter(api: httpx.Client, path: str, query: dict[str, Any], field: str) -> None:
    refusal(api.get(path, params=query), 422, field)


def test_ids_and_numbers_no_page_handed_out_are_not_found(api: httpx.Client) -> None:
    paths = (
        "/workloads/{}",
        "/images/{}",
        "/images/{}/versions/{}",
        "/datasets/admin/{}",
        "/datasets/{}/x/versions/{}",
        "/resources/specs/{}",
        "/accounts/users/{}",
    )
    api.post("/datasets", json={"name": "known"}).raise_for_status()
    for part in ("9" * 40, "-1", "0", "1e3", "latest.", "🎃", "..%2f..", "x" * 5000):
        for path in paths:
            refusal(api.get(path.format(part, part)), 404)
        assert api.get(f"/datasets/admin/known/versions/{part}").status_code in (404, 422)


def test_a_body_that_is_not_what_the_route_takes_is_refused(api: httpx.Client) -> None:
    def post(content: bytes, kind: str = "application/json") -> httpx.Response:
        return api.post("/datasets", content=content, headers={"Content-Type": kind})

    good = b'{"name": "never-made"}'
    assert "Content-Type: application/json" in refusal(post(good, "text/plain"), 415, "Content-Type")
    refusal(post(b"name=never-made", "application/x-www-form-urlencoded"), 415, "Content-Type")
    for broken in (b"", b"{", b"{'name': 1}", b"\xff\xfe", b'{"name": "\\ud800"}', b"NaN", b'"text"', b"[]", b"null"):
        answer = post(broken)
        assert answer.status_code in (400, 422), answer.text
        assert not problem_faults(answer)
    assert "extra" in refusal(post(b'{"name": "never-made", "extra": 1}'), 422, "extra").lower()
    assert api.get("/datasets", params={"name": "never-made"}).json()["items"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/datasets"), ("POST", "/workloads/jobs"), ("POST", "/workloads/notebooks"), ("PATCH", "/accounts/me")],
)
def test_json_nested_ten_thousand_deep_is_refused(api: httpx.Client, method: str, path: str) -> None:
    deep = "[" * 10_000 + "]" * 10_000
    objects = '{"a":' * 10_000 + "1" + "}" * 10_000
    for body in (deep, objects, f'{{"name": "deep", "labels": {deep}}}', f'{{"name": "deep", "env": {objects}}}'):
        answer = api.request(method, path, content=body.encode(), headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert not problem_faults(answer)


def test_yaml_that_expands_or_nests_without_end_is_refused(api: httpx.Client) -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text in (laughs, "[" * 10_000, "a: [" * 2000, "name: !!python/object/apply:os.system ['true']", "\t", "x: \0"):
        answer = api.post("/workloads/jobs/yaml", json={"yaml": text})
        assert answer.status_code == 422, answer.text
        assert not problem_faults(answer)


def test_a_gigabyte_is_refused_before_it_is_sent_or_while_it_is(platform: House, api: httpx.Client) -> None:
    sent = 0

    def gigabyte() -> Iterator[bytes]:
        nonlocal sent
        block = b" " * (1 << 20)
        for _ in range(1 << 10):
            sent += len(block)
            yield block

    headers = {"Content-Type": "application/json"}
    answer = api.post("/datasets", content=gigabyte(), headers=headers | {"Content-Length": str(1 << 30)})
    assert answer.status_code == 413, answer.text
    assert not problem_faults(answer)
    sent = 0
    answer = api.post("/datasets", content=gigabyte(), headers=headers)
    assert answer.status_code == 413, answer.text
    assert sent < 1 << 29
    assert api.get("/health").status_code == 200


@pytest.mark.parametrize("tag", ["nonsense", '"x"', "-1", '"1", "2"', "9" * 30, "W/"])
def test_an_if_match_this_api_never_gave_is_refused(api: httpx.Client, tag: str) -> None:
    answer = api.patch("/accounts/me", json={"display_name": "A"}, headers={"If-Match": tag})
    refusal(answer, 422, "If-Match")


def test_an_edit_of_an_old_revision_says_what_the_present_one_is(api: httpx.Client) -> None:
    first = api.patch("/accounts/me", json={"display_name": "A"})
    api.patch(
        "/accounts/me", json={"display_name": "B"}, headers={"If-Match": first.headers["ETag"]}
    ).raise_for_status()
    late = api.patch("/accounts/me", json={"display_name": "C"}, headers={"If-Match": first.headers["ETag"]})
    assert "fetch it again" in refusal(late, 412)
    assert api.get("/accounts/me").json()["display_name"] == "B"


def test_an_idempotency_key_is_for_one_request(api: httpx.Client) -> None:
    key = {"Idempotency-Key": "bad-input-1"}
    first = api.post("/datasets", json={"name": "once"}, headers=key)
    again = api.post("/datasets", json={"name": "once"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = api.post("/datasets", json={"name": "twice"}, headers=key)
    assert "use a new one" in refusal(other, 409, "Idempotency-Key")
    refusal(
        api.post("/datasets", json={"name": "x"}, headers={"Idempotency-Key": "k" * 10_000}), 422, "Idempotency-Key"
    )


def test_text_people_really_write_is_kept_as_it_is(api: httpx.Client) -> None:
    text = "南瓜 🎃 \u202etfel\u202c <script>alert(1)</script> '; DROP TABLE users; --\n\ttabs"
    api.post("/datasets", json={"name": "wordy", "description": text}).raise_for_status()
    answer = api.get("/datasets/admin/wordy")
    assert answer.json()["description"] == text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(answer.content) == answer.json()
