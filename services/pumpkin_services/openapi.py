"""`python -m pumpkin_services.openapi`: print the OpenAPI document of this release, as committed in `docs/openapi.json`."""

from __future__ import annotations

import json
import sys
import tempfile

from pumpkin_services.db import Database
from pumpkin_services.settings import Platform
from pumpkin_services.version import VERSION
from pumpkin_services.web.openapi import openapi
from pumpkin_services.wiring import api_routes, wire

BASE_PATH = "/services/pumpkin/api/v1"


def document() -> str:
    """Return the document as JSON text; it depends on the code alone."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Platform(data_dir=folder)
        parts = wire(settings, Database(settings.database_url))
        body = openapi(api_routes(parts), base_path=BASE_PATH, version=VERSION)
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
