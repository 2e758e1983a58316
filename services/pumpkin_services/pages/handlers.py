"""Tornado handlers of the pages: log in through the Hub, choose the language, render the frame."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from tornado.web import RequestHandler, StaticFileHandler

from pumpkin_services.pages.i18n import LANGUAGES, choose, messages, translations
from pumpkin_services.principal import Principal
from pumpkin_services.problems import NotFound, Problem, Unauthenticated
from pumpkin_services.web.auth import Authenticator, HubHandler

HERE = Path(__file__).parent
LANGUAGE_COOKIE = "pumpkin-language"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ASSETS = ("datasets", "algorithms", "models")
ADMIN_MODULE = "resources"


def handlers(
    authenticator: Authenticator, *, prefix: str, currency: str = "¥"
) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return tornado's handler table of the pages below `prefix` (`/services/pumpkin/`).

    `authenticator` is the one the API uses; `currency` the sign before prices. The OAuth callback is the API's.
    """
    common = {"authenticator": authenticator, "prefix": prefix, "currency": currency}
    segment = r"([^/]+)"
    table: list[tuple[str, str]] = [
        ("", "home"),
        ("jobs", "jobs"),
        ("jobs/new", "new-job"),
        (rf"jobs/{segment}", "job"),
        (rf"queue/{segment}", "queue"),
        ("admin", "admin"),
        *((module, "assets") for module in ASSETS),
        *((rf"{module}/{segment}/{segment}", "asset") for module in ASSETS),
    ]
    return [
        (prefix + "static/(.*)", Static, {"path": str(HERE / "static")}),
        *((prefix + path, Page, {**common, "page": page}) for path, page in table),
        (prefix.rstrip("/"), ToHome, {"prefix": prefix}),
        # What no other handler of the application takes.
        (prefix + r"(?!api/|oauth_callback).*", Page, {**common, "page": ""}),
    ]


class Page(HubHandler):
    """One page: `page` names its template and its script."""

    def initialize(self, authenticator: Authenticator, prefix: str, currency: str, page: str) -> None:
        """Take what `handlers` hands over."""
        self.hub_auth = authenticator.hub_auth
        self.authenticator = authenticator
        self.base = prefix
        self.currency = currency
        self.page = page
        self.principal: Principal | None = None

    def set_default_headers(self) -> None:
        """Nothing inline runs, nothing frames us, nothing is kept."""
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")

    async def get(self, *path: str) -> None:
        """Show the page, or go and log in first."""
        try:
            self.principal = await self.authenticator.identify(self)
            # Else the XSRF cookie would ask the Hub again, and block the process while it does.
            self.current_user = self.principal.name
            if not self.page or (self.page == "admin" and not self.principal.admin(ADMIN_MODULE)):
                raise NotFound("There is no such page.")
        except Unauthenticated:
            self.redirect(self.get_login_url())
            return
        except Problem as problem:
            self._refuse(problem)
            return
        if language := self.get_query_argument("language", ""):
            self._switch(language)
            return
        module = self.request.path.removeprefix(self.base).split("/")[0]
        self.finish(self._render(self.page, path=list(path), module=module))

    def _switch(self, language: str) -> None:
        """Keep a chosen language for a year and show the page again."""
        if language in LANGUAGES:
            self.set_cookie(LANGUAGE_COOKIE, language, path=self.base, expires_days=365, httponly=True, samesite="Lax")
        self.redirect(self.request.path)

    def _refuse(self, problem: Problem) -> None:
        self.set_status(problem.status)
        self.finish(self._render("refused", problem=problem))

    def _render(self, page: str, **names: Any) -> str:
        language = choose(self.get_cookie(LANGUAGE_COOKIE, "") or "", self.request.headers.get("Accept-Language", ""))
        principal = self.principal
        boot: dict[str, Any] = {
            "base": self.base,
            "hub": self.hub_auth.hub_prefix,
            "currency": self.currency,
            "language": language.replace("_", "-"),
            "messages": messages(language),
            "user": principal.name if principal else "",
            "workspaces": principal.workspaces if principal else {},
            "admin": bool(principal and principal.admin(ADMIN_MODULE)),
            "xsrf": bytes(self.xsrf_token or b"").decode() if principal else "",
            **{name: value for name, value in names.items() if name in ("path", "module")},
        }
        return (
            _templates(language)
            .get_template(f"{page}.html")
            .render(
                boot=boot,
                # A closing tag inside the data would end its element.
                boot_json=Markup(json.dumps(boot, ensure_ascii=False).replace("<", "\\u003c")),
                languages=LANGUAGES,
                language=language,
                page=page,
                static=self._static,
                **names,
            )
        )

    def _static(self, name: str) -> str:
        return f"{self.base}static/{name}?v={_version()}"

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what is wrong with the request, in the same frame."""
        problem = Problem("The page cannot be shown.")
        problem.status = status_code
        self.finish(self._render("refused", problem=problem))


class Static(StaticFileHandler):
    """Scripts and styles: public, and kept for long, since their address changes with their content."""

    def set_extra_headers(self, path: str) -> None:
        """Let browsers keep what they asked for by its version."""
        self.set_header("X-Content-Type-Options", "nosniff")
        # Modules import each other without a version, so they are asked for again.
        self.set_header("Cache-Control", "no-cache")

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
def _templates(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("pumpkin_services.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    cast(Any, environment).install_gettext_translations(translations(language), newstyle=True)
    return environment


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
