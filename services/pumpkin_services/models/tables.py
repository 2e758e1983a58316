"""Where model versions come from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import Base, utcnow


class LineageRow(Base):
    """The lineage of one model version, written once, with the version."""

    __tablename__ = "model_lineage"

    version_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    job: Mapped[str] = mapped_column(String(26), index=True)
    job_name: Mapped[str]
    attempt: Mapped[int]
    code: Mapped[str] = mapped_column(String(400))
    datasets: Mapped[list[str]]
    models: Mapped[list[str]]
    environment: Mapped[str] = mapped_column(String(400))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    metrics: Mapped[dict[str, float]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(default=utcnow)
