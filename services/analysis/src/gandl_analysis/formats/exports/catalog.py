"""The exports of a screen by name: the single list of what can be taken along."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from gandl_shared.errors import Conflict, NotFound, TooLarge
from matplotlib.figure import Figure

from gandl_analysis.formats.exports.archive import Member, zip_parts
from gandl_analysis.formats.exports.columnar import (
    curve_wells_parquet,
    curves_parquet,
    embeddings_parquet,
    wells_parquet,
)
from gandl_analysis.formats.exports.notebook import notebook
from gandl_analysis.formats.exports.pictures import PICTURES, RENDERINGS, SCREEN_FIGURES, Picture, to_pdf
from gandl_analysis.formats.exports.plate_grid import plate_grid
from gandl_analysis.formats.exports.prism import prism_csv, prism_pzfx
from gandl_analysis.formats.exports.source import Content, Export, ExportChoice, ExportSource
from gandl_analysis.formats.exports.structures import lack_of_smiles, structures_sdf
from gandl_analysis.formats.exports.workbook import workbook
from gandl_analysis.formats.output_folder import POTENCY, quality_json
from gandl_analysis.formats.tables.curves import curve_files, potency_csv
from gandl_analysis.formats.tables.decisions import decisions_csv
from gandl_analysis.formats.tables.wells import hits_csv, retrieval_csv, sites_csv, wells_csv
from gandl_analysis.pipeline.curves.potency import screen_ratios
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.compounds import MAX_CURVES

CSV, PARQUET, JSON = "text/csv", "application/vnd.apache.parquet", "application/json"
_CURVES = frozenset({"compound", "cell_line"})
LEFT_OUT = "left_out.txt"
"""The file of an archive that names the exports which this screen does not have, each with the reason."""
_WHOLE = ExportChoice()


def _of_text(text: Callable[[ExportSource], str]) -> Callable[[ExportSource, ExportChoice], bytes]:
    return lambda source, _: text(source).encode()


def _curve_table(name: str) -> Callable[[ExportSource, ExportChoice], bytes]:
    return _of_text(lambda source: curve_files(source.analysis.curves)[name])


def _parameters(source: ExportSource) -> str:
    provenance = source.analysis.provenance.model_dump(mode="json")
    document = {"screen": source.screen, "version": source.version, **provenance}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _lack_of_retrieval(analysis: ScreenAnalysis) -> str | None:
    has_retrieval = analysis.provenance.parameters.retrieval
    return None if has_retrieval else "its analysis did not ask for retrieval; analyse it again with it"


def _lack_of_reference(analysis: ScreenAnalysis) -> str | None:
    reference = analysis.provenance.parameters.curves.reference
    return "its analysis named no reference; analyse it again with one" if reference is None else None


def _lack_of_features(analysis: ScreenAnalysis) -> str | None:
    return None if analysis.provenance.table else "its vectors come from images and not from a table"


def _potency(source: ExportSource) -> str:
    return potency_csv(screen_ratios(source.analysis.provenance.parameters.curves, source.analysis.curves) or [])


def _picture(picture: Picture, suffix: str) -> Export:
    media, render = RENDERINGS[suffix]

    def content(source: ExportSource, choice: ExportChoice) -> bytes:
        return render(picture.draw(source, choice))

    name = f"{picture.name}.{suffix}"
    return Export(
        name=name, media=media, meaning=picture.meaning, content=content, choices=picture.choices, lack=picture.lack
    )


_TABLES = (
    Export(
        name="wells.csv",
        media=CSV,
        meaning="The scores of all wells.",
        content=_of_text(lambda source: wells_csv(source.analysis.wells)),
    ),
    Export(
        name="sites.csv",
        media=CSV,
        meaning="The scores of all fields of view.",
        content=_of_text(lambda source: sites_csv(source.sites())),
    ),
    Export(
        name="dose_response.csv",
        media=CSV,
        meaning="The curves with their verdicts and parameters.",
        content=_curve_table("dose_response.csv"),
    ),
    Export(
        name="dose_response_wells.csv",
        media=CSV,
        meaning="The wells behind the curves.",
        content=_curve_table("dose_response_wells.csv"),
    ),
    Export(
        name="dose_response_lines.csv",
        media=CSV,
        meaning="The lines of the curves with their bands.",
        content=_curve_table("dose_response_lines.csv"),
    ),
    Export(
        name="dose_response_covariances.csv",
        media=CSV,
        meaning="The covariances of the parameters of the curves.",
        content=_curve_table("dose_response_covariances.csv"),
    ),
    Export(
        name=POTENCY,
        media=CSV,
        meaning="The potencies relative to a reference, where the analysis named one.",
        content=_of_text(_potency),
        lack=_lack_of_reference,
    ),
    Export(
        name="hits.csv",
        media=CSV,
        meaning="The compounds by rank.",
        content=_of_text(lambda source: hits_csv(source.hits())),
    ),
    Export(
        name="decisions.csv",
        media=CSV,
        meaning="The trail of what people left out, brought back, or set beside a curve.",
        content=_of_text(lambda source: decisions_csv(source.decisions())),
    ),
    Export(
        name="retrieval.csv",
        media=CSV,
        meaning="The protocols of retrieval, where the analysis asked for them.",
        content=_of_text(lambda source: retrieval_csv(source.analysis.quality)),
        lack=_lack_of_retrieval,
    ),
    Export(
        name="plates.csv",
        media=CSV,
        meaning="The plates as grids, by efficacy or another quantity.",
        content=plate_grid,
        choices=frozenset({"plate", "quantity"}),
    ),
    Export(
        name="workbook.xlsx",
        media="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        meaning="A workbook with sheets for wells, curves, their wells, ranking, quality and parameters.",
        content=workbook,
    ),
    Export(
        name="prism.csv",
        media=CSV,
        meaning="An XY table for Prism with replicates side by side; an excluded value ends with an asterisk.",
        content=prism_csv,
        choices=_CURVES,
    ),
    Export(
        name="prism.pzfx",
        media="application/xml",
        meaning="The same XY table as a file that Prism opens; excluded values are marked.",
        content=prism_pzfx,
        choices=_CURVES,
    ),
    Export(
        name="features.csv",
        media=CSV,
        meaning="What became of each feature, where the vectors come from a table.",
        content=lambda source, _: source.features(),
        lack=_lack_of_features,
    ),
    Export(
        name="wells.parquet",
        media=PARQUET,
        meaning="The scores of all wells.",
        content=wells_parquet,
    ),
    Export(
        name="curves.parquet",
        media=PARQUET,
        meaning="The curves with their verdicts and parameters.",
        content=curves_parquet,
    ),
    Export(
        name="curve_wells.parquet",
        media=PARQUET,
        meaning="The wells behind the curves.",
        content=curve_wells_parquet,
    ),
    Export(
        name="embeddings.parquet",
        media=PARQUET,
        meaning="The vectors of all tiles.",
        content=embeddings_parquet,
    ),
    Export(
        name="structures.sdf",
        media="chemical/x-mdl-sdfile",
        meaning="The structures of the compounds with their curves, where the plate map has SMILES.",
        content=structures_sdf,
        choices=_CURVES,
        lack=lack_of_smiles,
    ),
    Export(
        name="quality.json",
        media=JSON,
        meaning="The quality of the assay.",
        content=_of_text(lambda source: quality_json(source.analysis)),
    ),
    Export(
        name="parameters.json",
        media=JSON,
        meaning="Everything that decided the numbers: model, limits and parameters.",
        content=_of_text(_parameters),
    ),
    Export(
        name="notebook.ipynb",
        media="application/x-ipynb+json",
        meaning="A notebook whose cell reads the tables from this service.",
        content=notebook,
    ),
    Export(
        name="report.html",
        media="text/html",
        meaning="The report as one file that needs no network.",
        content=_of_text(lambda source: source.report()),
    ),
)
_PICTURES = tuple(_picture(picture, suffix) for picture in PICTURES for suffix in RENDERINGS)


def _archive(source: ExportSource, _: ExportChoice) -> Iterator[bytes]:
    return zip_parts(_members(source))


def _members(source: ExportSource) -> Iterator[Member]:
    reasons = []
    for name, content in _contents():
        try:
            yield Member(name=name, content=content(source))
        except (NotFound, Conflict, TooLarge) as error:
            # A screen without structures has everything else; the archive says what it lacks.
            reasons.append(f"{name}: {error.detail}\n")
    for name, content_of_axis in source.axes().items():
        yield Member(name=f"axes/{name}", content=content_of_axis)
    further = len(source.analysis.curves) - MAX_CURVES
    if further > 0:
        reasons.append(
            f"figures/curves.pdf: it has the first {MAX_CURVES} curves by rank, and {further} are left out\n"
        )
    yield Member(name=LEFT_OUT, content="".join(reasons).encode())


def _contents() -> Iterator[tuple[str, Callable[[ExportSource], Content]]]:
    for export in _TABLES:
        yield export.name, partial(export.of, choice=_WHOLE)
    for name, draw in SCREEN_FIGURES.items():
        yield f"figures/{name}.pdf", partial(_document, draw)


def _document(draw: Callable[[ExportSource], Iterable[Figure]], source: ExportSource) -> bytes:
    return to_pdf(draw(source))


EXPORTS: Sequence[Export] = (
    *_TABLES,
    *_PICTURES,
    Export(
        name="screen.zip",
        media="application/zip",
        meaning="All tables, the workbook, the report, the figures and the axes of the screen in one archive.",
        content=_archive,
    ),
)
_BY_NAME = {export.name: export for export in EXPORTS}


def export_of(name: str) -> Export:
    """Return an export by name. Raises NotFound naming all of them."""
    if name not in _BY_NAME:
        raise NotFound(f"there is no export '{name[:80]}'; there are {', '.join(_BY_NAME)}")
    return _BY_NAME[name]
