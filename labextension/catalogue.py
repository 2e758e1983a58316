"""Keeps the extension's catalogues whole: `python labextension/catalogue.py` collects messages and compiles them.

People edit `pumpkin.po` below `extensions/pumpkin_server/locale/`; JupyterLab reads the `.json` beside it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_javascript
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
LOCALE = HERE.parent / "extensions" / "pumpkin_server" / "locale"
HEADER = b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
KEYWORDS = {"__": None, "_n": (1, 2)}


def collected() -> Catalog:
    """Return every message of the extension's sources."""
    catalogue = Catalog(charset="utf-8")
    for source in sorted((HERE / "src").rglob("*.ts*")):
        if source.name != "schema.ts" and ".test." not in source.name:
            for message in _messages(source.read_bytes()):
                catalogue.add(message)
    return catalogue


def _messages(source: bytes) -> Iterator[str | tuple[str, str]]:
    for _, function, arguments, _ in extract_javascript(
        BytesIO(source), list(KEYWORDS), [], {"jsx": True, "parse_template_string": True}
    ):
        if function == "__":
            yield arguments if isinstance(arguments, str) else arguments[0]
        elif function == "_n":
            yield arguments[0], arguments[1]


def read(language: str) -> Catalog:
    """Return the catalogue people edit."""
    path = LOCALE / language / "LC_MESSAGES" / "pumpkin.po"
    return read_po(BytesIO(path.read_bytes() if path.exists() else b""), locale=language)


def written(catalogue: Catalog) -> bytes:
    """Return the `.po` of a catalogue, under the one header gettext needs."""
    out = BytesIO()
    write_po(out, catalogue, omit_header=True, no_location=True, sort_output=True, width=0)
    return HEADER + out.getvalue()


def compiled(catalogue: Catalog, language: str) -> str:
    """Return what JupyterLab reads."""
    header = {"domain": "pumpkin", "language": language.replace("_", "-"), "plural_forms": "nplurals=1; plural=0;"}
    messages: dict[str, Any] = {"": header}
    for message in catalogue:
        if message.id and message.string:
            key = message.id if isinstance(message.id, str) else message.id[0]
            forms = [message.string] if isinstance(message.string, str) else list(message.string)
            # JupyterLab takes a single form for no plural's: a language with one form says it twice.
            messages[key] = forms * 2 if message.pluralizable and len(forms) == 1 else forms
    return json.dumps(messages, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def untranslated(catalogue: Catalog) -> list[str]:
    """Return the messages that have no translation."""
    return [str(message.id) for message in catalogue if message.id and not (message.string and all(message.string))]


def main() -> None:
    """Bring every catalogue up to date; exit 1 when a message is without translation."""
    missing: list[str] = []
    for folder in sorted(LOCALE.iterdir()):
        catalogue = read(folder.name)
        catalogue.update(collected(), no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        for message in catalogue:
            message.flags.discard("python-format")  # "%1 %" only looks like it
        (folder / "LC_MESSAGES" / "pumpkin.po").write_bytes(written(catalogue))
        (folder / "LC_MESSAGES" / "pumpkin.json").write_text(compiled(catalogue, folder.name), encoding="utf-8")
        missing += untranslated(catalogue)
    sys.stdout.writelines(f"without translation: {message}\n" for message in missing)
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
