"""What both clients share and no network is needed for: errors, retries, server-sent events, references."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pumpkin.errors import PumpkinError

if TYPE_CHECKING:
    import httpx

API_PATH = "/services/pumpkin/api/v1"
ATTEMPTS = 5
RETRY_STATUS = frozenset({429, 502, 503, 504})
MAX_DELAY = 20.0
STORE_PASSING = frozenset(
    {"BadDigest", "XAmzContentChecksumMismatch", "IncompleteBody", "InternalError", "RequestTimeout", "SlowDown"}
)
"""What an object store says of trouble on the way, or of its own."""
STORE_FULL = frozenset({"InsufficientStorage", "NoSpaceLeftOnDevice", "QuotaExceeded", "XMinioStorageFull"})
_CODE = re.compile(rb"<Error>\s*<Code>(\w+)</Code>")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a transfer is. Sizes in bytes; `sent` is what really travelled (the rest was already there).

    `upload` is the API path of the upload a push sends to, for those who give it up for good.
    """

    phase: str
    done: int = 0
    total: int = 0
    files: int = 0
    total_files: int = 0
    sent: int = 0
    upload: str = ""


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One server-sent event."""

    data: str
    event: str = "message"
    id: str | None = None

    def json(self) -> Any:
        """Return `data` parsed."""
        return json.loads(self.data)


class EventParser:
    """Turns lines of a text/event-stream into events; `last_id` is what a reconnect resumes from."""

    def __init__(self, last_id: str | None = None) -> None:
        self.last_id = last_id
        self._id = last_id
        self._data: list[str] = []
        self._event = "message"

    def feed(self, line: str) -> Event | None:
        """Take one line without its end; return the event it completes."""
        if not line:
            self.last_id = self._id  # not before: an event that breaks off is sent again
            event = Event(data="\n".join(self._data), event=self._event, id=self.last_id) if self._data else None
            self._data, self._event = [], "message"
            return event
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id":
            self._id = value
        return None


def split_lines(chunks: Iterable[str], rest: list[str]) -> Iterator[str]:
    r"""Yield the whole lines in `chunks`, keeping the unfinished one in `rest`.

    Only `\n` ends a line here: `str.splitlines` would also break at characters a log may well contain.
    """
    for chunk in chunks:
        *lines, last = ((rest.pop() if rest else "") + chunk).split("\n")
        rest.append(last)
        yield from lines


def delay(attempt: int, response: httpx.Response | None = None) -> float:
    """Return the seconds to wait before try `attempt` + 1 (from 0): what the server asks, else doubling, jittered."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    if asked.isdigit():
        return min(float(asked), MAX_DELAY)
    return min(0.2 * 2**attempt, MAX_DELAY) * (0.75 + random.random() / 2)


def is_passing(response: httpx.Response) -> bool:
    """Tell whether the same request may well succeed in a moment; a store's answers to signed URLs included."""
    return response.status_code in RETRY_STATUS or _store_code(response) in STORE_PASSING


def _store_code(response: httpx.Response) -> str:
    """Return the error code in an object store's answer (`<Error><Code>…`), empty if it is none of that kind."""
    found = _CODE.search(response.content[:4096])
    return found[1].decode() if found else ""


def refusal(response: httpx.Response) -> PumpkinError:
    """Return the error a response that is not a success stands for; its body must have been read."""
    if code := _store_code(response):
        host, status = response.request.url.host, response.status_code
        if code in STORE_FULL:
            return PumpkinError(
                f"The object store at {host} is full, nothing of this was kept: tell an admin; when there is room, the "
                "same call goes on where it stopped.",
                reason="storage_full",
                status=507,
            )
        return PumpkinError(
            f"The object store at {host} refused this ({code}): try again; if that does not help, tell an admin.",
            reason="store_refused",
            status=status,
        )
    try:
        document = response.json()
        detail = str(document["detail"])
    except (ValueError, KeyError, TypeError):
        return _foreign(response)
    errors: list[dict[str, Any]] = document.get("errors") or [{}]
    return PumpkinError(
        detail,
        field=errors[0].get("field"),
        reason=str(document.get("reason", "error")),
        status=response.status_code,
        extra={key: value for key, value in document.items() if key not in ("detail", "reason", "status", "type")},
    )


def _foreign(response: httpx.Response) -> PumpkinError:
    """Return the error for an answer that did not come from the platform itself (a proxy, another site)."""
    url, status = response.request.url, response.status_code
    where = f"{url.scheme}://{url.netloc.decode()}"
    if status in (502, 503, 504):
        return PumpkinError(
            f"The platform at {where} is not answering right now ({status}): see 'pumpkin status'.",
            reason="unavailable",
            status=status,
        )
    return PumpkinError(
        f"{where} answered {status} and is not a Pumpkin platform: check the address.",
        field="url",
        reason="not_pumpkin",
        status=status,
    )


def unreachable(url: str, error: Exception) -> PumpkinError:
    """Return the error for a connection that could not be made or broke for good."""
    why = str(error) or type(error).__name__
    return PumpkinError(
        f"Nothing answers at {url} ({why}): is the platform up ('pumpkin up') and the address right?",
        reason="unreachable",
    )


def store_away(host: str, error: Exception) -> PumpkinError:
    """Return the error for an object store that did not answer a signed URL."""
    why = str(error) or type(error).__name__
    return PumpkinError(
        f"The object store at {host} does not answer ({why}): try again; if that does not help, tell an admin.",
        reason="unreachable",
    )


@dataclass(frozen=True, kw_only=True)
class Reference:
    """`[workspace/]name[@version]`, taken apart."""

    workspace: str | None
    name: str
    version: int | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Parse `text`; the platform judges the names, here only the form."""
        workspace, slash, rest = text.rpartition("/")
        name, at, version = rest.partition("@")
        if not name or (slash and not workspace) or (at and not version.isdecimal()):
            raise PumpkinError(
                f"'{text}' is not a reference: write name, name@version or workspace/name@version.",
                field="reference",
                reason="invalid",
                status=422,
            )
        return cls(workspace=workspace or None, name=name, version=int(version) if at else None)


def given(**values: Any) -> dict[str, Any]:
    """Return the values that are not None: what was left out of a call stays out of the request."""
    return {key: value for key, value in values.items() if value is not None}
