"""The language of the Hub's pages: the one chosen in the portal, else the browser's, by Tornado's own machinery.

`locale/<code>.csv` holds a language; English is what the pages are written in. Called by its bare code, `zh` is for all
who ask for some Chinese.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import locale
from traitlets.config import Config

FOLDER = Path(__file__).parent / "locale"
COOKIE = "pumpkin-language"
"""In which the portal keeps a choice, as a BCP 47 tag."""
_handler: ContextVar[Any] = ContextVar("handler", default=None)
_prepare: Callable[..., Any] = BaseHandler.prepare


def _locale() -> locale.Locale:
    """Return the locale of the request that is being answered; it is looked for once, and only for pages."""
    handler = _handler.get()
    return locale.get("en") if handler is None else handler.locale


def _translator(_user: object) -> Callable[[str], str]:
    return translate


def translate(text: str) -> str:
    """Return `text` in the language of the request that is being answered."""
    return _locale().translate(text)


def _language(_user: object) -> str:
    """Return that language as a BCP 47 tag."""
    return _locale().code.replace("_", "-")


def _chosen(handler: Any) -> locale.Locale | None:
    wanted = handler.get_cookie(COOKIE, "")
    return locale.get(wanted) if wanted else None


def _begin(handler: Any) -> Any:
    # Forms are rendered by spawners, which know no request.
    _handler.set(handler)
    return _prepare(handler)


def apply(c: Config) -> None:
    """Have this process' Hub answer in every language there is: templates get `_` and `language`."""
    locale.load_translations(str(FOLDER))
    locale.set_default_locale("en")
    handlers: Any = BaseHandler
    handlers.get_user_locale, handlers.prepare = _chosen, _begin
    # The Hub calls what is callable here, once for each page.
    c.JupyterHub.template_vars |= {"_": _translator, "language": _language}
    c.PumpkinSpawner.translate = translate
