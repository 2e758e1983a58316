"""The HTTP edge: route table, authentication, problem+json, paging, server-sent events. Knows no module."""

from pumpkin_services.web.paging import CursorQuery, Page, PageQuery, paginate
from pumpkin_services.web.routes import Call, Route
from pumpkin_services.web.sse import ServerSentEvent
from pumpkin_services.web.wire import Moment, Wire

__all__ = ["Call", "CursorQuery", "Moment", "Page", "PageQuery", "Route", "ServerSentEvent", "Wire", "paginate"]
