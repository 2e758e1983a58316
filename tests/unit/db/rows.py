"""One row for every table, made from nothing but the table's columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    TypeDecorator,
)

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
TEXT = "南瓜 🎃 text"


def row(table: Table) -> dict[str, Any]:
    """Return a value for every column; equal columns get equal values, so that foreign keys hold."""
    return {column.name: _value(column) for column in table.columns}


def _value(column: Column[Any]) -> Any:
    kind = column.type
    if isinstance(kind, TypeDecorator):
        return MOMENT
    if isinstance(kind, DateTime):
        return MOMENT.replace(tzinfo=None)
    if isinstance(kind, JSON):
        return {"text": TEXT, "list": [1, None]}
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, BigInteger):
        return 10**15
    if isinstance(kind, Integer):
        return 1
    if isinstance(kind, Float):
        return 0.5
    if isinstance(kind, LargeBinary):
        return bytes(range(256))
    if isinstance(kind, String | Text):
        length = getattr(kind, "length", None) or 1000
        return "x" if column.foreign_keys or column.primary_key or column.index or length < 64 else TEXT
    raise AssertionError(f"{column} has a type nobody thought of: {kind!r}")
