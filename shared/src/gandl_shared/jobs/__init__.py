"""Plate jobs: planned from a request, written to the database and announced to workers."""

from gandl_shared.jobs.inspection import Subject, inspect_images
from gandl_shared.jobs.lease import LeaseRenewal, drop_lost_work, expire_dead_leases, worker_name
from gandl_shared.jobs.patience import persist, wait_seconds
from gandl_shared.jobs.plan import CLIPPING_REMEDY, ScreenPlan, plan_screen, preprocessing_of
from gandl_shared.jobs.queue import InProcessQueue, Queue
from gandl_shared.jobs.roots import names_below, resolve_file, resolve_folder
from gandl_shared.jobs.submit import retry, submit

__all__ = [
    "CLIPPING_REMEDY",
    "InProcessQueue",
    "LeaseRenewal",
    "Queue",
    "ScreenPlan",
    "Subject",
    "drop_lost_work",
    "expire_dead_leases",
    "inspect_images",
    "names_below",
    "persist",
    "plan_screen",
    "preprocessing_of",
    "resolve_file",
    "resolve_folder",
    "retry",
    "submit",
    "wait_seconds",
    "worker_name",
]
