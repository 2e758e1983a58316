"""Which notebook a kernel belongs to, as a label of its jobs: by that a later kernel finds them again."""

from __future__ import annotations

import hashlib
import os
from pathlib import PurePath


def label() -> str | None:
    """Return the label of this notebook's jobs (`notebook/train-3f2a91c0`), None where there is no notebook.

    The digest tells notebooks of one name apart. Jupyter says the path when it starts a kernel, so a notebook that
    was renamed keeps its label until its kernel is shut down.
    """
    path = os.environ.get("JPY_SESSION_NAME")
    if not path:
        return None
    # The platform takes fewer characters in a label than a file system in a name.
    stem = "".join(one if one.isalpha() or one.isdecimal() or one in "._-" else "-" for one in PurePath(path).stem)
    return f"notebook/{stem[:40]}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"
