"""Languages of the pages: gettext catalogues, and which one a request gets.

`locale/<language>/LC_MESSAGES/pages.po` is what people edit; `python -m pumpkin_services.pages.catalogue` collects
new messages into it and compiles the `.mo` beside it.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
"""Each language by its own name."""


def choose(wanted: str, accept: str) -> str:
    """Return the language to show: the one `wanted` (a cookie's), else the best of an Accept-Language header.

    >>> choose("", "zh-TW,zh;q=0.9,en;q=0.5")
    'zh_CN'
    """
    if wanted in LANGUAGES:
        return wanted
    ranked: list[tuple[float, str]] = []
    for part in accept.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            ranked.append((float(weight or 1), tag.strip().lower()))
        except ValueError:
            continue
    for weight, tag in sorted(ranked, key=lambda item: -item[0]):
        for language in LANGUAGES:
            if weight > 0 and tag.partition("-")[0] == language.partition("_")[0]:
                return language
    return "en"


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue of `language`; English is what the messages are written in."""
    return gettext.translation("pages", str(LOCALE), languages=[language], fallback=True)


@cache
def messages(language: str) -> dict[str, str]:
    """Return every message of `language`, for the scripts."""
    catalogue: dict[str, str] = getattr(translations(language), "_catalog", {})
    return {key: value for key, value in catalogue.items() if isinstance(key, str) and key}  # pyright: ignore[reportUnnecessaryIsInstance]
