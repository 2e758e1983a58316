"""Calls to the API server, as its admin."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.cluster.rig.build import module
from tests.cluster.rig.place import API, PKI


def call(method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
    """Return what the API answers: a document, or text. Refusals are `urllib.error.HTTPError`s."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    with _open(method, path, data, kind) as reply:
        answer = reply.read()
    return json.loads(answer) if answer.startswith(b"{") else answer.decode()


def create(path: str, document: dict[str, Any]) -> None:
    """Make an object unless it is there."""
    _forgiving(409, "POST", path, document)


def delete(path: str) -> None:
    """Remove an object unless it is gone."""
    _forgiving(404, "DELETE", path)


def _forgiving(code: int, method: str, path: str, body: Any = None) -> None:
    try:
        call(method, path, body)
    except urllib.error.HTTPError as error:
        if error.code != code:
            raise


def watch(path: str, seconds: int) -> Iterator[dict[str, Any]]:
    """Yield what happens to a list's objects for so long; what there is already comes first."""
    with _open("GET", f"{path}?watch=1&timeoutSeconds={seconds}") as reply:
        yield from map(json.loads, reply)


def _open(method: str, path: str, data: bytes | None = None, kind: str = "application/json") -> Any:
    headers = {"Authorization": f"Bearer {(PKI / 'token').read_text()}", "Content-Type": kind}
    request = urllib.request.Request(API + path, method=method, data=data, headers=headers)
    context = ssl.create_default_context(cafile=str(PKI / "ca.crt"))
    return urllib.request.urlopen(request, context=context, timeout=30)


def apply_crds() -> None:
    """Make Volcano's kinds known; server-side apply takes its module's YAML as it is."""
    for crd in sorted(module("volcano.sh/volcano").glob("config/crd/*/bases/*.yaml")):
        group, _, plural = crd.stem.partition("_")
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}?fieldManager=rig&force=true"
        call("PATCH", path, crd.read_bytes(), "application/apply-patch+yaml")
