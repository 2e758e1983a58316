"""The lines of `pumpkin.log_metrics`, as the API takes them: batch by batch, each line with where it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHUNK = 1 << 18
"""Bytes read at once: what comes of them stays below the API's limit of 1 MiB."""
LINE = 1 << 18
"""A longer line is none of ours: it is passed over."""
MOST = 1000
"""Lines of one batch, and values of one line."""


class MetricFile:
    """A file of metrics and how far it was taken. What was read is read again until `taken` is told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.position = 0

    def batch(self) -> tuple[list[dict[str, Any]], int]:
        """Return the next lines, and the position after them: the present one when there is nothing new."""
        try:
            with self._path.open("rb") as file:
                file.seek(self.position)
                data = file.read(CHUNK)
        except OSError:
            return [], self.position
        lines: list[dict[str, Any]] = []
        end = 0
        while (newline := data.find(b"\n", end)) >= 0:
            found = list(_lines(data[end:newline], self.position + newline + 1))
            if len(lines) + len(found) > MOST:
                break
            lines += found
            end = newline + 1
        if not end and len(data) >= LINE:
            end = len(data)
        return lines, self.position + end

    def taken(self, position: int) -> None:
        """Note that everything before `position` need not be sent again."""
        self.position = position


def _lines(line: bytes, position: int) -> Iterator[dict[str, Any]]:
    """Yield a line as the API takes it; one that is none is skipped: it was written by a stranger's code."""
    try:
        item = json.loads(line)
        step, time = int(item.get("step", 0)), float(item["time"])
        if not (abs(step) <= 2**53 and 0 <= time <= 253_402_300_799):
            return
        # JSON has no word for what is not finite; it becomes a gap, as it does with `log_metrics`.
        values = {_name(name): _finite(value) for name, value in dict(item["values"]).items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return
    if len(values) <= MOST:
        yield {"step": step, "time": time, "values": values, "position": position}


def _name(name: Any) -> str:
    """Return a name the API takes: neither empty nor too long, no NUL, no half of a character."""
    return str(name).encode("utf-8", "replace").decode().replace("\0", "?")[:255] or "?"


def _finite(value: Any) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and abs(number) < float("inf") else None
