"""Engine, sessions, identifiers and migrations; knows no module."""

from pumpkin_services.db.base import Base, Stamp, new_id, utcnow
from pumpkin_services.db.engine import Database

__all__ = ["Base", "Database", "Stamp", "new_id", "utcnow"]
