"""The lease: who may act as the pipeline."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import Base


class LeaseRow(Base):
    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    holder: Mapped[str] = mapped_column(String(255))
    epoch: Mapped[int] = mapped_column(BigInteger)
    """Grows each time the lease changes hands; every write of the pipeline names the epoch it was made under."""
    expires: Mapped[datetime]
    passed: Mapped[datetime | None]
    """When its holder last looked at everything, as of its last renewal."""
