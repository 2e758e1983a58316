import pytest

from pumpkin_services.pages.languages import choose


@pytest.mark.parametrize(
    ("cookie", "accept", "language"),
    [
        ("", "", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("", "zh-TW", "zh-CN"),
        ("", "en-GB,zh;q=0.9", "en"),
        ("", "fr,zh;q=0.2", "zh-CN"),
        ("", "zh;q=0,fr", "en"),
        ("", "zh;q=high,,;;", "en"),
        ("zh-CN", "en", "zh-CN"),
        ("xx", "en", "en"),
    ],
)
def test_a_chosen_language_wins_over_the_browsers(cookie: str, accept: str, language: str):
    assert choose(cookie, accept) == language
