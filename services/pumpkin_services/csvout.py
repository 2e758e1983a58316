"""Streaming a table as CSV (RFC 4180), a few hundred lines at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

BATCH = 500
FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a formula begins with, blanks aside; some spreadsheets take the wide forms too."""


async def csv_stream(header: Sequence[str], rows: AsyncIterator[Sequence[Any]]) -> AsyncIterator[bytes]:
    """Yield UTF-8 CSV: the header, then `rows` in batches. Text a spreadsheet would run gets an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    waiting = 0
    async for row in rows:
        writer.writerow([_cell(value) for value in row])
        waiting += 1
        if waiting == BATCH:
            yield _drain(buffer)
            waiting = 0
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and (value.lstrip()[:1] in FORMULAS or value[:1] in ("\t", "\r", "\n")):
        return "'" + value
    return "" if value is None else value
