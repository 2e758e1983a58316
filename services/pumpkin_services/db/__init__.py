"""Engine, sessions, identifiers and migrations; knows no module."""

from pumpkin_services.db.base import LONG_TEXT, Base, Stamp, new_id, table, utcnow
from pumpkin_services.db.engine import Database
from pumpkin_services.db.sqlite import QUICK

__all__ = ["LONG_TEXT", "QUICK", "Base", "Database", "Stamp", "new_id", "table", "utcnow"]
