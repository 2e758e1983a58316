"""The Hub's configuration: pure functions, checked as data; and the documentation that must say the same."""

import re
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config, Configurable

from pumpkin_hub import scopes
from pumpkin_hub.admission import USERNAME
from pumpkin_hub.config import hub_config, logged, service_environment
from pumpkin_hub.onetime import OneTime
from pumpkin_hub.place import Place, open_data
from pumpkin_hub.settings import Pumpkin, SettingsError, settings
from pumpkin_services.settings import Cluster, Platform
from pumpkin_services.storage.settings import S3

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs" / "configuration.md").read_text()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    open_data(tmp_path)
    return Place(data=tmp_path, ip="127.0.0.1", port=9000, base_url="/ai/", config=None, proxy_command=("chp",))


def computed(place: Place, **values: Any) -> Config:
    return hub_config(settings(Config(Pumpkin=Config(values))), place, {})


def test_every_setting_is_in_the_documentation_with_its_default() -> None:
    defaults = Pumpkin()
    for name in Pumpkin.class_trait_names(config=True):
        row = re.search(rf"^\| `{name}` \|([^|]*)\|", DOC, re.MULTILINE)
        value = getattr(defaults, name)
        said = " ".join(value) or "[]" if isinstance(value, list) else str(value)
        assert row, name
        assert row[1].strip("` ") == said, name


@pytest.mark.parametrize("kind", [Platform, Cluster, S3])
def test_every_setting_of_the_service_is_in_the_documentation(kind: type[Configurable]) -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", DOC, re.MULTILINE))
    assert set(kind.class_own_traits(config=True)) <= documented


def test_the_scopes_in_the_documentation_are_those_of_the_table() -> None:
    documented = dict(re.findall(r"^\| `(custom:[a-z:-]+)` \| (.*?) \|", DOC, re.MULTILINE))
    assert documented == {name: scope["description"] for name, scope in scopes.custom_scopes().items()}


def test_admin_includes_write_and_write_includes_read() -> None:
    table = scopes.custom_scopes()
    for module in scopes.MODULES:
        assert table[f"custom:pumpkin:{module}:admin"]["subscopes"] == [f"custom:pumpkin:{module}:write"]
        assert table[f"custom:pumpkin:{module}:write"]["subscopes"] == [f"custom:pumpkin:{module}:read"]


def test_users_hold_no_admin_scope_and_never_grants() -> None:
    held = scopes.user_scopes()
    assert scopes.GRANTS not in held
    assert not [scope for scope in held if scope.endswith(":admin")]
    assert "custom:pumpkin:billing:write" not in held


def test_everything_inside_listens_on_this_machine_only(place: Place) -> None:
    c = computed(place, ip="0.0.0.0")
    inside = (c.JupyterHub.hub_bind_url, c.ConfigurableHTTPProxy.api_url, c.JupyterHub.services[0]["url"])
    assert [url.partition("//")[2] for url in inside] == ["127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003"]


def test_on_a_cluster_notebooks_are_pods_and_everything_inside_still_listens_on_this_machine_only(place: Place) -> None:
    chosen = settings(Config(Pumpkin=Config(spawner="volcano"), Platform=Config(runtime="volcano")))
    c = hub_config(chosen, place, {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBECONFIG": "/k"})
    assert c.JupyterHub.spawner_class == "pumpkin_spawners.volcano.VolcanoSpawner"
    assert c.JupyterHub.hub_bind_url == "http://127.0.0.1:9001"  # pods come through the proxy
    environment = c.JupyterHub.services[0]["environment"]
    assert (environment["KUBERNETES_SERVICE_HOST"], environment["KUBECONFIG"]) == ("10.0.0.1", "/k")


def test_hub_and_service_must_mean_the_same_place_to_run() -> None:
    with pytest.raises(SettingsError, match="set both alike"):
        settings(Config(Platform=Config(runtime="volcano")))


def test_servers_survive_the_hub_and_its_limits_never_stop_a_queue(place: Place) -> None:
    c = computed(place)
    assert c.JupyterHub.cleanup_servers is False
    assert c.JupyterHub.concurrent_spawn_limit == 0
    assert c.Spawner.consecutive_failure_limit == 0


@pytest.mark.parametrize(
    ("signup", "enabled", "opened"), [("approval", True, False), ("open", True, True), ("off", False, False)]
)
def test_sign_up_is_one_setting(place: Place, signup: str, enabled: bool, opened: bool) -> None:
    c = computed(place, signup=signup)
    assert (c.Native.enable_signup, c.Native.open_signup) == (enabled, opened)


def test_the_service_gets_what_it_needs_of_the_environment_and_no_secret() -> None:
    environ = {"HOME": "/h", "UV_INDEX_URL": "u", "https_proxy": "p", "AWS_SECRET_ACCESS_KEY": "s", "PUMPKIN_X": "1"}
    assert service_environment(environ) == {"HOME": "/h", "UV_INDEX_URL": "u", "https_proxy": "p", "PUMPKIN_X": "1"}


def test_a_logged_command_keeps_its_words_apart(tmp_path: Path) -> None:
    import subprocess

    log = tmp_path / "a log"
    subprocess.run(logged(["printf", "%s|", "one two", "$HOME", "'"], log), check=True)
    assert log.read_text() == "one two|$HOME|'|"


def test_a_place_is_read_as_it_was_written(place: Place, tmp_path: Path) -> None:
    place.write(tmp_path / "place.json")
    assert Place.read(tmp_path / "place.json") == place
    assert place.url == "http://127.0.0.1:9000/ai/"


@pytest.mark.parametrize("name", ["a", "mei", "m.x-y_1", "a" * 63])
def test_a_name_that_can_be_a_workspace_can_be_a_user(name: str) -> None:
    assert re.match(USERNAME, name)


@pytest.mark.parametrize("name", ["", ".", "..", "a..b", "-a", "a-", "A", "a/b", "a\n", "a b", "a" * 64, "é"])
def test_a_name_that_cannot_be_a_workspace_cannot_be_a_user(name: str) -> None:
    assert not re.match(USERNAME, name)


def test_a_one_time_password_is_private_and_void_once_spent(tmp_path: Path) -> None:
    open_data(tmp_path)
    passwords = OneTime(tmp_path)
    password = passwords.make("mei")
    assert (tmp_path / "secrets" / "one-time" / "mei").stat().st_mode & 0o077 == 0
    assert passwords.matches("mei", password)
    assert not passwords.matches("mei", password + "x")
    assert not passwords.matches("otto", password)
    for hostile in ("", "../mei", ".", "a\0b", "x" * 300):
        assert not passwords.matches(hostile, "")
    passwords.spend("mei")
    assert not passwords.matches("mei", password)


def test_oidc_without_an_issuer_is_refused() -> None:
    with pytest.raises(SettingsError, match="oidc_issuer"):
        settings(Config(Pumpkin=Config(authenticator="oidc")))


def test_no_lock_file_names_a_registry() -> None:
    locks = [*(ROOT / "requirements").glob("*.txt"), ROOT / "hub_config/pumpkin_hub/node/package-lock.json"]
    for lock in locks:
        text = re.sub(r'"url": "[^"]*"', "", lock.read_text())  # where a package asks for donations
        assert "://" not in text, lock
        assert "--index-url" not in text, lock
