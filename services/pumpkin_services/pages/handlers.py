"""Tornado handlers of the portal: log in through the Hub, choose the language, send the frame."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from tornado.web import RequestHandler, StaticFileHandler

from pumpkin_services.pages.languages import LANGUAGES, choose
from pumpkin_services.principal import Principal
from pumpkin_services.problems import NotFound, Problem, Unauthenticated
from pumpkin_services.web.auth import Authenticator, HubHandler

HERE = Path(__file__).parent
LANGUAGE_COOKIE = "pumpkin-language"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ADMIN_MODULE = "resources"
PATHS = (
    r"|jobs|jobs/[^/]+|queue/[^/]+|(?:datasets|algorithms|models)(?:/[^/]+/[^/]+)?|(?:environments|schedules|workspaces)"
    r"(?:/[^/]+)?|account"
)
"""Addresses of the portal's views; `labextension/src/ui/address.ts` knows what they mean."""
ADMIN_PATHS = r"admin(?:/[a-z]+)?"


def handlers(authenticator: Authenticator, *, prefix: str, store: str = "") -> list[tuple[str, Any, dict[str, Any]]]:
    """Return tornado's handler table of the pages below `prefix` (`/services/pumpkin/`).

    `authenticator` is the one the API uses, `store` the origin pages send uploads to if not only to ours. The OAuth
    callback is the API's.
    """
    common = {"authenticator": authenticator, "prefix": prefix, "store": store}
    return [
        (prefix + "static/(.*)", Static, {"path": str(HERE / "static")}),
        (prefix + f"(?:{PATHS})/?", Page, {**common, "who": "everybody"}),
        (prefix + f"(?:{ADMIN_PATHS})/?", Page, {**common, "who": "admins"}),
        (prefix.rstrip("/"), ToHome, {"prefix": prefix}),
        # What no other handler of the application takes.
        (prefix + r"(?!api/|oauth_callback).*", Page, {**common, "who": "nobody"}),
    ]


class Page(HubHandler):
    """The portal's frame; which view is in it the address tells the script. `who` may see it."""

    def initialize(self, authenticator: Authenticator, prefix: str, store: str, who: str) -> None:
        """Take what `handlers` hands over."""
        self.store = store
        self.hub_auth = authenticator.hub_auth
        self.authenticator = authenticator
        self.base = prefix
        self.who = who
        self.principal: Principal | None = None

    def set_default_headers(self) -> None:
        """Nothing inline runs, nothing frames us, nothing is kept."""
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")

    async def get(self) -> None:
        """Show the page, or go and log in first."""
        try:
            self.principal = await self.authenticator.identify(self)
            # Else the XSRF cookie would ask the Hub again, and block the process while it does.
            self.current_user = self.principal.name
            if self.who == "nobody" or (self.who == "admins" and not self.principal.admin(ADMIN_MODULE)):
                raise NotFound("There is no such page.")
        except Unauthenticated:
            self.redirect(self.get_login_url())
            return
        except Problem as problem:
            self._refuse(problem.status, problem.detail)
            return
        if language := self.get_query_argument("language", ""):
            self._switch(language)
            return
        self._show()

    def _switch(self, language: str) -> None:
        """Keep a chosen language for a year and show the page again."""
        if language in LANGUAGES:
            # For the Hub's own pages, too.
            path = self.base.partition("services/")[0]
            self.set_cookie(LANGUAGE_COOKIE, language, path=path, expires_days=365, httponly=True, samesite="Lax")
        self.redirect(self.request.path)

    def _refuse(self, status: int, detail: str) -> None:
        self.set_status(status)
        self._show({"status": status, "detail": detail})

    def _show(self, refused: dict[str, Any] | None = None) -> None:
        language = choose(self.get_cookie(LANGUAGE_COOKIE, "") or "", self.request.headers.get("Accept-Language", ""))
        principal = self.principal
        boot: dict[str, Any] = {
            "base": self.base,
            "hub": self.hub_auth.hub_prefix,
            "assets": f"{self.base}static/app/",
            "language": language,
            "languages": LANGUAGES,
            "user": principal.name if principal else "",
            "admin": bool(principal and principal.admin(ADMIN_MODULE)),
            "xsrf": bytes(self.xsrf_token or b"").decode() if principal else "",
            "refused": refused,
        }
        if self.store:
            policy = POLICY.replace("connect-src 'self'", f"connect-src 'self' {self.store}")
            self.set_header("Content-Security-Policy", policy)
        # A closing tag inside the data would end its element.
        data = Markup(json.dumps(boot, ensure_ascii=False).replace("<", "\\u003c"))
        self.finish(_template().render(boot=data, language=language, static=self._static))

    def _static(self, name: str) -> str:
        return f"{self.base}static/{name}?v={_version()}"

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what is wrong with the request, in the same frame."""
        self._refuse(status_code, "The page cannot be shown.")


class Static(StaticFileHandler):
    """Scripts and styles: public."""

    def set_extra_headers(self, path: str) -> None:
        """Let browsers keep for long what changes its name with its content."""
        self.set_header("X-Content-Type-Options", "nosniff")
        hashed = re.fullmatch(r"app/.+\.[0-9a-f]{16,}\.(js|css)", path)
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if hashed else "no-cache")

    def get_cache_time(self, path: str, modified: Any, mime_type: str) -> int:
        """Leave Cache-Control to `set_extra_headers`."""
        return 0


class ToHome(RequestHandler):
    """Adds the slash."""

    def initialize(self, prefix: str) -> None:
        """Take where home is."""
        self.prefix = prefix

    def get(self) -> None:
        """Go home."""
        self.redirect(self.prefix)


@cache
def _template() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined).from_string((HERE / "page.html").read_text())


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
