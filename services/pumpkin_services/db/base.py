"""What every table shares: the declarative base, time-ordered ids and UTC time stamps."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import JSON, DateTime, Dialect, MetaData, String, Table, Text, TypeDecorator
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

LONG_TEXT = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
"""Text of more than 64 KiB, which is all MySQL's TEXT holds."""


class Stamp(TypeDecorator[datetime]):
    """A UTC time, to the microsecond, on every database (SQLite and MySQL forget the zone)."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Use microseconds on MySQL, whose plain DATETIME keeps only seconds."""
        if dialect.name in ("mysql", "mariadb"):
            from sqlalchemy.dialects.mysql import DATETIME

            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The one declarative base; annotations choose the column types below."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Stamp, str: String(255), dict[str, Any]: JSON, list[str]: JSON}


def table(row: type[Base]) -> Table:
    """Return the table behind a class, for statements without the ORM: those cost half, where thousands are made.

    Such statements are made once, as constants with `bindparam`s, for making one costs as much as executing it.
    """
    return cast(Table, row.__table__)


def utcnow() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_last = 0


def new_id() -> str:
    """Return a 26-character lower-case identifier that sorts by creation time (a ULID, Crockford base 32).

    Ids made by one process are strictly increasing even within a millisecond: keyset paging by id is
    paging by creation.
    """
    global _last
    stamp = (time.time_ns() // 1_000_000) << 80
    value = stamp | int.from_bytes(os.urandom(10), "big")
    if value >> 80 <= _last >> 80:
        value = _last + 1 + int.from_bytes(os.urandom(4), "big")
    _last = value
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))
