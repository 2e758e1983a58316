"""What is the S3 store's own: signed URLs good for one thing only, and what it says when the store is not well."""

from __future__ import annotations

import base64
import hashlib
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from minio.credentials.credentials import Credentials

from pumpkin_services.db import new_id
from pumpkin_services.problems import Conflict, Problem, Unavailable
from pumpkin_services.storage.base import SignedPut
from pumpkin_services.storage.cors import RULE, with_rule
from pumpkin_services.storage.presign import presign
from pumpkin_services.storage.s3 import S3Store
from tests import s3
from tests.unit.storage.conftest import MakeStore, put

BODY = b"what was agreed on"
ALIKE = BODY.swapcase()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=5)


def fresh() -> str:
    return f"packs/{new_id()}"


def send(target: SignedPut, data: bytes, *, url: str | None = None, **headers: str) -> int:
    """PUT `data` to a target as a client does; return the status."""
    return httpx.put(url or target.url, content=data, headers=target.headers | headers, trust_env=False).status_code


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False)


@pytest.fixture
def store(s3_store: MakeStore) -> S3Store:
    return s3_store()


def test_more_objects_than_one_page_are_listed(store: S3Store) -> None:
    keys = {put(store, b"") for _ in range(1003)}
    assert {found.key for found in store.list("packs/")} == keys


def test_a_bucket_may_be_shared_by_prefix(s3_store: MakeStore) -> None:
    one, other = s3_store(prefix="one"), s3_store(prefix="/other/")
    key = put(one, b"mine")
    assert other.stat(key) is None
    assert list(other.list()) == []
    assert one.read(key) == b"mine"


def test_a_target_takes_the_agreed_bytes_and_nothing_else(store: S3Store) -> None:
    key = fresh()
    target = store.presign_put(key, size=len(BODY), sha256=sha(BODY), expires=soon())
    other_hash = base64.b64encode(hashlib.sha256(ALIKE).digest()).decode()
    assert send(target, BODY + b"!") == 403  # another size
    assert send(target, BODY[:-1]) == 403
    assert send(target, ALIKE) == 400  # other bytes of that size
    assert send(target, ALIKE, **{"x-amz-checksum-sha256": other_hash}) == 403
    assert httpx.put(target.url, content=BODY, trust_env=False).status_code == 403  # without what was signed
    assert store.stat(key) is None
    assert send(target, BODY) == 200
    assert store.read(key) == BODY
    assert store.checksum(key) == sha(BODY)
    # Again is fine, as long as it is the same: who lost the answer may repeat.
    assert send(target, BODY) == 200
    assert send(target, ALIKE) == 400
    assert store.read(key) == BODY


def test_a_target_for_one_body_takes_no_second(store: S3Store) -> None:
    key = fresh()
    target = store.presign_put(key, size=len(BODY), sha256=None, expires=soon(), once=True)
    assert send(target, BODY[:-1]) == 403  # another size
    assert httpx.put(target.url, content=BODY, trust_env=False).status_code == 403  # without what was signed
    assert store.stat(key) is None
    assert send(target, BODY) == 200
    for body in (ALIKE, BODY):
        assert send(target, body) == 412
    assert store.read(key) == BODY


def test_a_signed_url_is_good_for_its_own_object_and_method(store: S3Store) -> None:
    mine, theirs = put(store, b"mine"), put(store, b"theirs")
    url = store.presign_get(mine, expires=soon())
    assert get(url).content == b"mine"
    assert get(url, Range="bytes=1-2").content == b"in"
    assert get(url.replace(mine, theirs)).status_code == 403
    assert get(url.replace(mine, "")).status_code == 403  # no listing either
    assert get(url + "&versionId=1").status_code == 403
    for method in ("PUT", "DELETE"):
        assert httpx.request(method, url, trust_env=False).status_code == 403
    target = store.presign_put(fresh(), size=len(BODY), sha256=sha(BODY), expires=soon())
    assert send(target, BODY, url=target.url.replace(urlsplit(target.url).path, urlsplit(url).path)) == 403
    assert get(target.url).status_code == 403
    assert store.read(mine) == b"mine"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_signed_url_expires_and_cannot_be_prolonged(store: S3Store, s3_server: s3.Server, method: str) -> None:
    key = put(store, BODY)
    place = urlsplit(store.presign_get(key, expires=soon()))
    url = presign(
        method,
        f"{place.scheme}://{place.netloc}{place.path}",
        headers={},
        region=s3.REGION,
        credentials=Credentials(s3_server.access_key, s3_server.secret_key),
        now=datetime.now(UTC) - timedelta(seconds=120),
        seconds=60,
    )
    assert httpx.request(method, url, trust_env=False).status_code == 403
    longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")
    assert httpx.request(method, longer, trust_env=False).status_code == 403
    assert store.read(key) == BODY


