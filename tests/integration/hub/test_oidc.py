"""Log-in at an OpenID Connect provider, through every redirect a browser follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.house import House, xsrf
from tests.integration.hub.oidc_provider import Provider

PEOPLE = {
    "mei": {"sub": "1", "preferred_username": "mei", "groups": ["vision-lab", "house-admins"]},
    "otto": {"sub": "2", "preferred_username": "otto", "groups": ["vision-lab", "Not A Name"]},
    "odd": {"sub": "3", "preferred_username": "Odd/Name", "groups": []},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def house(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("oidc")
    made = House(data=folder / "data")
    provider.redirect_uris.add(f"{made.url}hub/oauth_callback")
    secret = folder / "client-secret"
    secret.write_text(provider.client_secret + "\n")
    made.configure(
        f"""
c.Pumpkin.authenticator = "oidc"
c.Pumpkin.oidc_issuer = {provider.issuer!r}
c.Pumpkin.oidc_client_id = {provider.client_id!r}
c.Pumpkin.oidc_client_secret_file = {str(secret)!r}
c.Pumpkin.oidc_groups_claim = "groups"
c.Pumpkin.oidc_admin_group = "house-admins"
c.Pumpkin.oidc_button = "the test provider"
"""
    )
    try:
        yield made.up()
    finally:
        made.tear_down()


def sign_in(house: House, user: str) -> tuple[httpx.Client, httpx.Response]:
    """Follow the button on the log-in page to the provider and back; return the browser and the last page."""
    browser = house.browser()
    page = browser.get("services/pumpkin/")
    assert "Sign in with the test provider" in page.text
    asked = browser.get("hub/oauth_login", params={"next": "/hub/home"})
    return browser, browser.post(str(asked.url), data={"user": user})


def token_of(browser: httpx.Client, user: str) -> str:
    made = browser.post(
        f"hub/api/users/{user}/tokens", json={}, headers={"X-XSRFToken": xsrf(browser.get("hub/token"))}
    )
    made.raise_for_status()
    return made.json()["token"]


def test_a_person_signs_in_at_the_provider_and_calls_the_api(house: House) -> None:
    browser, page = sign_in(house, "otto")
    assert page.status_code == 200
    assert page.url.path == "/hub/home"
    browser.get("services/pumpkin/")  # the service's own OAuth with the Hub, without a question
    assert "service-pumpkin" in " ".join(browser.cookies)
    token = token_of(browser, "otto")
    me = f"{house.api_url}/accounts/me"
    answer = httpx.get(me, headers={"Authorization": f"token {token}"}, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["name"] == "otto"
    assert httpx.get(me, timeout=30).status_code == 401


def test_groups_and_admins_follow_the_claim(house: House, provider: Provider) -> None:
    browser, _ = sign_in(house, "mei")
    me = {"Authorization": f"token {token_of(browser, 'mei')}"}
    model = httpx.get(f"{house.hub_url}/user", headers=me, timeout=30).json()
    assert model["admin"]
    assert model["groups"] == ["house-admins", "vision-lab"]

    sign_in(house, "otto")
    otto = httpx.get(f"{house.hub_url}/users/otto", headers=me, timeout=30).json()
    assert not otto["admin"]
    assert otto["groups"] == ["vision-lab"]

    # A group made here is nobody's to enter by a claim of the same name, nor to be thrown out of.
    assert httpx.post(f"{house.hub_url}/groups/robotics", headers=me, timeout=30).status_code == 201
    provider.users["otto"] = {**PEOPLE["otto"], "groups": ["robotics"]}
    sign_in(house, "otto")
    otto = httpx.get(f"{house.hub_url}/users/otto", headers=me, timeout=30).json()
    assert otto["groups"] == []


def test_a_name_that_cannot_be_a_workspace_is_refused(house: House) -> None:
    _, page = sign_in(house, "odd")
    assert page.status_code == 403


def test_nobody_enters_by_password(house: House) -> None:
    browser = house.browser()
    form = {"username": "mei", "password": "x", "_xsrf": xsrf(browser.get("hub/login"))}
    browser.post("hub/login", data=form)
    assert browser.get("hub/home").url.path == "/hub/login"


def test_a_provider_that_is_away_is_told_at_start(make_platform: Callable[[], House], tmp_path: Path) -> None:
    house = make_platform()
    house.configure(
        """
c.Pumpkin.authenticator = "oidc"
c.Pumpkin.oidc_issuer = "http://127.0.0.1:9"
c.Pumpkin.oidc_client_id = "pumpkin"
c.Pumpkin.oidc_client_secret = "x"
"""
    )
    failed = house.command("up", f"--port={house.port}")
    assert failed.returncode == 1
    assert "The OIDC provider does not answer at http://127.0.0.1:9/" in failed.stderr
