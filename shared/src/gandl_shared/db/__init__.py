"""The database of screens, their batches and analyses, and the leases of workers. SQLite or PostgreSQL."""

from gandl_shared.db.analyses.decisions import Recorded
from gandl_shared.db.analyses.trail import exclusion_of, standing_assessments, standing_exclusions
from gandl_shared.db.database import MAX_ATTEMPTS, Database
from gandl_shared.db.records import (
    AnalysisRecord,
    FinishedBatch,
    Lease,
    LeasedAnalysis,
    LeasedBatch,
    LeasedSite,
    ModelUse,
    NewScreen,
    RequestKey,
    ScreenRecord,
    SiteRecord,
    Waiting,
)

__all__ = [
    "MAX_ATTEMPTS",
    "AnalysisRecord",
    "Database",
    "FinishedBatch",
    "Lease",
    "LeasedAnalysis",
    "LeasedBatch",
    "LeasedSite",
    "ModelUse",
    "NewScreen",
    "Recorded",
    "RequestKey",
    "ScreenRecord",
    "SiteRecord",
    "Waiting",
    "exclusion_of",
    "standing_assessments",
    "standing_exclusions",
]
