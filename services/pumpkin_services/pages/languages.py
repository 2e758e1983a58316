"""Languages of the portal, and which one a request gets. The catalogues are those of JupyterLab's extension."""

from __future__ import annotations

LANGUAGES = {"en": "English", "zh-CN": "简体中文"}
"""Each language's BCP 47 tag, and how it calls itself."""


def choose(wanted: str, accept: str) -> str:
    """Return the language to show: the one `wanted` (a cookie's), else the best of an Accept-Language header.

    >>> choose("", "zh-TW,zh;q=0.9,en;q=0.5")
    'zh-CN'
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
            if weight > 0 and tag.partition("-")[0] == language.partition("-")[0]:
                return language
    return "en"
