"""The database: screens, their batches and analyses, and who works on them. SQLite or PostgreSQL."""

from gandl_shared.db.database import ATTEMPTS, Database, Waiting
from gandl_shared.db.records import (
    AnalysisRecord,
    FinishedBatch,
    LeasedAnalysis,
    LeasedBatch,
    LeasedSite,
    ModelUse,
    NewScreen,
    ScreenRecord,
)

__all__ = [
    "ATTEMPTS",
    "AnalysisRecord",
    "Database",
    "FinishedBatch",
    "LeasedAnalysis",
    "LeasedBatch",
    "LeasedSite",
    "ModelUse",
    "NewScreen",
    "ScreenRecord",
    "Waiting",
]
