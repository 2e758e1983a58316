import re

import pytest

from pumpkin_services.pages import catalogue
from pumpkin_services.pages.i18n import LANGUAGES, LOCALE, choose, messages


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_message_is_translated_and_keeps_its_values(language):
    kept = catalogue.read(language)
    for message in catalogue.collected():
        if not message.id:
            continue
        translated = kept.get(message.id)
        assert translated is not None, f"collect the messages again: {message.id!r} is not there"
        assert translated.string, f"{message.id!r} is not translated"
        assert set(re.findall(r"\{\w+\}", translated.string)) <= set(re.findall(r"\{\w+\}", message.id)), message.id


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_what_the_service_reads_is_compiled_from_what_people_edit(language):
    compiled = LOCALE / language / "LC_MESSAGES" / "pages.mo"
    assert compiled.read_bytes() == catalogue.compiled(catalogue.read(language))


@pytest.mark.parametrize(
    ("cookie", "accept", "language"),
    [
        ("", "", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        ("", "zh-TW", "zh_CN"),
        ("", "en-GB,zh;q=0.9", "en"),
        ("", "fr,zh;q=0.2", "zh_CN"),
        ("", "zh;q=0,fr", "en"),
        ("", "zh;q=high,,;;", "en"),
        ("zh_CN", "en", "zh_CN"),
        ("xx", "en", "en"),
    ],
)
def test_a_chosen_language_wins_over_the_browsers(cookie, accept, language):
    assert choose(cookie, accept) == language


def test_scripts_get_the_messages_of_their_language():
    assert messages("zh_CN")["Datasets"] == "数据集"
    assert messages("en") == {}
