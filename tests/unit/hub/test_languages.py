"""Every text of the Hub's pages has its Chinese, with the same gaps; and nothing is translated that is not shown."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from jinja2 import Environment
from jinja2 import nodes as jinja

from pumpkin_hub.languages import FOLDER

ROOT = Path(__file__).parents[3]
PAGES = [
    *(ROOT / "hub_config/pumpkin_hub/templates").iterdir(),
    *(ROOT / "spawners/pumpkin_spawners/templates").iterdir(),
]
MESSAGES = re.compile(r"Your (?:password|current|new|information)|The signup was|This account is frozen")
"""How messages begin that come to the pages from elsewhere."""


def said() -> set[str]:
    """Return what the templates and the handlers have translated."""
    source = (ROOT / "hub_config/pumpkin_hub/pages.py").read_text()
    found = set(re.findall(r'translate\("(.+?)"\)', source)) | {re.search(r'NO_MATCH = "(.+)"', source)[1]}  # type: ignore[index]
    for page in PAGES:
        for call in Environment().parse(page.read_text()).find_all(jinja.Call):
            if isinstance(call.node, jinja.Name) and call.node.name == "_" and isinstance(call.args[0], jinja.Const):
                found.add(call.args[0].value)
    return found


def test_every_text_has_its_translation_and_no_other_is_kept() -> None:
    with (FOLDER / "zh.csv").open(encoding="utf-8") as file:
        rows = dict(csv.reader(file))
    texts = said()
    assert texts - rows.keys() == set()
    assert {text for text in rows.keys() - texts if not MESSAGES.match(text)} == set()
    assert [text for text, other in rows.items() if text.count("%s") != other.count("%s") or not other.strip()] == []


def test_pages_say_nothing_untranslated() -> None:
    bare = re.compile(r">\s*([A-Z][a-z]+(?: [a-z]+)*)[.?]?\s*<")
    assert {page.name: found for page in PAGES if (found := bare.findall(page.read_text()))} == {}
