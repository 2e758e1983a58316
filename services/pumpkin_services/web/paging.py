"""Keyset paging: newest first by a time-ordered id, with an opaque cursor; its cost does not grow with the table."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from pumpkin_services.problems import Invalid
from pumpkin_services.web.wire import Wire

T = TypeVar("T")


class CursorQuery(BaseModel):
    """What every page needs: `limit` items after `cursor`."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=500, description="How many items to return at most.")
    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before.")


class PageQuery(CursorQuery):
    """The query of lists of named things. Subclass it to add filters."""

    q: str | None = Field(default=None, max_length=200, description="Keep items whose name contains this text.")


class Page(Wire, Generic[T]):
    """A page of items, newest first; `next` is the cursor of the following page, null on the last."""

    items: list[T]
    next: str | None = None


def encode_cursor(key: str) -> str:
    """Return the opaque cursor that continues after `key`."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Return the key in `cursor`; raise `Invalid` for anything that no page handed out."""
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        if "\0" in key:  # which not every database takes
            raise ValueError(key)
        return key
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise Invalid("This cursor is not one a page handed out: start again without it.", field="cursor") from error


async def paginate(
    session: AsyncSession, select: Select[Any], *, key: InstrumentedAttribute[str], query: CursorQuery
) -> tuple[Sequence[Any], str | None]:
    """Run `select` for one page, ordered by `key` descending; return its rows (scalars) and the next cursor."""
    if query.cursor is not None:
        select = select.where(key < decode_cursor(query.cursor))
    rows = list((await session.scalars(select.order_by(key.desc()).limit(query.limit + 1))).all())
    if len(rows) <= query.limit:
        return rows, None
    rows = rows[: query.limit]
    return rows, encode_cursor(getattr(rows[-1], key.key))
