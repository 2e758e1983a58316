"""Plain calls to a cluster's API server, as its admin or in the name of somebody else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import kubernetes.config
import urllib3

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
WAIT_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """An HTTP status, and the document or text that came with it."""

    status: int
    body: Any

    @property
    def message(self) -> str:
        """Why it was refused; the text itself where that is no Status."""
        return self.body if isinstance(self.body, str) else str(self.body.get("message", ""))


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Somebody with a kubeconfig. With `user`, everything is done with that user's rights."""

    kubeconfig: Path
    user: str = ""
    groups: Sequence[str] = ()
    _client: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        client = cast(Any, kubernetes.config).new_client_from_config(str(self.kubeconfig), persist_config=False)
        object.__setattr__(self, "_client", client)

    def as_account(self, namespace: str, name: str) -> Asking:
        """Return a service account of a namespace, asking."""
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        user = f"system:serviceaccount:{namespace}:{name}"
        return Asking(kubeconfig=self.kubeconfig, user=user, groups=groups)

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Answer:
        """Return what the API server answers, refusals as well."""
        configuration = self._client.configuration
        headers = [("Content-Type", kind), ("Accept", "application/json")]
        if token := configuration.get_api_key_with_prefix("BearerToken", "authorization"):
            headers.append(("Authorization", token))
        if self.user:
            headers += [("Impersonate-User", self.user), *(("Impersonate-Group", group) for group in self.groups)]
        pool = self._client.rest_client.pool_manager
        data = None if body is None else json.dumps(body).encode()
        answer = pool.request(method, configuration.host + path, body=data, headers=_headers(headers), timeout=30)
        text = answer.data.decode(errors="replace")
        return Answer(answer.status, json.loads(text) if text.startswith("{") else text)

    def get(self, path: str) -> Any:
        """Return an object or a list; raise `AssertionError` if it is refused."""
        answer = self.call("GET", path)
        assert answer.status == 200, answer
        return answer.body

    def may(self, account: str, verb: str, resource: str, *, group: str = "", namespace: str = "") -> bool:
        """Tell whether a user (`system:serviceaccount:…`) may do something, as `kubectl auth can-i --as` does."""
        name, _, subresource = resource.partition("/")
        wanted = {"verb": verb, "group": group, "resource": name, "subresource": subresource, "namespace": namespace}
        groups = ["system:serviceaccounts", "system:authenticated"]
        spec = {"user": account, "groups": groups, "resourceAttributes": wanted}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        answer = self.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        assert answer.status == 201, answer
        return bool(answer.body["status"]["allowed"])


def until(ready: Callable[[], Any]) -> Any:
    """Return the first answer that is something."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := ready()):
        assert time.monotonic() < deadline, "it does not come to be"
        time.sleep(0.2)
    return found


def remove(admin: Asking, namespaces: Sequence[str]) -> None:
    """Remove namespaces, their pods at once, and the volumes of their caches; return when they are gone."""
    for name in namespaces:
        admin.call("DELETE", f"/apis/batch.volcano.sh/v1alpha1/namespaces/{name}/jobs")
        admin.call("DELETE", f"/api/v1/namespaces/{name}/pods?gracePeriodSeconds=0")
        admin.call("DELETE", f"/api/v1/namespaces/{name}")
    for name in namespaces:
        until(lambda name=name: admin.call("GET", f"/api/v1/namespaces/{name}").status == 404)
        admin.call("DELETE", f"/api/v1/persistentvolumes/{name}-cache")


def clear(admin: Asking, prefix: str) -> None:
    """Remove all namespaces of a prefix."""
    found = [item["metadata"]["name"] for item in admin.get("/api/v1/namespaces")["items"]]
    remove(admin, [name for name in found if name.startswith(prefix)])


def _headers(pairs: Sequence[tuple[str, str]]) -> Any:
    headers = urllib3.HTTPHeaderDict()
    for name, value in pairs:
        headers.add(name, value)
    return headers
