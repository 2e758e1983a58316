"""Native accounts: the first admin, sign-up and approval, and what a role may do."""

from __future__ import annotations

import httpx
import pytest

from pumpkin_hub import scopes
from pumpkin_hub.onetime import OneTime
from tests.integration.house import ADMIN_PASSWORD, House, xsrf


def log_in(house: House, name: str, password: str) -> httpx.Response:
    browser = house.browser()
    form = {"username": name, "password": password, "_xsrf": xsrf(browser.get("hub/login"))}
    return browser.post("hub/login?next=/hub/home", data=form)


def test_the_first_admins_password_is_good_for_choosing_one_and_then_void(platform: House) -> None:
    assert platform.admin.name == "admin"  # logs in with the one-time password if nobody has
    assert OneTime(platform.data).unused("admin") is None
    fresh = platform.command("password", "admin").stdout.strip()

    browser = platform.browser()
    form = {"username": "admin", "password": fresh, "_xsrf": xsrf(browser.get("hub/login"))}
    page = browser.post("hub/login", data=form)
    assert "Choose your password" in page.text
    assert "jupyterhub-session-id" not in browser.cookies

    for new, repeated, sentence in (
        ("short", "short", "of 10 to 72 characters"),
        ("password123", "password123", "not a common one"),
        ("x" * 73, "x" * 73, "of 10 to 72 characters"),
        ("pumpkin-pie-1", "pumpkin-pie-2", "differ"),
        (fresh, fresh, "Choose a password"),
    ):
        refused = browser.post("hub/login", data=form | {"new_password": new, "repeated": repeated})
        assert refused.status_code == 422
        assert sentence in refused.text
    chosen = {"new_password": ADMIN_PASSWORD, "repeated": ADMIN_PASSWORD}
    browser.post("hub/login", data=form | chosen)
    assert "jupyterhub-session-id" in browser.cookies

    assert log_in(platform, "admin", fresh).status_code == 403
    assert log_in(platform, "admin", ADMIN_PASSWORD).url.path == "/hub/home"


def test_a_wrong_password_is_refused_whatever_it_is(platform: House) -> None:
    for name, password in (("admin", "wrong"), ("nobody", "x"), ("admin", "é" * 500), ("../admin", "x"), ("", "")):
        answer = log_in(platform, name, password)
        assert answer.status_code == 403, name
        assert "do not match" in answer.text


def test_a_form_without_the_hubs_token_is_refused(platform: House) -> None:
    answer = platform.browser().post("hub/login", data={"username": "admin", "password": ADMIN_PASSWORD})
    assert answer.status_code == 403
    assert "form invalid or expired" in answer.text


def test_a_signed_up_account_waits_for_approval_which_a_get_cannot_give(platform: House) -> None:
    guest = platform.browser()
    form = {
        "username": "walter",
        "signup_password": "gourd-and-squash",
        "signup_password_confirmation": "gourd-and-squash",
        "_xsrf": xsrf(guest.get("hub/signup")),
    }
    assert "sent to the admin" in guest.post("hub/signup", data=form).text
    assert "waits for an admin" in log_in(platform, "walter", "gourd-and-squash").text

    assert platform.admin.name
    admin = platform.log_in("admin", ADMIN_PASSWORD)
    page = admin.get("hub/authorize")
    assert "walter" in page.text
    assert admin.get("hub/authorize/walter").status_code == 405
    assert admin.post("hub/authorize/walter", data={}).status_code == 403
    assert log_in(platform, "walter", "gourd-and-squash").status_code == 403
    assert admin.post("hub/authorize/walter", data={"_xsrf": xsrf(page)}).status_code == 200
    assert log_in(platform, "walter", "gourd-and-squash").url.path == "/hub/home"
    assert admin.get("hub/discard/walter").status_code == 405


@pytest.mark.parametrize("name", ["../etc", "a b", "-dash", "x" * 64, "a..b", "naïve"])
def test_a_name_that_cannot_be_a_workspace_is_no_account(platform: House, name: str) -> None:
    guest = platform.browser()
    form = {
        "username": name,
        "signup_password": "gourd-and-squash",
        "signup_password_confirmation": "gourd-and-squash",
        "_xsrf": xsrf(guest.get("hub/signup")),
    }
    assert "Something went wrong" in guest.post("hub/signup", data=form).text


def test_users_and_admins_hold_the_scopes_of_the_table(platform: House) -> None:
    ask = {"timeout": 30}
    user = platform.user("paula")
    held = httpx.get(f"{platform.hub_url}/user", headers={"Authorization": f"token {user.token}"}, **ask).json()
    assert set(scopes.user_scopes()) <= set(held["scopes"])
    assert not any(scope.endswith(":admin") for scope in held["scopes"] if scope.startswith(scopes.PREFIX))

    me = {"Authorization": f"token {platform.admin.token}"}
    admin = httpx.get(f"{platform.hub_url}/user", headers=me, **ask).json()
    assert set(scopes.admin_scopes()) <= set(admin["scopes"])

    narrow = platform.user("paula", scopes=["custom:pumpkin:datasets:read", "access:services!service=pumpkin"])
    model = httpx.get(f"{platform.hub_url}/user", headers={"Authorization": f"token {narrow.token}"}, **ask).json()
    assert [s for s in model["scopes"] if s.startswith(scopes.PREFIX)] == ["custom:pumpkin:datasets:read"]


def test_a_frozen_user_cannot_log_in(platform: House) -> None:
    fresh = platform.command("password", "frieda").stdout.strip()
    browser = platform.log_in("frieda", fresh)
    assert browser.get("hub/home").url.path == "/hub/home"
    me = {"Authorization": f"token {platform.admin.token}"}
    group = f"{platform.hub_url}/groups/pumpkin-frozen"
    assert httpx.post(group, headers=me, timeout=30).status_code in (201, 409)
    httpx.post(f"{group}/users", headers=me, json={"users": ["frieda"]}, timeout=30).raise_for_status()
    assert "frozen" in log_in(platform, "frieda", ADMIN_PASSWORD).text
    httpx.request("DELETE", f"{group}/users", headers=me, json={"users": ["frieda"]}, timeout=30).raise_for_status()
    assert log_in(platform, "frieda", ADMIN_PASSWORD).url.path == "/hub/home"


def test_the_hubs_pages_carry_the_name_and_the_security_headers(platform: House) -> None:
    page = httpx.get(f"{platform.url}hub/login", timeout=30)
    assert "<title>Log in · Pumpkin</title>" in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    logo = httpx.get(f"{platform.url}hub/logo", timeout=30)
    assert logo.headers["Content-Type"] == "image/svg+xml"


def test_the_hubs_pages_speak_the_language_that_was_chosen_else_the_browsers(platform: House) -> None:
    page = httpx.get(f"{platform.url}hub/login", headers={"Accept-Language": "zh-CN,zh;q=0.9"}, timeout=30)
    assert "<title>登录 · Pumpkin</title>" in page.text
    assert 'documentElement.lang = "zh"' in page.text
    form = {"username": "nobody", "password": "x", "_xsrf": xsrf(page)}
    browser = platform.log_in("admin", ADMIN_PASSWORD)
    assert "Start a notebook" in browser.get("hub/spawn").text
    browser.get("services/pumpkin/?language=zh-CN")
    assert "启动笔记本" in browser.get("hub/spawn").text
    assert "免费" in browser.get("hub/spawn").text
    refused = httpx.post(
        f"{platform.url}hub/login", data=form, headers={"Accept-Language": "zh"}, cookies=page.cookies, timeout=30
    )
    assert "用户名与密码不匹配。" in refused.text
