"""The portal's frame and its built scripts; what is shown in it the browser fetches from the same API.

`handlers` is the entry; the API knows nothing of pages. The scripts are built from `labextension/`.
"""

from pumpkin_services.pages.handlers import handlers

__all__ = ["handlers"]
