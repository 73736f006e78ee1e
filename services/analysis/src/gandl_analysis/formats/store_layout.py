"""The place of an analysis in the store: the whole result, and parts of it that are read more often.

    analyses/<version>/result.json       the ScreenAnalysis
    analyses/<version>/compounds.json    compounds and cell lines, so that a search need not read the results
    analyses/<version>/sites.json        scores of sites
    analyses/<version>/tiles.parquet     efficacies of tiles
    analyses/<version>/sample-1.parquet  a sample of the tiles along all axes, where a service has made it ahead
    analyses/<version>/drawings-2.json   figures of the report, where a service has drawn them ahead
    analyses/<version>/strips-1.json     strips of tiles under the curves of the report, made ahead in the same way
    analyses/<version>/axes/<stem>.npz   fitted axes: arrays, a JSON header, a hash over both
    model.json                           the card of the model when the screen was submitted

The result is written last: a version with a result is complete.
"""

from __future__ import annotations

from gandl_shared.errors import NotFound
from gandl_shared.models import VectorCard
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.screen import SiteScore
from gandl_shared.store import Profiles, Store
from pydantic import TypeAdapter

from gandl_analysis.figures.pixels.strips import Strips, StripView
from gandl_analysis.formats.axis_file import axis_bytes, read_axis
from gandl_analysis.formats.tile_positions import TileSample, read_tile_sample, tile_sample_bytes
from gandl_analysis.formats.tile_scores import TileScore, read_tile_scores, tile_scores_bytes
from gandl_analysis.pipeline.inputs import EarlierAxes
from gandl_analysis.pipeline.result import Analysed, ScreenAnalysis
from gandl_analysis.report.drawings import StoredDrawings

_MODEL = "model.json"
_DRAWINGS = "drawings-2.json"
"""The number rises with each change of how the figures look, so that old ones are not shown."""


_SAMPLE = "sample-1.parquet"
"""The same of the rule by which tiles are sampled."""
_STRIPS = "strips-1.json"
"""The same of the rule by which tiles are chosen, and of their look."""


class TestedCompound(Frozen, extra="ignore"):
    """A compound in a cell line."""

    compound: str
    cell_line: str


class StoredStrip(Frozen, extra="ignore"):
    """The strip of tiles of a curve."""

    compound: str
    cell_line: str
    view: StripView


_STORED_STRIPS = TypeAdapter(tuple[StoredStrip, ...])
_COMPOUNDS = TypeAdapter(tuple[TestedCompound, ...])
_CARD: TypeAdapter[VectorCard] = TypeAdapter(VectorCard)
_SITES = TypeAdapter(tuple[SiteScore, ...])


def write_analysis(
    store: Store, screen: str, version: int, analysed: Analysed, profiles: Profiles | None = None
) -> None:
    """Store an analysis under a version. Writing it again replaces it, so that a task that runs twice does no harm.

    `profiles` are those that were analysed; without them, the efficacies of tiles are not stored.
    """
    analysis, folder = analysed.analysis, _folder(version)
    compounds = tuple(TestedCompound(compound=curve.compound, cell_line=curve.cell_line) for curve in analysis.curves)
    for stem, fit in analysed.fits.items():
        store.put_document(screen, f"{folder}/axes/{stem}.npz", axis_bytes(fit))
    if profiles is not None:
        content = tile_scores_bytes(profiles, analysed.tile_efficacy)
        store.put_document(screen, f"{folder}/tiles.parquet", content)
    store.put_document(screen, f"{folder}/sites.json", _SITES.dump_json(analysed.sites))
    store.put_document(screen, f"{folder}/compounds.json", _COMPOUNDS.dump_json(compounds))
    # Readers take a version for complete when they see its result, so the result is written last.
    store.put_document(screen, _result(version), analysis.model_dump_json())


def write_drawings(store: Store, screen: str, version: int, drawings: StoredDrawings) -> None:
    """Store the figures of the report of an analysis."""
    store.put_document(screen, f"{_folder(version)}/{_DRAWINGS}", drawings.model_dump_json())


