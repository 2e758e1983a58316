"""What went wrong in a build: a stable reason for programs and uv's own decisive sentence for people. Pure."""

from __future__ import annotations

import re
from typing import Literal

Reason = Literal["resolution_failed", "not_found", "build_failed", "network", "disk_full", "timeout", "cancelled"]
MAX_MESSAGE = 1000

# The first that matches wins: a full disk or a dead network also shows up as a failed build.
_SIGNS: list[tuple[Reason, str]] = [
    ("disk_full", r"No space left on device|Disk quota exceeded"),
    ("not_found", r"was not found in the package registry|404 |there is no version of|No interpreter found"),
    ("network", r"Failed to fetch|error sending request|dns error|Connection (refused|reset)|operation timed out"),
    ("build_failed", r"Failed to build|build backend|Failed to install|metadata"),
    ("resolution_failed", r"No solution found"),
]
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class BuildFailed(Exception):
    """A build that cannot succeed as it stands."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message


def explain(output: str) -> BuildFailed:
    """Return why uv failed, from what it printed (`error:` first, then `cause:` lines down to the root)."""
    text = _ANSI.sub("", output)
    at = text.rfind("\nerror: ") + 1 if "\nerror: " in text else text.find("error: ")
    said = text[at:] if at >= 0 else text
    error, *causes = _statements(said) or ["uv ended without saying why"]
    reason: Reason = "build_failed"
    for name, sign in _SIGNS:
        if re.search(sign, said):
            reason = name
            break
    parts = [error]
    if reason == "build_failed" and "[stderr]" in said:
        # What the package's own build said last is why.
        parts.append([line.strip() for line in said.splitlines() if line.strip() and not line.startswith("hint:")][-1])
    elif causes:
        parts += [causes[0]] + ([causes[-1]] if reason == "network" and len(causes) > 1 else [])
    if "no usable wheels" in said:
        parts.append("Only packages that come as wheels are installed here; an admin can allow building from source")
    return BuildFailed(reason, _sentence(parts))


def _statements(said: str) -> list[str]:
    """Split into the error and its causes, each one line, without the `error:` and `cause:` before them."""
    statements: list[str] = []
    for line in said.splitlines():
        text = line.strip()
        if not text:
            break
        head, colon, rest = text.partition(": ")
        if colon and head in ("error", "cause"):
            statements.append(rest)
        elif statements:
            statements[-1] += f" {text}"
    return statements


def _sentence(parts: list[str]) -> str:
    text = ". ".join(part.rstrip(". ") for part in parts) + "."
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
