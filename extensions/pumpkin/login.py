"""Getting a token from the Hub with a name and a password, as the log-in page would."""

from __future__ import annotations

import socket

import httpx

from pumpkin._protocol import unreachable
from pumpkin.errors import PumpkinError

WRONG = "This name and password do not match."


def token_page(url: str) -> str:
    """Return the page where a person makes a token by hand."""
    return f"{url}/services/pumpkin/account"


def request_token(url: str, user: str, password: str, *, new_password: str = "", note: str = "") -> str:
    """Return a new Hub token of `user`.

    A one-time password opens nothing but the choice of a real one: it needs `new_password` (else the error's
    reason is `choose_password`). Raises `PumpkinError` with the Hub's own sentence where it has one.
    """
    try:
        with httpx.Client(timeout=20.0, trust_env=not url.startswith(("http://127.", "http://localhost"))) as http:
            sentence = _log_in(http, url, user, password, new_password)
            if sentence:
                raise PumpkinError(sentence, field="password", reason="log_in_refused", status=403)
            label = note or f"pumpkin on {socket.gethostname()}"
            answer = http.post(
                f"{url}/hub/api/users/{user}/tokens",
                json={"auth": {"username": user, "password": new_password or password}, "note": label},
                headers={"Referer": f"{url}/hub/"},
                params={"_xsrf": http.cookies.get("_xsrf", path=None) or ""},
            )
    except httpx.TransportError as error:
        raise unreachable(url, error) from error
    if answer.status_code != 201:
        raise PumpkinError(
            f"The Hub gave no token ({answer.status_code}): make one at {token_page(url)}.", reason="no_token"
        )
    return str(answer.json()["token"])


def _log_in(http: httpx.Client, url: str, user: str, password: str, new_password: str) -> str:
    """Fill in the log-in form; return why the Hub refused, or nothing."""
    page = http.get(f"{url}/hub/login", follow_redirects=True)
    if page.status_code != 200 or "_xsrf" not in http.cookies:
        return f"{url} has no log-in form: make a token at {token_page(url)} and give it with --token."
    form = {"username": user, "password": password, "_xsrf": http.cookies["_xsrf"]}
    if new_password:
        form |= {"new_password": new_password, "repeated": new_password}
    answer = http.post(f"{url}/hub/login", data=form)
    if answer.is_redirect:
        return ""
    if "new_password" in answer.text:
        raise PumpkinError(
            "This is a one-time password: choose a new one of at least 10 characters.",
            field="password",
            reason="choose_password",
            status=403,
        )
    waits = "waits for an admin" in answer.text
    return f"The account {user} waits for an admin's approval." if waits else WRONG
