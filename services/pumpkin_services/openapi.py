"""`python -m pumpkin_services.openapi`: print this release's OpenAPI document, as committed in `docs/openapi.json`."""

from __future__ import annotations

import json
import sys
import tempfile

from pumpkin_services.db import Database
from pumpkin_services.meta import document
from pumpkin_services.settings import Platform
from pumpkin_services.wiring import api_routes, wire


def text() -> str:
    """Return the document as JSON; it depends on the code alone."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Platform(data_dir=folder)
        routes = api_routes(wire(settings, Database(settings.database_url)))
    return json.dumps(document(routes), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
