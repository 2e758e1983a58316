"""Keeps the catalogues whole: `python -m pumpkin_services.pages.catalogue` collects messages and compiles them.

Only developers need this (it takes Babel); the service reads the compiled files with the standard library.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from pumpkin_services.pages.i18n import LANGUAGES, LOCALE

HERE = Path(__file__).parent
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
METHODS = [("templates/**.html", "jinja2.ext:babel_extract"), ("static/**.js", "javascript")]
OPTIONS = {"templates/**.html": {"trimmed": "true"}, "static/**.js": {"parse_template_string": "true"}}


def collected() -> Catalog:
    """Return every message of the templates (`_`) and the scripts (`t`)."""
    catalogue = Catalog(charset="utf-8")
    keywords: dict[str, None] = {"_": None, "gettext": None, "t": None}
    for _, _, message, comments, _ in extract_from_dir(str(HERE), METHODS, OPTIONS, keywords=keywords):
        catalogue.add(message, auto_comments=comments)
    return catalogue


def read(language: str) -> Catalog:
    """Return the catalogue people edit."""
    path = LOCALE / language / "LC_MESSAGES" / "pages.po"
    catalogue = read_po(BytesIO(path.read_bytes() if path.exists() else b""), locale=language)
    # Nothing that changes without a change of messages: the compiled file is compared by a test.
    catalogue.creation_date = catalogue.revision_date = EPOCH
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """Return the `.po` of a catalogue, under the one header gettext needs."""
    out = BytesIO()
    write_po(out, catalogue, omit_header=True, no_location=True, sort_output=True, width=0)
    return HEADER + out.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """Return the `.mo` of a catalogue."""
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def main() -> None:
    """Bring every catalogue up to date; exit 1 when a message is without translation."""
    missing = 0
    for language in LANGUAGES:
        if language == "en":
            continue
        folder = LOCALE / language / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        catalogue = read(language)
        catalogue.update(collected(), no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        (folder / "pages.po").write_bytes(written(catalogue))
        (folder / "pages.mo").write_bytes(compiled(read(language)))
        untranslated = [message.id for message in catalogue if message.id and not message.string]
        missing += len(untranslated)
        sys.stdout.write(f"{language}: {len(catalogue)} messages, {len(untranslated)} without translation\n")
        sys.stdout.writelines(f"  {message}\n" for message in untranslated)
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
