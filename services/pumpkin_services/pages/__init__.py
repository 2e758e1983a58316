"""The plain pages of the embedded platform: frames rendered here, data fetched by the browser from the same API.

`handlers` is the entry; the API knows nothing of pages.
"""

from pumpkin_services.pages.handlers import handlers

__all__ = ["handlers"]
