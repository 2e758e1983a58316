"""The platform as the job itself reaches it, with its own token: the standard library only."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from pumpkin._protocol import API_PATH, RETRY_STATUS

TIMEOUT = 60.0
"""Seconds one request may take."""


class Unreachable(Exception):
    """The platform does not answer now: ask again."""


class Refused(Exception):
    """The platform will not do it, now or later; `status` is the answer's."""

    def __init__(self, detail: str, *, status: int) -> None:
        super().__init__(detail)
        self.status = status


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: while parts of the platform start again, the Hub answers in their place with its pages."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Return no request to make instead."""
        return


class Platform:
    """What one workload asks of it. Every call blocks."""

    def __init__(self, url: str, *, token: str, workload: str) -> None:
        self._base = f"{url}{API_PATH}/workloads/{workload}"
        self._token = token
        # The environment's proxies must not see what stays on this machine.
        local = url.startswith(("http://127.", "http://localhost"))
        proxies = [urllib.request.ProxyHandler({})] if local else []
        self._opener = urllib.request.build_opener(_Stay(), *proxies)

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Platform:
        """Return the platform that started this process; raise `Refused` outside of a job."""
        try:
            return cls(env["PUMPKIN_URL"], token=env["PUMPKIN_TOKEN"], workload=env["PUMPKIN_WORKLOAD"])
        except KeyError as error:
            raise Refused(f"This is the command of a job: the variable {error} is not set.", status=0) from error

    def get(self, path: str) -> Any:
        """GET a path below the workload's; raise `Unreachable` or `Refused`."""
        return json.loads(self._send(urllib.request.Request(self._base + path)))

    def post(self, path: str, body: bytes) -> None:
        """POST JSON; raise `Unreachable` or `Refused`."""
        request = urllib.request.Request(self._base + path, data=body, headers={"Content-Type": "application/json"})
        self._send(request)

    def _send(self, request: urllib.request.Request) -> bytes:
        request.add_header("Authorization", f"token {self._token}")
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                if answer.status != 204 and answer.headers.get_content_type() != "application/json":
                    raise Unreachable("Somebody else answered in its place.")
                return answer.read()
        except urllib.error.HTTPError as error:
            # 500 too: it says that something broke there, not that the request was wrong.
            ours = error.headers.get_content_type() == "application/problem+json"
            if not ours or error.code in RETRY_STATUS or error.code == 500:
                raise Unreachable(str(error)) from error
            raise Refused(_detail(error), status=error.code) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(str(error)) from error


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"The platform answered {error.code}."
