"""Signed URLs of our own, as routes: the folder store's, and the way through us to a store clients do not reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pumpkin_services.problems import Conflict, Invalid, NotFound, TooLarge
from pumpkin_services.storage.base import ObjectStore
from pumpkin_services.storage.ranges import begin_range
from pumpkin_services.storage.threads import in_thread
from pumpkin_services.web import Call, Route


class SignedQuery(BaseModel):
    """What a presigned URL carries; take it as it is."""

    model_config = ConfigDict(extra="forbid")

    expires: int = Field(ge=0, le=1 << 40, description="Until when it works, seconds since 1970.")
    size: int = Field(ge=0, le=1 << 50, description="Bytes a PUT must have.")
    signature: str = Field(max_length=100)


def routes(store: ObjectStore) -> list[Route]:
    """Return the routes behind `store`'s presigned URLs."""

    async def put(call: Call[Any, SignedQuery]) -> None:
        key, size = call.path["key"], call.query.size
        store.signer.check("PUT", key, size=size, expires=call.query.expires, signature=call.query.signature)
        if await asyncio.to_thread(store.stat, key) is not None:
            raise Conflict("This object was sent before: register it, or ask for a new target.", reason="object_exists")
        await _receive(store, key, call.stream(), size=size)

    async def get(call: Call[Any, SignedQuery]) -> AsyncIterator[bytes]:
        key = call.path["key"]
        store.signer.check("GET", key, size=call.query.size, expires=call.query.expires, signature=call.query.signature)
        found = await asyncio.to_thread(store.stat, key)
        if found is None:
            raise NotFound("This object is no longer there: ask for the version's objects again.")
        start, end = begin_range(call.handler, size=found.size)
        return in_thread(store.stream(key, offset=start, size=end - start))

    return [
        Route(
            method="PUT",
            path="/objects/{key*}",
            summary="Send an object to a signed URL",
            scope=None,
            owner="any",
            endpoint=put,
            query=SignedQuery,
            upload=True,
            session=False,
            signed=True,
        ),
        Route(
            method="GET",
            path="/objects/{key*}",
            summary="Read an object from a signed URL",
            scope=None,
            owner="any",
            endpoint=get,
            query=SignedQuery,
            streams="application/octet-stream",
            session=False,
            signed=True,
        ),
    ]


async def _receive(store: ObjectStore, key: str, stream: AsyncIterator[bytes], *, size: int) -> None:
    received = 0
    writing = store.create(key)
    sink = await asyncio.to_thread(writing.__enter__)
    try:
        async for piece in stream:
            received += len(piece)
            if received > size:
                raise TooLarge(f"The target takes exactly {size} bytes, more were sent.")
            await asyncio.to_thread(sink.write, piece)
        if received != size:
            raise Invalid(f"The target takes exactly {size} bytes, {received} were sent: send the object again.")
    except BaseException as error:
        # Hand the exception in, so that the store takes the partial object away (and names a full disk).
        if not writing.__exit__(type(error), error, error.__traceback__):
            raise
    else:
        await asyncio.to_thread(writing.__exit__, None, None, None)