def test_the_secret_is_in_no_url(store: S3Store, s3_server: s3.Server) -> None:
    target = store.presign_put(fresh(), size=1, sha256=sha(b"x"), expires=soon())
    assert s3_server.secret_key not in repr(target) + store.presign_get(fresh(), expires=soon())


def test_without_its_hash_an_object_goes_through_the_platform(store: S3Store, s3_store: MakeStore) -> None:
    key = fresh()
    assert store.presign_put(key, size=5, sha256=None, expires=soon()).url.startswith(f"/api/v1/objects/{key}?")
    far = s3_store(direct=False)
    assert far.presign_put(key, size=5, sha256=sha(BODY), expires=soon()).url.startswith("/api/v1/objects/")
    assert far.presign_get(key, expires=soon()).startswith("/api/v1/objects/")


def test_clients_get_the_public_address(s3_store: MakeStore, s3_server: s3.Server) -> None:
    key = fresh()
    near = s3_store(public_endpoint="https://s3.example.org:443")
    target = near.presign_put(key, size=1, sha256=sha(b"x"), expires=soon())
    assert target.url.startswith("https://s3.example.org/")
    other_name = s3_store(public_endpoint=s3_server.endpoint.replace("127.0.0.1", "localhost"))
    data = put(other_name, b"data")
    assert get(other_name.presign_get(data, expires=soon())).content == b"data"


def test_an_object_is_never_replaced(store: S3Store) -> None:
    key = put(store, b"first")
    with store.create(key) as sink:  # the answer to the first try may have been lost
        sink.write(b"first")
    with pytest.raises(Conflict), store.create(key) as sink:
        sink.write(b"second")
    assert store.read(key) == b"first"


def test_the_key_may_come_from_a_file(s3_store: MakeStore, s3_server: s3.Server, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    keys = f"aws_access_key_id = {s3_server.access_key}\naws_secret_access_key = {s3_server.secret_key}\n"
    file.write_text(f"[default]\n{keys}")
    store = s3_store(access_key="", secret_key="", credentials_file=str(file))
    assert store.read(put(store, b"data")) == b"data"


def test_a_wrong_key_and_a_bucket_that_is_not_there_are_named(s3_store: MakeStore) -> None:
    for settings, said in (
        ({"secret_key": "wrong"}, r"key.*c\.S3"),
        ({"bucket": "none-such"}, r"no bucket 'none-such'"),
    ):
        store = s3_store(**settings)
        for act in (lambda store=store: put(store, b"x"), lambda store=store: list(store.list())):
            with pytest.raises(Unavailable, match=said):
                act()


def test_a_store_that_is_away_is_said_so(s3_store: MakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpkin_services.storage.s3.TRIES", 3)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        store = s3_store(endpoint=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        for act in (lambda: store.read(fresh()), lambda: put(store, b"x")):
            with pytest.raises(Problem, match="does not answer right now: try again") as refusal:
                act()
            assert (refusal.value.status, refusal.value.reason) == (503, "storage_unavailable")


def preflight(target: SignedPut, origin: str) -> httpx.Response:
    """Ask the store as a browser does before it sends."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type,x-amz-checksum-sha256",
    }
    return httpx.options(target.url, headers=headers, trust_env=False)


def test_pages_that_are_named_may_send_and_rules_of_others_stay(s3_store: MakeStore) -> None:
    page, other = "https://hub.example.org", "https://other.example.org"
    store = s3_store(browser_origins=[page])
    store.open()
    target = store.presign_put(fresh(), size=len(BODY), sha256=sha(BODY), expires=soon())
    allowed = preflight(target, page)
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, page)
    assert preflight(target, other).status_code == 403
    assert (store.admits(page), store.admits(other)) == (True, False)
    theirs = with_rule(None, [other]).replace(RULE.encode(), b"theirs")
    assert store.cors("PUT", theirs).status == 200
    for _ in range(2):
        store.open()
        document = store.cors("GET").data
        assert (document.count(b"<ID>theirs</ID>"), document.count(f"<ID>{RULE}</ID>".encode())) == (1, 1)
    assert {preflight(target, origin).status_code for origin in (page, other)} == {200}


def test_no_page_is_let_in_unless_the_configuration_says_so(s3_store: MakeStore) -> None:
    store = s3_store()
    assert (store.page_target, store.admits("https://hub.example.org"), store.cors("GET").status) == ("", False, 404)
    through_us = s3_store(browser_origins=["*"], direct=False)
    assert (through_us.page_target, through_us.admits("https://hub.example.org")) == ("", False)
