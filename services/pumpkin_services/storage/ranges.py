"""Range requests (RFC 9110 section 14): one range of bytes, or the whole."""

from __future__ import annotations

import re

from tornado.web import RequestHandler

from pumpkin_services.problems import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def begin_range(handler: RequestHandler, *, size: int) -> tuple[int, int]:
    """Set status and headers for what the request's Range asks of `size` bytes; return (start, end), end exclusive.

    A Range this server does not understand (several ranges, another unit) is ignored, as the RFC has it.

    Raises:
        RangeNotSatisfiable: if the range lies outside the content.
    """
    handler.set_header("Accept-Ranges", "bytes")
    found = _RANGE.fullmatch(handler.request.headers.get("Range", "").strip())
    start, end = 0, size
    if found and (found[1] or found[2]):
        if found[1]:
            start = int(found[1])
            end = min(int(found[2]) + 1, size) if found[2] else size
        else:
            start = max(0, size - int(found[2]))
        if found[1] and found[2] and int(found[2]) < start:
            start, end = 0, size  # malformed, so ignored
        elif start >= size:
            handler.set_header("Content-Range", f"bytes */{size}")
            raise RangeNotSatisfiable(f"The content has {size} bytes, the range begins at byte {start}.", field="Range")
        else:
            handler.set_status(206)
            handler.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
    handler.set_header("Content-Length", str(end - start))
    return start, end
