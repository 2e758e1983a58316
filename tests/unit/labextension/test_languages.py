"""Needs nothing outside Python: every word of the JupyterLab extension is there in every language."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
CALL = re.compile(r"words\.(?:__|_n)\(\s*'((?:[^'\\]|\\.)+)'")
PLACE = re.compile(r"%\d")


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lab_catalogue", ROOT / "labextension" / "catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


catalogue = load()
LANGUAGES = sorted(folder.name for folder in catalogue.LOCALE.iterdir())


def test_every_call_is_collected():
    collected = {one for message in catalogue.collected() for one in _forms(message.id)}
    sources = (ROOT / "labextension" / "src").rglob("*.ts*")
    for source in (path for path in sources if ".test." not in path.name):
        for found in CALL.findall(source.read_text(encoding="utf-8")):
            assert found.replace("\\'", "'") in collected, source


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated_with_its_places(language: str):
    kept = catalogue.read(language)
    for message in catalogue.collected():
        if not message.id:
            continue
        there = kept.get(message.id if isinstance(message.id, str) else message.id[0])
        assert there is not None, f"run labextension/catalogue.py: {message.id!r} is new"
        for text in _forms(there.string):
            assert text, message.id
            assert set(PLACE.findall(text)) == set(PLACE.findall(_forms(message.id)[-1])), message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_lab_reads_is_what_people_edit(language: str):
    compiled = catalogue.LOCALE / language / "LC_MESSAGES" / "pumpkin.json"
    text = compiled.read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(catalogue.compiled(catalogue.read(language), language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_the_two_forms_jupyterlab_asks_for(language: str):
    known = json.loads(catalogue.compiled(catalogue.read(language), language))
    assert len(known["%1 core"]) > 1
    assert len(known["Notebook"]) == 1


def _forms(text: str | tuple[str, ...]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)
