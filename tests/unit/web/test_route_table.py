"""The route table against what is committed and what the Hub knows."""

from __future__ import annotations

from pathlib import Path

from pumpkin_hub.scopes import GRANTS, MODULES, custom_scopes
from pumpkin_services.db import Database
from pumpkin_services.openapi import text
from pumpkin_services.principal import PREFIX
from pumpkin_services.settings import Platform
from pumpkin_services.wiring import api_routes, wire

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_the_committed_document_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text() == text(), "run: python -m pumpkin_services.openapi > docs/openapi.json"


def test_every_scope_a_route_asks_for_is_one_of_the_hubs_and_none_is_idle(tmp_path: Path) -> None:
    settings = Platform(data_dir=str(tmp_path))
    routes = api_routes(wire(settings, Database(settings.database_url)))
    asked = {f"{PREFIX}{route.scope}" for route in routes if route.scope}
    assert asked <= set(custom_scopes())
    assert {GRANTS, *(f"{PREFIX}{module}:read" for module in MODULES)} <= asked
    # `admin` lifts rules in every module, and includes `write`, also where no route asks for it by name.
    assert [scope for scope in set(custom_scopes()) - asked if not scope.endswith((":admin", ":write"))] == []
    assert {route.module for route in routes if route.scope and route.scope != "grants"} == set(MODULES)


def test_no_two_wire_models_share_a_name() -> None:
    assert "pumpkin_services__" not in DOCUMENT.read_text()
