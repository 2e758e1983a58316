"""Server-sent events: one event's wire form. Resuming is the endpoint's work, from `call.last_event_id`."""

from __future__ import annotations

from dataclasses import dataclass

HEARTBEAT = b": keep-alive\n\n"
HEARTBEAT_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class ServerSentEvent:
    """One event. `id` comes back as Last-Event-ID when the client reconnects; `data` is usually JSON."""

    data: str
    event: str | None = None
    id: str | None = None

    def encode(self) -> bytes:
        """Return the bytes of the event as the WHATWG EventSource format has them."""
        lines: list[str] = []
        if self.id is not None:
            lines.append(f"id: {self.id}")
        if self.event is not None:
            lines.append(f"event: {self.event}")
        # \r alone ends a line for EventSource too.
        lines += [f"data: {line}" for line in self.data.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
        return ("\n".join(lines) + "\n\n").encode()
