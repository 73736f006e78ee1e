"""Tables of wells, sites, hits and retrieval as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gandl_shared.schemas.quality import Quality
from gandl_shared.schemas.screen import Hit, SiteScore, WellScore

from gandl_analysis.formats.tables.csv_text import csv_text
from gandl_analysis.formats.tables.metadata import metadata_columns, prefixed_metadata

WELL_COLUMNS = (
    "plate",
    "well",
    "role",
    "compound",
    "concentration_um",
    "cell_line",
    "on",
    "off",
    "efficacy",
    "off_distance",
    "n_tiles",
    "excluded",
)
SITE_COLUMNS = tuple(SiteScore.model_fields)
HIT_COLUMNS = tuple(name for name in Hit.model_fields if name != "metadata")
RETRIEVAL_COLUMNS = ("cell_line", "task", "restriction", "queries", "map", "recall_at_1", "chance")


def wells_csv(wells: Sequence[WellScore]) -> str:
    """Return one row per well; a well without vectors has empty scores.

    Further columns of the plate map come last, with pycytominer's prefix.
    """
    columns = (*WELL_COLUMNS, *metadata_columns(wells))
    return csv_text(columns, ({**w.model_dump(), **prefixed_metadata(w)} for w in wells))


def sites_csv(sites: Iterable[SiteScore]) -> str:
    """Return one row per field of view with vectors; its problems are joined by `;`."""
    return csv_text(SITE_COLUMNS, ({**site.model_dump(), "image_qc": ";".join(site.image_qc)} for site in sites))


def hits_csv(hits: Iterable[Hit]) -> str:
    """Return one row per compound and cell line, in the order of `hits`; flags are joined by `;`."""
    listed = list(hits)
    records = ({**hit.model_dump(), "flags": ";".join(hit.flags), **prefixed_metadata(hit)} for hit in listed)
    return csv_text((*HIT_COLUMNS, *metadata_columns(listed)), records)


def retrieval_csv(quality: Quality) -> str:
    """Return one row per protocol and cell line; a protocol without queries has empty numbers."""
    rows = ((name, probe) for name, probes in quality.probes.items() for probe in probes.retrieval)
    return csv_text(RETRIEVAL_COLUMNS, ({"cell_line": name, **probe.model_dump()} for name, probe in rows))
