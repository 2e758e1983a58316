import stat
from pathlib import Path

import pytest

from pumpkin import PumpkinError, config


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("PUMPKIN_URL", "PUMPKIN_TOKEN", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_PUBLIC_HUB_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://host/hub/home", "http://host"),
        ("https://host/base/hub/", "https://host/base"),
        ("http://127.0.0.1:8003/services/pumpkin/", "http://127.0.0.1:8003"),
        ("http://host/services/pumpkin/api/v1", "http://host"),
        ("http://host/user/alice/lab", "http://host"),
        ("http://hubble/", "http://hubble"),
    ],
)
def test_any_page_of_the_hub_will_do_as_its_address(typed: str, address: str):
    assert config.clean_url(typed) == address


@pytest.mark.parametrize("typed", ["", "ftp://host", "http://"])
def test_what_is_no_address_is_refused(typed: str):
    with pytest.raises(PumpkinError, match="not the address"):
        config.clean_url(typed)


def test_what_login_keeps_is_for_its_owner_only_and_found_again():
    path = config.save(config.Config(url="http://a", token="secret"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert config.load().token == "secret"
    assert config.forget()
    assert config.load().token == ""


def test_a_token_kept_for_one_platform_is_not_sent_to_another():
    config.save(config.Config(url="http://a", token="secret"))
    assert config.load("http://b").token == ""


def test_variables_win_over_the_file_and_arguments_over_variables(monkeypatch: pytest.MonkeyPatch):
    config.save(config.Config(url="http://a", token="file"))
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "server")
    assert config.load().token == "server"
    monkeypatch.setenv("PUMPKIN_TOKEN", "variable")
    assert config.load().token == "variable"
    assert config.load(token="argument").token == "argument"
