"""What JupyterHub loads: our configuration, with the user's own `pumpkin_config.py` on top."""

import os
from pathlib import Path
from typing import cast

from traitlets.config import Config

from pumpkin_hub import hub_patches, languages
from pumpkin_hub.config import hub_config
from pumpkin_hub.place import Place
from pumpkin_hub.settings import load, of_section, settings

c = cast(Config, get_config())  # noqa: F821  # pyright: ignore[reportUndefinedVariable] - traitlets provides it
place = Place.read(Path(os.environ["PUMPKIN_PLACE"]))
theirs = load(place.config)
hub_patches.apply()
if kubeconfig := of_section(theirs, "Cluster", "kubeconfig"):
    # KubeSpawner has no setting for it; the service reads the same one.
    os.environ["KUBECONFIG"] = kubeconfig
c.merge(hub_config(settings(theirs), place))
languages.apply(c)
c.merge(theirs)