def read_drawings(store: Store, screen: str, version: int) -> StoredDrawings | None:
    """Return the stored figures of an analysis, or None where this version of gandl has stored none."""
    try:
        return StoredDrawings.model_validate_json(store.document(screen, f"{_folder(version)}/{_DRAWINGS}"))
    except NotFound:
        return None


def write_strips(store: Store, screen: str, version: int, strips: Strips) -> None:
    """Store the strips of tiles of the report of an analysis."""
    rows = tuple(StoredStrip(compound=compound, cell_line=line, view=view) for (compound, line), view in strips.items())
    store.put_document(screen, f"{_folder(version)}/{_STRIPS}", _STORED_STRIPS.dump_json(rows))


def read_strips(store: Store, screen: str, version: int) -> Strips | None:
    """Return the stored strips of an analysis, or None where this version of gandl has stored none."""
    try:
        rows = _STORED_STRIPS.validate_json(store.document(screen, f"{_folder(version)}/{_STRIPS}"))
    except NotFound:
        return None
    return {(row.compound, row.cell_line): row.view for row in rows}


def write_sample(store: Store, screen: str, version: int, analysed: Analysed, profiles: Profiles) -> None:
    """Store the sample of tiles that the scatter shows; `profiles` are those that were analysed."""
    positions = {"efficacy": analysed.tile_efficacy, **analysed.tile_positions}
    store.put_document(screen, f"{_folder(version)}/{_SAMPLE}", tile_sample_bytes(profiles, positions))


def read_sample(store: Store, screen: str, version: int) -> TileSample | None:
    """Return the sample of tiles of an analysis, or None where this version of gandl has stored none."""
    try:
        return read_tile_sample(store.document(screen, f"{_folder(version)}/{_SAMPLE}"))
    except NotFound:
        return None


def read_analysis(store: Store, screen: str, version: int) -> ScreenAnalysis:
    """Return the result that `write_analysis` wrote. Raises NotFound."""
    return ScreenAnalysis.model_validate_json(store.document(screen, _result(version)))


def analysis_bytes(store: Store, screen: str, version: int) -> int:
    """Return how many bytes the stored result of an analysis has. Raises NotFound."""
    return store.document_bytes(screen, _result(version))


def read_sites(store: Store, screen: str, version: int) -> tuple[SiteScore, ...]:
    """Return the scores of sites of an analysis. Raises NotFound."""
    return _SITES.validate_json(store.document(screen, f"{_folder(version)}/sites.json"))


def read_tiles(store: Store, screen: str, version: int, plate: str, well: str) -> tuple[TileScore, ...]:
    """Return the efficacies of the tiles of a well. Raises NotFound where an older version stored none."""
    return read_tile_scores(store.document(screen, f"{_folder(version)}/tiles.parquet"), plate, well)


def read_axes(store: Store, screen: str, version: int) -> EarlierAxes:
    """Return the fitted axes of an analysis, which may be none. Raises Invalid for a file that was changed."""
    source = f"screen {screen}, version {version}"
    fits = [read_axis(file, f"{name} of {source}") for name, file in axis_files(store, screen, version).items()]
    return EarlierAxes(tuple(fits), source)


def axis_files(store: Store, screen: str, version: int) -> dict[str, bytes]:
    """Return the files of the fitted axes of an analysis by name."""
    folder = f"{_folder(version)}/axes/"
    names = [name for name in store.documents(screen) if name.startswith(folder)]
    return {name.removeprefix(folder): store.document(screen, name) for name in names}


def read_compounds(store: Store, screen: str, version: int) -> tuple[TestedCompound, ...]:
    """Return the compounds of an analysis, in the order of its curves. Raises NotFound."""
    return _COMPOUNDS.validate_json(store.document(screen, f"{_folder(version)}/compounds.json"))


def write_card(store: Store, screen: str, card: VectorCard) -> None:
    """Store the card of a screen's model or table with it: the service may serve other models at the next analysis."""
    store.put_document(screen, _MODEL, card.model_dump_json())


def read_card(store: Store, screen: str) -> VectorCard | None:
    """Return the card that is stored with a screen, or None."""
    try:
        return _CARD.validate_json(store.document(screen, _MODEL))
    except NotFound:
        return None


def _result(version: int) -> str:
    return f"{_folder(version)}/result.json"


def _folder(version: int) -> str:
    return f"analyses/{version}"
