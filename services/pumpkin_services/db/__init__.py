"""Engine, sessions, identifiers and migrations; knows no module."""

from pumpkin_services.db.base import LONG_TEXT, Base, Stamp, new_id, table, utcnow
from pumpkin_services.db.engine import Database

__all__ = ["LONG_TEXT", "Base", "Database", "Stamp", "new_id", "table", "utcnow"]
